// mistakes: unknown-function, unknown-name

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [4]) -> [2] { x.densely(2) }
}

network! {
    pub struct Other;

    fn forward(x: [4]) -> [2] { h.dense(2) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
    Trainer::<Other, _, 4>::new(Sgd::new(0.1), Seed(1));
}
