//! Large products as the work of several threads, each of which computes some of the rows or columns, and who is done
//! early some of another's ([`queues`](super::queues)). Every element is computed by one of them: nothing has to be summed up
//! afterwards, and no thread reads the whole of the larger operand.

use super::direct::{Addition, Direct, PARTS};
use super::multiply;
use super::product::{Finish, Operands, Product, Promised};
use super::queues::Queues;
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

impl<'a, T: Scalar> Shared<'a, T> {
    const fn product(&self) -> &'a Product<'a, T> {
        self.0.product()
    }
}

/// A thread's part of a product.
#[derive(Clone, Copy)]
pub(super) struct Part<'a, T> {
    product: &'a Product<'a, T>,
    queues: &'a Queues,
    /// Which of how many.
    index: usize,
    count: usize,
    /// Its first row or column, and the one behind its last.
    bounds: [usize; 2],
}

/// Computes a shared product with the help of other threads; whether there are any.
#[inline(never)]
pub(super) fn share<T: Scalar>(unit: Instructions, product: &Promised<'_, T>) -> bool {
    let (length, grain) = product.product().divided(unit.dispatch(TileRows));
    let (product, most) = (Shared(product), PARTS.min(length.div_ceil(grain)));
    let queues = &Queues::new();
    helpers::share(most, |index, count, lent| {
        let (start, end) = portion(length, grain, index, count);
        let part = Part { product: product.product(), queues, index, count, bounds: [start, end] };
        // SAFETY: promised as the product is; `share` computes each part once, and lends each memory to one of them.
        unsafe { part.compute(unit, lent) };
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

impl<T: Scalar> Part<'_, T> {
    /// Computes it on this thread, and pieces of others' parts, in memory of the part's own if it is not the first one.
    ///
    /// # Safety
    ///
    /// The product must be promised to be `shared`, and each of its parts be computed by one thread, all with the same queues, of
    /// which none has been opened before. The lent memory must be the part's own.
    unsafe fn compute(self, unit: Instructions, lent: Option<&Lent>) {
        let Self { product, index, bounds, .. } = self;
        let lent = lent.map_or(product.lent, |lent| {
            let (memory, length) = lent.numbers();
            // No more than the first part has: where each has as much, all go through the product in the same passes.
            (memory, length.min(product.lent.1))
        });
        if let Some(own) = product.part(index, bounds, lent) {
            let own = Product { part_of: Some(self), ..own };
            // SAFETY: the caller's promise.
            unsafe { own.promise() }.compute(unit);
        }
    }
}

impl<'a, T: Scalar> Part<'a, T> {
    /// Whether it has some of the product's rows, and not columns.
    #[inline(always)]
    pub(super) const fn is_of_rows(&self) -> bool {
        self.product.is_divided_by_rows()
    }

    /// The whole product, as the thread sees it that works in this memory.
    pub(super) fn whole(&self, lent: (*mut T, usize)) -> Option<Product<'a, T>> {
        let (length, _) = self.product.divided(1);
        self.product.part(self.index, [0, length], lent)
    }

    /// Its first row or column, and the one behind its last.
    #[inline(always)]
    pub(super) const fn bounds(&self) -> [usize; 2] {
        self.bounds
    }

    /// Lets all threads that are in the same pass take pieces of it, its own thread among them, which has begun its last pass.
    #[inline(never)]
    pub(super) fn open(&self, pass: usize) {
        self.queues.open(self.index, self.bounds, pass);
    }

    /// Takes a piece of it, or of another part.
    #[inline(never)]
    pub(super) fn claim(&self, sizes: [usize; 2], pass: usize) -> Option<[usize; 2]> {
        self.queues.claim(self.index, self.count, sizes, pass)
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

    /// The part between these bounds of the side that is divided, computed in this memory; `None` for one without elements.
    fn part(&self, index: usize, bounds: [usize; 2], lent: (*mut T, usize)) -> Option<Self> {
        debug_assert!(index < PARTS, "marks have room for every part");
        let Operands { m, n, .. } = self.operands;
        let by_rows = self.is_divided_by_rows();
        let ([row, row_end], [column, column_end]) = if by_rows { (bounds, [0, n]) } else { ([0, m], bounds) };
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
            lent,
            finish,
            part: index,
            origin: [row, column],
            shared: false,
            part_of: None,
            lifetime: self.lifetime,
        })
    }
}
