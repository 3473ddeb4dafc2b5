//! Products that need no epilogue: they go where they are wanted, or are added to what is there, as they are or multiplied.

use pulp::Simd;

use super::span::{Span, Whole};
use crate::scalar::Scalar;
use crate::simd::Lanes;

/// A destination of a contraction that takes the product without an epilogue.
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
    /// Where [`LANES`] numbers lie for each of [`PARTS`], of which one becomes NaN if the product is not finite; null if
    /// nobody asks.
    pub(crate) flaws: *mut T,
}

/// Lanes of the widest register.
pub(crate) const LANES: usize = 16;

/// Parts of a product that several threads compute at a time, at most.
pub(crate) const PARTS: usize = if cfg!(feature = "threads") { 8 } else { 1 };

/// Registers for marks: sixteen, less a tile's twelve sums and a zero.
const CHAINS: usize = 3;

impl<T> Direct<T> {
    /// This destination, if sums over so many of `k` steps may be added to it one after the other. What is there may be so
    /// large beside them that each addition loses something, and only the whole product says whether it is finite: for
    /// factors and marks, all steps must come at once.
    #[inline(always)]
    pub(super) fn for_steps(self, steps: usize, k: usize) -> Option<Self> {
        let is_whole = self.add.as_ref().is_some_and(|add| !add.flaws.is_null());
        if is_whole && steps < k { None } else { Some(self) }
    }
}

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

    /// As this for one of [`PARTS`].
    #[cfg(feature = "threads")]
    pub(super) const fn of_part(self, part: usize) -> Self {
        let flaws = if self.flaws.is_null() { self.flaws } else { self.flaws.wrapping_add(part * LANES) };
        Self { flaws, ..self }
    }

    /// Marks products that are not finite.
    ///
    /// # Safety
    ///
    /// Unless it is null, [`LANES`] numbers must be readable and writable at `flaws`.
    #[inline(always)]
    pub(super) unsafe fn mark<S: Simd, const VECTORS: usize>(&self, simd: S, products: &[[Lanes<T, S>; VECTORS]]) {
        if self.flaws.is_null() {
            return;
        }
        const { assert!(Lanes::<T, S>::COUNT <= LANES, "flaws have room for every lane") };
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
