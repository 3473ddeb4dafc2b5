// mistake: recursion

use backprop::prelude::*;

network! {
    pub struct Net;

    fn deeper(v) { v.dense(4).deeper() }

    fn forward(x: [3, 4]) {
        x.deeper()
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
