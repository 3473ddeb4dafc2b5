//! In place of [`share`](super::share) without threads: nobody has a part of a product.

use core::convert::Infallible;
use core::marker::PhantomData;

use super::product::Product;

/// There is none.
#[derive(Clone, Copy)]
pub(super) struct Part<'a, T> {
    never: Infallible,
    lifetime: PhantomData<&'a T>,
}

impl<'a, T> Part<'a, T> {
    pub(super) const fn is_of_rows(&self) -> bool {
        match self.never {}
    }

    pub(super) const fn whole(&self, _: (*mut T, usize)) -> Option<Product<'a, T>> {
        match self.never {}
    }

    pub(super) const fn bounds(&self) -> [usize; 2] {
        match self.never {}
    }

    pub(super) const fn open(&self, _: usize) {
        match self.never {}
    }

    pub(super) const fn claim(&self, _: [usize; 2], _: usize) -> Option<[usize; 2]> {
        match self.never {}
    }
}
