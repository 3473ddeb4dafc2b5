// mistake: duplicate-name

use backprop::prelude::*;

network! {
    pub struct Net {
        w: [4, 2] = zeros(),
        r#w: [4, 2] = zeros(),
    }

    fn forward(x: [4]) -> [2] { x.matmul(self.w) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
