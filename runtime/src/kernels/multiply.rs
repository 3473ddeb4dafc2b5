//! The inner loops of a contraction.
//!
//! A tile is a part of the product whose sums fit the register file: 12 rows of two vectors with 32 registers, 6 with 16.
//! The rest of the rows is covered by lower tiles, ragged columns by masked lanes. A single row takes wider tiles. They know
//! little of strides, and nothing of what happens to the product afterwards, so that they are part of this library and not
//! of every network's own code.

use core::marker::PhantomData;

use pulp::{Simd, WithSimd};

use super::ahead::{Ahead, fetch};
use super::direct::Addition;
use super::span::{Part, Span, Whole};
use crate::scalar::Scalar;
use crate::simd::Lanes;

/// Registers of columns in a tile.
pub(super) const WIDTH: usize = 2;
/// Registers of columns in a tile of a single row.
pub(super) const WIDE: usize = 8;
/// Sums over every so many steps of a single row that has few columns: one sum alone waits for each addition.
const CHAINS: usize = 4;

/// Rows at this distance in bytes, or a multiple of it, fall on the same set of a first-level cache.
const CROWDED: usize = 4096;

/// `sums[i][j] (+)= Σ a[i][k]·b[k][j]` for any number of rows and columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block<T> {
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
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Whether to add to `sums` rather than to overwrite them, and how.
    pub(super) add: Option<Addition<T>>,
    /// What is to be fetched meanwhile.
    pub(super) ahead: Ahead<T>,
    /// Whether to finish the columns of some rows before the next rows, or the other way round.
    pub(super) across: bool,
}

/// Computes a block.
///
/// # Safety
///
/// All of `a`, `b` and `sums` that the block names must be readable, the sums also writable, and `add` as
/// [`Addition::mark`] wants it.
#[inline(always)]
pub(super) unsafe fn multiply<T: Scalar, S: Simd>(simd: S, block: &Block<T>) {
    block.walk(simd);
}

/// Computes a block of one panel, of which groups of `height` rows of `a` are packed: `a_row` apart within a group, `group`
/// from one to the next.
///
/// # Safety
///
/// As for [`multiply`]; `height` must be one of [`height`]'s, and the columns no more than a tile's.
#[inline(always)]
pub(super) unsafe fn multiply_groups<T: Scalar, S: Simd>(simd: S, block: &Block<T>, height: usize, group: usize) {
    block.walk_groups(simd, height, group);
}

/// How many of `columns` the next tile of this height takes.
#[inline(always)]
fn width<T: Scalar, S: Simd>(rows: usize, columns: usize) -> usize {
    let lanes = Lanes::<T, S>::COUNT;
    if rows == 1 && columns >= WIDE * lanes { WIDE * lanes } else { columns.min(WIDTH * lanes) }
}

/// How many of `rows` the next tile takes: as many as fill the registers with sums, or what is left in a few steps.
///
/// `crowded` rows lie so that they compete for the same places of the first-level cache, which has eight for them.
#[inline(always)]
pub(super) fn height<S: Simd>(rows: usize, crowded: bool) -> usize {
    let heights = if const { S::REGISTER_COUNT >= 32 } { [12, 8, 4] } else { [6, 4, 2] };
    for height in heights {
        if rows >= height && !(height == 6 && is_two_fours(rows)) && !(crowded && height > 8) {
            return height;
        }
    }
    1
}

/// Two tiles of four rows keep more sums in flight than one of six and the rest.
#[inline(always)]
fn is_two_fours(rows: usize) -> bool {
    rows == 8 || rows == 9
}

/// How many tiles of this height there are to be in `rows`.
#[inline(always)]
fn repeats(height: usize, rows: usize) -> usize {
    let count = rows / height;
    if height == 6 && count > 1 && is_two_fours(rows - 6 * (count - 1)) { count - 1 } else { count }
}

impl<T: Scalar> Block<T> {
    /// Visits the block's tiles, in runs of equal ones.
    #[inline]
    fn walk<S: Simd>(&self, simd: S) {
        let crowded = self.a_row.wrapping_mul(size_of::<T>()).is_multiple_of(CROWDED);
        if self.across {
            let mut row = 0;
            while row < self.rows {
                let rows = height::<S>(self.rows - row, crowded);
                let mut column = 0;
                while column < self.columns {
                    let columns = width::<T, S>(rows, self.columns - column);
                    let count = (self.columns - column) / columns;
                    self.run(simd, [row, column], [rows, columns], [0, columns], count);
                    column += columns * count;
                }
                row += rows;
            }
        } else {
            let mut column = 0;
            while column < self.columns {
                let columns = width::<T, S>(2, self.columns - column);
                let mut row = 0;
                while row < self.rows {
                    let rows = height::<S>(self.rows - row, crowded);
                    let count = repeats(rows, self.rows - row);
                    self.run(simd, [row, column], [rows, columns], [rows, 0], count);
                    row += rows * count;
                }
                column += columns;
            }
        }
    }

    /// Visits the tiles of groups of rows, and what is left in lower ones.
    #[inline]
    fn walk_groups<S: Simd>(&self, simd: S, height: usize, group: usize) {
        let count = self.rows.checked_div(height).unwrap_or(0);
        self.run_by(simd, [0, 0], [height, self.columns], [height, 0], group, count);
        let rest = Self {
            a: self.a.wrapping_add(count * group),
            sums: self.sums.wrapping_add(count * height * self.sums_row),
            rows: self.rows - count * height,
            ahead: self.ahead.at(count * height, 0),
            ..*self
        };
        rest.walk(simd);
    }

    /// `count` tiles of a size, each `step` rows and columns after the one before.
    #[inline]
    fn run<S: Simd>(&self, simd: S, at: [usize; 2], size: [usize; 2], step: [usize; 2], count: usize) {
        self.run_by(simd, at, size, step, step[0] * self.a_row, count);
    }

    /// As [`run`](Self::run), with rows of `a` that lie `a_step` after those of the tile before.
    #[inline]
    fn run_by<S: Simd>(
        &self,
        simd: S,
        at: [usize; 2],
        size: [usize; 2],
        step: [usize; 2],
        a_step: usize,
        count: usize,
    ) {
        let run = Run {
            block: self,
            a: self.a.wrapping_add(at[0] * self.a_row),
            b: self.b.wrapping_add(at[1]),
            sums: self.sums.wrapping_add(at[0] * self.sums_row + at[1]),
            ahead: self.ahead.at(at[0], at[1]),
            step,
            a_step,
            sums_step: step[0] * self.sums_row + step[1],
            columns: size[1],
            count,
        };
        if const { S::REGISTER_COUNT >= 32 } {
            match size[0] {
                12 => run.enter::<S, 12>(simd),
                8 => run.enter::<S, 8>(simd),
                4 => run.enter::<S, 4>(simd),
                _ => run.enter::<S, 1>(simd),
            }
        } else {
            match size[0] {
                6 => run.enter::<S, 6>(simd),
                4 => run.enter::<S, 4>(simd),
                2 => run.enter::<S, 2>(simd),
                _ => run.enter::<S, 1>(simd),
            }
        }
    }
}

/// A run of tiles of the same size.
struct Run<'a, T> {
    block: &'a Block<T>,
    a: *const T,
    b: *const T,
    sums: *mut T,
    a_step: usize,
    sums_step: usize,
    columns: usize,
    count: usize,
    ahead: Ahead<T>,
    /// Rows and columns from one tile to the next.
    step: [usize; 2],
}

impl<T: Scalar> Run<'_, T> {
    /// Enters the loop with this size, each a function of its own.
    #[inline]
    fn enter<S: Simd, const ROWS: usize>(&self, simd: S) {
        let lanes = Lanes::<T, S>::COUNT;
        if ROWS == 1 && self.columns == WIDE * lanes {
            simd.vectorize(Sized::<'_, T, Apart, 1, WIDE, false>(self, PhantomData));
        } else if self.columns == WIDTH * lanes {
            // Lower tiles are few, and scalars are for programs that should be small.
            let is_worth = const { ROWS >= 4 && Lanes::<T, S>::COUNT > 1 };
            if is_worth && self.block.a_row == 1 {
                simd.vectorize(Sized::<'_, T, Beside, ROWS, WIDTH, false>(self, PhantomData));
            } else if is_worth && self.block.a_column == 1 {
                simd.vectorize(Sized::<'_, T, Along, ROWS, WIDTH, false>(self, PhantomData));
            } else {
                simd.vectorize(Sized::<'_, T, Apart, ROWS, WIDTH, false>(self, PhantomData));
            }
        } else if self.columns > lanes {
            simd.vectorize(Sized::<'_, T, Apart, ROWS, WIDTH, true>(self, PhantomData));
        } else {
            simd.vectorize(Sized::<'_, T, Apart, ROWS, 1, true>(self, PhantomData));
        }
    }
}

/// How the elements of `a` lie. A distance that is known while this is compiled is part of an instruction rather than one of
/// its own, which counts where another thread shares the core.
trait Layout {
    /// Steps between two branches.
    const AT_ONCE: usize = 4;

    /// From one row to the next, if that is known,
    const ROW: Option<usize> = None;

    /// and from one step to the next.
    const COLUMN: Option<usize> = None;
}

/// At any distance.
struct Apart;

/// The rows of a step side by side.
struct Beside;

/// The steps of a row side by side.
struct Along;

impl Layout for Apart {
    const AT_ONCE: usize = 1;
}

impl Layout for Beside {
    const ROW: Option<usize> = Some(1);
}

impl Layout for Along {
    const COLUMN: Option<usize> = Some(1);
}

/// A run of tiles of `ROWS` rows and `VECTORS` registers of columns, the last one ragged or not. `L` must be how the block's `a` lies,
/// which [`Run::enter`] sees to.
struct Sized<'a, T, L, const ROWS: usize, const VECTORS: usize, const RAGGED: bool>(&'a Run<'a, T>, PhantomData<L>);

impl<T: Scalar, L: Layout, const ROWS: usize, const VECTORS: usize, const RAGGED: bool> WithSimd
    for Sized<'_, T, L, ROWS, VECTORS, RAGGED>
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Run { mut a, mut b, mut sums, mut ahead, step, a_step, sums_step, columns, count, .. } = *self.0;
        for _ in 0..count {
            if !ahead.is_nothing() {
                ahead.fetch(ROWS, VECTORS * Lanes::<T, S>::COUNT);
                ahead = ahead.at(step[0], step[1]);
            }
            // SAFETY: `multiply`'s caller has promised what the block names, of which `enter` has told the layout, and the
            // span ends with the tile's columns.
            unsafe {
                if RAGGED {
                    let last = Part::new(simd, columns - (VECTORS - 1) * Lanes::<T, S>::COUNT);
                    self.accumulate(simd, a, b, sums, last);
                } else {
                    self.accumulate(simd, a, b, sums, Whole);
                }
            }
            a = a.wrapping_add(a_step);
            b = b.wrapping_add(step[1]);
            sums = sums.wrapping_add(sums_step);
        }
    }
}

impl<T: Scalar, L: Layout, const ROWS: usize, const VECTORS: usize, const RAGGED: bool>
    Sized<'_, T, L, ROWS, VECTORS, RAGGED>
{
    /// Adds the products of all steps.
    ///
    /// # Safety
    ///
    /// As for [`accumulate`](Self::accumulate).
    #[inline(always)]
    unsafe fn add_products<S: Simd>(
        &self,
        simd: S,
        held: &mut [[Lanes<T, S>; VECTORS]; ROWS],
        a: *const T,
        mut b: *const T,
        last: impl Span<T, S>,
    ) {
        let Block { a_row, a_column, b_row, steps, .. } = *self.0.block;
        debug_assert!(L::ROW.is_none_or(|row| row == a_row) && L::COLUMN.is_none_or(|column| column == a_column));
        let (a_row, a_column) = (L::ROW.unwrap_or(a_row), L::COLUMN.unwrap_or(a_column));
        // Four rows share a pointer: fewer addresses than registers.
        let mut quads = [a; ROWS];
        for (row, quad) in quads.iter_mut().enumerate() {
            *quad = a.wrapping_add(row / 4 * 4 * a_row);
        }
        for _ in 0..steps / L::AT_ONCE {
            for step in 0..L::AT_ONCE {
                let (offset, b) = (step * a_column, b.wrapping_add(step * b_row));
                // SAFETY: the caller's promise.
                unsafe { self.add_product(simd, held, &quads, offset, b, last) };
            }
            for quad in &mut quads {
                *quad = quad.wrapping_add(L::AT_ONCE * a_column);
            }
            b = b.wrapping_add(L::AT_ONCE * b_row);
        }
        for _ in 0..steps % L::AT_ONCE {
            // SAFETY: the caller's promise.
            unsafe { self.add_product(simd, held, &quads, 0, b, last) };
            for quad in &mut quads {
                *quad = quad.wrapping_add(a_column);
            }
            b = b.wrapping_add(b_row);
        }
    }

    /// As [`add_products`](Self::add_products) for a single row, with sums of their own for neighbouring steps.
    ///
    /// # Safety
    ///
    /// As for [`accumulate`](Self::accumulate).
    #[inline(always)]
    unsafe fn add_products_in_chains<S: Simd>(
        &self,
        simd: S,
        held: &mut [[Lanes<T, S>; VECTORS]; ROWS],
        mut a: *const T,
        mut b: *const T,
        last: impl Span<T, S>,
    ) {
        debug_assert!(ROWS == 1, "other rows would read the first one's elements");
        let Block { a_column, b_row, steps, .. } = *self.0.block;
        let mut chains = [[[Lanes::constant(simd, 0.0); VECTORS]; ROWS]; CHAINS];
        for _ in 0..steps / CHAINS {
            for (step, chain) in chains.iter_mut().enumerate() {
                // SAFETY: the caller's promise.
                unsafe {
                    self.add_product(simd, chain, &[a; ROWS], step * a_column, b.wrapping_add(step * b_row), last)
                };
            }
            a = a.wrapping_add(CHAINS * a_column);
            b = b.wrapping_add(CHAINS * b_row);
        }
        for (step, chain) in chains.iter_mut().enumerate().take(steps % CHAINS) {
            // SAFETY: the caller's promise.
            unsafe { self.add_product(simd, chain, &[a; ROWS], step * a_column, b.wrapping_add(step * b_row), last) };
        }
        let [first, second, third, fourth] = chains;
        for (row, held) in held.iter_mut().enumerate() {
            for (vector, held) in held.iter_mut().enumerate() {
                let pairs = (first[row][vector] + second[row][vector]) + (third[row][vector] + fourth[row][vector]);
                *held += pairs;
            }
        }
    }

    /// Adds the product of one step: loads the columns of `b` once, and broadcasts one element of `a` for each row.
    ///
    /// # Safety
    ///
    /// The rows of `a`, of which four share a pointer, must be readable at this offset, and the columns at `b` up to `last`.
    #[inline(always)]
    unsafe fn add_product<S: Simd>(
        &self,
        simd: S,
        held: &mut [[Lanes<T, S>; VECTORS]; ROWS],
        quads: &[*const T; ROWS],
        offset: usize,
        b: *const T,
        last: impl Span<T, S>,
    ) {
        let a_row = L::ROW.unwrap_or(self.0.block.a_row);
        // SAFETY: the caller's promise.
        let columns: [_; VECTORS] = unsafe { load_row(simd, b, last) };
        for (row, held) in held.iter_mut().enumerate() {
            let place = quads[row / 4 * 4].wrapping_add(row % 4 * a_row + offset);
            // SAFETY: the caller's promise.
            let factor = Lanes::splat(simd, unsafe { *place });
            for (held, &column) in held.iter_mut().zip(&columns) {
                *held = factor.mul_add(column, *held);
            }
        }
    }

    /// Computes a tile.
    ///
    /// # Safety
    ///
    /// All that the tile at `a`, `b` and `sums` names must be readable, its sums writable, its last register must end with
    /// `last`, and the block's `add` must be as [`Addition::mark`] wants it.
    #[inline(always)]
    unsafe fn accumulate<S: Simd>(&self, simd: S, a: *const T, b: *const T, sums: *mut T, last: impl Span<T, S>) {
        let Block { steps, sums_row, add, .. } = *self.0.block;
        let lanes = Lanes::<T, S>::COUNT;
        let mut held = [[Lanes::constant(simd, 0.0); VECTORS]; ROWS];
        if add.is_some() {
            // They are needed at the end, and may be far away.
            fetch(sums.cast_const(), sums_row, ROWS, VECTORS * lanes);
        }
        let is_lonely = const { ROWS == 1 && VECTORS < WIDE && Lanes::<T, S>::COUNT > 1 };
        // SAFETY: the caller's promise.
        unsafe {
            if is_lonely && steps >= 2 * CHAINS {
                self.add_products_in_chains(simd, &mut held, a, b, last);
            } else {
                self.add_products(simd, &mut held, a, b, last);
            }
        }
        if let Some(add) = add {
            // SAFETY: the caller's promise.
            unsafe { add.mark(simd, &held) };
            let factor = Lanes::splat(simd, add.factor);
            // All of them before the first store: a masked load waits for a masked store beside it.
            for (row, held) in held.iter_mut().enumerate() {
                // SAFETY: the sums' rows are readable up to `last`.
                let previous: [_; VECTORS] = unsafe { load_row(simd, sums.wrapping_add(row * sums_row), last) };
                for (held, previous) in held.iter_mut().zip(previous) {
                    *held = factor.mul_add(*held, previous);
                }
            }
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
