// mistake: argument-kind

use backprop::prelude::*;

network! {
    pub struct Net;

    fn step(s, x) { s + x }

    fn forward(xs: [10, 4]) {
        xs.scan(step, initial = zeros([4]), reverse = 1).last()
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
