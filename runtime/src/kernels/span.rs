//! Whole registers and the ragged rest of a row.

use pulp::Simd;

use crate::scalar::Scalar;
use crate::simd::{Lanes, LanesMask};

/// How much of a register a step of a loop uses: all of it, or the first lanes only at the end of a row.
pub trait Span<T: Scalar, S: Simd>: Copy {
    /// Number of lanes in use.
    fn count(self) -> usize;

    /// Reads the lanes in use.
    ///
    /// # Safety
    ///
    /// [`count`](Self::count) values at `pointer` must be readable.
    unsafe fn load(self, simd: S, pointer: *const T) -> Lanes<T, S>;

    /// Writes the lanes in use.
    ///
    /// # Safety
    ///
    /// [`count`](Self::count) values at `pointer` must be writable.
    unsafe fn store(self, pointer: *mut T, value: Lanes<T, S>);

    /// `value` in the lanes in use, `rest` in the others.
    fn fill(self, value: Lanes<T, S>, rest: Lanes<T, S>) -> Lanes<T, S>;
}

/// Every lane.
#[derive(Clone, Copy)]
pub(crate) struct Whole;

impl<T: Scalar, S: Simd> Span<T, S> for Whole {
    #[inline(always)]
    fn count(self) -> usize {
        Lanes::<T, S>::COUNT
    }

    #[inline(always)]
    unsafe fn load(self, simd: S, pointer: *const T) -> Lanes<T, S> {
        // SAFETY: the caller's promise is that of `Element::load`.
        Lanes::wrap(simd, unsafe { T::load(simd, pointer) })
    }

    #[inline(always)]
    unsafe fn store(self, pointer: *mut T, value: Lanes<T, S>) {
        // SAFETY: the caller's promise is that of `Element::store`.
        unsafe { T::store(value.simd(), pointer, value.unwrap()) }
    }

    #[inline(always)]
    fn fill(self, value: Lanes<T, S>, _: Lanes<T, S>) -> Lanes<T, S> {
        value
    }
}

/// The first lanes.
pub(crate) struct Part<T: Scalar, S: Simd> {
    count: usize,
    mask: LanesMask<T, S>,
}

impl<T: Scalar, S: Simd> Clone for Part<T, S> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Scalar, S: Simd> Copy for Part<T, S> {}

impl<T: Scalar, S: Simd> Part<T, S> {
    /// The first `count` lanes, or all if there are fewer.
    #[inline(always)]
    pub(crate) fn new(simd: S, count: usize) -> Self {
        let count = count.min(Lanes::<T, S>::COUNT);
        Self { count, mask: LanesMask::first(simd, count) }
    }
}

impl<T: Scalar, S: Simd> Span<T, S> for Part<T, S> {
    #[inline(always)]
    fn count(self) -> usize {
        self.count
    }

    #[inline(always)]
    unsafe fn load(self, simd: S, pointer: *const T) -> Lanes<T, S> {
        // SAFETY: the mask holds `count` lanes, which the caller promises to be readable.
        Lanes::wrap(simd, unsafe { T::load_masked(simd, self.mask.unwrap(), pointer) })
    }

    #[inline(always)]
    unsafe fn store(self, pointer: *mut T, value: Lanes<T, S>) {
        // SAFETY: the mask holds `count` lanes, which the caller promises to be writable.
        unsafe { T::store_masked(value.simd(), self.mask.unwrap(), pointer, value.unwrap()) }
    }

    #[inline(always)]
    fn fill(self, value: Lanes<T, S>, rest: Lanes<T, S>) -> Lanes<T, S> {
        self.mask.select(value, rest)
    }
}
