// mistake: reserved-name

use backprop::prelude::*;

network! {
    pub struct f32;

    fn forward(x: [4]) -> [2] { x.dense(2) }
}

fn main() {
    Trainer::<f32, _, 4>::new(Sgd::new(0.1), Seed(1));
}
