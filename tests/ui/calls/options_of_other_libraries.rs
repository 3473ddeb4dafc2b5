// mistakes: unknown-option, unknown-option, unknown-option

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [4]) -> [2] { x.dense(8, activation = relu).dense(2) }

    fn loss(y, t: [2], class: Class<2>) {
        mse(y, t, reduction = mean) + cross_entropy(y, class, from_logits = true)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
