//! The loops that generated code calls.
//!
//! Every kernel is an ordinary safe function: before its first access it checks that all it can touch lies inside the
//! slices, and does nothing (after a `debug_assert!`) where it does not. None allocates or panics. Operands ([`operands`]) and
//! destinations ([`stores`], [`reductions`]) say where values lie, a [`Body`] or an [`Epilogue`] what is computed from them;
//! bodies are types with an `#[inline(always)]` method rather than closures, since a closure that is not inlined is compiled
//! without the vector unit's features.

mod ahead;
mod blocks;
mod column_sums;
pub mod contract;
pub mod destinations;
mod direct;
mod dots;
mod large;
mod lookup;
mod multiply;
mod nest;
pub mod operands;
mod pack;
mod places;
mod product;
#[cfg(feature = "threads")]
mod queues;
mod reach;
pub mod reductions;
mod schedule;
#[cfg_attr(not(feature = "threads"), path = "kernels/alone.rs")]
mod share;
mod span;
pub mod stores;
mod stream;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod tile;
mod uniform;
mod work;

pub use ahead::Ahead;
pub use column_sums::sum_columns;
pub use contract::{Accumulate, Assign, Biased, Const, Dim, Epilogue, Matrix, contract, contract_large};
pub use direct::{Addition, Direct};
pub(crate) use direct::{LANES, PARTS};
pub use lookup::{lookup, lookup_adjoint};
pub use nest::{Body, Nest, Stages, nest, rows, single};
pub use operands::{broadcast, broadcast_indices, contiguous, indices, position, scalar, strided};
pub use places::{Readable, Writable};
pub use product::{Finish, Sums};
pub use reach::Reach;
pub use reductions::{
    max_inner, max_outer, max_strided, min_inner, min_outer, min_strided, sum_inner, sum_outer, sum_strided,
};
pub use span::Span;
pub(crate) use span::{Part, Whole};
pub use stores::{store, store_strided};
pub(crate) use tile::Ending;
pub use uniform::uniform;
pub use work::Work;

use crate::simd::Machine;

/// Keeps operands, destinations and sizes to those of this library: kernels check them once, and rely on it that they say the
/// same when asked again.
pub(crate) mod sealed {
    /// Who has it, is of this library.
    pub trait Sealed {}
}

/// Whether every place `offset + Σ index·stride` with `index < extents` lies below `length`.
#[inline(always)]
pub(crate) fn reaches<X: Machine, const R: usize>(
    length: usize,
    offset: usize,
    extents: &[usize; R],
    strides: &[usize; R],
) -> bool {
    /// One function for all operands: a check takes little longer with a call, but would be compiled for each.
    #[inline(never)]
    fn apart<const R: usize>(length: usize, offset: usize, extents: &[usize; R], strides: &[usize; R]) -> bool {
        reaches_inline(length, offset, extents, strides)
    }

    if X::PLAIN { reaches_inline(length, offset, extents, strides) } else { apart(length, offset, extents, strides) }
}

/// [`reaches`] as part of its caller.
#[inline(always)]
pub(crate) fn reaches_inline<const R: usize>(
    length: usize,
    offset: usize,
    extents: &[usize; R],
    strides: &[usize; R],
) -> bool {
    let (mut last, mut inside) = (offset, true);
    let mut axis = 0;
    while axis < R {
        let extent = extents[axis];
        if extent == 0 {
            return true;
        }
        let (distance, far) = (extent - 1).overflowing_mul(strides[axis]);
        let (place, beyond) = last.overflowing_add(distance);
        (last, inside) = (place, inside & !far & !beyond);
        axis += 1;
    }
    inside & (last < length)
}

/// Steps to the next index below `extents` in the order of nested loops, of which the innermost `inner` stay where they are;
/// whether there is one.
#[inline(always)]
pub(crate) fn advance<const R: usize>(index: &mut [usize; R], extents: &[usize; R], inner: usize) -> bool {
    let mut axis = R.saturating_sub(inner);
    while axis > 0 {
        axis -= 1;
        index[axis] += 1;
        if index[axis] < extents[axis] {
            return true;
        }
        index[axis] = 0;
    }
    false
}

/// `offset + Σ index·stride`, for an index that [`reaches`] has admitted.
#[inline(always)]
pub(crate) fn place<const R: usize>(offset: usize, index: &[usize; R], strides: &[usize; R]) -> usize {
    let mut place = offset;
    let mut axis = 0;
    while axis < R {
        place = place.wrapping_add(index[axis].wrapping_mul(strides[axis]));
        axis += 1;
    }
    place
}
