//! Panels of a matrix, copied so that their columns lie side by side.

use pulp::{Simd, WithSimd};

use super::span::{Part, Span, Whole};
use crate::scalar::Scalar;
use crate::simd::Lanes;

/// `panel[k][j] = b[k][j]`, turned so that its columns lie side by side. Each row is written in whole registers: what stands
/// behind its columns is nothing that may be used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panel<T> {
    pub(super) b: *const T,
    pub(super) b_row: usize,
    pub(super) b_column: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) panel: *mut T,
    /// Distance of the panel's rows: whole registers, or fewer columns than one register has. Rows are written in order, so
    /// that the next one overwrites what is too much.
    pub(super) width: usize,
}

/// Packs a panel.
///
/// # Safety
///
/// All of `b` that the panel names must be readable, and `panel` writable for `rows` times `width` elements and, if `width` is
/// not whole registers, up to the end of a register in the last row; `columns` must not be more than `width`.
#[inline(always)]
pub(super) unsafe fn pack<T: Scalar, S: Simd>(simd: S, panel: &Panel<T>) {
    simd.vectorize(panel);
}

/// Packs panels of `taken` columns each, which begin `apart` from one another.
///
/// # Safety
///
/// As for [`pack`], for each of the panels.
#[inline]
pub(super) unsafe fn pack_panels<T: Scalar, S: Simd>(simd: S, all: &Panel<T>, taken: usize, apart: usize) {
    let (mut column, mut panel) = (0, all.panel);
    while column < all.columns {
        let columns = taken.min(all.columns - column);
        let part = Panel { b: all.b.wrapping_add(column * all.b_column), columns, panel, ..*all };
        // SAFETY: the caller's promise.
        unsafe { pack(simd, &part) };
        panel = panel.wrapping_add(apart);
        column += taken;
    }
}

impl<T: Scalar> WithSimd for &Panel<T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // SAFETY: `pack`'s caller has promised the source and the panel.
        unsafe { copy_panel(simd, self) };
    }
}

/// Packs a panel, on this unit.
///
/// # Safety
///
/// As for [`pack`].
#[inline(always)]
unsafe fn copy_panel<T: Scalar, S: Simd>(simd: S, work: &Panel<T>) {
    // SAFETY: the caller's promise.
    unsafe {
        if work.b_row == 1 {
            // Only the size of this unit is compiled.
            if const { Lanes::<T, S>::COUNT == 16 } {
                return transpose::<T, S, 16>(simd, work);
            }
            if const { Lanes::<T, S>::COUNT == 8 } {
                return transpose::<T, S, 8>(simd, work);
            }
            if const { Lanes::<T, S>::COUNT == 4 } {
                return transpose::<T, S, 4>(simd, work);
            }
            if const { Lanes::<T, S>::COUNT == 2 } {
                return transpose::<T, S, 2>(simd, work);
            }
        }
        if work.b_column == 1 { copy_rows(simd, work) } else { copy(work) }
    }
}

/// Rows that are contiguous in memory.
///
/// # Safety
///
/// As for [`pack`].
#[inline(always)]
unsafe fn copy_rows<T: Scalar, S: Simd>(simd: S, work: &Panel<T>) {
    let Panel { b, b_row, rows, columns, panel, width, .. } = *work;
    let lanes = Lanes::<T, S>::COUNT;
    let last = Part::<T, S>::new(simd, columns % lanes);
    for row in 0..rows {
        let (from, to) = (b.wrapping_add(row * b_row), panel.wrapping_add(row * width));
        let mut column = 0;
        // SAFETY: the columns are readable, and the panel's rows are whole registers.
        unsafe {
            while columns - column >= lanes {
                Whole.store(to.wrapping_add(column), Whole.load(simd, from.wrapping_add(column)));
                column += lanes;
            }
            if column < columns {
                Whole.store(to.wrapping_add(column), last.load(simd, from.wrapping_add(column)));
            }
        }
    }
}

/// One element after the other.
///
/// # Safety
///
/// As for [`pack`].
#[inline(always)]
unsafe fn copy<T: Scalar>(work: &Panel<T>) {
    let Panel { b, b_row, b_column, rows, columns, panel, width } = *work;
    for i in 0..rows {
        for j in 0..width {
            // SAFETY: the element lies within the source if it is one of its columns, and within the panel.
            unsafe {
                let value = if j < columns { *b.add(i * b_row + j * b_column) } else { T::zero() };
                panel.add(i * width + j).write(value);
            }
        }
    }
}

/// Columns that are contiguous in memory: square blocks of registers, turned in registers.
///
/// # Safety
///
/// As for [`pack`], with a row stride of 1; `LANES` must be the number of lanes of a register.
#[inline(always)]
unsafe fn transpose<T: Scalar, S: Simd, const LANES: usize>(simd: S, work: &Panel<T>) {
    let Panel { b, b_column, rows, columns, panel, width, .. } = *work;
    let mut j = 0;
    while j < columns {
        let mut i = 0;
        while i < rows {
            let (source, target) = (b.wrapping_add(j * b_column + i), panel.wrapping_add(i * width + j));
            let (height, across) = (LANES.min(rows - i), LANES.min(columns - j));
            // SAFETY: the block lies within the source's columns and rows, and within the panel, which reaches to the end of
            // its last register.
            unsafe {
                let mut block = load_block::<T, S, LANES>(simd, source, b_column, height, across);
                crate::simd::transpose(simd, &mut block);
                store_block(&block, target, width, height);
            }
            i += LANES;
        }
        j += LANES;
    }
}

/// The first `height` elements of the first `across` columns; the rest may be anything.
///
/// # Safety
///
/// These must be readable.
#[inline(always)]
unsafe fn load_block<T: Scalar, S: Simd, const LANES: usize>(
    simd: S,
    source: *const T,
    column: usize,
    height: usize,
    across: usize,
) -> [Lanes<T, S>; LANES] {
    let mut block = [Lanes::constant(simd, 0.0); LANES];
    let part = Part::<T, S>::new(simd, height);
    for (offset, line) in block.iter_mut().enumerate() {
        // What is not there is not asked for either: the last column once more is quicker than a branch.
        let source = source.wrapping_add(offset.min(across - 1) * column);
        // SAFETY: the caller's promise.
        *line = unsafe { if height == LANES { Whole.load(simd, source) } else { part.load(simd, source) } };
    }
    block
}

/// Stores the first `height` rows, `width` apart.
///
/// # Safety
///
/// They must be writable.
#[inline(always)]
unsafe fn store_block<T: Scalar, S: Simd, const LANES: usize>(
    block: &[Lanes<T, S>; LANES],
    target: *mut T,
    width: usize,
    height: usize,
) {
    for (offset, &line) in block.iter().enumerate() {
        if offset < height {
            // SAFETY: the caller's promise.
            unsafe { Whole.store(target.wrapping_add(offset * width), line) };
        }
    }
}
