// mistake: masked-loss-outside

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [2], t: Class<2>) { cross_entropy(x, t, weights = [1, 2]) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
