// mistake: reserved-name

use backprop::prelude::*;

network! {
    pub struct Net;

    pub fn PARAMETERS(x: [4]) -> [2] { x.dense(2) }

    fn forward(x: [4]) -> [2] { PARAMETERS(x) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
