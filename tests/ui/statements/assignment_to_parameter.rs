// mistake: assignment

use backprop::prelude::*;

network! {
    pub struct Net {
        w: [4] = zeros(),
    }

    fn forward(x: [4]) -> [4] {
        self.w = x;
        x * self.w
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
