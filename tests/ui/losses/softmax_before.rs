// mistake: logits-activated

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [4]) -> [3] { x.dense(8).relu().dense(3).softmax() }
    fn loss(y, label: Class<3>) { cross_entropy(y, label, label_smoothing = 0.1) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
