// mistake: needs-real

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(word: Class<50>) {
        word.dense(2)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
