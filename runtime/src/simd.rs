//! Vectors: the only place that knows about SIMD.
//!
//! [`Lanes`] is one register of scalars with the arithmetic and the elementwise functions that kernels and generated code
//! use; [`Instructions`] says which vector unit they run on, chosen once, when a workspace or a trainer is made. All
//! vector code but a shuffle is written once, generic over `pulp`'s [`Simd`], and everything between [`Machine::call`] and the
//! intrinsics is `#[inline(always)]`: code that is not inlined there is compiled without the vector unit's features.
//!
//! Where the vector unit has no fused multiply-add (plain scalar code, WebAssembly), [`Lanes::mul_add`] rounds twice; the
//! stated accuracies hold either way.

mod element;
mod error_function;
mod exponential;
mod integers;
mod lanes;
mod logarithm;
mod machine;
#[cfg(test)]
mod precision;
mod transpose;
mod trigonometric;

pub use element::Element;
pub(crate) use integers::Integers;
pub use lanes::{Lanes, LanesMask};
pub use machine::{Instructions, Machine, Plain};
pub use pulp::{Simd, WithSimd};
pub(crate) use transpose::transpose;

/// Asks the processor to fetch the memory at `pointer`, which may be any address, into its caches.
#[inline(always)]
pub(crate) fn prefetch<T>(pointer: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which reads nothing and cannot fault.
    unsafe {
        core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(pointer.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = pointer;
}
