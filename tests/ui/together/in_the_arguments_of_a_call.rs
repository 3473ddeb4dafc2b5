// mistakes: unknown-name, outer-constant, unknown-option

use backprop::prelude::*;

network! {
    pub struct Net;

    fn mix(a, b) { a + b }

    fn forward(x: [4]) -> [2] { mix(y, x.dense(WIDTH)).dense(2, bais = true) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
