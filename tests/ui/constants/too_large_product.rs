// mistake: too-large

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [1_000_000, 1_000_000]) -> [2] { x.sum(axis = 0).dense(2) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
