//! The loops that generated code calls.
//!
//! Every kernel is an ordinary safe function: before its first access it checks that all it can touch lies inside the
//! slices, and does nothing (after a `debug_assert!`) where it does not. None allocates or panics. Operands and
//! destinations ([`operands`], [`destinations`]) say where values lie, a [`Body`] or an [`Epilogue`] what is computed from
//! them; bodies are types with an `#[inline(always)]` method rather than closures, since a closure that is not inlined is
//! compiled without the vector unit's features.

pub mod contract;
pub mod destinations;
mod lookup;
mod multiply;
mod nest;
pub mod operands;
mod pack;
mod places;
pub mod reductions;
mod span;
#[cfg(test)]
mod testing;
mod tile;
mod uniform;

pub use contract::{Accumulate, Assign, Const, Dim, Epilogue, Matrix, contract};
pub use destinations::{store, store_strided};
pub use lookup::{lookup, lookup_adjoint};
#[doc(hidden)]
pub use multiply::Work;
pub use nest::{Body, Nest, Stages, nest, rows};
pub use operands::{broadcast, contiguous, indices, position, scalar, strided};
pub use places::{Readable, Writable};
pub use reductions::{
    max_inner, max_outer, max_strided, min_inner, min_outer, min_strided, sum_inner, sum_outer, sum_strided,
};
pub use span::Span;
pub(crate) use span::{Part, Whole};
pub use uniform::uniform;

/// Whether every place `offset + Σ index·stride` with `index < extents` lies below `length`.
#[inline(always)]
pub(crate) fn reaches(length: usize, offset: usize, extents: &[usize], strides: &[usize]) -> bool {
    let mut last = Some(offset);
    for (&extent, &stride) in extents.iter().zip(strides) {
        let Some(steps) = extent.checked_sub(1) else {
            return true;
        };
        last = last.and_then(|last| last.checked_add(steps.checked_mul(stride)?));
    }
    last.is_some_and(|last| last < length)
}

/// `offset + Σ index·stride`, for an index that [`reaches`] has admitted.
#[inline(always)]
pub(crate) fn place<const R: usize>(offset: usize, index: &[usize; R], strides: &[usize; R]) -> usize {
    let mut place = offset;
    for (&index, &stride) in index.iter().zip(strides) {
        place = place.wrapping_add(index.wrapping_mul(stride));
    }
    place
}
