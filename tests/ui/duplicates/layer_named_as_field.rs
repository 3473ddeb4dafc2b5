// mistake: layer-name

use backprop::prelude::*;

network! {
    pub struct Net {
        head: [4] = ones(),
    }

    fn forward(x: [4]) -> [2] { (x * self.head).dense(2, name = head) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
