// mistake: list-too-long

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [3000]) {
        x.flatten() + [0.5; 3000]
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
