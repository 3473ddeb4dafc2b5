//! Vectors: the only place that knows about SIMD.
//!
//! [`Lanes`] is one register of scalars with the arithmetic and the elementwise functions that kernels and generated code
//! use; [`Instructions`] says which vector unit they run on, chosen once, when a workspace or a trainer is made. All
//! vector code is written once, generic over `pulp`'s [`Simd`], and everything between [`Machine::call`] and the
//! intrinsics is `#[inline(always)]`: code that is not inlined there is compiled without the vector unit's features.
//!
//! Where the vector unit has no fused multiply-add (plain scalar code, WebAssembly), [`Lanes::mul_add`] rounds twice; the
//! stated accuracies hold either way.

mod element;
mod error_function;
mod exponential;
mod lanes;
mod logarithm;
mod machine;
#[cfg(test)]
mod precision;
mod trigonometric;

pub use element::Element;
pub use lanes::{Lanes, LanesMask};
pub use machine::{Instructions, Machine, Plain};
pub use pulp::{Simd, WithSimd};
