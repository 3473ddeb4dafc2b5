//! The register tiles of a contraction and the order in which they are visited.
//!
//! A tile holds a few rows by one or two registers of columns of the product in registers while it walks along the summed
//! dimension: each step loads the columns of `b` once and broadcasts one element of `a` for each row. Its height is chosen
//! so that the accumulators fill the register file: 12 rows of two vectors with 32 registers, 6 with 16. The rest of the
//! rows is covered by lower tiles, ragged columns by masked lanes.
//!
//! Where the columns of `b` do not lie side by side (a transposed weight), panels of it are turned into a small buffer on
//! the stack first; a sum too long for the buffer goes through partial sums kept beside it.

use core::marker::PhantomData;
use core::mem::MaybeUninit;

use pulp::Simd;

use super::Epilogue;
use super::destinations::Outputs;
use super::operands::Inputs;
use super::pack::pack;
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
/// Elements of 8 bytes in the buffer for partial sums: 132 rows of two AVX-512 registers.
const PARTIAL: usize = 2112;
/// Registers of columns in a tile.
const WIDTH: usize = 2;
/// Registers of columns in a tile of a single row.
const WIDE: usize = 8;

#[repr(align(64))]
struct Buffer<const LENGTH: usize>([MaybeUninit<u64>; LENGTH]);

impl<const LENGTH: usize> Buffer<LENGTH> {
    #[inline(always)]
    fn new() -> Self {
        Self([MaybeUninit::uninit(); LENGTH])
    }

    /// Number of scalars that fit.
    #[inline(always)]
    fn capacity<T>() -> usize {
        LENGTH * size_of::<u64>() / size_of::<T>()
    }
}

/// A part of the sum, over which a tile's registers are held.
#[derive(Clone, Copy)]
struct Slab<T> {
    /// `b` or its packed panel, at the first row of the part.
    b: *const T,
    b_row: usize,
    /// The column of the product that `b` begins with.
    column: usize,
    /// First step of the part and their number.
    start: usize,
    steps: usize,
    /// Partial sums of the row `row` and those after it, `width` apart.
    partial: *mut T,
    row: usize,
    width: usize,
    first: bool,
    last: bool,
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
        let Operands {
            b,
            b_row,
            b_column,
            m,
            k,
            n,
            ..
        } = self.operands;
        let width = WIDTH * Lanes::<T, S>::COUNT;
        if b_column == 1 || n == 1 {
            // The larger of `b` and the product is walked through once; the other one stays in the cache.
            let block = if m > k || m == 1 { n } else { width };
            let whole = Slab {
                b,
                b_row,
                column: 0,
                start: 0,
                steps: k,
                partial: core::ptr::null_mut(),
                row: 0,
                width,
                first: true,
                last: true,
            };
            let mut column = 0;
            while column < n {
                let end = n.min(column + block);
                // SAFETY: the caller's promise; the slab is the whole of `b`.
                unsafe { self.rows(whole, 0, m, column, end) };
                column = end;
            }
        } else {
            // SAFETY: the caller's promise.
            unsafe { self.packed(width) };
        }
    }

    /// The product by way of packed panels of `b`.
    ///
    /// # Safety
    ///
    /// As for [`run`](Self::run).
    #[inline(always)]
    unsafe fn packed(&mut self, width: usize) {
        let Operands {
            b,
            b_row,
            b_column,
            m,
            k,
            n,
            ..
        } = self.operands;
        let mut panel = Buffer::<PANEL>::new();
        let mut partial = Buffer::<PARTIAL>::new();
        let panel = panel.0.as_mut_ptr().cast::<T>();
        let partial = partial.0.as_mut_ptr().cast::<T>();
        let depth = Buffer::<PANEL>::capacity::<T>() / width;
        let height = if k <= depth {
            m
        } else {
            Buffer::<PARTIAL>::capacity::<T>() / width
        };
        let mut column = 0;
        while column < n {
            let end = n.min(column + width);
            let mut row = 0;
            while row < m {
                let bottom = m.min(row + height);
                let mut start = 0;
                loop {
                    let steps = depth.min(k - start);
                    // SAFETY: the rows and columns lie within `b`; the panel holds `depth` rows of `width`.
                    unsafe {
                        let source = b.add(start * b_row + column * b_column);
                        pack(self.simd, source, b_row, b_column, steps, end - column, panel, width);
                    }
                    let slab = Slab {
                        b: panel,
                        b_row: width,
                        column,
                        start,
                        steps,
                        partial,
                        row,
                        width,
                        first: start == 0,
                        last: start + steps == k,
                    };
                    // SAFETY: the caller's promise; the panel holds these columns of `b`, and the partial sums as many rows
                    // as a block has.
                    unsafe { self.rows(slab, row, bottom, column, end) };
                    start += steps;
                    if start >= k {
                        break;
                    }
                }
                row = bottom;
            }
            column = end;
        }
    }

    /// The rows from `row` to `bottom`, by tiles as high as the register file allows and then lower ones.
    ///
    /// # Safety
    ///
    /// Rows and columns must lie within the product, and the slab must cover them.
    #[inline(always)]
    unsafe fn rows(&mut self, slab: Slab<T>, row: usize, bottom: usize, column: usize, end: usize) {
        // SAFETY: the same promise, for a part of the rows each.
        unsafe {
            if const { S::REGISTER_COUNT >= 32 } {
                let row = self.high::<12>(slab, row, bottom, column, end);
                let row = self.high::<8>(slab, row, bottom, column, end);
                let row = self.high::<4>(slab, row, bottom, column, end);
                self.single(slab, row, bottom, column, end);
            } else {
                let row = self.high::<6>(slab, row, bottom, column, end);
                let row = self.high::<4>(slab, row, bottom, column, end);
                let row = self.high::<2>(slab, row, bottom, column, end);
                self.single(slab, row, bottom, column, end);
            }
        }
    }

    /// As many tiles of `ROWS` rows as there are; returns the first row that is left.
    ///
    /// # Safety
    ///
    /// As for [`rows`](Self::rows).
    #[inline(always)]
    unsafe fn high<const ROWS: usize>(
        &mut self,
        slab: Slab<T>,
        mut row: usize,
        bottom: usize,
        column: usize,
        end: usize,
    ) -> usize {
        while bottom - row >= ROWS {
            // SAFETY: these rows lie within the product.
            unsafe { self.columns::<ROWS>(slab, row, column, end) };
            row += ROWS;
        }
        row
    }

    /// The rest of the rows, one by one, in tiles that are wide instead of high.
    ///
    /// # Safety
    ///
    /// As for [`rows`](Self::rows).
    #[inline(always)]
    unsafe fn single(&mut self, slab: Slab<T>, row: usize, bottom: usize, column: usize, end: usize) {
        let wide = WIDE * Lanes::<T, S>::COUNT;
        for row in row..bottom {
            let mut column = column;
            while end - column >= wide {
                // SAFETY: the tile lies within the product.
                unsafe { self.tile::<1, WIDE>(slab, row, column, Whole) };
                column += wide;
            }
            // SAFETY: the row lies within the product.
            unsafe { self.columns::<1>(slab, row, column, end) };
        }
    }

    /// The columns of `ROWS` rows.
    ///
    /// # Safety
    ///
    /// As for [`rows`](Self::rows).
    #[inline(always)]
    unsafe fn columns<const ROWS: usize>(&mut self, slab: Slab<T>, row: usize, mut column: usize, end: usize) {
        let lanes = Lanes::<T, S>::COUNT;
        // SAFETY: the tiles lie within the product, the last one up to the end of its part.
        unsafe {
            while end - column >= WIDTH * lanes {
                self.tile::<ROWS, WIDTH>(slab, row, column, Whole);
                column += WIDTH * lanes;
            }
            let rest = end - column;
            if rest > lanes {
                self.tile::<ROWS, WIDTH>(slab, row, column, Part::new(self.simd, rest - lanes));
            } else if rest > 0 {
                self.tile::<ROWS, 1>(slab, row, column, Part::new(self.simd, rest));
            }
        }
    }

    /// One tile: the part of its sums that the slab holds, then partial sums or the epilogue.
    ///
    /// # Safety
    ///
    /// The tile, its last register up to `last`, must lie within the product and the slab.
    #[inline(always)]
    unsafe fn tile<const ROWS: usize, const VECTORS: usize>(
        &mut self,
        slab: Slab<T>,
        row: usize,
        column: usize,
        last: impl Span<T, S>,
    ) {
        let lanes = Lanes::<T, S>::COUNT;
        let mut sums = [[Lanes::constant(self.simd, 0.0); VECTORS]; ROWS];
        // SAFETY: the partial sums have a row for each row of the block and whole registers in it.
        unsafe {
            if !slab.first {
                for (offset, sums) in sums.iter_mut().enumerate() {
                    let partial = slab.partial.add((row - slab.row + offset) * slab.width);
                    for (vector, sum) in sums.iter_mut().enumerate() {
                        *sum = Whole.load(self.simd, partial.add(vector * lanes));
                    }
                }
            }
            self.accumulate(&mut sums, slab, row, column, last);
            if slab.last {
                self.finish(&sums, row, column, last);
            } else {
                for (offset, sums) in sums.iter().enumerate() {
                    let partial = slab.partial.add((row - slab.row + offset) * slab.width);
                    for (vector, &sum) in sums.iter().enumerate() {
                        Whole.store(partial.add(vector * lanes), sum);
                    }
                }
            }
        }
    }

    /// The inner loop: adds `a[row…][k]·b[k][column…]` for each step of the slab.
    ///
    /// # Safety
    ///
    /// As for [`tile`](Self::tile).
    #[inline(always)]
    unsafe fn accumulate<const ROWS: usize, const VECTORS: usize>(
        &self,
        sums: &mut [[Lanes<T, S>; VECTORS]; ROWS],
        slab: Slab<T>,
        row: usize,
        column: usize,
        last: impl Span<T, S>,
    ) {
        let Operands { a, a_row, a_column, .. } = self.operands;
        let mut a = a.wrapping_add(row * a_row + slab.start * a_column);
        let mut b = slab.b.wrapping_add(column - slab.column);
        let mut held = *sums;
        for _ in 0..slab.steps {
            let mut columns = [Lanes::constant(self.simd, 0.0); VECTORS];
            for (vector, columns) in columns.iter_mut().enumerate() {
                let pointer = b.wrapping_add(vector * Lanes::<T, S>::COUNT);
                // SAFETY: the tile's columns, the last register up to `last`, are readable in this row of `b`.
                *columns = unsafe {
                    if vector + 1 < VECTORS {
                        Whole.load(self.simd, pointer)
                    } else {
                        last.load(self.simd, pointer)
                    }
                };
            }
            for (offset, sums) in held.iter_mut().enumerate() {
                // SAFETY: the tile's rows are readable in this column of `a`.
                let factor = Lanes::splat(self.simd, unsafe { *a.wrapping_add(offset * a_row) });
                for (sum, &column) in sums.iter_mut().zip(&columns) {
                    *sum = factor.mul_add(column, *sum);
                }
            }
            a = a.wrapping_add(a_column);
            b = b.wrapping_add(slab.b_row);
        }
        *sums = held;
    }

    /// The epilogue of a tile.
    ///
    /// # Safety
    ///
    /// As for [`tile`](Self::tile).
    #[inline(always)]
    unsafe fn finish<const ROWS: usize, const VECTORS: usize>(
        &mut self,
        sums: &[[Lanes<T, S>; VECTORS]; ROWS],
        row: usize,
        column: usize,
        last: impl Span<T, S>,
    ) {
        let mut index = self.index;
        for (offset, sums) in sums.iter().enumerate() {
            index[R - 2] = row + offset;
            let (from, to) = (self.inputs.bases(&index), self.outputs.bases(&index));
            let mut states = self.outputs.begin(self.simd);
            for (vector, &sum) in sums.iter().enumerate() {
                let position = column + vector * Lanes::<T, S>::COUNT;
                // SAFETY: the tile lies within the product, which inputs and outputs fit.
                unsafe {
                    if vector + 1 < VECTORS {
                        self.emit(sum, &from, &to, &mut states, position, Whole);
                    } else {
                        self.emit(sum, &from, &to, &mut states, position, last);
                    }
                }
            }
            // SAFETY: the row lies within the product, which the outputs fit.
            unsafe { self.outputs.finish(states, &to) };
        }
    }

    /// The epilogue of one register.
    ///
    /// # Safety
    ///
    /// As for [`tile`](Self::tile).
    #[inline(always)]
    unsafe fn emit(
        &mut self,
        sum: Lanes<T, S>,
        from: &[usize; I],
        to: &[usize; O],
        states: &mut Out::States<S>,
        position: usize,
        span: impl Span<T, S>,
    ) {
        // SAFETY: the register, up to the end of the span, lies within the product, which inputs and outputs fit.
        unsafe {
            let inputs = self.inputs.load(self.simd, from, position, span);
            let previous = self.outputs.previous(self.simd, to, position, span);
            let values = self.epilogue.evaluate(self.simd, sum, inputs, previous);
            self.outputs.write(states, to, position, span, values);
        }
    }
}
