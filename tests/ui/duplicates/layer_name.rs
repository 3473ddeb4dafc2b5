// mistake: layer-name

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [4]) -> [2] { x.dense(3, name = head).dense(2, name = head) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
