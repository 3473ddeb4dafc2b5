//! The programs of the README, compiled and run by `cargo test`.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
