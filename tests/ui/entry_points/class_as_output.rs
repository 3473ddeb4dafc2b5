// mistake: entry-output

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(label: Class<3>) {
        label
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
