// mistake: needs-length

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [3, 4], label: Class<3>) {
        x.last(length = label)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
