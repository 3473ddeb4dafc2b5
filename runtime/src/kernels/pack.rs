//! Panels of a matrix, copied so that their columns lie side by side.

use pulp::Simd;

use super::multiply::Panel;
use super::span::{Part, Span, Whole};
use crate::scalar::Scalar;
use crate::simd::{Lanes, LanesMask};

/// Copies a panel, see [`Panel`].
///
/// # Safety
///
/// As for [`multiply::pack`](super::multiply::pack).
#[inline(always)]
pub(super) unsafe fn pack<T: Scalar, S: Simd>(simd: S, work: &Panel<T>) {
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
            // SAFETY: the block lies within the source's columns and rows, and within the panel, whose width is whole
            // registers.
            unsafe {
                let mut block = load_block::<T, S, LANES>(simd, source, b_column, height, across);
                turn(simd, &mut block);
                store_block(&block, target, width, height);
            }
            i += LANES;
        }
        j += LANES;
    }
}

/// The first `height` elements of the first `across` columns; the rest is zero.
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
    let whole = height == LANES && across == LANES;
    for (offset, line) in block.iter_mut().enumerate() {
        let source = source.wrapping_add(offset * column);
        // SAFETY: the caller's promise.
        unsafe {
            if whole {
                *line = Whole.load(simd, source);
            } else if offset < across {
                *line = part.load(simd, source);
            }
        }
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

/// Transposes a square block: exchanges its off-diagonal quarters, then those of each quarter, and so on.
#[inline(always)]
fn turn<T: Scalar, S: Simd, const LANES: usize>(simd: S, block: &mut [Lanes<T, S>; LANES]) {
    exchange::<T, S, 8>(simd, block);
    exchange::<T, S, 4>(simd, block);
    exchange::<T, S, 2>(simd, block);
    exchange::<T, S, 1>(simd, block);
}

/// Exchanges the upper right with the lower left quarter of each square of twice `DISTANCE` along the diagonal.
///
/// Rotations and selections by constants are what every vector unit has; the compiler merges them into its shuffles.
#[inline(always)]
fn exchange<T: Scalar, S: Simd, const DISTANCE: usize>(simd: S, block: &mut [Lanes<T, S>]) {
    let lanes = Lanes::<T, S>::COUNT;
    if const { DISTANCE >= Lanes::<T, S>::COUNT } {
        return;
    }
    let right = right_half(simd, DISTANCE);
    for square in block.chunks_exact_mut(2 * DISTANCE) {
        let (upper, lower) = square.split_at_mut(DISTANCE);
        for (upper, lower) in upper.iter_mut().zip(lower) {
            let (above, below) = (*upper, *lower);
            *upper = right.select(below.rotate(DISTANCE), above);
            *lower = right.select(below, above.rotate(lanes - DISTANCE));
        }
    }
}

/// The lanes whose position has the bit `distance` set.
#[inline(always)]
fn right_half<T: Scalar, S: Simd>(simd: S, distance: usize) -> LanesMask<T, S> {
    let zero = Lanes::constant(simd, 0.0);
    let mut flags = zero.unwrap();
    for (lane, flag) in T::as_mut_slice::<S>(&mut flags).iter_mut().enumerate() {
        *flag = if lane & distance == 0 { T::zero() } else { T::one() };
    }
    Lanes::wrap(simd, flags).gt(zero)
}
