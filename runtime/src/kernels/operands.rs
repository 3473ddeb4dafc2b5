//! Where the inputs of a kernel lie.
//!
//! An operand of rank `R` belongs to `R` nested loops, the innermost last, and says which value it has at each index.
//! Offsets and strides count elements.

use pulp::Simd;

use super::sealed::Sealed;
use super::{Reach, Readable, Span, place, reaches};
use crate::scalar::Scalar;
use crate::simd::{Lanes, Machine};

/// One input of a kernel.
pub trait Input<T: Scalar, const R: usize>: Copy + Sealed {
    /// Whether every index below `extents` lies inside the slice.
    fn fits<X: Machine>(&self, extents: &[usize; R]) -> bool;

    /// Where the row with this index begins (its innermost index is zero).
    fn base(&self, index: &[usize; R]) -> usize;

    /// Whether [`matrix`](Self::matrix) is something.
    const MATRIX: bool = false;

    /// The matrix at `index`, whose columns are neighbours.
    #[doc(hidden)]
    #[inline(always)]
    fn matrix(&self, _index: &[usize; R]) -> Option<Contiguous<'_, T, 2>> {
        None
    }

    /// Where so many rows and columns at `index` lie; `None` if that is not known.
    #[doc(hidden)]
    #[inline(always)]
    fn reach(&self, _index: &[usize; R], _size: [usize; 2]) -> Option<Reach> {
        None
    }

    /// The values from `position` on along the innermost loop.
    ///
    /// # Safety
    ///
    /// `base` must come from [`base`](Self::base), and this index, with `position` up to the end of the span as its
    /// innermost part, must lie below extents that [`fits`](Self::fits) has admitted.
    unsafe fn load<S: Simd, P: Span<T, S>>(&self, simd: S, base: usize, position: usize, span: P) -> Lanes<T, S>;
}

/// All inputs of a kernel: a tuple of `N` operands.
pub trait Inputs<T: Scalar, const R: usize, const N: usize>: Copy + Sealed {
    /// Whether every index below `extents` lies inside all slices.
    fn fit<X: Machine>(&self, extents: &[usize; R]) -> bool;

    /// Where the row with this index begins in each operand.
    fn bases(&self, index: &[usize; R]) -> [usize; N];

    /// As [`Input::MATRIX`], of the only operand.
    const MATRIX: bool = false;

    /// As [`Input::matrix`], of the only operand.
    #[doc(hidden)]
    #[inline(always)]
    fn matrix(&self, _index: &[usize; R]) -> Option<Contiguous<'_, T, 2>> {
        None
    }

    /// Whether nothing that is read for so many rows and columns at `index` lies where another row and column of what is
    /// written does.
    #[doc(hidden)]
    fn are_clear_of(&self, index: &[usize; R], size: [usize; 2], written: &Reach) -> bool;

    /// The values of all operands from `position` on along the innermost loop.
    ///
    /// # Safety
    ///
    /// As for [`Input::load`].
    unsafe fn load<S: Simd, P: Span<T, S>>(
        &self,
        simd: S,
        bases: &[usize; N],
        position: usize,
        span: P,
    ) -> [Lanes<T, S>; N];
}

/// Neighbouring values along the innermost loop.
#[derive(Clone, Copy, Debug)]
pub struct Contiguous<'a, T, const R: usize> {
    slice: Readable<'a, T>,
    offset: usize,
    strides: [usize; R],
}

/// Values whose innermost stride is 1 (the last entry of `strides` is not looked at in optimised builds).
#[inline(always)]
pub fn contiguous<'a, T, const R: usize>(
    slice: impl Into<Readable<'a, T>>,
    offset: usize,
    strides: [usize; R],
) -> Contiguous<'a, T, R> {
    debug_assert!(strides.last() == Some(&1), "a contiguous operand has stride 1");
    Contiguous { slice: slice.into(), offset, strides: with_innermost(strides, 1) }
}

/// One value a row.
#[derive(Clone, Copy, Debug)]
pub struct Broadcast<'a, T, const R: usize> {
    slice: Readable<'a, T>,
    offset: usize,
    strides: [usize; R],
}

/// Values that stay the same along the innermost loop: its stride is 0.
#[inline(always)]
pub fn broadcast<'a, T, const R: usize>(
    slice: impl Into<Readable<'a, T>>,
    offset: usize,
    strides: [usize; R],
) -> Broadcast<'a, T, R> {
    debug_assert!(strides.last() == Some(&0), "a broadcast operand has stride 0");
    Broadcast { slice: slice.into(), offset, strides: with_innermost(strides, 0) }
}

/// Values at any distance, read lane by lane.
#[derive(Clone, Copy, Debug)]
pub struct Strided<'a, T, const R: usize> {
    slice: Readable<'a, T>,
    offset: usize,
    strides: [usize; R],
}

/// Values with any innermost stride; slower than [`contiguous`] and [`broadcast`].
#[inline(always)]
pub fn strided<'a, T, const R: usize>(
    slice: impl Into<Readable<'a, T>>,
    offset: usize,
    strides: [usize; R],
) -> Strided<'a, T, R> {
    Strided { slice: slice.into(), offset, strides }
}

/// Class indices or lengths, as numbers.
#[derive(Clone, Copy, Debug)]
pub struct Indices<'a, const R: usize> {
    slice: Readable<'a, u32>,
    offset: usize,
    strides: [usize; R],
}

/// Whole numbers converted to the scalar type, with any innermost stride.
#[inline(always)]
pub fn indices<'a, const R: usize>(
    slice: impl Into<Readable<'a, u32>>,
    offset: usize,
    strides: [usize; R],
) -> Indices<'a, R> {
    Indices { slice: slice.into(), offset, strides }
}

/// One class index or length a row, as a number.
#[derive(Clone, Copy, Debug)]
pub struct BroadcastIndices<'a, const R: usize>(Indices<'a, R>);

/// Whole numbers converted to the scalar type that stay the same along the innermost loop: its stride is 0.
#[inline(always)]
pub fn broadcast_indices<'a, const R: usize>(
    slice: impl Into<Readable<'a, u32>>,
    offset: usize,
    strides: [usize; R],
) -> BroadcastIndices<'a, R> {
    debug_assert!(strides.last() == Some(&0), "a broadcast operand has stride 0");
    BroadcastIndices(indices(slice, offset, with_innermost(strides, 0)))
}

/// The index itself.
#[derive(Clone, Copy, Debug)]
pub struct Position<const R: usize> {
    offset: usize,
    strides: [usize; R],
}

/// `offset + Σ index·stride` as a number: one-hot vectors and masks are comparisons with it.
#[inline(always)]
pub fn position<const R: usize>(offset: usize, strides: [usize; R]) -> Position<R> {
    Position { offset, strides }
}

/// The same number everywhere.
#[derive(Clone, Copy, Debug)]
pub struct Same<T>(T);

/// One number for all indices.
#[inline(always)]
pub fn scalar<T>(value: T) -> Same<T> {
    Same(value)
}

#[inline(always)]
pub(super) fn with_innermost<const R: usize>(mut strides: [usize; R], stride: usize) -> [usize; R] {
    if let Some(last) = strides.last_mut() {
        *last = stride;
    }
    strides
}

/// Where so many rows and columns at `index` lie.
#[inline(always)]
fn reach<T: Copy, const R: usize>(
    slice: Readable<'_, T>,
    offset: usize,
    index: &[usize; R],
    strides: &[usize; R],
    size: [usize; 2],
) -> Option<Reach> {
    let [row, column] = *strides.last_chunk()?;
    Some(Reach::of(slice.as_ptr().wrapping_add(place(offset, index, strides)), size, [row, column]))
}

#[inline(always)]
pub(super) fn innermost<const R: usize>(strides: &[usize; R]) -> usize {
    strides.last().copied().unwrap_or(0)
}

impl<T, const R: usize> Sealed for Contiguous<'_, T, R> {}

impl<T: Scalar, const R: usize> Input<T, R> for Contiguous<'_, T, R> {
    const MATRIX: bool = true;

    #[inline(always)]
    fn matrix(&self, index: &[usize; R]) -> Option<Contiguous<'_, T, 2>> {
        let row = if R < 2 { 0 } else { self.strides[R - 2] };
        Some(Contiguous { slice: self.slice, offset: place(self.offset, index, &self.strides), strides: [row, 1] })
    }

    #[inline(always)]
    fn reach(&self, index: &[usize; R], size: [usize; 2]) -> Option<Reach> {
        reach(self.slice, self.offset, index, &self.strides, size)
    }

    #[inline(always)]
    fn fits<X: Machine>(&self, extents: &[usize; R]) -> bool {
        reaches::<X, R>(self.slice.len(), self.offset, extents, &self.strides)
    }

    #[inline(always)]
    fn base(&self, index: &[usize; R]) -> usize {
        place(self.offset, index, &self.strides)
    }

    #[inline(always)]
    unsafe fn load<S: Simd, P: Span<T, S>>(&self, simd: S, base: usize, position: usize, span: P) -> Lanes<T, S> {
        // SAFETY: `fits` has admitted the whole row, and the innermost stride is 1.
        unsafe { span.load(simd, self.slice.as_ptr().add(base + position)) }
    }
}

impl<T, const R: usize> Sealed for Broadcast<'_, T, R> {}

impl<T: Scalar, const R: usize> Input<T, R> for Broadcast<'_, T, R> {
    #[inline(always)]
    fn reach(&self, index: &[usize; R], size: [usize; 2]) -> Option<Reach> {
        reach(self.slice, self.offset, index, &self.strides, size)
    }

    #[inline(always)]
    fn fits<X: Machine>(&self, extents: &[usize; R]) -> bool {
        reaches::<X, R>(self.slice.len(), self.offset, extents, &self.strides)
    }

    #[inline(always)]
    fn base(&self, index: &[usize; R]) -> usize {
        place(self.offset, index, &self.strides)
    }

    #[inline(always)]
    unsafe fn load<S: Simd, P: Span<T, S>>(&self, simd: S, base: usize, _: usize, _: P) -> Lanes<T, S> {
        // SAFETY: `fits` has admitted the row's only place.
        Lanes::splat(simd, unsafe { self.slice.get(base) })
    }
}

impl<T, const R: usize> Sealed for Strided<'_, T, R> {}

impl<T: Scalar, const R: usize> Input<T, R> for Strided<'_, T, R> {
    #[inline(always)]
    fn fits<X: Machine>(&self, extents: &[usize; R]) -> bool {
        reaches::<X, R>(self.slice.len(), self.offset, extents, &self.strides)
    }

    #[inline(always)]
    fn base(&self, index: &[usize; R]) -> usize {
        place(self.offset, index, &self.strides)
    }

    #[inline(always)]
    unsafe fn load<S: Simd, P: Span<T, S>>(&self, simd: S, base: usize, position: usize, span: P) -> Lanes<T, S> {
        let stride = innermost(&self.strides);
        // SAFETY: `fits` has admitted the row up to the end of the span.
        unsafe { self.slice.gather(simd, base + position * stride, stride, span) }
    }
}

impl<const R: usize> Sealed for Indices<'_, R> {}

impl<T: Scalar, const R: usize> Input<T, R> for Indices<'_, R> {
    #[inline(always)]
    fn fits<X: Machine>(&self, extents: &[usize; R]) -> bool {
        reaches::<X, R>(self.slice.len(), self.offset, extents, &self.strides)
    }

    #[inline(always)]
    fn base(&self, index: &[usize; R]) -> usize {
        place(self.offset, index, &self.strides)
    }

    #[inline(always)]
    unsafe fn load<S: Simd, P: Span<T, S>>(&self, simd: S, base: usize, position: usize, span: P) -> Lanes<T, S> {
        let stride = innermost(&self.strides);
        // SAFETY: `fits` has admitted the row up to the end of the span, whose lanes a register has.
        let integers = unsafe {
            T::gather_integers(simd, self.slice.as_ptr().add(base + position * stride), stride, span.count())
        };
        Lanes::wrap(simd, integers)
    }
}

impl<const R: usize> Sealed for BroadcastIndices<'_, R> {}

impl<T: Scalar, const R: usize> Input<T, R> for BroadcastIndices<'_, R> {
    #[inline(always)]
    fn fits<X: Machine>(&self, extents: &[usize; R]) -> bool {
        Input::<T, R>::fits::<X>(&self.0, extents)
    }

    #[inline(always)]
    fn base(&self, index: &[usize; R]) -> usize {
        Input::<T, R>::base(&self.0, index)
    }

    #[inline(always)]
    unsafe fn load<S: Simd, P: Span<T, S>>(&self, simd: S, base: usize, _: usize, _: P) -> Lanes<T, S> {
        // SAFETY: `fits` has admitted the row's only place.
        Lanes::constant(simd, f64::from(unsafe { self.0.slice.get(base) }))
    }
}

impl<const R: usize> Sealed for Position<R> {}

impl<T: Scalar, const R: usize> Input<T, R> for Position<R> {
    #[inline(always)]
    fn reach(&self, _: &[usize; R], _: [usize; 2]) -> Option<Reach> {
        Some(Reach::NOWHERE)
    }

    #[inline(always)]
    fn fits<X: Machine>(&self, _: &[usize; R]) -> bool {
        true
    }

    #[inline(always)]
    fn base(&self, index: &[usize; R]) -> usize {
        place(self.offset, index, &self.strides)
    }

    #[inline(always)]
    unsafe fn load<S: Simd, P: Span<T, S>>(&self, simd: S, base: usize, position: usize, _: P) -> Lanes<T, S> {
        let stride = innermost(&self.strides);
        let first = base.wrapping_add(position.wrapping_mul(stride));
        let step = Lanes::constant(simd, stride as f64);
        Lanes::positions(simd).mul_add(step, Lanes::constant(simd, first as f64))
    }
}

impl<T> Sealed for Same<T> {}

impl<T: Scalar, const R: usize> Input<T, R> for Same<T> {
    #[inline(always)]
    fn reach(&self, _: &[usize; R], _: [usize; 2]) -> Option<Reach> {
        Some(Reach::NOWHERE)
    }

    #[inline(always)]
    fn fits<X: Machine>(&self, _: &[usize; R]) -> bool {
        true
    }

    #[inline(always)]
    fn base(&self, _: &[usize; R]) -> usize {
        0
    }

    #[inline(always)]
    unsafe fn load<S: Simd, P: Span<T, S>>(&self, simd: S, _: usize, _: usize, _: P) -> Lanes<T, S> {
        Lanes::splat(simd, self.0)
    }
}

impl Sealed for () {}

impl<T: Scalar, const R: usize> Inputs<T, R, 0> for () {
    #[inline(always)]
    fn fit<X: Machine>(&self, _: &[usize; R]) -> bool {
        true
    }

    #[inline(always)]
    fn are_clear_of(&self, _: &[usize; R], _: [usize; 2], _: &Reach) -> bool {
        true
    }

    #[inline(always)]
    fn bases(&self, _: &[usize; R]) -> [usize; 0] {
        []
    }

    #[inline(always)]
    unsafe fn load<S: Simd, P: Span<T, S>>(&self, _: S, _: &[usize; 0], _: usize, _: P) -> [Lanes<T, S>; 0] {
        []
    }
}

macro_rules! inputs {
    ($($count:literal: $($operand:ident $place:tt)*;)*) => {$(
        impl<$($operand),*> Sealed for ($($operand,)*) {}

        impl<T: Scalar, const R: usize, $($operand: Input<T, R>),*> Inputs<T, R, $count> for ($($operand,)*) {
            #[inline(always)]
            fn fit<X: Machine>(&self, extents: &[usize; R]) -> bool {
                true $(&& self.$place.fits::<X>(extents))*
            }

            const MATRIX: bool = $count == 1 $(&& $operand::MATRIX)*;

            #[inline(always)]
            fn matrix(&self, index: &[usize; R]) -> Option<Contiguous<'_, T, 2>> {
                if $count == 1 { self.0.matrix(index) } else { None }
            }

            #[inline(always)]
            fn are_clear_of(&self, index: &[usize; R], size: [usize; 2], written: &Reach) -> bool {
                true $(&& self.$place.reach(index, size).is_some_and(|read| read.is_clear_of(written)))*
            }

            #[inline(always)]
            fn bases(&self, index: &[usize; R]) -> [usize; $count] {
                [$(self.$place.base(index)),*]
            }

            #[inline(always)]
            unsafe fn load<S: Simd, P: Span<T, S>>(
                &self,
                simd: S,
                bases: &[usize; $count],
                position: usize,
                span: P,
            ) -> [Lanes<T, S>; $count] {
                // SAFETY: the caller's promise holds for each operand.
                unsafe { [$(self.$place.load(simd, bases[$place], position, span)),*] }
            }
        }
    )*};
}

inputs! {
    1: A 0;
    2: A 0 B 1;
    3: A 0 B 1 C 2;
    4: A 0 B 1 C 2 D 3;
    5: A 0 B 1 C 2 D 3 E 4;
    6: A 0 B 1 C 2 D 3 E 4 F 5;
    7: A 0 B 1 C 2 D 3 E 4 F 5 G 6;
    8: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7;
    9: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8;
    10: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9;
    11: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10;
    12: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11;
}
