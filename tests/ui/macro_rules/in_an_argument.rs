// mistake: unknown-function

use backprop::prelude::*;

macro_rules! classifier {
    ($name:ident, $inputs:expr, $activation:ident) => {
        network! {
            pub struct $name;

            fn forward(x: [$inputs]) -> [2] { x.dense(8).$activation().dense(2) }
        }
    };
}

classifier!(Right, 4, relu);
classifier!(Net, 4, relv);

fn main() {
    Trainer::<Right, _, 4>::new(Sgd::new(0.1), Seed(1));
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
