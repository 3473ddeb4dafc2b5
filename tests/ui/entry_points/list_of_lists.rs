// mistake: syntax

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [[Class<6>; 4]; 20]) -> [3] { x.embedding(8).flatten().dense(3) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
