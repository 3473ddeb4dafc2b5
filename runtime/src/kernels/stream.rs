//! Products of few rows with a large matrix, by way of memory that the caller lends.
//!
//! Few rows do not pay for a copy of the matrix that they wait for. So its panels are copied piece by piece, between the
//! tiles of those before, and each piece is fetched a few tiles before it is copied: nobody waits for memory.

use pulp::Simd;

use super::ahead::{Ahead, LINE, fetch};
use super::direct::{Addition, Direct};
use super::large::MANY_ROWS;
use super::multiply::{self, Block, WIDTH};
use super::pack::{self, Panel};
use super::product::{Operands, Product};
use super::schedule::{Assignment, Pieces};
use crate::scalar::Scalar;
use crate::simd::Lanes;

/// Bytes of `b` that need no copy to stay in the second-level cache.
const SMALL_BYTES: usize = if cfg!(test) { 1 << 16 } else { 1 << 17 };
/// Bytes of a panel of `b`, as many as a first-level cache has: tiles read it in order, so that what was displaced comes from
/// the second level as fast as they need it, and half as many rounds of sums go to memory and back as with half of it.
const PANEL_BYTES: usize = 1 << 15;
/// Bytes of packed rows of `a`: 256 rows over the 512 steps of a panel of 16 columns, with the last tile's empty rows.
const ROWS_BYTES: usize = 528 << 10;
/// Fewer rows do not hide the copies. ([`MANY_ROWS`] are worth a copy of the whole matrix, which [`large`](super::large)
/// makes.)
const FEW_ROWS: usize = 48;
/// Fewer steps are not worth the sums' way to memory and back.
const FEW_STEPS: usize = 32;
/// Bytes from one row of `b` to the next, or one column, from which on the processor does not fetch the next one by itself.
const FAR: usize = 2048;
/// Panels that are copied together, where their columns lie side by side: a page is visited for so many lines at a time.
const GROUP: usize = 4;
/// Lines of a cache that are copied at a time where columns lie side by side,
const PIECE: usize = 32;
/// and of each column where they do not.
const PIECE_OF_COLUMN: usize = 2;

/// How a product is cut, and how the lent memory is shared out: all rows of `a` over `steps`, and two groups of panels, one in
/// use and one being copied.
#[derive(Clone, Copy)]
pub(super) struct Stream<T> {
    /// Rows of a tile.
    height: usize,
    /// From one step of a tile's packed rows to the next.
    row_step: usize,
    steps: usize,
    /// Columns of a panel,
    width: usize,
    /// and of a group.
    group: usize,
    /// Steps that are copied at a time,
    piece: usize,
    /// after so many tiles.
    together: usize,
    rows: *mut T,
    panels: [*mut T; 2],
    place: Direct<T>,
}

impl<T: Scalar> Stream<T> {
    /// How to compute the product so; `None` if that is not worth it, or not possible.
    #[inline]
    pub(super) fn new<S: Simd>(product: &Product<'_, T>) -> Option<Self> {
        let Product { operands, direct, partial, lent: (memory, length), .. } = *product;
        let Operands { b_row, b_column, m, k, n, .. } = operands;
        let (lanes, size) = (Lanes::<T, S>::COUNT, size_of::<T>());
        let far = b_row.max(b_column).saturating_mul(size) >= FAR && (b_row == 1 || b_column == 1);
        if !(FEW_ROWS..MANY_ROWS).contains(&m) || !far || k.saturating_mul(n).saturating_mul(size) <= SMALL_BYTES {
            return None;
        }
        let height = multiply::height::<S>(m, false).max(1);
        // A register that is longer than a tile is high overwrites the next step, which is packed after it.
        let row_step = if height <= lanes { height } else { height.next_multiple_of(lanes) };
        let width = WIDTH * lanes;
        let panels_of_group = if b_row == 1 { 1 } else { GROUP };
        let group = panels_of_group * width;
        let tiles = m.div_ceil(height);
        let fitting = length.checked_sub(lanes)? / (tiles * row_step + 2 * group).max(1);
        let most = k.min(PANEL_BYTES / size / width).min(ROWS_BYTES / size / m).min(fitting);
        // Rounds of the same length.
        let steps = k.div_ceil(k.div_ceil(most.max(1)).max(1));
        if most == 0 || steps < FEW_STEPS.min(k) || steps == 0 {
            return None;
        }
        let first = memory.wrapping_add(tiles * row_step * steps + lanes);
        let panels = [first, first.wrapping_add(group * steps)];
        // Where columns lie side by side, a piece is some rows of the group, else some lines of each column.
        let line = LINE / size;
        let along = if b_row == 1 { PIECE_OF_COLUMN * line } else { PIECE * line / group };
        let tiles = tiles * panels_of_group;
        let piece = steps.div_ceil(tiles.max(1)).next_multiple_of(along.max(1));
        let together = (tiles * piece / steps).max(1);
        let place = direct.map_or(partial, |direct| direct.for_steps(steps, k))?;
        Some(Self { height, row_step, steps, width, group, piece, together, rows: memory, panels, place })
    }

    /// Computes what is assigned of the product.
    ///
    /// # Safety
    ///
    /// It must be the product that this was made for, with its maker's promise.
    #[inline]
    pub(super) unsafe fn walk<S: Simd>(&self, simd: S, assignment: &Assignment<'_, '_, T>) {
        let product = assignment.product();
        let k = product.operands.k;
        let mut first = 0;
        while first < k {
            let steps = self.steps.min(k - first);
            let groups = assignment.pieces([self.width, self.group], first, first + steps == k);
            // SAFETY: the caller's promise; the steps lie within the product.
            unsafe {
                self.pack_rows(simd, product, [first, steps]);
                self.multiply(simd, product, [first, steps], groups);
            }
            first += steps;
        }
    }

    /// Packs all rows over some steps, as many side by side as a tile has.
    ///
    /// # Safety
    ///
    /// The steps must lie within the product.
    #[inline]
    unsafe fn pack_rows<S: Simd>(&self, simd: S, product: &Product<'_, T>, [first, steps]: [usize; 2]) {
        let Operands { a, a_row, a_column, m, .. } = product.operands;
        let all = Panel {
            b: a.wrapping_add(first * a_column),
            b_row: a_column,
            b_column: a_row,
            rows: steps,
            columns: m,
            panel: self.rows,
            width: self.row_step,
        };
        // SAFETY: the rows lie within the product, and there is room for them and for a register besides.
        unsafe { pack::pack_panels(simd, &all, self.height, self.row_step * steps) };
    }

    /// All rows times groups of columns over some steps.
    ///
    /// # Safety
    ///
    /// The steps must lie within the product, and the rows must be packed.
    #[inline]
    unsafe fn multiply<S: Simd>(
        &self,
        simd: S,
        product: &Product<'_, T>,
        [first, steps]: [usize; 2],
        mut groups: Pieces<'_, T>,
    ) {
        let Operands { b, b_row, b_column, m, k, .. } = product.operands;
        let mut supply = Supply {
            source: b.wrapping_add(first * b_row),
            b_row,
            b_column,
            steps,
            width: self.width,
            panels: self.panels,
            piece: self.piece,
            step: steps,
            group: [0; 2],
        };
        let mut group = groups.take();
        supply.begin(group);
        while let Some([column, columns]) = group {
            // SAFETY: the caller's promise; a group of panels is complete before it is used, and the next one is copied to
            // other memory meanwhile.
            unsafe {
                supply.complete(simd);
                supply.panels.swap(0, 1);
                group = groups.take();
                supply.begin(group);
                self.tiles(simd, product, &mut supply, [column, columns], first);
                if product.direct.is_none() && first + steps == k {
                    let Direct { pointer, row, .. } = self.place;
                    let sums = (pointer.wrapping_add(column).cast_const(), row);
                    product.finish.run(simd, &product.block(sums, [0, column], [m, columns]));
                }
            }
        }
    }

    /// All rows times a group of panels; after some tiles, a piece of the next group is packed.
    ///
    /// # Safety
    ///
    /// The rows and the panels must be packed.
    #[inline]
    unsafe fn tiles<S: Simd>(
        &self,
        simd: S,
        product: &Product<'_, T>,
        supply: &mut Supply<T>,
        [column, columns]: [usize; 2],
        first: usize,
    ) {
        let (m, steps) = (product.operands.m, supply.steps);
        let Direct { pointer, row: sums_row, add } = self.place;
        let [_, panels] = supply.panels;
        // Narrow groups have fewer tiles.
        let pieces = self.group.checked_div(columns).unwrap_or(1);
        let mut at = 0;
        while at < columns {
            let (mut row, mut a) = (0, self.rows.cast_const());
            while row < m {
                let block = Block {
                    a,
                    a_row: 1,
                    a_column: self.row_step,
                    b: panels.wrapping_add(at * steps).cast_const(),
                    b_row: self.width,
                    steps,
                    sums: pointer.wrapping_add(row * sums_row + column + at),
                    sums_row,
                    rows: (self.together * self.height).min(m - row),
                    columns: self.width.min(columns - at),
                    add: Addition::after(add, first),
                    ahead: Ahead::NOTHING,
                    across: false,
                };
                // SAFETY: the caller's promise.
                unsafe {
                    multiply::multiply_groups(simd, &block, self.height, self.row_step * steps);
                    for _ in 0..pieces {
                        if supply.step < steps {
                            supply.pack(simd);
                        }
                    }
                }
                a = a.wrapping_add(self.together * self.row_step * steps);
                row += self.together * self.height;
            }
            at += self.width;
        }
    }
}

/// Panels of `b` over some steps, packed piece by piece.
struct Supply<T> {
    source: *const T,
    b_row: usize,
    b_column: usize,
    steps: usize,
    /// Columns of a panel.
    width: usize,
    /// Where the next group goes, and where the last complete one is.
    panels: [*mut T; 2],
    /// Steps of a piece.
    piece: usize,
    /// Where the next piece begins; behind the last step if there is none.
    step: usize,
    /// The next group's first column, and how many it has.
    group: [usize; 2],
}

impl<T: Scalar> Supply<T> {
    /// These columns are packed from now on, if any, of which the first piece is fetched.
    #[inline]
    fn begin(&mut self, group: Option<[usize; 2]>) {
        if let Some(group) = group {
            (self.group, self.step) = (group, 0);
            self.fetch();
        }
    }

    /// Packs all that is left of the group.
    ///
    /// # Safety
    ///
    /// As for [`pack`](Self::pack).
    #[inline]
    unsafe fn complete<S: Simd>(&mut self, simd: S) {
        while self.step < self.steps {
            // SAFETY: the caller's promise.
            unsafe { self.pack(simd) };
        }
    }

    /// Packs a piece of the group, and asks for the next one to be fetched.
    ///
    /// # Safety
    ///
    /// All columns of the group must be readable over all steps, and the memory of the panels must be writable and not in use.
    #[inline]
    unsafe fn pack<S: Simd>(&mut self, simd: S) {
        let Self { source, b_row, b_column, steps, width, panels, group: [column, columns], .. } = *self;
        let rows = self.piece.min(steps - self.step);
        let all = Panel {
            b: source.wrapping_add(self.step * b_row + column * b_column),
            b_row,
            b_column,
            rows,
            columns,
            panel: panels[0].wrapping_add(self.step * width),
            width,
        };
        // SAFETY: the caller's promise.
        unsafe { pack::pack_panels(simd, &all, width, width * steps) };
        self.step += rows;
        self.fetch();
    }

    /// Asks for the next piece to be fetched.
    #[inline]
    fn fetch(&self) {
        let [column, columns] = self.group;
        let rows = self.piece.min(self.steps - self.step);
        let source = self.source.wrapping_add(self.step * self.b_row + column * self.b_column);
        if self.b_row == 1 {
            fetch(source, self.b_column, columns, rows);
        } else {
            fetch(source, self.b_row, rows, columns);
        }
    }
}
