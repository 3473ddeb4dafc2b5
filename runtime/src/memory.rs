//! Plain data seen as flat slices, and the arena in which a pass keeps its activations.

use crate::scalar::Scalar;

/// Plain data made of `T` alone.
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

/// A slice of arrays as one slice of numbers.
#[inline(always)]
pub fn flatten<T: Scalar, A: Flat<T>>(arrays: &[A]) -> &[T] {
    // SAFETY: `Flat` promises `LEN` consecutive `T`s in each element.
    unsafe { core::slice::from_raw_parts(arrays.as_ptr().cast(), arrays.len() * A::LEN) }
}

/// A slice of numbers as arrays; a remainder that fills none is left out.
#[inline(always)]
pub fn arrays<T: Scalar, A: Flat<T>>(numbers: &[T]) -> &[A] {
    let count = if A::LEN == 0 { 0 } else { numbers.len() / A::LEN };
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

/// A buffer's place in an [`Arena`], as the compiler planned it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Offset and length per sample.
    Samples(usize, usize),
    /// Offset and length.
    Shared(usize, usize),
}

impl<T: Scalar, const CAPACITY: usize, const SAMPLE: usize, const SHARED: usize>
    Arena<T, CAPACITY, SAMPLE, SHARED>
{
    #[inline(always)]
    const fn range(place: Place) -> (usize, usize) {
        match place {
            Place::Samples(offset, length) => (offset * CAPACITY, (offset + length) * CAPACITY),
            Place::Shared(offset, length) => (SAMPLE * CAPACITY + offset, SAMPLE * CAPACITY + offset + length),
        }
    }

    /// One buffer.
    #[inline(always)]
    pub fn buffer(&self, place: Place) -> &[T] {
        let (start, end) = Self::range(place);
        &self.as_flat()[start..end]
    }

    /// Several buffers: those to be read, and those to be written. With the places known at compile time, as
    /// in generated code, the checks vanish.
    ///
    /// # Panics
    /// When a place lies outside the arena, or a written one overlaps another.
    #[inline(always)]
    pub fn buffers<const READ: usize, const WRITTEN: usize>(
        &mut self,
        read: [Place; READ],
        written: [Place; WRITTEN],
    ) -> ([&[T]; READ], [&mut [T]; WRITTEN]) {
        let read = read.map(Self::range);
        let written = written.map(Self::range);
        for (index, &(start, end)) in written.iter().enumerate() {
            assert!(start <= end && end <= Self::LEN);
            for &(other_start, other_end) in written[..index].iter().chain(&read) {
                assert!(end <= other_start || other_end <= start || start == end || other_start == other_end);
            }
        }
        for &(start, end) in &read {
            assert!(start <= end && end <= Self::LEN);
        }
        let base = self.as_flat_mut().as_mut_ptr();
        // SAFETY: all ranges lie inside the arena, and no written one meets another, as was just checked.
        unsafe {
            (
                read.map(|(start, end)| core::slice::from_raw_parts(base.add(start), end - start)),
                written.map(|(start, end)| core::slice::from_raw_parts_mut(base.add(start), end - start)),
            )
        }
    }
}
