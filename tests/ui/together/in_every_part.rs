// mistakes: unknown-attribute, unknown-initializer, division-by-zero, unknown-function, class-target

use backprop::prelude::*;

network! {
    #[derive(Debug)]
    pub struct Net {
        w: [4, 4] = xavier(),
    }

    const RATE: usize = 1 / 0;

    fn forward(x: [4]) -> [2] { x.matmul(self.w).relv().dense(2) }

    fn loss(y, t: Class<2>) { cross_entropy(y[0], t) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
