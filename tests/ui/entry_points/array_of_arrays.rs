// mistake: syntax

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [[f32; 6]; 20]) -> [3] { x.flatten().dense(3) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
