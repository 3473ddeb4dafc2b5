// mistake: argument-shape

use backprop::prelude::*;

network! {
    pub struct Net;

    fn typed(v: [5]) { v.dense(2) }

    fn forward(x: [3, 4]) {
        typed(x)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
