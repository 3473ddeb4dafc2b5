// mistake: clamp-bounds

use backprop::prelude::*;

network! {
    pub struct Net {
        #[clamp(10.0, 0.1)]
        gain: [] = 1.0,
    }

    fn forward(x: [4]) -> [2] { self.gain * x.dense(2) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
