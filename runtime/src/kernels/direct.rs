//! Products that need no epilogue: they go where they are wanted, or are added to what is there.

use pulp::Simd;

use super::span::{Span, Whole};
use crate::scalar::Scalar;
use crate::simd::Lanes;

/// A destination of a contraction that takes the product as it is.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Direct<T> {
    /// The first row.
    pub(super) pointer: *mut T,
    /// From one row to the next.
    pub(super) row: usize,
    /// Whether the product is added to what is there rather than to overwrite it, and how.
    pub(super) add: Option<Addition<T>>,
}

/// How a product is added to what is there.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Addition<T> {
    /// What it is multiplied by.
    pub(crate) factor: T,
    /// Where a register lies of which some lane becomes NaN if the product is not finite; null if nobody asks.
    pub(crate) flaws: *mut T,
}

/// Registers that are left beside those of a tile.
const CHAINS: usize = 3;

impl<T: Scalar> Addition<T> {
    /// The product itself is added, if true.
    #[inline(always)]
    pub(super) fn plain(add: bool) -> Option<Self> {
        if add { Some(Self { factor: T::one(), flaws: core::ptr::null_mut() }) } else { None }
    }

    /// How the sum over further steps is added, if there were some before.
    #[inline(always)]
    pub(super) fn after(first: Option<Self>, steps: usize) -> Option<Self> {
        if first.is_some() { first } else { Self::plain(steps > 0) }
    }

    /// Marks products that are not finite.
    ///
    /// # Safety
    ///
    /// Unless it is null, a register must be readable and writable at `flaws`.
    #[inline(always)]
    pub(super) unsafe fn mark<S: Simd, const VECTORS: usize>(&self, simd: S, products: &[[Lanes<T, S>; VECTORS]]) {
        if self.flaws.is_null() {
            return;
        }
        let zero = Lanes::constant(simd, 0.0);
        // Several chains of operations, of which a tile would otherwise wait for one.
        let mut flaws = [zero; CHAINS];
        for (row, products) in products.iter().enumerate() {
            for (vector, product) in products.iter().enumerate() {
                let flaw = &mut flaws[(row * VECTORS + vector) % CHAINS];
                *flaw = product.mul_add(zero, *flaw);
            }
        }
        // SAFETY: the caller's promise.
        unsafe {
            let mut flaw = Whole.load(simd, self.flaws);
            for other in flaws {
                flaw += other;
            }
            Whole.store(self.flaws, flaw);
        }
    }
}
