// mistake: loss-not-scalar

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [7, 4]) -> [7, 3] { x.dense(3) }

    fn loss(y, t: [Class<3>; 7], n: Length<7>) {
        cross_entropy(y, t, length = n) + y
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
