// mistake: result-shape

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [28, 28]) -> [3] { x.dense(16).relu().dense(3) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
