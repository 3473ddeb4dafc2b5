// mistake: outer-constant

use backprop::prelude::*;

const WIDTH: usize = 8;

network! {
    pub struct Net;

    fn forward(x: [4]) -> [2] { x.dense(WIDTH).dense(2) }
}

fn main() {
    println!("{WIDTH}");
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
