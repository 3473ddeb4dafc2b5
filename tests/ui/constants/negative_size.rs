// mistake: size

use backprop::prelude::*;

network! {
    pub struct Net;

    const LESS: i64 = 2 - 4;

    fn forward(x: [4]) -> [2] { (x.dense(2) + zeros([LESS])) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
