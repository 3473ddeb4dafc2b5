// mistake: ragged-list

use backprop::prelude::*;

network! {
    pub struct Net {
        w: [2, 4] = [[1, 2, 3, 4], [5, 6]],
    }

    fn forward(x: [4]) -> [2] { self.w.matmul(x) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
