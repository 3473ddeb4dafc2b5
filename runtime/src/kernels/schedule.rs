//! Which rows or columns of a product a thread computes, and in which order.

use super::product::Product;
use super::share::Part;
use crate::scalar::Scalar;

/// What a thread computes of a product.
pub(super) struct Assignment<'b, 'a, T> {
    product: &'b Product<'a, T>,
    /// The whole, as the thread sees it, and its part, if the product is one.
    whole: Option<(Product<'a, T>, Part<'a, T>)>,
    /// The rows or columns that are the thread's, from the first to the one behind the last.
    own: [usize; 2],
}

impl<'b, 'a, T: Scalar> Assignment<'b, 'a, T> {
    /// Some rows, or all.
    #[inline(always)]
    pub(super) fn of_rows(product: &'b Product<'a, T>) -> Self {
        Self::new(product, true, product.operands.m)
    }

    /// Some columns, or all.
    #[inline(always)]
    pub(super) fn of_columns(product: &'b Product<'a, T>) -> Self {
        Self::new(product, false, product.operands.n)
    }

    #[inline(always)]
    fn new(product: &'b Product<'a, T>, by_rows: bool, length: usize) -> Self {
        if let Some(part) = &product.part_of
            && part.is_of_rows() == by_rows
            && let Some(whole) = part.whole(product.lent)
        {
            return Self { product, whole: Some((whole, *part)), own: part.bounds() };
        }
        Self { product, whole: None, own: [0, length] }
    }

    /// The product that pieces are pieces of.
    #[inline(always)]
    pub(super) fn product(&self) -> &Product<'a, T> {
        if let Some((whole, _)) = &self.whole { whole } else { self.product }
    }

    /// The pieces of a pass, which begin at multiples of `grain` and have up to `most` rows or columns. Until the last pass they
    /// are of the thread's own part, then also of parts of threads for which `pass` is the same: for which the same steps and
    /// columns are left, so that the thread has packed what it needs for them.
    #[inline(always)]
    pub(super) fn pieces(&self, [grain, most]: [usize; 2], pass: usize, is_last: bool) -> Pieces<'a, T> {
        let mut part = None;
        if is_last && let Some((_, own)) = &self.whole {
            own.open(pass);
            part = Some(*own);
        }
        Pieces { left: self.own, part, grain, most, pass }
    }
}

/// Pieces that are still to be computed.
pub(super) struct Pieces<'a, T> {
    left: [usize; 2],
    part: Option<Part<'a, T>>,
    grain: usize,
    most: usize,
    pass: usize,
}

impl<T: Scalar> Pieces<'_, T> {
    /// The first row or column of the next piece, and how many it has.
    #[inline(always)]
    pub(super) fn take(&mut self) -> Option<[usize; 2]> {
        if let Some(part) = &self.part {
            return part.claim([self.grain, self.most], self.pass);
        }
        let [start, end] = self.left;
        if start >= end {
            return None;
        }
        let size = self.most.min(end - start);
        self.left[0] += size;
        Some([start, size])
    }
}
