// mistake: matmul-inner

use backprop::prelude::*;

network! {
    pub struct Net {
        w: [64, 120] = glorot_uniform(),
    }

    fn forward(x: [120]) -> [64] { x.matmul(self.w) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
