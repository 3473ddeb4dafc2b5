// mistake: assignment

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [3, 4]) {
        let mut y = x;
        y[0] = 0;
        y
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
