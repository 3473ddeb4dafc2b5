// mistake: entry-argument

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(pair: ([4], [2])) {
        let (a, b) = pair;
        a.dense(2) + b
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
