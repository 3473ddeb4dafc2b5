// mistake: entry-count

use backprop::prelude::*;

network! {
    pub struct Many;

    fn forward(a: [2], b: [2], c: [2], d: [2], e: [2], f: [2], g: [2], h: [2], i: [2]) -> [2] {
        a + b + c + d + e + f + g + h + i
    }
}

fn main() {}
