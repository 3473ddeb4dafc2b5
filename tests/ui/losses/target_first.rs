// mistake: needs-real

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [4]) -> [3] { x.dense(3) }
    fn loss(y, t: Class<3>) { cross_entropy(t, y) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
