// mistake: entry-count

use backprop::prelude::*;

network! {
    pub struct Many;

    fn forward(x: [9]) -> ([], [], [], [], [], [], [], [], []) {
        (x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8])
    }
}

fn main() {}
