// mistake: tuple-pattern

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [3, 4]) {
        let (a, b) = x;
        a + b
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
