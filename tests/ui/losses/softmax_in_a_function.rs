// mistake: logits-activated

use backprop::prelude::*;

network! {
    pub struct Net;

    fn head(x) { softmax(x.dense(3)) }
    fn forward(x: [4]) -> [3] { head(x) }
    fn loss(y, t: [3]) { binary_cross_entropy_with_logits(y, t) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
