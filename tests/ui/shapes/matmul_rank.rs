// mistake: matmul-rank

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [3, 4], y: [2, 4, 5]) {
        x.matmul(y)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
