// mistake: too-many-turns

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [3, 4]) {
        let mut y = x;
        for _ in 0..1_000_000 {
            y = y.tanh();
        }
        y
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
