//! Dot products of single rows with columns whose elements lie side by side, where no row pays for a packed panel, or of a
//! single column with rows.

use pulp::{Simd, WithSimd};

use super::direct::Addition;
use super::span::{Part, Span, Whole};
use crate::scalar::Scalar;
use crate::simd::Lanes;

/// `sums[j] (+)= Σ a[k]·b[k][j]` where the rows of `b` lie side by side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dots<T> {
    pub(super) a: *const T,
    pub(super) b: *const T,
    pub(super) b_column: usize,
    pub(super) steps: usize,
    pub(super) sums: *mut T,
    /// From one sum to the next.
    pub(super) sums_column: usize,
    pub(super) columns: usize,
    /// Whether to add to `sums` rather than to overwrite them, and how.
    pub(super) add: Option<Addition<T>>,
}

/// Computes products of one row with columns.
///
/// # Safety
///
/// All of `a`, `b` and `sums` that the products name must be readable, the sums also writable, and `add` as
/// [`Addition::mark`] wants it.
#[inline(always)]
pub(super) unsafe fn dots<T: Scalar, S: Simd>(simd: S, dots: &Dots<T>) {
    simd.vectorize(dots);
}

impl<T: Scalar> WithSimd for &Dots<T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut column = 0;
        while column < self.columns {
            // Several columns at once: each is a chain of dependent additions.
            let count = if self.columns - column >= 4 { 4 } else { 1 };
            let mut products = [T::zero(); 4];
            // SAFETY: `dots`' caller has promised the columns.
            unsafe {
                if count == 4 {
                    products = self.together::<S, 4>(simd, column);
                } else {
                    [products[0]] = self.together::<S, 1>(simd, column);
                }
                for (offset, &product) in products.iter().enumerate().take(count) {
                    let sum = self.sums.wrapping_add((column + offset) * self.sums_column);
                    sum.write(match self.add {
                        Some(add) => {
                            add.mark(pulp::Scalar, &[[Lanes::splat(pulp::Scalar, product)]]);
                            add.factor * product + *sum
                        }
                        None => product,
                    });
                }
            }
            column += count;
        }
    }
}

impl<T: Scalar> Dots<T> {
    /// The products of neighbouring columns.
    ///
    /// # Safety
    ///
    /// `a` and the columns must be readable.
    #[inline(always)]
    unsafe fn together<S: Simd, const COLUMNS: usize>(&self, simd: S, column: usize) -> [T; COLUMNS] {
        let lanes = Lanes::<T, S>::COUNT;
        let mut sums = [Lanes::constant(simd, 0.0); COLUMNS];
        let (mut a, mut b) = (self.a, self.b.wrapping_add(column * self.b_column));
        for _ in 0..self.steps / lanes {
            // SAFETY: the caller's promise.
            unsafe { self.add_products(simd, &mut sums, a, b, Whole) };
            a = a.wrapping_add(lanes);
            b = b.wrapping_add(lanes);
        }
        let rest = self.steps % lanes;
        if rest > 0 {
            let rest = Part::new(simd, rest);
            // SAFETY: the caller's promise; lanes beyond the end are not read.
            unsafe { self.add_products(simd, &mut sums, a, b, rest) };
        }
        // Not `map`, which would not be compiled for this unit.
        let mut products = [T::zero(); COLUMNS];
        for (product, sum) in products.iter_mut().zip(&sums) {
            *product = sum.reduce_sum();
        }
        products
    }

    /// One step of as many products as there are lanes.
    ///
    /// # Safety
    ///
    /// The span must be readable at `a` and in each column from `b` on.
    #[inline(always)]
    unsafe fn add_products<S: Simd, const COLUMNS: usize>(
        &self,
        simd: S,
        sums: &mut [Lanes<T, S>; COLUMNS],
        a: *const T,
        b: *const T,
        span: impl Span<T, S>,
    ) {
        // SAFETY: the caller's promise.
        let factor = unsafe { span.load(simd, a) };
        for (offset, sum) in sums.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            let values = unsafe { span.load(simd, b.wrapping_add(offset * self.b_column)) };
            *sum = factor.mul_add(values, *sum);
        }
    }
}
