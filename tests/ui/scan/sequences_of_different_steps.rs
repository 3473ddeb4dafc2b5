// mistake: scan-steps

use backprop::prelude::*;

network! {
    pub struct Net;

    fn step(s, a, b) { s + a * b }

    fn forward(a: [10, 4], b: [9, 4]) {
        (a, b).scan(step, initial = zeros([4])).last()
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
