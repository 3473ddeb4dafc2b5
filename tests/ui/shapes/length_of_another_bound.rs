// mistake: needs-length

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [3, 4], n: Length<5>) {
        x.last(length = n)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
