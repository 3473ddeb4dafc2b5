//! Programs around networks: see the files beside `Cargo.toml`.
