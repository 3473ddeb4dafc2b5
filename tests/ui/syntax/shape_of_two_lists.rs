// mistake: syntax

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [20][2]) -> [20] { x.sum(axis = 1) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
