//! Products of many rows with a large matrix, by way of packed copies of both matrices in memory that the
//! caller lends.
//!
//! The order of loops is that of Goto and van de Geijn, Anatomy of high-performance matrix multiplication (2008): some
//! columns of `b` are packed once for all rows, some rows of `a` once for these columns; a panel of the former stays in the
//! first-level cache while the rows go by. What an epilogue will read of the parameters is fetched meanwhile.

use pulp::Simd;

use super::ahead::{Ahead, fetch};
use super::direct::{Addition, Direct};
use super::multiply::{self, Block, WIDTH};
use super::pack::{self, Panel};
use super::product::{Operands, Product};
use super::schedule::Assignment;
use crate::scalar::Scalar;
use crate::simd::Lanes;

/// Bytes of a panel of `b`: half of a first-level cache.
const PANEL_BYTES: usize = 1 << 14;
/// Rows of `a` that are packed together, about: with [`PANEL_BYTES`]'s steps they fill a part of a second-level cache.
const ROWS: usize = 96;
/// Fewer rows do not pay for the copy of `b`, which is read but once for them: see [`stream`](super::stream). For gradients,
/// the compiler lends memory from here on.
/// (Tests, some of which run on slow emulators, are content with fewer.)
pub(super) const MANY_ROWS: usize = if cfg!(test) { ROWS + 4 } else { 4 * ROWS };
/// Bytes of `b` that need no copy to stay in the first-level cache.
const SMALL_BYTES: usize = 1 << 14;
/// Columns of `b` that are packed together at most,
const COLUMNS: usize = 1024;
/// and at least, where there are so many: else the rows are packed too often.
const FEW_COLUMNS: usize = 128;
/// Rows or steps that are packed at a time: each lies on a page of its own.
const PAGES: usize = 16;

/// How a product is cut, and how the lent memory is shared out: `rows` packed rows over `steps`; `span` packed steps of
/// `columns`, whole panels; and, without a place elsewhere, sums of `rows` by `columns`. [`new`](Self::new) chooses the columns
/// so that all of it fits.
#[derive(Clone, Copy)]
pub(super) struct Large<T> {
    /// Rows of a tile.
    height: usize,
    /// From one step of `height` packed rows to the next.
    a_step: usize,
    rows: usize,
    columns: usize,
    steps: usize,
    /// Steps for which columns are packed: all where the sums have no place to wait for the next ones.
    span: usize,
    /// Columns of a panel.
    width: usize,
    a: *mut T,
    b: *mut T,
    sums: *mut T,
    /// Where the sums go if not into the lent memory,
    place: Option<Direct<T>>,
    /// and whether that is where the product is wanted: else it is finished.
    is_direct: bool,
}

impl<T: Scalar> Large<T> {
    /// How to compute the product so; `None` if that is not worth it, or the memory is too small.
    #[inline]
    pub(super) fn new<S: Simd>(product: &Product<'_, T>) -> Option<Self> {
        let Product { operands: Operands { m, k, n, .. }, direct, partial, lent: (memory, length), .. } = *product;
        let (lanes, size) = (Lanes::<T, S>::COUNT, size_of::<T>());
        if m < MANY_ROWS || k.saturating_mul(n).saturating_mul(size) <= SMALL_BYTES {
            return None;
        }
        let height = multiply::height::<S>(m, false);
        let (a_step, width) = (height.next_multiple_of(lanes), WIDTH * lanes);
        let steps = k.min((PANEL_BYTES / size / width).max(1));
        let direct = direct.and_then(|direct| direct.for_steps(steps, k));
        let (place, is_direct) = (direct.or(partial), direct.is_some());
        let rows = ROWS / height.max(1) * height;
        let span = if place.is_some() { steps } else { k };
        let packed_rows = rows / height.max(1) * a_step * steps;
        let of_a_column = span + if place.is_some() { 0 } else { rows };
        let columns = length.checked_sub(packed_rows)?.checked_div(of_a_column)? / width * width;
        let wanted = n.next_multiple_of(width);
        if columns < wanted.min(FEW_COLUMNS) {
            return None;
        }
        let columns = columns.min(COLUMNS).min(wanted);
        let b = memory.wrapping_add(packed_rows);
        let sums = b.wrapping_add(span * columns);
        Some(Self { height, a_step, rows, columns, steps, span, width, a: memory, b, sums, place, is_direct })
    }

    /// Computes what is assigned of the product.
    ///
    /// # Safety
    ///
    /// It must be the product that this was made for, with its maker's promise.
    #[inline]
    pub(super) unsafe fn walk<S: Simd>(&self, simd: S, assignment: &Assignment<'_, '_, T>) {
        let product = assignment.product();
        let Operands { b, b_row, b_column, k, n, .. } = product.operands;
        let mut column = 0;
        while column < n {
            let columns = self.columns.min(n - column);
            let mut first = 0;
            while first < k {
                let span = self.span.min(k - first);
                // Before the columns are packed: who is early waits for nobody.
                let is_last = column + columns == n && first + span == k;
                let mut pieces = assignment.pieces([self.height, self.rows], column * k + first, is_last);
                let panels = Panels {
                    source: b.wrapping_add(first * b_row + column * b_column),
                    step: b_row,
                    across: b_column,
                    size: [span, columns],
                    taken: self.width,
                    width: self.width,
                    target: self.b,
                };
                // SAFETY: the caller's promise; the part lies within the product, and its copy within the lent memory.
                unsafe { Self::pack(simd, &panels) };
                while let Some([row, rows]) = pieces.take() {
                    // SAFETY: as above.
                    unsafe { self.block(simd, product, [row, column, first], [rows, columns, span]) };
                }
                first += span;
            }
            column += columns;
        }
    }

    /// Rows at a time times packed columns, and what is to be done to the sums when they are complete.
    ///
    /// # Safety
    ///
    /// The block of this size must lie at this row, column and step within the product, and its columns must be packed.
    #[inline]
    unsafe fn block<S: Simd>(
        &self,
        simd: S,
        product: &Product<'_, T>,
        [row, column, first]: [usize; 3],
        [rows, columns, span]: [usize; 3],
    ) {
        let Product { operands: Operands { a, a_row, a_column, k, .. }, finish, .. } = *product;
        let (sums, sums_row, add) = match self.place {
            Some(Direct { pointer, row: stride, add }) => (pointer.wrapping_add(row * stride + column), stride, add),
            None => (self.sums, self.columns, None),
        };
        let is_last = !self.is_direct && first + span == k;
        let mut step = 0;
        while step < span {
            let steps = self.steps.min(span - step);
            let ahead = if is_last && step + steps == span { finish.ahead().at(row, column) } else { Ahead::NOTHING };
            let block = Block {
                a: self.a.cast_const(),
                a_row: 1,
                a_column: self.a_step,
                b: self.b.wrapping_add(step * self.width).cast_const(),
                b_row: self.width,
                steps,
                sums,
                sums_row,
                rows,
                columns,
                add: Addition::after(add, first + step),
                ahead,
                across: false,
            };
            let panels = Panels {
                source: a.wrapping_add(row * a_row + (first + step) * a_column),
                step: a_column,
                across: a_row,
                size: [steps, rows],
                taken: self.height,
                width: self.a_step,
                target: self.a,
            };
            // SAFETY: the caller's promise; the sums lie in the destination or in the lent memory.
            unsafe {
                Self::pack(simd, &panels);
                let next = self.next_rows(product, [row, first + step], [rows, steps], [first, span]);
                self.multiply(simd, &block, span, &next);
            }
            step += steps;
        }
        if is_last {
            let block = product.block((sums, sums_row), [row, column], [rows, columns]);
            // SAFETY: the product's maker's promise; the sums of this block are complete.
            unsafe { finish.run(simd, &block) };
        }
    }

    /// Where the rows lie that are packed after those of this size from this row and step on, of a span that begins with step
    /// `first`: over the next steps, else the next rows, else the first ones again.
    #[inline]
    fn next_rows(
        &self,
        product: &Product<'_, T>,
        [row, step]: [usize; 2],
        [rows, steps]: [usize; 2],
        [first, span]: [usize; 2],
    ) -> NextRows<T> {
        let Operands { a, a_row, a_column, m, k, .. } = product.operands;
        let (row, step) = if step + steps < first + span {
            (row, step + steps)
        } else if row + rows < m {
            (row + rows, first)
        } else {
            (0, if first + span < k { first + span } else { 0 })
        };
        let (rows, steps) = (self.rows.min(m - row), self.steps.min(k - step));
        let source = a.wrapping_add(row * a_row + step * a_column);
        if a_row == 1 {
            NextRows { source, distance: a_column, count: steps, length: rows }
        } else {
            // Single elements are not worth a line each.
            NextRows { source, distance: a_row, count: if a_column == 1 { rows } else { 0 }, length: steps }
        }
    }

    /// Packed rows times packed columns; meanwhile, the next rows are fetched.
    ///
    /// # Safety
    ///
    /// Both must be packed, and the sums writable.
    #[inline]
    unsafe fn multiply<S: Simd>(&self, simd: S, block: &Block<T>, span: usize, next: &NextRows<T>) {
        let panels = block.columns.div_ceil(self.width).max(1);
        let (share, mut fetched) = (next.count.div_ceil(panels), 0);
        let mut column = 0;
        while column < block.columns {
            let count = share.min(next.count - fetched);
            fetch(next.source.wrapping_add(fetched * next.distance), next.distance, count, next.length);
            fetched += count;
            let panel = Block {
                b: block.b.wrapping_add(column * span),
                sums: block.sums.wrapping_add(column),
                ahead: block.ahead.at(0, column),
                columns: self.width.min(block.columns - column),
                ..*block
            };
            // SAFETY: the caller's promise.
            unsafe { multiply::multiply_groups(simd, &panel, self.height, self.a_step * block.steps) };
            column += self.width;
        }
    }

    /// Packs panels of a matrix, one behind the other.
    ///
    /// # Safety
    ///
    /// All of the matrix must be readable, and its panels writable at `target`.
    #[inline]
    unsafe fn pack<S: Simd>(simd: S, panels: &Panels<T>) {
        let Panels { source, step: b_row, across: b_column, size: [steps, columns], taken, width, target } = *panels;
        // Steps that are far apart are visited for all columns at a time.
        let together = if b_row == 1 { steps } else { PAGES };
        let mut step = 0;
        while step < steps {
            let rows = together.min(steps - step);
            let (b, panel) = (source.wrapping_add(step * b_row), target.wrapping_add(step * width));
            let part = Panel { b, b_row, b_column, rows, columns, panel, width };
            // SAFETY: the caller's promise.
            unsafe { pack::pack_panels(simd, &part, taken, steps * width) };
            step += rows;
        }
    }
}

/// What is to be fetched before it is packed: so many times `length` elements side by side, `distance` from one to the next.
struct NextRows<T> {
    source: *const T,
    distance: usize,
    count: usize,
    length: usize,
}

/// Panels to be packed.
struct Panels<T> {
    source: *const T,
    /// From one step to the next.
    step: usize,
    /// From one column to the next.
    across: usize,
    /// Steps and columns.
    size: [usize; 2],
    /// Columns of a panel,
    taken: usize,
    /// and the distance of its steps.
    width: usize,
    target: *mut T,
}
