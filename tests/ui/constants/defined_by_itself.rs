// mistake: recursive-constant

use backprop::prelude::*;

network! {
    pub struct Net;

    const A: usize = B + 1;
    const B: usize = A - 1;

    fn forward(x: [4]) -> [2] { x.dense(A).dense(2) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
