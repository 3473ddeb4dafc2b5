// mistake: loss-not-scalar

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [4]) -> [2] { x.dense(2) }

    fn loss(y, t: [2]) {
        (y - t).powi(2)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
