// mistake: syntax

use backprop::prelude::*;

network! {
    pub strukt Net;

    fn forward(x: [4]) -> [2] { x.dense(2) }
}

fn main() {}
