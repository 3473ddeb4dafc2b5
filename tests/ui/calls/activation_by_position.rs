// mistakes: function-as-argument, function-as-argument

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(x: [3, 4]) {
        let hidden = x.dense(2, relu);
        x.dense(3, tahn)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
