// mistake: repeated-option

use backprop::prelude::*;

network! {
    pub struct Net;

    fn scaled(v, factor) { v * factor }

    fn forward(x: [3, 4]) {
        x.scaled(2, factor = 3)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
