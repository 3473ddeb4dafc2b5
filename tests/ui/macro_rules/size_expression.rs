// mistake: size

use backprop::prelude::*;

macro_rules! classifier {
    ($name:ident, $hidden:expr) => {
        network! {
            pub struct $name;

            fn forward(x: [4, $hidden]) -> [4, 2] { x.dense(2) }
        }
    };
}

classifier!(Right, 2 + 3);
classifier!(Net, 2 - 2);

fn main() {
    Trainer::<Right, _, 4>::new(Sgd::new(0.1), Seed(1));
    Trainer::<Net, _, 4>::new(Sgd::new(0.1), Seed(1));
}
