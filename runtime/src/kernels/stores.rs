//! Destinations that keep every value.

use pulp::Simd;

use super::destinations::Output;
use super::direct::{Addition, Direct};
use super::operands::{innermost, with_innermost};
use super::sealed::Sealed;
use super::{Ahead, Reach, Span, Writable, place, reaches};
use crate::scalar::Scalar;
use crate::simd::{Lanes, Machine};

/// A destination that keeps every value: see [`store`].
#[derive(Clone, Copy, Debug)]
pub struct Store<'a, T, const R: usize> {
    slice: Writable<'a, T>,
    offset: usize,
    strides: [usize; R],
    apart: bool,
}

/// Keeps every value; the innermost stride is 1.
#[inline(always)]
pub fn store<'a, T, const R: usize>(
    slice: impl Into<Writable<'a, T>>,
    offset: usize,
    strides: [usize; R],
) -> Store<'a, T, R> {
    debug_assert!(strides.last() == Some(&1), "a contiguous destination has stride 1");
    Store { slice: slice.into(), offset, strides: with_innermost(strides, 1), apart: false }
}

/// A destination that keeps every value, at any distance: see [`store_strided`].
#[derive(Clone, Copy, Debug)]
pub struct StoreStrided<'a, T, const R: usize> {
    slice: Writable<'a, T>,
    offset: usize,
    strides: [usize; R],
}

/// Keeps every value, with any innermost stride, lane by lane; at stride 0 the last one remains.
#[inline(always)]
pub fn store_strided<'a, T, const R: usize>(
    slice: impl Into<Writable<'a, T>>,
    offset: usize,
    strides: [usize; R],
) -> StoreStrided<'a, T, R> {
    StoreStrided { slice: slice.into(), offset, strides }
}

impl<'a, T: Scalar, const R: usize> Store<'a, T, R> {
    /// The same destination, where a kernel may write what is not yet the result: nothing that it reads lies there, and what
    /// was there is not needed.
    #[inline(always)]
    #[must_use]
    pub fn apart(self) -> Self {
        Self { apart: true, ..self }
    }

    /// From one row of a matrix to the next.
    #[inline(always)]
    fn row(&self) -> usize {
        if R < 2 { 0 } else { self.strides[R - 2] }
    }

    /// The destination of the matrix at `index`.
    #[inline(always)]
    pub(crate) fn matrix_at(&self, index: &[usize; R]) -> Store<'a, T, 2> {
        Store {
            slice: self.slice,
            offset: Output::<T, R>::base(self, index),
            strides: [self.row(), 1],
            apart: self.apart,
        }
    }

    /// The matrices at `index` that lie so in `places`.
    #[inline(always)]
    pub(crate) fn ahead(&self, index: &[usize; R], places: [*const T; 3]) -> Ahead<T> {
        Ahead { places, row: self.row() }.at(0, Output::<T, R>::base(self, index))
    }

    /// The matrix at `index`, of memory that is laid out like this and begins at `start`.
    #[inline(always)]
    pub(crate) fn direct_from(&self, index: &[usize; R], start: *mut T, add: Option<Addition<T>>) -> Direct<T> {
        Direct { pointer: start.wrapping_add(Output::<T, R>::base(self, index)), row: self.row(), add }
    }

    /// Where so many rows and columns at `index` lie in memory that is laid out like this and begins at `start`, if each has a
    /// place of its own.
    #[inline(always)]
    pub(crate) fn reach_from(&self, start: *const T, index: &[usize; R], size: [usize; 2]) -> Option<Reach> {
        // From a single row there is no next one.
        let row = if size[0] == 1 { size[1] } else { self.row() };
        let reach = Reach::of(start.wrapping_add(Output::<T, R>::base(self, index)), size, [row, 1]);
        reach.is_injective(size[1]).then_some(reach)
    }

    /// Whether the same places exist below `length`, too.
    #[inline(always)]
    pub(crate) fn fits_below<X: Machine>(&self, length: usize, extents: &[usize; R]) -> bool {
        reaches::<X, R>(length, self.offset, extents, &self.strides)
    }
}

impl<T, const R: usize> Sealed for Store<'_, T, R> {}

impl<T: Scalar, const R: usize> Output<T, R> for Store<'_, T, R> {
    type State<S: Simd> = ();

    #[inline(always)]
    fn fits<X: Machine>(&self, extents: &[usize; R]) -> bool {
        reaches::<X, R>(self.slice.len(), self.offset, extents, &self.strides)
    }

    #[inline(always)]
    fn prepare<X: Machine>(&mut self, _: &[usize; R]) {}

    #[inline(always)]
    fn base(&self, index: &[usize; R]) -> usize {
        place(self.offset, index, &self.strides)
    }

    #[inline(always)]
    fn begin<S: Simd>(&self, _: S) {}

    #[inline(always)]
    unsafe fn previous<S: Simd, P: Span<T, S>>(&self, simd: S, base: usize, position: usize, span: P) -> Lanes<T, S> {
        // SAFETY: `fits` has admitted the whole row, and the innermost stride is 1.
        unsafe { span.load(simd, self.slice.as_mut_ptr().add(base + position)) }
    }

    #[inline(always)]
    unsafe fn write<S: Simd, P: Span<T, S>>(
        &mut self,
        _: &mut (),
        base: usize,
        position: usize,
        span: P,
        value: Lanes<T, S>,
    ) {
        // SAFETY: `fits` has admitted the whole row, and the innermost stride is 1.
        unsafe { span.store(self.slice.as_mut_ptr().add(base + position), value) }
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&mut self, _: (), _: usize) {}

    const MATRIX: bool = true;

    #[inline(always)]
    fn matrix(&self, index: &[usize; R]) -> Option<Store<'_, T, 2>> {
        Some(self.matrix_at(index))
    }

    #[inline(always)]
    fn reach(&self, index: &[usize; R], size: [usize; 2]) -> Option<Reach> {
        self.reach_from(self.slice.as_mut_ptr(), index, size)
    }

    #[inline(always)]
    fn direct(&self, index: &[usize; R], add: bool) -> Option<Direct<T>> {
        Some(self.direct_from(index, self.slice.as_mut_ptr(), Addition::plain(add)))
    }

    #[inline(always)]
    fn partial(&self, index: &[usize; R]) -> Option<Direct<T>> {
        if self.apart { self.direct(index, false) } else { None }
    }
}

impl<T, const R: usize> Sealed for StoreStrided<'_, T, R> {}

impl<T: Scalar, const R: usize> Output<T, R> for StoreStrided<'_, T, R> {
    type State<S: Simd> = ();

    #[inline(always)]
    fn fits<X: Machine>(&self, extents: &[usize; R]) -> bool {
        reaches::<X, R>(self.slice.len(), self.offset, extents, &self.strides)
    }

    #[inline(always)]
    fn prepare<X: Machine>(&mut self, _: &[usize; R]) {}

    #[inline(always)]
    fn base(&self, index: &[usize; R]) -> usize {
        place(self.offset, index, &self.strides)
    }

    #[inline(always)]
    fn begin<S: Simd>(&self, _: S) {}

    #[inline(always)]
    unsafe fn previous<S: Simd, P: Span<T, S>>(&self, simd: S, base: usize, position: usize, span: P) -> Lanes<T, S> {
        let stride = innermost(&self.strides);
        // SAFETY: `fits` has admitted the row up to the end of the span.
        unsafe { self.slice.readable().gather(simd, base + position * stride, stride, span) }
    }

    #[inline(always)]
    unsafe fn write<S: Simd, P: Span<T, S>>(
        &mut self,
        _: &mut (),
        base: usize,
        position: usize,
        span: P,
        value: Lanes<T, S>,
    ) {
        let stride = innermost(&self.strides);
        // SAFETY: `fits` has admitted the row up to the end of the span.
        unsafe { self.slice.scatter(base + position * stride, stride, span, value) };
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&mut self, _: (), _: usize) {}
}
