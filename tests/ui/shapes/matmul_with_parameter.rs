// mistake: matmul-inner

use backprop::prelude::*;

network! {
    pub struct Net {
        w: [32, 8] = zeros(),
    }

    fn forward(x: [64, 4]) -> [64, 8] {
        let h = x.dense(20);
        h.matmul(self.w)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
