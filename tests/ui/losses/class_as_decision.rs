// mistake: needs-real

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [4]) -> [1] { x.dense(1) }
    fn loss(y, t: Class<2>) { binary_cross_entropy_with_logits(y, t) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
