//! Tests of the stages together, on the canonical declarations and on random ones.

mod execute;
mod passes;
mod plans;
mod random;
mod snapshots;
