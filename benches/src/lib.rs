//! Networks that the benches measure.
