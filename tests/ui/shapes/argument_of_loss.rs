// mistake: argument-shape

use backprop::prelude::*;

network! {
    pub struct Net;

    fn loss(y: [3], t: [2]) { mse(y[0..2], t) }

    fn forward(x: [4]) -> [2] {
        x.dense(2)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
