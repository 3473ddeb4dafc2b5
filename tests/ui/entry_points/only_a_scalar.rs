// mistake: no-input

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(annealing: Scalar) {
        zeros([2]) + annealing
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
