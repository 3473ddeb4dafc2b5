// mistake: classes

use backprop::prelude::*;

network! {
    pub struct Net {
        table: [60, 16] = normal(0.1),
    }

    fn forward(word: Class<65>) -> [16] { word.lookup(self.table) }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
