// mistake: no-input

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward() {
        zeros([2])
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
