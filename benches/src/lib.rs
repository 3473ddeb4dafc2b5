//! Benches of `backprop`: the workloads that are compared with other libraries (`src/bin/workloads.rs`), and what those
//! and the criterion benches under `benches/` share.

pub mod bodies;
pub mod networks;
pub mod peak;
pub mod products;
pub mod timing;
pub mod workloads;
