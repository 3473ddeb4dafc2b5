// mistake: field-not-real

use backprop::prelude::*;

network! {
    pub struct Net {
        gain: Scalar = 1.0,
    }

    fn forward(x: [4]) -> [2] { self.gain * x.dense(2) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
