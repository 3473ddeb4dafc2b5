// mistake: duplicate-name

use backprop::prelude::*;

network! {
    pub struct Net;

    fn swish(v) { v * sigmoid(v) }

    fn swish(v) { v * sigmoid(2 * v) }

    fn forward(x: [4]) -> [2] { x.dense(2).swish() }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
