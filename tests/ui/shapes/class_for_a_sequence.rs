// mistake: class-target

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [7, 4]) -> [7, 10] { x.dense(10) }

    fn loss(logits, label: Class<10>) { cross_entropy(logits, label) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
