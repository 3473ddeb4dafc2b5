//! Memory that kernels read and write.
//!
//! The buffers of a pass lie in one arena, and a kernel may read one part of it while it writes another, or do
//! both in one place. Slices of [`Cell`]s say that in safe Rust; kernels take them beside plain slices.

use core::cell::Cell;
use core::marker::PhantomData;

use pulp::Simd;

use super::Span;
use crate::scalar::Scalar;
use crate::simd::Lanes;

/// Numbers to be read.
#[derive(Debug)]
pub struct Readable<'a, T> {
    pointer: *const T,
    length: usize,
    lifetime: PhantomData<&'a [Cell<T>]>,
}

/// Numbers to be read and written, each by one thread at a time.
#[derive(Debug)]
pub struct Writable<'a, T> {
    pointer: *mut T,
    length: usize,
    lifetime: PhantomData<&'a [Cell<T>]>,
}

impl<T> Clone for Readable<'_, T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Readable<'_, T> {}

impl<T> Clone for Writable<'_, T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Writable<'_, T> {}

impl<'a, T> From<&'a [T]> for Readable<'a, T> {
    #[inline(always)]
    fn from(slice: &'a [T]) -> Self {
        Self { pointer: slice.as_ptr(), length: slice.len(), lifetime: PhantomData }
    }
}

impl<'a, T> From<&'a [Cell<T>]> for Readable<'a, T> {
    #[inline(always)]
    fn from(slice: &'a [Cell<T>]) -> Self {
        Self { pointer: slice.as_ptr().cast(), length: slice.len(), lifetime: PhantomData }
    }
}

impl<'a, T: Copy> From<Writable<'a, T>> for Readable<'a, T> {
    #[inline(always)]
    fn from(places: Writable<'a, T>) -> Self {
        places.readable()
    }
}

impl<'a, T> From<&'a mut [T]> for Writable<'a, T> {
    #[inline(always)]
    fn from(slice: &'a mut [T]) -> Self {
        Self { pointer: slice.as_mut_ptr(), length: slice.len(), lifetime: PhantomData }
    }
}

impl<'a, T> From<&'a [Cell<T>]> for Writable<'a, T> {
    #[inline(always)]
    fn from(slice: &'a [Cell<T>]) -> Self {
        // A `Cell` may be written through a shared reference, so its address may become a mutable pointer.
        Self { pointer: slice.as_ptr().cast::<T>().cast_mut(), length: slice.len(), lifetime: PhantomData }
    }
}

#[cfg(test)]
impl<'a, T> From<&'a std::vec::Vec<T>> for Readable<'a, T> {
    fn from(vector: &'a std::vec::Vec<T>) -> Self {
        vector.as_slice().into()
    }
}

impl<'a, T, const N: usize> From<&'a [T; N]> for Readable<'a, T> {
    #[inline(always)]
    fn from(array: &'a [T; N]) -> Self {
        array.as_slice().into()
    }
}

#[cfg(test)]
impl<'a, T> From<&'a mut std::vec::Vec<T>> for Writable<'a, T> {
    fn from(vector: &'a mut std::vec::Vec<T>) -> Self {
        vector.as_mut_slice().into()
    }
}

impl<'a, T, const N: usize> From<&'a mut [T; N]> for Writable<'a, T> {
    #[inline(always)]
    fn from(array: &'a mut [T; N]) -> Self {
        array.as_mut_slice().into()
    }
}

impl<T: Copy> Readable<'_, T> {
    /// How many numbers there are.
    #[inline(always)]
    pub(crate) const fn len(self) -> usize {
        self.length
    }

    #[inline(always)]
    pub(crate) const fn as_ptr(self) -> *const T {
        self.pointer
    }

    /// # Safety
    /// `index` must be below [`len`](Self::len).
    #[inline(always)]
    pub(crate) unsafe fn get(self, index: usize) -> T {
        // SAFETY: the index is below the length, as the caller promises.
        unsafe { self.pointer.add(index).read() }
    }
}

impl<T: Scalar> Readable<'_, T> {
    /// Numbers `stride` apart, from `first` on, in the lanes of a span, zero in the others.
    ///
    /// # Safety
    /// All of them must lie below [`len`](Self::len).
    #[inline(always)]
    pub(crate) unsafe fn gather<S: Simd>(
        self,
        simd: S,
        first: usize,
        stride: usize,
        span: impl Span<T, S>,
    ) -> Lanes<T, S> {
        let mut vector = T::splat(simd, T::zero());
        for (lane, value) in T::as_mut_slice::<S>(&mut vector).iter_mut().take(span.count()).enumerate() {
            // SAFETY: as the caller promises.
            *value = unsafe { self.get(first + lane * stride) };
        }
        Lanes::wrap(simd, vector)
    }
}

impl<T: Scalar> Writable<'_, T> {
    /// Writes the lanes of a span to places `stride` apart, from `first` on.
    ///
    /// # Safety
    /// All of them must lie below [`len`](Self::len).
    #[inline(always)]
    pub(crate) unsafe fn scatter<S: Simd>(
        self,
        first: usize,
        stride: usize,
        span: impl Span<T, S>,
        value: Lanes<T, S>,
    ) {
        let mut vector = value.unwrap();
        for (lane, value) in T::as_mut_slice::<S>(&mut vector).iter().take(span.count()).enumerate() {
            // SAFETY: as the caller promises.
            unsafe { self.set(first + lane * stride, *value) };
        }
    }
}

impl<'a, T: Copy> Writable<'a, T> {
    /// How many numbers there are.
    #[inline(always)]
    pub(crate) const fn len(self) -> usize {
        self.length
    }

    #[inline(always)]
    pub(crate) const fn as_mut_ptr(self) -> *mut T {
        self.pointer
    }

    #[inline(always)]
    pub(crate) const fn readable(self) -> Readable<'a, T> {
        Readable { pointer: self.pointer, length: self.length, lifetime: PhantomData }
    }

    /// # Safety
    /// `index` must be below [`len`](Self::len).
    #[inline(always)]
    pub(crate) unsafe fn get(self, index: usize) -> T {
        // SAFETY: the index is below the length, as the caller promises.
        unsafe { self.pointer.add(index).read() }
    }

    /// # Safety
    /// `index` must be below [`len`](Self::len).
    #[inline(always)]
    pub(crate) unsafe fn set(self, index: usize, value: T) {
        // SAFETY: the index is below the length, as the caller promises.
        unsafe { self.pointer.add(index).write(value) }
    }
}
