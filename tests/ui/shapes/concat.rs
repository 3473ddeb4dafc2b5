// mistake: concat

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [3, 4], y: [3, 5]) {
        concat((x, y), axis = 0)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
