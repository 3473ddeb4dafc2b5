// mistake: unknown-type

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [4]) -> [2] {
        let h: Vec<f32> = x.dense(2);
        h
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
