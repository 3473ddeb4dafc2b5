// mistake: malformed-attribute

use backprop::prelude::*;

network! {
    #[dump]
    pub struct Net;

    fn forward(x: [4]) -> [2] { x.dense(2) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
