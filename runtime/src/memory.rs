//! Plain data seen as flat slices, and the arena in which a pass keeps its activations.

use core::cell::Cell;

use crate::scalar::Scalar;

/// Plain data made of `T` alone.
///
/// `network!` asserts it of its structs, whatever attributes they are given:
///
/// ```compile_fail
/// # use backprop::prelude::*;
/// network! {
///     #[cfg_attr(all(), repr(align(64)))]
///     pub struct Line;
///     fn forward(x: [2]) -> [1] { x.dense(1) }
/// }
/// ```
///
/// # Safety
/// The type is an array of `T` in memory: no padding, no other fields, alignment of `T`; so that any of its bytes
/// being zero is a valid value, too.
pub unsafe trait Flat<T: Scalar>: Sized {
    /// Number of `T`s.
    const LEN: usize = size_of::<Self>() / size_of::<T>();

    /// All numbers in the order in which they lie in memory.
    #[inline(always)]
    fn as_flat(&self) -> &[T] {
        // SAFETY: `Flat` promises `LEN` consecutive `T`s.
        unsafe { core::slice::from_raw_parts(core::ptr::from_ref(self).cast(), Self::LEN) }
    }

    /// All numbers in the order in which they lie in memory.
    #[inline(always)]
    fn as_flat_mut(&mut self) -> &mut [T] {
        // SAFETY: `Flat` promises `LEN` consecutive `T`s.
        unsafe { core::slice::from_raw_parts_mut(core::ptr::from_mut(self).cast(), Self::LEN) }
    }
}

// SAFETY: one `T`.
unsafe impl<T: Scalar> Flat<T> for T {}
// SAFETY: arrays have no padding.
unsafe impl<T: Scalar, A: Flat<T>, const N: usize> Flat<T> for [A; N] {}

/// Zeros.
#[inline(always)]
pub(crate) fn zeroed<T: Scalar, A: Flat<T>>() -> A {
    // SAFETY: `Flat` promises that zero bytes are a valid value.
    unsafe { core::mem::MaybeUninit::zeroed().assume_init() }
}

/// The same numbers.
#[inline(always)]
pub(crate) fn copied<T: Scalar, A: Flat<T>>(numbers: &A) -> A {
    // SAFETY: `Flat` promises numbers and nothing else, which may be copied.
    unsafe { core::ptr::read(numbers) }
}

/// A slice of arrays as one slice of numbers.
#[inline(always)]
pub fn flatten<T: Scalar, A: Flat<T>>(arrays: &[A]) -> &[T] {
    // SAFETY: `Flat` promises `LEN` consecutive `T`s in each element.
    unsafe { core::slice::from_raw_parts(arrays.as_ptr().cast(), arrays.len() * A::LEN) }
}

/// A slice of numbers as arrays; a remainder that fills none is left out.
#[inline(always)]
pub fn arrays<T: Scalar, A: Flat<T>>(numbers: &[T]) -> &[A] {
    let count = numbers.len().checked_div(A::LEN).unwrap_or(0);
    // SAFETY: `Flat` promises that `A` is `LEN` consecutive `T`s, of which there are enough.
    unsafe { core::slice::from_raw_parts(numbers.as_ptr().cast(), count) }
}

/// What a pass over up to `CAPACITY` samples keeps: `SAMPLE` numbers a sample, and `SHARED` numbers besides.
///
/// A buffer of `n` numbers a sample at offset `o` is `samples[o * CAPACITY ..][.. n * CAPACITY]`, sample by sample.
#[repr(C)]
#[derive(Debug)]
pub struct Arena<T, const CAPACITY: usize, const SAMPLE: usize, const SHARED: usize> {
    samples: [[T; SAMPLE]; CAPACITY],
    shared: [T; SHARED],
}

// SAFETY: two arrays of `T` behind each other, `repr(C)`.
unsafe impl<T: Scalar, const CAPACITY: usize, const SAMPLE: usize, const SHARED: usize> Flat<T>
    for Arena<T, CAPACITY, SAMPLE, SHARED>
{
}

/// All numbers as cells, so that parts of them may be read while others are written.
#[inline(always)]
pub fn cells<T: Scalar, A: Flat<T>>(memory: &mut A) -> &[Cell<T>] {
    Cell::from_mut(memory.as_flat_mut()).as_slice_of_cells()
}

/// `length` numbers from `offset` on as arrays; none where they would reach beyond the memory.
#[inline(always)]
pub fn results<T: Scalar, A: Flat<T>>(memory: &[T], offset: usize, length: usize) -> &[A] {
    offset.checked_add(length).and_then(|end| memory.get(offset..end)).map_or(&[], arrays)
}

/// One number; NaN where there is none.
#[inline(always)]
pub fn read<T: Scalar>(memory: &[Cell<T>], offset: usize) -> T {
    memory.get(offset).map_or_else(T::nan, Cell::get)
}

/// Zeros.
#[inline(always)]
pub fn clear<T: Scalar>(memory: &[Cell<T>], offset: usize, length: usize) {
    memory.iter().skip(offset).take(length).for_each(|cell| cell.set(T::zero()));
}
