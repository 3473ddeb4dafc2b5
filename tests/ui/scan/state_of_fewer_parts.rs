// mistake: scan-state

use backprop::prelude::*;

network! {
    pub struct Net;

    fn step((h, c), x) { h + c + x }

    fn forward(xs: [10, 4]) {
        let (h, _) = xs.scan(step, initial = (zeros([4]), zeros([4])));
        h.last()
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
