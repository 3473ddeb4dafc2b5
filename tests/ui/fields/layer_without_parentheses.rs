// mistake: unknown-type

use backprop::prelude::*;

network! {
    pub struct Net {
        norm: layer_norm,
    }

    fn forward(x: [8]) -> [3] { self.norm(x).dense(3) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
