// mistake: input-width-given

use backprop::prelude::*;

network! {
    pub struct Net {
        encoder: dense(4, 2),
    }

    fn forward(x: [4]) {
        self.encoder(x).relu()
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
