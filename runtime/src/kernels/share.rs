//! Large products as the work of several threads, each of which computes some of the rows or columns. Every element is
//! computed by one of them: nothing has to be summed up afterwards, and no thread reads the whole of the larger operand.

use super::direct::{Addition, Direct, PARTS};
use super::product::{Finish, Operands, Product, Promised};
use crate::helpers::{self, Lent, portion};
use crate::scalar::Scalar;
use crate::simd::Instructions;

/// Rows and columns at whose multiples parts begin: whole tiles, and few cache lines to which two threads write.
const ROWS: usize = 12;
const COLUMNS: usize = 32;

/// A product, seen by several threads.
#[derive(Clone, Copy)]
struct Shared<'a, T>(&'a Promised<'a, T>);

// SAFETY: the maker of a shared product promises that threads may compute parts of it at the same time.
unsafe impl<T: Sync> Sync for Shared<'_, T> {}

/// Computes a shared product with the help of other threads; whether there are any.
#[inline(never)]
pub(super) fn share<T: Scalar>(unit: Instructions, product: &Promised<'_, T>) -> bool {
    let (length, grain) = product.product().divided();
    let (product, most) = (Shared(product), PARTS.min(length.div_ceil(grain)));
    helpers::share(most, |index, count, lent| product.compute_part(unit, index, count, lent))
}

impl<T: Scalar> Shared<'_, T> {
    /// Computes one of so many parts on this thread.
    fn compute_part(&self, unit: Instructions, index: usize, count: usize, lent: Option<&Lent>) {
        let Self(product) = self;
        if let Some(part) = product.product().part(index, count, lent) {
            // SAFETY: the whole product is promised, of which this part has no element in common with others.
            unsafe { part.promise() }.compute(unit);
        }
    }
}

impl<'a, T: Scalar> Product<'a, T> {
    /// The side that is divided, and at whose multiples parts begin: the longer one, so that as little as possible is read twice;
    /// rows, if in doubt, which what updates parameters goes along.
    fn divided(&self) -> (usize, usize) {
        let Operands { m, n, .. } = self.operands;
        if m >= n { (m, ROWS) } else { (n, COLUMNS) }
    }

    /// One of so many parts, of which the first works in the memory that is lent to the whole and the others in their own;
    /// `None` for one without elements.
    fn part(&self, index: usize, count: usize, lent: Option<&Lent>) -> Option<Self> {
        debug_assert!(index < PARTS, "marks have room for every part");
        let Operands { m, n, .. } = self.operands;
        let (length, grain) = self.divided();
        let part = portion(length, grain, index, count);
        let ((row, row_end), (column, column_end)) = if m >= n { (part, (0, n)) } else { ((0, m), part) };
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
