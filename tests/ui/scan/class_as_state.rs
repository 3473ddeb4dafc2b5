// mistake: needs-real

use backprop::prelude::*;

network! {
    pub struct Net;

    fn step(s, x) { s }

    fn forward(xs: [10, 4], label: Class<3>) {
        xs.scan(step, initial = label).last()
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
