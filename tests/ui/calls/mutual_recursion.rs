// mistake: recursion

use backprop::prelude::*;

network! {
    pub struct Net;

    fn left(v) { v.right() }

    fn right(v) { v.left() }

    fn forward(x: [3, 4]) {
        x.left()
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
