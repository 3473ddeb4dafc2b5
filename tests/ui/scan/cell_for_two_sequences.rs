// mistake: scan-cell-arguments

use backprop::prelude::*;

network! {
    pub struct Net;

    fn step(s, x, y, z) { s + x + y + z }

    fn forward(xs: [10, 4]) {
        xs.scan(step, initial = zeros([4]))
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
