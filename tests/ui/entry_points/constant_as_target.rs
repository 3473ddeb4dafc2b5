// mistake: entry-constant

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [4]) -> [3] { x.dense(3) }
    fn loss(y, label: usize) { cross_entropy(y, label) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
