// mistake: idle-parameter

use backprop::prelude::*;

network! {
    pub struct Net {
        temperature: [] = ones(),
    }

    fn forward(x: [8]) -> [3] { x.dense(3) }
    fn loss(y, t: Class<3>) { cross_entropy(y, t) }
    pub fn probabilities(x: [8]) -> [3] { (forward(x) / self.temperature).softmax() }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
