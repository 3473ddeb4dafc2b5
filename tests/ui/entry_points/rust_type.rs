// mistake: entry-constant

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: f32) {
        x.dense(2)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
