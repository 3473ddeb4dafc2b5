// mistake: loss-arguments

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [4]) -> ([2], [2]) { (x.dense(2), x.dense(2)) }

    fn loss(y) {
        y.mean()
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
