// mistake: unknown-field

use backprop::prelude::*;

network! {
    pub struct Net {
        encoder: dense(2),
    }

    fn forward(x: [4]) -> [2] { self.decoder(self.encoder(x)) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
