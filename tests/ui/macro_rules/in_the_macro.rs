// mistake: matmul-inner

use backprop::prelude::*;

macro_rules! classifier {
    ($name:ident, $inputs:expr) => {
        network! {
            pub struct $name {
                w: [4, 8] = glorot_uniform(),
            }

            fn forward(x: [$inputs]) -> [8] { x.matmul(self.w) }
        }
    };
}

classifier!(Right, 4);
classifier!(Net, 5);

fn main() {
    Trainer::<Right, _, 4>::new(Sgd::new(0.1), Seed(1));
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
