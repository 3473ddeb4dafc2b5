//! The inner loops of a contraction, compiled once for each scalar type and vector unit.
//!
//! They know strides at run time only and nothing of what happens to the product afterwards, so that they are part of this
//! library and not of every network's own code: what a network adds for each of its shapes is the walk over the tiles.

use pulp::{Simd, WithSimd};

use super::span::{Part, Span, Whole};
use crate::scalar::Scalar;
use crate::simd::{Instructions, Lanes};

/// Registers of columns in a tile.
pub(super) const WIDTH: usize = 2;
/// Registers of columns in a tile of a single row.
pub(super) const WIDE: usize = 8;

/// A piece of work for the inner loops, done by [`run`].
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Work<'a, T>(Kind<'a, T>);

#[derive(Clone, Copy, Debug)]
enum Kind<'a, T> {
    Tile(&'a Tile<T>),
    Dots(&'a Dots<T>),
    Panel(&'a Panel<T>),
}

/// `sums[i][j] (+)= Σ a[i][k]·b[k][j]` for the rows of one register tile and up to as many columns as it holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tile<T> {
    pub(super) a: *const T,
    pub(super) a_row: usize,
    pub(super) a_column: usize,
    /// Its columns lie side by side.
    pub(super) b: *const T,
    pub(super) b_row: usize,
    pub(super) steps: usize,
    /// Its columns lie side by side.
    pub(super) sums: *mut T,
    pub(super) sums_row: usize,
    /// One of the heights that [`height`] gives.
    pub(super) rows: usize,
    /// At most [`WIDTH`] registers of columns, [`WIDE`] if there is one row.
    pub(super) columns: usize,
    /// Whether to add to `sums` rather than to overwrite them.
    pub(super) add: bool,
}

/// `sums[j] (+)= Σ a[k]·b[k][j]` where the rows of `b` lie side by side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dots<T> {
    pub(super) a: *const T,
    pub(super) b: *const T,
    pub(super) b_column: usize,
    pub(super) steps: usize,
    pub(super) sums: *mut T,
    pub(super) columns: usize,
    pub(super) add: bool,
}

/// `panel[k][j] = b[k][j]`, turned so that its columns lie side by side; columns up to a whole register are zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panel<T> {
    pub(super) b: *const T,
    pub(super) b_row: usize,
    pub(super) b_column: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) panel: *mut T,
    /// Distance of the panel's rows: whole registers.
    pub(super) width: usize,
}

/// Computes a tile.
///
/// # Safety
///
/// All of `a`, `b` and `sums` that the tile names must be readable, the sums also writable.
#[inline(always)]
pub(super) unsafe fn multiply<T: Scalar, S: Simd>(simd: S, tile: &Tile<T>) {
    run(simd, Work(Kind::Tile(tile)));
}

/// Computes products of one row with columns.
///
/// # Safety
///
/// All of `a`, `b` and `sums` that the products name must be readable, the sums also writable.
#[inline(always)]
pub(super) unsafe fn dots<T: Scalar, S: Simd>(simd: S, dots: &Dots<T>) {
    run(simd, Work(Kind::Dots(dots)));
}

/// Packs a panel.
///
/// # Safety
///
/// All of `b` that the panel names must be readable, and `rows` times `width` elements of `panel` writable; `columns` must
/// not be more than `width`.
#[inline(always)]
pub(super) unsafe fn pack<T: Scalar, S: Simd>(simd: S, panel: &Panel<T>) {
    run(simd, Work(Kind::Panel(panel)));
}

/// By way of a function of the scalar type alone, which is compiled with this library.
#[inline(always)]
fn run<T: Scalar, S: Simd>(simd: S, work: Work<'_, T>) {
    match Instructions::of(simd) {
        Some(unit) => T::work(unit, work),
        None => simd.vectorize(work),
    }
}

/// How many of `rows` the next tile takes: as many as fill the registers with sums, or what is left in a few steps.
#[inline(always)]
pub(super) fn height<S: Simd>(rows: usize) -> usize {
    let heights = if const { S::REGISTER_COUNT >= 32 } { [12, 8, 4] } else { [6, 4, 2] };
    for height in heights {
        if rows >= height {
            return height;
        }
    }
    1
}

impl<T: Scalar> WithSimd for Work<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.0 {
            Kind::Tile(tile) => choose(simd, tile),
            Kind::Dots(dots) => simd.vectorize(dots),
            Kind::Panel(panel) => simd.vectorize(panel),
        }
    }
}

/// Enters the loop with this tile's size, each a function of its own.
#[inline(always)]
fn choose<T: Scalar, S: Simd>(simd: S, tile: &Tile<T>) {
    if const { S::REGISTER_COUNT >= 32 } {
        match tile.rows {
            12 => choose_width::<T, S, 12>(simd, tile),
            8 => choose_width::<T, S, 8>(simd, tile),
            4 => choose_width::<T, S, 4>(simd, tile),
            _ => choose_width::<T, S, 1>(simd, tile),
        }
    } else {
        match tile.rows {
            6 => choose_width::<T, S, 6>(simd, tile),
            4 => choose_width::<T, S, 4>(simd, tile),
            2 => choose_width::<T, S, 2>(simd, tile),
            _ => choose_width::<T, S, 1>(simd, tile),
        }
    }
}

#[inline(always)]
fn choose_width<T: Scalar, S: Simd, const ROWS: usize>(simd: S, tile: &Tile<T>) {
    let lanes = Lanes::<T, S>::COUNT;
    if ROWS == 1 && tile.columns == WIDE * lanes {
        simd.vectorize(Sized::<'_, T, 1, WIDE, false>(tile));
    } else if tile.columns == WIDTH * lanes {
        simd.vectorize(Sized::<'_, T, ROWS, WIDTH, false>(tile));
    } else if tile.columns > lanes {
        simd.vectorize(Sized::<'_, T, ROWS, WIDTH, true>(tile));
    } else {
        simd.vectorize(Sized::<'_, T, ROWS, 1, true>(tile));
    }
}

/// A tile of `ROWS` rows and `VECTORS` registers of columns, the last one ragged or not.
struct Sized<'a, T, const ROWS: usize, const VECTORS: usize, const RAGGED: bool>(&'a Tile<T>);

impl<T: Scalar, const ROWS: usize, const VECTORS: usize, const RAGGED: bool> WithSimd
    for Sized<'_, T, ROWS, VECTORS, RAGGED>
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if RAGGED {
            let last = Part::new(simd, self.0.columns - (VECTORS - 1) * Lanes::<T, S>::COUNT);
            // SAFETY: `multiply`'s caller has promised what the tile names, and the span ends with its columns.
            unsafe { self.accumulate(simd, last) };
        } else {
            // SAFETY: as above.
            unsafe { self.accumulate(simd, Whole) };
        }
    }
}

impl<T: Scalar, const ROWS: usize, const VECTORS: usize, const RAGGED: bool> Sized<'_, T, ROWS, VECTORS, RAGGED> {
    /// Walks along the summed dimension: each step loads the columns of `b` once and broadcasts one element of `a` for each
    /// row.
    ///
    /// # Safety
    ///
    /// All that the tile names must be readable, its sums writable, and its last register must end with `last`.
    #[inline(always)]
    unsafe fn accumulate<S: Simd>(&self, simd: S, last: impl Span<T, S>) {
        let Tile { a, a_row, a_column, mut b, b_row, steps, sums, sums_row, add, .. } = *self.0;
        let lanes = Lanes::<T, S>::COUNT;
        let mut held = [[Lanes::constant(simd, 0.0); VECTORS]; ROWS];
        if add {
            for (row, held) in held.iter_mut().enumerate() {
                // SAFETY: the sums' rows are readable up to `last`.
                *held = unsafe { load_row(simd, sums.wrapping_add(row * sums_row), last) };
            }
        }
        // Four rows share a pointer: fewer addresses than registers.
        let mut quads = [a; ROWS];
        for (row, quad) in quads.iter_mut().enumerate() {
            *quad = a.wrapping_add(row / 4 * 4 * a_row);
        }
        for _ in 0..steps {
            // SAFETY: the tile's columns, the last register up to `last`, are readable in this row of `b`.
            let columns: [_; VECTORS] = unsafe { load_row(simd, b, last) };
            for (row, held) in held.iter_mut().enumerate() {
                // SAFETY: the tile's rows are readable in this column of `a`.
                let factor = Lanes::splat(simd, unsafe { *quads[row / 4 * 4].wrapping_add(row % 4 * a_row) });
                for (held, &column) in held.iter_mut().zip(&columns) {
                    *held = factor.mul_add(column, *held);
                }
            }
            for quad in &mut quads {
                *quad = quad.wrapping_add(a_column);
            }
            b = b.wrapping_add(b_row);
        }
        for (row, held) in held.iter().enumerate() {
            let sums = sums.wrapping_add(row * sums_row);
            for (vector, &sum) in held.iter().enumerate() {
                // SAFETY: the sums' rows are writable up to `last`.
                unsafe {
                    if vector + 1 < VECTORS {
                        Whole.store(sums.wrapping_add(vector * lanes), sum);
                    } else {
                        last.store(sums.wrapping_add(vector * lanes), sum);
                    }
                }
            }
        }
    }
}

/// Neighbouring registers, the last one up to `last`.
///
/// # Safety
///
/// They must be readable.
#[inline(always)]
unsafe fn load_row<T: Scalar, S: Simd, const VECTORS: usize>(
    simd: S,
    pointer: *const T,
    last: impl Span<T, S>,
) -> [Lanes<T, S>; VECTORS] {
    let mut row = [Lanes::constant(simd, 0.0); VECTORS];
    for (vector, lanes) in row.iter_mut().enumerate() {
        let pointer = pointer.wrapping_add(vector * Lanes::<T, S>::COUNT);
        // SAFETY: the caller's promise.
        *lanes = unsafe { if vector + 1 < VECTORS { Whole.load(simd, pointer) } else { last.load(simd, pointer) } };
    }
    row
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
                    let sum = self.sums.wrapping_add(column + offset);
                    sum.write(if self.add { *sum + product } else { product });
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
        let b = self.b.wrapping_add(column * self.b_column);
        let mut sums = [Lanes::constant(simd, 0.0); COLUMNS];
        let mut step = 0;
        while step < self.steps {
            let rest = self.steps - step;
            let part = Part::<T, S>::new(simd, rest);
            let whole = rest >= lanes;
            // SAFETY: the caller's promise; lanes beyond the end are not read.
            let factor = unsafe { load(simd, self.a.wrapping_add(step), whole, part) };
            for (offset, sum) in sums.iter_mut().enumerate() {
                // SAFETY: as above.
                let values = unsafe { load(simd, b.wrapping_add(offset * self.b_column + step), whole, part) };
                *sum = factor.mul_add(values, *sum);
            }
            step += lanes;
        }
        sums.map(Lanes::reduce_sum)
    }
}

/// All lanes or a part of them.
///
/// # Safety
///
/// They must be readable.
#[inline(always)]
unsafe fn load<T: Scalar, S: Simd>(simd: S, pointer: *const T, whole: bool, part: Part<T, S>) -> Lanes<T, S> {
    // SAFETY: the caller's promise.
    unsafe { if whole { Whole.load(simd, pointer) } else { part.load(simd, pointer) } }
}

impl<T: Scalar> WithSimd for &Panel<T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // SAFETY: `pack`'s caller has promised the source and the panel.
        unsafe { super::pack::pack(simd, self) };
    }
}
