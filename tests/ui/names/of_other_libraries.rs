// mistakes: unknown-initializer, unknown-function, unknown-function

use backprop::prelude::*;

network! {
    pub struct Net { w: [4, 8] = xavier_uniform() }

    fn forward(x: [4]) {
        x.matmul(self.w).ReLU().Linear(3)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
