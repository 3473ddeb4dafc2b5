// mistake: permutation

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [2, 3, 4]) {
        x.transpose([1, 0])
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
