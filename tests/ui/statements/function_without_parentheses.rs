// mistake: unsupported

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [4]) {
        x.tanh.relu()
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
