//! Tests of `backprop` from outside, as a user would meet it: see `tests/`.
