//! Panels of a matrix, copied so that their columns lie side by side.

use pulp::Simd;

use super::span::{Part, Span, Whole};
use crate::scalar::Scalar;
use crate::simd::{Lanes, LanesMask};

/// Copies `rows` by `columns` of a matrix to `panel`, where rows are `width` apart; columns up to a whole register are zero.
///
/// # Safety
///
/// The rows and columns at `source` must be readable, `rows` times `width` elements at `panel` writable; `columns` must not
/// be more than `width`, which is a multiple of the lanes of a register.
#[allow(clippy::too_many_arguments, reason = "two matrices and a size")]
#[inline(always)]
pub(super) unsafe fn pack<T: Scalar, S: Simd>(
    simd: S,
    source: *const T,
    row: usize,
    column: usize,
    rows: usize,
    columns: usize,
    panel: *mut T,
    width: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if row == 1 {
            match Lanes::<T, S>::COUNT {
                2 => transpose::<T, S, 2>(simd, source, column, rows, columns, panel, width),
                4 => transpose::<T, S, 4>(simd, source, column, rows, columns, panel, width),
                8 => transpose::<T, S, 8>(simd, source, column, rows, columns, panel, width),
                16 => transpose::<T, S, 16>(simd, source, column, rows, columns, panel, width),
                _ => copy(source, row, column, rows, columns, panel, width),
            }
        } else {
            copy(source, row, column, rows, columns, panel, width);
        }
    }
}

/// One element after the other.
///
/// # Safety
///
/// As for [`pack`].
#[inline(always)]
unsafe fn copy<T: Scalar>(
    source: *const T,
    row: usize,
    column: usize,
    rows: usize,
    columns: usize,
    panel: *mut T,
    width: usize,
) {
    for i in 0..rows {
        for j in 0..width {
            // SAFETY: the element lies within the source if it is one of its columns, and within the panel.
            unsafe {
                let value = if j < columns {
                    *source.add(i * row + j * column)
                } else {
                    T::zero()
                };
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
unsafe fn transpose<T: Scalar, S: Simd, const LANES: usize>(
    simd: S,
    source: *const T,
    column: usize,
    rows: usize,
    columns: usize,
    panel: *mut T,
    width: usize,
) {
    let mut j = 0;
    while j < columns {
        let mut i = 0;
        while i < rows {
            let height = LANES.min(rows - i);
            let mut block = [Lanes::constant(simd, 0.0); LANES];
            for (offset, line) in block.iter_mut().enumerate().take(columns - j) {
                // SAFETY: the column is one of the source's, which is readable over `rows`.
                *line = unsafe {
                    let pointer = source.add((j + offset) * column + i);
                    if height == LANES {
                        Whole.load(simd, pointer)
                    } else {
                        Part::<T, S>::new(simd, height).load(simd, pointer)
                    }
                };
            }
            turn(simd, &mut block);
            for (offset, &line) in block.iter().enumerate().take(height) {
                // SAFETY: the row lies within the panel, and so does the register in it, `width` being whole registers.
                unsafe { Whole.store(panel.add((i + offset) * width + j), line) };
            }
            i += LANES;
        }
        j += LANES;
    }
}

/// Transposes a square block: exchanges its off-diagonal quarters, then those of each quarter, and so on.
///
/// Rotations and selections by constants are what every vector unit has; the compiler merges them into its shuffles.
#[inline(always)]
fn turn<T: Scalar, S: Simd, const LANES: usize>(simd: S, block: &mut [Lanes<T, S>; LANES]) {
    let positions = Lanes::<T, S>::positions(simd);
    let mut distance = LANES / 2;
    while distance > 0 {
        let upper = upper_half(positions, distance);
        for line in 0..LANES {
            if line & distance == 0 {
                let (top, bottom) = (block[line], block[line + distance]);
                block[line] = upper.select(bottom.rotate(distance), top);
                block[line + distance] = upper.select(bottom, top.rotate(LANES - distance));
            }
        }
        distance /= 2;
    }
}

/// The lanes whose position has the bit `distance` set.
#[inline(always)]
fn upper_half<T: Scalar, S: Simd>(positions: Lanes<T, S>, distance: usize) -> LanesMask<T, S> {
    let mut flags = positions.unwrap();
    for (lane, flag) in T::as_mut_slice::<S>(&mut flags).iter_mut().enumerate() {
        *flag = if lane & distance == 0 { T::zero() } else { T::one() };
    }
    Lanes::wrap(positions.simd(), flags).gt(Lanes::constant(positions.simd(), 0.0))
}
