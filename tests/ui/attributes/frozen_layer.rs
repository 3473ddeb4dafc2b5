// mistake: attribute-on-layer

use backprop::prelude::*;

network! {
    pub struct Net {
        #[frozen]
        encoder: dense(8),
    }

    fn forward(x: [4]) -> [2] { self.encoder(x).dense(2) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
