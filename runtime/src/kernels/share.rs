//! Large products as the work of several threads, each of which computes some of the rows or columns. Every element is
//! computed by one of them: nothing has to be summed up afterwards, and no thread reads the whole of the larger operand.

use super::direct::{Addition, Direct, PARTS};
use super::multiply;
use super::product::{Finish, Operands, Product, Promised};
use crate::helpers::{self, Lent, portion};
use crate::scalar::Scalar;
use crate::simd::{Instructions, Simd, WithSimd};

/// Columns at whose multiples parts begin: whole tiles, and few cache lines to which two threads write.
const COLUMNS: usize = 32;

/// A product, seen by several threads.
#[derive(Clone, Copy)]
struct Shared<'a, T>(&'a Promised<'a, T>);

// SAFETY: the maker of a shared product promises that threads may compute parts of it at the same time.
unsafe impl<T: Sync> Sync for Shared<'_, T> {}

/// Computes a shared product with the help of other threads; whether there are any.
#[inline(never)]
pub(super) fn share<T: Scalar>(unit: Instructions, product: &Promised<'_, T>) -> bool {
    let (length, grain) = product.product().divided(unit.dispatch(TileRows));
    let (product, most) = (Shared(product), PARTS.min(length.div_ceil(grain)));
    helpers::share(most, |index, count, lent| {
        product.compute_part(unit, index, portion(length, grain, index, count), lent);
    })
}

/// The rows of a vector unit's highest tile.
struct TileRows;

impl WithSimd for TileRows {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        multiply::height::<S>(usize::MAX, false)
    }
}

impl<T: Scalar> Shared<'_, T> {
    /// Computes one of the parts on this thread.
    fn compute_part(&self, unit: Instructions, index: usize, bounds: (usize, usize), lent: Option<&Lent>) {
        let Self(product) = self;
        if let Some(part) = product.product().part(index, bounds, lent) {
            // SAFETY: the whole product is promised, of which this part has no element in common with others.
            unsafe { part.promise() }.compute(unit);
        }
    }
}

impl<'a, T: Scalar> Product<'a, T> {
    /// Whether rows are divided, or columns: the longer side, so that as little as possible is read twice; rows, if in doubt,
    /// which what updates parameters goes along.
    const fn is_divided_by_rows(&self) -> bool {
        self.operands.m >= self.operands.n
    }

    /// The length of the side that is divided, and the number at whose multiples parts begin: a tile, so that none is much larger
    /// than the others.
    const fn divided(&self, tile_rows: usize) -> (usize, usize) {
        let Operands { m, n, .. } = self.operands;
        if self.is_divided_by_rows() { (m, tile_rows) } else { (n, COLUMNS) }
    }

    /// The part between these bounds of the side that is divided, of which the first works in the memory that is lent to the
    /// whole and the others in their own; `None` for one without elements.
    fn part(&self, index: usize, bounds: (usize, usize), lent: Option<&Lent>) -> Option<Self> {
        debug_assert!(index < PARTS, "marks have room for every part");
        let Operands { m, n, .. } = self.operands;
        let by_rows = self.is_divided_by_rows();
        let ((row, row_end), (column, column_end)) = if by_rows { (bounds, (0, n)) } else { ((0, m), bounds) };
        if row == row_end || column == column_end {
            return None;
        }
        let Operands { a, a_row, b, b_column, .. } = self.operands;
        let operands = Operands {
            a: a.wrapping_add(row * a_row),
            b: b.wrapping_add(column * b_column),
            m: row_end - row,
            n: column_end - column,
            ..self.operands
        };
        let direct = |place: Direct<T>| Direct {
            pointer: place.pointer.wrapping_add(row * place.row + column),
            add: place.add.map(|add| Addition::of_part(add, index)),
            ..place
        };
        let finish = match self.finish {
            Finish::Call(function, argument, ahead) => Finish::Call(function, argument, ahead.at(row, column)),
            biased @ Finish::Biased(_) => biased,
        };
        Some(Self {
            operands,
            direct: self.direct.map(direct),
            partial: self.partial.map(direct),
            lent: lent.map_or(self.lent, Lent::numbers),
            finish,
            part: index,
            origin: [row, column],
            shared: false,
            lifetime: self.lifetime,
        })
    }
}
