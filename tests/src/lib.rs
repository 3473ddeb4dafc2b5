//! Tests of `backprop` from outside, as a user would meet it: see `tests/`.
//!
//! The library itself is a user's that allows nothing: what `network!` makes has to pass as its own code does.

#![forbid(unsafe_code)]
#![deny(missing_docs, unreachable_pub, missing_debug_implementations, warnings, clippy::all, clippy::pedantic)]

pub mod strict;
