// mistake: classes

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [4]) -> [2] { x.dense(2) }

    fn loss(logits, label: Class<2>) { cross_entropy(logits, label, weights = [1, 2, 3]) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
