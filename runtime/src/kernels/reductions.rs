//! Reductions: sums, maxima and minima over loops of a kernel.

use core::marker::PhantomData;

use pulp::Simd;

use super::destinations::Output;
use super::operands::{innermost, with_innermost};
use super::sealed::Sealed;
use super::{Span, Writable, advance, place, reaches_inline};
use crate::scalar::Scalar;
use crate::simd::{Lanes, Machine};

/// How values are combined.
pub trait Reduction: Copy {
    /// What combines with any value to that value.
    fn identity<T: Scalar>() -> T;

    /// Both, lane by lane.
    fn combine<T: Scalar, S: Simd>(a: Lanes<T, S>, b: Lanes<T, S>) -> Lanes<T, S>;

    /// All lanes of one register.
    fn collapse<T: Scalar, S: Simd>(a: Lanes<T, S>) -> T;

    /// Two numbers.
    fn join<T: Scalar>(a: T, b: T) -> T;
}

/// Addition.
#[derive(Clone, Copy, Debug)]
pub struct Sum;

impl Reduction for Sum {
    #[inline(always)]
    fn identity<T: Scalar>() -> T {
        T::zero()
    }

    #[inline(always)]
    fn combine<T: Scalar, S: Simd>(a: Lanes<T, S>, b: Lanes<T, S>) -> Lanes<T, S> {
        a + b
    }

    #[inline(always)]
    fn collapse<T: Scalar, S: Simd>(a: Lanes<T, S>) -> T {
        a.reduce_sum()
    }

    #[inline(always)]
    fn join<T: Scalar>(a: T, b: T) -> T {
        a + b
    }
}

/// The largest; NaN where there is one.
#[derive(Clone, Copy, Debug)]
pub struct Largest;

impl Reduction for Largest {
    #[inline(always)]
    fn identity<T: Scalar>() -> T {
        T::neg_infinity()
    }

    #[inline(always)]
    fn combine<T: Scalar, S: Simd>(a: Lanes<T, S>, b: Lanes<T, S>) -> Lanes<T, S> {
        a.max(b)
    }

    #[inline(always)]
    fn collapse<T: Scalar, S: Simd>(a: Lanes<T, S>) -> T {
        a.reduce_max()
    }

    #[inline(always)]
    fn join<T: Scalar>(a: T, b: T) -> T {
        if a.is_nan() || a > b { a } else { b }
    }
}

/// The smallest; NaN where there is one.
#[derive(Clone, Copy, Debug)]
pub struct Smallest;

impl Reduction for Smallest {
    #[inline(always)]
    fn identity<T: Scalar>() -> T {
        T::infinity()
    }

    #[inline(always)]
    fn combine<T: Scalar, S: Simd>(a: Lanes<T, S>, b: Lanes<T, S>) -> Lanes<T, S> {
        a.min(b)
    }

    #[inline(always)]
    fn collapse<T: Scalar, S: Simd>(a: Lanes<T, S>) -> T {
        a.reduce_min()
    }

    #[inline(always)]
    fn join<T: Scalar>(a: T, b: T) -> T {
        if a.is_nan() || a < b { a } else { b }
    }
}

/// A reduction along the innermost loop (and any other whose stride is 0).
#[derive(Clone, Copy, Debug)]
pub struct Inner<'a, T, K, const R: usize> {
    slice: Writable<'a, T>,
    offset: usize,
    strides: [usize; R],
    accumulate: bool,
    kind: PhantomData<K>,
}

/// A reduction along outer loops only: neighbours along the innermost loop are neighbours in memory.
#[derive(Clone, Copy, Debug)]
pub struct Outer<'a, T, K, const R: usize> {
    slice: Writable<'a, T>,
    offset: usize,
    strides: [usize; R],
    accumulate: bool,
    kind: PhantomData<K>,
}

/// A reduction with any innermost stride.
#[derive(Clone, Copy, Debug)]
pub struct Scattered<'a, T, K, const R: usize> {
    slice: Writable<'a, T>,
    offset: usize,
    strides: [usize; R],
    accumulate: bool,
    kind: PhantomData<K>,
}

/// Constructors of the three forms of a reduction.
macro_rules! reductions {
    ($($kind:ident $what:literal: $inner:ident $outer:ident $scattered:ident;)*) => {$(
        #[doc = concat!("The ", $what, " along the innermost loop and every other whose stride is 0; the innermost is.")]
        ///
        /// With `accumulate` it is combined with what the destination holds, otherwise it replaces that.
        #[inline(always)]
        pub fn $inner<'a, T, const R: usize>(
            slice: impl Into<Writable<'a, T>>,
            offset: usize,
            strides: [usize; R],
            accumulate: bool,
        ) -> Inner<'a, T, $kind, R> {
            debug_assert!(strides.last() == Some(&0), "an inner reduction has stride 0");
            Inner { slice: slice.into(), offset, strides: with_innermost(strides, 0), accumulate, kind: PhantomData }
        }

        #[doc = concat!("The ", $what, " along every outer loop whose stride is 0; the innermost stride is 1.")]
        ///
        /// With `accumulate` it is combined with what the destination holds, otherwise it replaces that.
        #[inline(always)]
        pub fn $outer<'a, T, const R: usize>(
            slice: impl Into<Writable<'a, T>>,
            offset: usize,
            strides: [usize; R],
            accumulate: bool,
        ) -> Outer<'a, T, $kind, R> {
            debug_assert!(strides.last() == Some(&1), "an outer reduction has stride 1");
            Outer { slice: slice.into(), offset, strides: with_innermost(strides, 1), accumulate, kind: PhantomData }
        }

        #[doc = concat!("The ", $what, " along every loop whose stride is 0; the innermost stride may be any.")]
        ///
        /// With `accumulate` it is combined with what the destination holds, otherwise it replaces that.
        #[inline(always)]
        pub fn $scattered<'a, T, const R: usize>(
            slice: impl Into<Writable<'a, T>>,
            offset: usize,
            strides: [usize; R],
            accumulate: bool,
        ) -> Scattered<'a, T, $kind, R> {
            Scattered { slice: slice.into(), offset, strides, accumulate, kind: PhantomData }
        }
    )*};
}

reductions! {
    Sum "sum": sum_inner sum_outer sum_strided;
    Largest "maximum": max_inner max_outer max_strided;
    Smallest "minimum": min_inner min_outer min_strided;
}

/// The extents of the loops that a reduction keeps, 1 for those that it reduces.
#[inline(always)]
fn kept<const R: usize>(extents: &[usize; R], strides: &[usize; R]) -> [usize; R] {
    let mut kept = *extents;
    for (extent, &stride) in kept.iter_mut().zip(strides) {
        if stride == 0 {
            *extent = 1;
        }
    }
    kept
}

/// Whether every place that a reduction writes lies below `length`; an empty reduced loop still has its destination.
#[inline(always)]
fn keeps_below<X: Machine, const R: usize>(
    length: usize,
    offset: usize,
    extents: &[usize; R],
    strides: &[usize; R],
) -> bool {
    /// One function for all reductions, as of [`reaches`](super::reaches).
    #[inline(never)]
    fn apart<const R: usize>(length: usize, offset: usize, extents: &[usize; R], strides: &[usize; R]) -> bool {
        reaches_inline(length, offset, &kept(extents, strides), strides)
    }

    if X::PLAIN {
        reaches_inline(length, offset, &kept(extents, strides), strides)
    } else {
        apart(length, offset, extents, strides)
    }
}

/// Sets every place that a reduction writes.
#[inline(always)]
fn reset<T: Scalar, X: Machine, const R: usize>(
    slice: Writable<'_, T>,
    offset: usize,
    extents: &[usize; R],
    strides: &[usize; R],
    value: T,
) {
    /// One function for all reductions.
    #[inline(never)]
    fn apart<T: Scalar, const R: usize>(
        slice: Writable<'_, T>,
        offset: usize,
        extents: &[usize; R],
        strides: &[usize; R],
        value: T,
    ) {
        fill::<T, R, true>(slice, offset, extents, strides, value);
    }

    if X::PLAIN {
        fill::<T, R, false>(slice, offset, extents, strides, value)
    } else {
        apart(slice, offset, extents, strides, value)
    }
}

/// Sets the places one by one, or in `RUNS` along the innermost loop that is kept. (Not for plain machines, whose constant sizes
/// unroll the loop over single places.)
#[inline(always)]
fn fill<T: Scalar, const R: usize, const RUNS: bool>(
    slice: Writable<'_, T>,
    offset: usize,
    extents: &[usize; R],
    strides: &[usize; R],
    value: T,
) {
    let kept = kept(extents, strides);
    if kept.contains(&0) {
        return;
    }
    let (mut outer, mut run, mut stride) = (kept, 1, 0);
    for (extent, &step) in outer.iter_mut().zip(strides).rev() {
        if RUNS && *extent > 1 {
            (run, stride) = (*extent, step);
            *extent = 1;
            break;
        }
    }
    let mut index = [0; R];
    loop {
        let first = place(offset, &index, strides);
        let last = match (run - 1).checked_mul(stride) {
            Some(distance) => first.checked_add(distance),
            None => None,
        };
        if matches!(last, Some(last) if last < slice.len()) {
            for step in 0..run {
                // SAFETY: the last place lies below the length, and those before it below the last one.
                unsafe { slice.set(first + step * stride, value) };
            }
        }
        if !advance(&mut index, &outer, 0) {
            return;
        }
    }
}

/// What the three forms of a reduction have in common.
macro_rules! reduction {
    () => {
        // An empty reduced loop still has its destination, which `prepare` writes.
        #[inline(always)]
        fn fits<X: Machine>(&self, extents: &[usize; R]) -> bool {
            keeps_below::<X, R>(self.slice.len(), self.offset, extents, &self.strides)
        }

        #[inline(always)]
        fn prepare<X: Machine>(&mut self, extents: &[usize; R]) {
            if !self.accumulate {
                reset::<T, X, R>(self.slice, self.offset, extents, &self.strides, K::identity());
            }
        }

        #[inline(always)]
        fn base(&self, index: &[usize; R]) -> usize {
            place(self.offset, index, &self.strides)
        }

        #[inline(always)]
        unsafe fn previous<S: Simd, P: Span<T, S>>(&self, simd: S, _: usize, _: usize, _: P) -> Lanes<T, S> {
            Lanes::constant(simd, 0.0)
        }
    };
}

impl<T, K, const R: usize> Sealed for Inner<'_, T, K, R> {}

impl<T: Scalar, K: Reduction, const R: usize> Output<T, R> for Inner<'_, T, K, R> {
    type State<S: Simd> = Lanes<T, S>;

    reduction!();

    #[inline(always)]
    fn begin<S: Simd>(&self, simd: S) -> Lanes<T, S> {
        Lanes::splat(simd, K::identity())
    }

    #[inline(always)]
    unsafe fn write<S: Simd, P: Span<T, S>>(
        &mut self,
        state: &mut Lanes<T, S>,
        _: usize,
        _: usize,
        span: P,
        value: Lanes<T, S>,
    ) {
        let identity = Lanes::splat(value.simd(), K::identity());
        *state = K::combine(*state, span.fill(value, identity));
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&mut self, state: Lanes<T, S>, base: usize) {
        // SAFETY: `fits` has admitted the row's only place.
        unsafe { self.slice.set(base, K::join(self.slice.get(base), K::collapse(state))) };
    }
}

impl<T, K, const R: usize> Sealed for Outer<'_, T, K, R> {}

impl<T: Scalar, K: Reduction, const R: usize> Output<T, R> for Outer<'_, T, K, R> {
    type State<S: Simd> = ();

    const FOLDS: bool = true;

    reduction!();

    #[inline(always)]
    fn is_one_row(&self) -> bool {
        R >= 2 && self.strides[R - 2] == 0
    }

    #[inline(always)]
    fn identity<S: Simd>(&self, simd: S) -> Lanes<T, S> {
        Lanes::splat(simd, K::identity())
    }

    #[inline(always)]
    fn combine<S: Simd>(&self, folded: Lanes<T, S>, value: Lanes<T, S>) -> Lanes<T, S> {
        K::combine(folded, value)
    }

    #[inline(always)]
    fn begin<S: Simd>(&self, _: S) {}

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
        unsafe {
            let pointer = self.slice.as_mut_ptr().add(base + position);
            let held = span.load(value.simd(), pointer);
            span.store(pointer, K::combine(held, value));
        }
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&mut self, _: (), _: usize) {}
}

impl<T, K, const R: usize> Sealed for Scattered<'_, T, K, R> {}

impl<T: Scalar, K: Reduction, const R: usize> Output<T, R> for Scattered<'_, T, K, R> {
    type State<S: Simd> = ();

    reduction!();

    #[inline(always)]
    fn begin<S: Simd>(&self, _: S) {}

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
        let first = base + position * stride;
        // SAFETY: `fits` has admitted the row up to the end of the span.
        unsafe {
            if stride == 0 {
                let identity = Lanes::splat(value.simd(), K::identity());
                let joined = K::join(self.slice.get(first), K::collapse(span.fill(value, identity)));
                self.slice.set(first, joined);
            } else {
                let held = self.slice.readable().gather(value.simd(), first, stride, span);
                self.slice.scatter(first, stride, span, K::combine(held, value));
            }
        }
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&mut self, _: (), _: usize) {}
}
