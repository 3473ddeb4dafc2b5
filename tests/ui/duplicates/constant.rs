// mistake: duplicate-name

use backprop::prelude::*;

network! {
    pub struct Net;

    const WIDTH: usize = 8;
    const WIDTH: usize = 9;

    fn forward(x: [4]) -> [2] { x.dense(WIDTH).dense(2) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
