// mistake: rank

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [4]) -> [2] { x.dense(2) }

    fn loss(y, t: Class<2>, n: Length<4>) {
        cross_entropy(y, t, length = n)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
