// mistake: if-without-else

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [3, 4]) {
        let y = if x > 0 { x };
        y
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
