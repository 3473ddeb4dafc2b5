// mistakes: syntax, unknown-function

use backprop::prelude::*;

network! {
    pub struct Net;

    fn swish(v) { v * }

    fn forward(x: [4]) -> [2] { x.densely(2) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
