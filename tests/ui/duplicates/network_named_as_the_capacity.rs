// mistake: reserved-name

use backprop::prelude::*;

network! {
    pub struct CAPACITY;

    fn forward(x: [4]) -> [2] { x.dense(2) }
}

fn main() {
    Trainer::<CAPACITY, _, 4>::new(Sgd::new(0.1), Seed(1));
}
