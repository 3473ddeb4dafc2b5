// mistake: outer-constant

use backprop::prelude::*;

const SIDE: usize = 8;

network! {
    pub struct Net;

    fn forward(image: [SIDE, 8]) -> [2] { image.flatten().dense(2) }
}

fn main() {
    println!("{SIDE}");
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
