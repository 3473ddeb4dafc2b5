// mistake: logits-activated

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [4]) -> [3] { x.dense(3) }
    fn loss(y, t: [3]) {
        let p = sigmoid(y);
        p.binary_cross_entropy_with_logits(t)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
