// mistake: literal-shape

use backprop::prelude::*;

network! {
    pub struct Net {
        b: [2] = [0.1, 0.2, 0.3],
    }

    fn forward(x: [4]) -> [2] { x.dense(2) + self.b }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
