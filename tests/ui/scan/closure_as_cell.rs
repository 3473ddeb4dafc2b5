// mistake: scan-cell

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(xs: [10, 4]) {
        xs.scan(|s, x| s + x, initial = zeros([4]))
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
