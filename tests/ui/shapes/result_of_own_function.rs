// mistake: result-shape

use backprop::prelude::*;

network! {
    pub struct Net;

    fn halved(v: [4]) -> [2] { v / 2 }

    fn forward(x: [4]) {
        x.halved()
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
