// mistakes: unknown-option, same-shape

use backprop::prelude::*;

network! {
    pub struct Net;

    fn scaled(v) { v.leaky_relu(slop = 0.2) }

    fn forward(x: [4]) -> [2] { x.scaled().dense(2) }

    fn loss(y, t: [3]) { mse(y, t) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
