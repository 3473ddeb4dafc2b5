// mistake: constant-overflow

use backprop::prelude::*;

network! {
    pub struct Net;

    const BIG: usize = 9_000_000_000_000_000_000;
    const BIGGER: usize = 2 * BIG;

    fn forward(x: [4]) -> [2] { x.dense(2) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
