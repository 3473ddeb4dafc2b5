//! Declarations that must compile, in all the forms that a user may give them, and what Rust code then sees of them.

#![forbid(unsafe_code)]

mod bodies;
mod documented;
mod entries;
mod forms;
mod macros;
mod names;

use backprop::prelude::*;

/// Whether a network can be made, and has as many numbers as its declaration says.
fn has_parameters<N: Network>(count: usize) {
    assert_eq!(N::boxed(Seed(1)).as_flat().len(), count);
}
