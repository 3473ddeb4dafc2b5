//! Rows of a table chosen by index: embeddings.

use core::marker::PhantomData;

use pulp::{Simd, WithSimd};

use super::Dim;
use crate::scalar::Scalar;
use crate::simd::{Lanes, Machine};

/// Copies row `indices[i]` of `table`, `width` elements wide, to row `i` of `out`.
///
/// An index beyond the table gives a row of zeros. If `out` has not exactly `width` elements for each index, nothing is
/// touched.
#[inline(always)]
pub fn lookup<T: Scalar, X: Machine>(machine: X, table: &[T], width: impl Dim, indices: &[u32], out: &mut [T]) {
    machine.call(Lookup {
        table,
        width,
        indices,
        out,
    });
}

/// Adds row `i` of `gradient`, `width` elements wide, to row `indices[i]` of `table`, in the order of the indices.
///
/// An index beyond the table adds nothing. If `gradient` has not exactly `width` elements for each index, nothing is touched.
#[inline(always)]
pub fn lookup_adjoint<T: Scalar, X: Machine>(
    machine: X,
    gradient: &[T],
    width: impl Dim,
    indices: &[u32],
    table: &mut [T],
) {
    machine.call(LookupAdjoint {
        gradient,
        width,
        indices,
        table,
        scalar: PhantomData,
    });
}

struct Lookup<'a, T, W> {
    table: &'a [T],
    width: W,
    indices: &'a [u32],
    out: &'a mut [T],
}

impl<T: Scalar, W: Dim> WithSimd for Lookup<'_, T, W> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let width = self.width.get();
        let fit = self.indices.len().checked_mul(width) == Some(self.out.len());
        debug_assert!(fit, "a lookup needs a row for each index");
        if !fit || width == 0 {
            return;
        }
        for (row, &index) in self.out.chunks_exact_mut(width).zip(self.indices) {
            match row_of(self.table.len(), width, index).and_then(|range| self.table.get(range)) {
                // The widths agree; copying through the zip cannot panic where `copy_from_slice` could.
                Some(found) => row.iter_mut().zip(found).for_each(|(to, &from)| *to = from),
                None => row.fill(T::zero()),
            }
        }
    }
}

struct LookupAdjoint<'a, T, W> {
    gradient: &'a [T],
    width: W,
    indices: &'a [u32],
    table: &'a mut [T],
    scalar: PhantomData<T>,
}

impl<T: Scalar, W: Dim> WithSimd for LookupAdjoint<'_, T, W> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = self.width.get();
        let fit = self.indices.len().checked_mul(width) == Some(self.gradient.len());
        debug_assert!(fit, "the adjoint of a lookup needs a row for each index");
        if !fit || width == 0 {
            return;
        }
        let length = self.table.len();
        let lanes = Lanes::<T, S>::COUNT;
        for (row, &index) in self.gradient.chunks_exact(width).zip(self.indices) {
            let Some(found) = row_of(length, width, index).and_then(|range| self.table.get_mut(range)) else {
                continue;
            };
            for (to, from) in found.chunks_mut(lanes).zip(row.chunks(lanes)) {
                (Lanes::from_slice(simd, to) + Lanes::from_slice(simd, from)).to_slice(to);
            }
        }
    }
}

/// Where a row lies in a table with this many elements.
#[inline(always)]
fn row_of(length: usize, width: usize, index: u32) -> Option<core::ops::Range<usize>> {
    let start = usize::try_from(index).ok()?.checked_mul(width)?;
    let end = start.checked_add(width)?;
    (end <= length).then_some(start..end)
}
