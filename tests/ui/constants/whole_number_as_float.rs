// mistake: constant-type

use backprop::prelude::*;

network! {
    pub struct Net;

    const RATE: f64 = 1;

    fn forward(x: [4]) -> [2] { RATE * x.dense(2) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
