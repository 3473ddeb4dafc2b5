// mistake: missing-struct

use backprop::prelude::*;

network! {
    fn forward(x: [4]) -> [2] { x.dense(2) }
}

fn main() {}
