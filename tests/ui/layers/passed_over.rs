// mistakes: idle-layer, idle-layer

use backprop::prelude::*;

network! {
    pub struct Net {
        deep: dense(4),
    }

    fn cell(h, x) { (h + x).tanh() }
    fn forward(x: [5, 4]) -> [3] {
        let h = x.dense(16).relu();
        let last = x.scan(cell, initial = self.deep(zeros([4]))).last();
        x.last().dense(3)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
