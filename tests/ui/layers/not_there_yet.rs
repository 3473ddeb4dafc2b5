// mistakes: unknown-function, unknown-function

use backprop::prelude::*;

network! {
    pub struct Net;

    fn forward(image: [1, 28, 28]) -> [10] {
        image.conv2d(6, kernel = 5, padding = 2).relu().max_pool2d(2).flatten().dense(10)
    }
}

fn main() {
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
