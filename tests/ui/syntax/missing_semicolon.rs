// mistake: syntax

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [4]) -> [2] {
        let h = x.dense(3)
        h.dense(2)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
