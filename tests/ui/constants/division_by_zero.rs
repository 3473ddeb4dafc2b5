// mistake: division-by-zero

use backprop::prelude::*;

network! {
    pub struct Net;

    const STRIDE: usize = 0;

    fn forward(x: [4]) -> [2] { x.dense(8 / STRIDE).dense(2) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
