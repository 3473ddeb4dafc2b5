// mistake: missing-argument

use backprop::prelude::*;

network! {
    pub struct Net;

    fn mix(a, b) { 0.5 * (a + b) }

    fn forward(x: [3, 4]) {
        x.mix()
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
