// mistakes: unknown-function, unknown-name, outer-constant

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [4]) -> [2] {
        let h = x.danse(8);
        let g = y.relu();
        (h + g).dense(WIDTH)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
