// mistake: layer-with-value

use backprop::prelude::*;

network! {
    pub struct Net {
        encoder: dense(2) = he_normal(),
    }

    fn forward(x: [4]) -> [2] { self.encoder(x) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
