// mistake: matmul-inner

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [4], y: [32, 8]) {
        let h = x.dense(20);
        h.matmul(y)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
