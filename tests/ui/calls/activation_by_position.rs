// mistake: function-as-argument

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [3, 4]) {
        x.dense(2, relu)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
