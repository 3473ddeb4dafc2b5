// mistake: scan-sequence

use backprop::prelude::*;

network! {
    pub struct Net;

    fn step(s, x) { s + x }

    fn forward(x: [3, 4]) {
        x.sum().scan(step, initial = 0.0)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
