// mistake: not-constant

use backprop::prelude::*;

network! {
    pub struct Net {
        gain: [] = zeros([1]).sum(),
    }

    fn forward(x: [4]) -> [2] { self.gain * x.dense(2) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
