// mistake: unknown-field

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [4]) -> [2] { self.norm(x).dense(2) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
