// mistake: reserved-name

use backprop::prelude::*;

network! {
    pub struct Net {
        encode: [4, 2] = zeros(),
    }

    pub fn encode(x: [4]) -> [2] { x.dense(2) }

    fn forward(x: [4]) -> [2] { x.matmul(self.encode) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
