// mistake: scan-cell-arguments

use backprop::prelude::*;

network! {
    pub struct Net;

    fn half(s) { s / 2 }

    fn forward(xs: [10, 4]) {
        xs.scan(half, initial = zeros([4]))
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
