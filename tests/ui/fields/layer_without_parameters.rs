// mistake: field-layer

use backprop::prelude::*;

network! {
    pub struct Net {
        drop: dropout(0.5),
    }

    fn forward(x: [4]) -> [2] { self.drop(x).dense(2) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
