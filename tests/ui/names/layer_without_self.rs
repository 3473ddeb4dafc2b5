// mistake: unknown-function

use backprop::prelude::*;

network! {
    pub struct Net {
        encoder: dense(4),
    }

    fn encode(x) { encoder(x).tanh() }

    fn forward(x: [3]) { encode(x) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
