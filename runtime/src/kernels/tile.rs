//! The tiles of a contraction and the order in which they are visited.
//!
//! A tile is a part of the product whose sums fit the register file: 12 rows of two vectors with 32 registers, 6 with 16.
//! The rest of the rows is covered by lower tiles, ragged columns by masked lanes. A single row takes wider tiles.
//!
//! Where the columns of `b` do not lie side by side (a transposed weight), panels of it are turned into a small buffer on
//! the stack first; a sum too long for the buffer goes through partial sums kept beside it. Few rows do not pay for that:
//! they are dot products.
//!
//! A product that is only stored or added goes from the registers to its destination. Other epilogues find it in a buffer,
//! tile by tile, which keeps their code out of the inner loops.

use core::marker::PhantomData;
use core::mem::MaybeUninit;

use pulp::Simd;

use super::Epilogue;
use super::destinations::{Direct, Outputs};
use super::multiply::{self, Dots, Panel, Tile, WIDE, WIDTH};
use super::operands::Inputs;
use super::span::{Part, Span, Whole};
use crate::scalar::Scalar;
use crate::simd::Lanes;

/// Two matrices whose product is wanted; strides count elements.
#[derive(Clone, Copy)]
pub(super) struct Operands<T> {
    pub(super) a: *const T,
    pub(super) a_row: usize,
    pub(super) a_column: usize,
    pub(super) b: *const T,
    pub(super) b_row: usize,
    pub(super) b_column: usize,
    pub(super) m: usize,
    pub(super) k: usize,
    pub(super) n: usize,
}

/// One product, tile by tile.
pub(super) struct Tiles<'a, T, S, In, Out, E, const R: usize, const I: usize, const O: usize> {
    pub(super) simd: S,
    pub(super) operands: Operands<T>,
    /// The outer index, followed by two places for row and column.
    pub(super) index: [usize; R],
    pub(super) inputs: In,
    pub(super) outputs: &'a mut Out,
    pub(super) epilogue: E,
    pub(super) scalar: PhantomData<T>,
}

/// Elements of 8 bytes in the buffer for a panel of `b`: 128 rows of two AVX-512 registers.
const PANEL: usize = 2048;
/// Elements of 8 bytes in the buffer for sums: 132 rows of two AVX-512 registers.
const SUMS: usize = 2112;
/// Fewer rows than this are dot products rather than worth packing a panel,
const FEW: usize = 4;
/// if they are at least as many registers long as this.
const LONG: usize = 2;

#[repr(align(64))]
struct Buffer<const LENGTH: usize>([MaybeUninit<u64>; LENGTH]);

impl<const LENGTH: usize> Buffer<LENGTH> {
    #[inline(always)]
    fn new() -> Self {
        Self([MaybeUninit::uninit(); LENGTH])
    }

    #[inline(always)]
    fn as_mut_ptr<T>(&mut self) -> *mut T {
        self.0.as_mut_ptr().cast()
    }

    /// Number of scalars that fit.
    #[inline(always)]
    fn capacity<T>() -> usize {
        LENGTH * size_of::<u64>() / size_of::<T>()
    }
}

/// How `b` is read.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// Where it lies: its columns are neighbours.
    InPlace,
    /// By way of packed panels.
    Packed,
    /// As dot products along its columns.
    Dots,
}

/// A part of the product and of its sums.
#[derive(Clone, Copy)]
struct Slab<T> {
    way: Way,
    /// `b` or its packed panel, at the first step and column.
    b: *const T,
    b_row: usize,
    /// Rows and columns of the product, and steps of its sums.
    rows: [usize; 2],
    columns: [usize; 2],
    steps: [usize; 2],
    /// Where sums go that do not go to their destination, from the first row on.
    sums: *mut T,
    sums_row: usize,
    direct: Option<Direct<T>>,
}

impl<T, S, In, Out, E, const R: usize, const I: usize, const O: usize> Tiles<'_, T, S, In, Out, E, R, I, O>
where
    T: Scalar,
    S: Simd,
    In: Inputs<T, R, I>,
    Out: Outputs<T, R, O>,
    E: Epilogue<T, I, O>,
{
    /// Computes the product.
    ///
    /// # Safety
    ///
    /// The matrices must be readable over `m`, `k` and `n`, and inputs and outputs must fit `m` rows and `n` columns at the
    /// outer index.
    #[inline(always)]
    pub(super) unsafe fn run(&mut self) {
        let Operands { b, b_row, b_column, m, k, n, .. } = self.operands;
        let (mut panel, mut sums) = (Buffer::<PANEL>::new(), Buffer::<SUMS>::new());
        let way = self.way();
        let direct = self.epilogue.plain().and_then(|add| self.outputs.direct(&self.index, add));
        let width = WIDTH * Lanes::<T, S>::COUNT;
        let depth = if way == Way::Packed { Buffer::<PANEL>::capacity::<T>() / width } else { k };
        // The larger of `b` and the product is walked through once; the other one stays in the cache.
        let across = way == Way::Dots || way == Way::InPlace && (m > k || m < FEW);
        // Sums of several steps must all have their place in the buffer.
        let high = if k <= depth || direct.is_some() { m } else { Buffer::<SUMS>::capacity::<T>() / width };
        let panel = panel.as_mut_ptr::<T>();
        let mut slab = Slab {
            way,
            b,
            b_row,
            rows: [0, 0],
            columns: [0, 0],
            steps: [0, 0],
            sums: sums.as_mut_ptr(),
            sums_row: if k <= depth { 0 } else { width },
            direct,
        };
        while slab.columns[0] < n {
            slab.columns[1] = if across { n } else { n.min(slab.columns[0] + width) };
            slab.rows = [0, 0];
            while slab.rows[0] < m {
                slab.rows[1] = m.min(slab.rows[0] + high);
                slab.steps = [0, 0];
                loop {
                    slab.steps[1] = k.min(slab.steps[0] + depth);
                    slab.b = b.wrapping_add(slab.steps[0] * b_row + slab.columns[0] * b_column);
                    if way == Way::Packed {
                        let rows = slab.steps[1] - slab.steps[0];
                        let columns = slab.columns[1] - slab.columns[0];
                        let source = Panel { b: slab.b, b_row, b_column, rows, columns, panel, width };
                        // SAFETY: the steps and columns lie within `b`; the panel holds `depth` rows of `width`.
                        unsafe { multiply::pack(self.simd, &source) };
                        (slab.b, slab.b_row) = (panel, width);
                    }
                    // SAFETY: the caller's promise; the slab's part of `b` lies where it says, and the buffer for sums has
                    // `width` for each of the slab's rows if they are needed again, or else holds any tile.
                    unsafe { self.walk(slab) };
                    slab.steps[0] = slab.steps[1];
                    if slab.steps[0] >= k {
                        break;
                    }
                }
                slab.rows[0] = slab.rows[1];
            }
            slab.columns[0] = slab.columns[1];
        }
    }

    #[inline(always)]
    fn way(&self) -> Way {
        let Operands { a_column, b_row, b_column, m, k, n, .. } = self.operands;
        if b_column == 1 || n == 1 {
            Way::InPlace
        } else if m < FEW && k >= LONG * Lanes::<T, S>::COUNT && b_row == 1 && a_column == 1 {
            Way::Dots
        } else {
            Way::Packed
        }
    }

    /// The tiles of a slab, row by row.
    ///
    /// # Safety
    ///
    /// The slab must lie within the product and its sums.
    #[inline(always)]
    unsafe fn walk(&mut self, slab: Slab<T>) {
        let lanes = Lanes::<T, S>::COUNT;
        let mut row = slab.rows[0];
        while row < slab.rows[1] {
            let rows = if slab.way == Way::Dots { 1 } else { multiply::height::<S>(slab.rows[1] - row) };
            let mut column = slab.columns[0];
            while column < slab.columns[1] {
                let rest = slab.columns[1] - column;
                let wide = slab.way == Way::Dots || rows == 1 && rest >= WIDE * lanes;
                let columns = rest.min(if wide { WIDE * lanes } else { WIDTH * lanes });
                // SAFETY: the tile is a part of the slab.
                unsafe { self.tile(&slab, row, rows, column, columns) };
                column += columns;
            }
            row += rows;
        }
    }

    /// One tile: its sums over the slab's steps, and the epilogue after the last of them.
    ///
    /// # Safety
    ///
    /// The tile must be a part of the slab.
    #[inline(always)]
    unsafe fn tile(&mut self, slab: &Slab<T>, row: usize, rows: usize, column: usize, columns: usize) {
        let Operands { a, a_row, a_column, b_column, k, .. } = self.operands;
        let (start, end) = (slab.steps[0], slab.steps[1]);
        let (sums, sums_row, add) = match slab.direct {
            Some(Direct { pointer, row: stride, add }) => {
                (pointer.wrapping_add(row * stride + column), stride, add || start > 0)
            }
            None if slab.sums_row > 0 => {
                (slab.sums.wrapping_add((row - slab.rows[0]) * slab.sums_row), slab.sums_row, start > 0)
            }
            None => (slab.sums, columns.next_multiple_of(Lanes::<T, S>::COUNT), false),
        };
        let a = a.wrapping_add(row * a_row + start * a_column);
        // SAFETY: the tile lies within both matrices and its sums in the destination or the buffer.
        unsafe {
            if slab.way == Way::Dots {
                let b = slab.b.wrapping_add(column * b_column);
                multiply::dots(self.simd, &Dots { a, b, b_column, steps: end - start, sums, columns, add });
            } else {
                let b = slab.b.wrapping_add(column - slab.columns[0]);
                let steps = end - start;
                let tile = Tile { a, a_row, a_column, b, b_row: slab.b_row, steps, sums, sums_row, rows, columns, add };
                multiply::multiply(self.simd, &tile);
            }
            if slab.direct.is_none() && end == k {
                self.finish(sums, sums_row, row, rows, column, columns);
            }
        }
    }

    /// The epilogue of a tile, whose product lies at `sums`.
    ///
    /// # Safety
    ///
    /// The tile must lie within the product, and its sums must be readable.
    #[inline(always)]
    unsafe fn finish(
        &mut self,
        sums: *const T,
        sums_row: usize,
        row: usize,
        rows: usize,
        column: usize,
        columns: usize,
    ) {
        let lanes = Lanes::<T, S>::COUNT;
        let last = Part::new(self.simd, columns % lanes);
        let mut index = self.index;
        for offset in 0..rows {
            index[R - 2] = row + offset;
            let sums = sums.wrapping_add(offset * sums_row);
            let (from, to) = (self.inputs.bases(&index), self.outputs.bases(&index));
            let mut states = self.outputs.begin(self.simd);
            let mut place = 0;
            // SAFETY: the registers are those of the tile; inputs and outputs fit the product.
            unsafe {
                while columns - place >= lanes {
                    self.emit(sums.wrapping_add(place), &from, &to, &mut states, column + place, Whole);
                    place += lanes;
                }
                if place < columns {
                    self.emit(sums.wrapping_add(place), &from, &to, &mut states, column + place, last);
                }
                self.outputs.finish(states, &to);
            }
        }
    }

    /// The epilogue of one register.
    ///
    /// # Safety
    ///
    /// The register, up to the end of the span, must lie within the product; its sums must be readable.
    #[inline(always)]
    unsafe fn emit(
        &mut self,
        sums: *const T,
        from: &[usize; I],
        to: &[usize; O],
        states: &mut Out::States<S>,
        position: usize,
        span: impl Span<T, S>,
    ) {
        // SAFETY: the caller's promise; inputs and outputs fit the product.
        unsafe {
            let product = span.load(self.simd, sums);
            let inputs = self.inputs.load(self.simd, from, position, span);
            let previous = self.outputs.previous(self.simd, to, position, span);
            let values = self.epilogue.evaluate(self.simd, product, inputs, previous);
            self.outputs.write(states, to, position, span, values);
        }
    }
}
