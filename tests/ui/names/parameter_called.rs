// mistake: field-is-parameter

use backprop::prelude::*;

network! {
    pub struct Net {
        w: [4, 2] = zeros(),
    }

    fn forward(x: [4]) -> [2] { self.w(x) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
