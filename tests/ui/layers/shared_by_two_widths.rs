// mistake: shared-shape

use backprop::prelude::*;

network! {
    pub struct Net {
        encoder: dense(4),
    }

    fn forward(a: [4], b: [5]) -> [4] { self.encoder(a) + self.encoder(b) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
