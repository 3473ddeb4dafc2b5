//! Where the results of a kernel go: stores here, [`reductions`](super::reductions) beside.

use pulp::Simd;

use super::direct::{Addition, Direct};
use super::operands::with_innermost;
use super::sealed::Sealed;
use super::{Ahead, Finish, Reach, Span, Writable, place, reaches};
use crate::scalar::Scalar;
use crate::simd::{Instructions, Lanes, Machine};

/// One result of a kernel.
pub trait Output<T: Scalar, const R: usize>: Copy + Sealed {
    /// What is carried along a row.
    type State<S: Simd>: Copy;

    /// Whether the values of a column can be combined before they are written.
    const FOLDS: bool = false;

    /// Whether all rows of the last but one loop are combined into one.
    #[inline(always)]
    fn is_one_row(&self) -> bool {
        false
    }

    /// What combines with any value to that value.
    #[inline(always)]
    fn identity<S: Simd>(&self, simd: S) -> Lanes<T, S> {
        Lanes::constant(simd, 0.0)
    }

    /// Two values of a column.
    #[inline(always)]
    fn combine<S: Simd>(&self, _folded: Lanes<T, S>, value: Lanes<T, S>) -> Lanes<T, S> {
        value
    }

    /// Whether every index below `extents` lies inside the slice.
    fn fits<X: Machine>(&self, extents: &[usize; R]) -> bool;

    /// Sets reductions to their identity, unless they accumulate. `extents` are ones that [`fits`](Self::fits) has
    /// admitted.
    fn prepare<X: Machine>(&mut self, extents: &[usize; R]);

    /// Where the row with this index begins (its innermost index is zero).
    fn base(&self, index: &[usize; R]) -> usize;

    /// The state at the beginning of a row.
    fn begin<S: Simd>(&self, simd: S) -> Self::State<S>;

    /// What a store held at this place; zero for reductions.
    ///
    /// # Safety
    ///
    /// As for [`Input::load`](super::operands::Input::load).
    unsafe fn previous<S: Simd, P: Span<T, S>>(&self, simd: S, base: usize, position: usize, span: P) -> Lanes<T, S>;

    /// Takes the values from `position` on along the innermost loop.
    ///
    /// # Safety
    ///
    /// As for [`Input::load`](super::operands::Input::load).
    unsafe fn write<S: Simd, P: Span<T, S>>(
        &mut self,
        state: &mut Self::State<S>,
        base: usize,
        position: usize,
        span: P,
        value: Lanes<T, S>,
    );

    /// Ends a row.
    ///
    /// # Safety
    ///
    /// As for [`Input::load`](super::operands::Input::load).
    unsafe fn finish<S: Simd>(&mut self, state: Self::State<S>, base: usize);

    /// Where so many rows and columns at `index` go, if each has a place of its own: several threads may then write parts of
    /// them.
    #[doc(hidden)]
    #[inline(always)]
    fn reach(&self, _index: &[usize; R], _size: [usize; 2]) -> Option<Reach> {
        None
    }

    /// The same destination for one of the parts that several threads write.
    #[doc(hidden)]
    #[inline(always)]
    #[must_use]
    fn of_part(self, _part: usize) -> Self {
        self
    }

    /// Where the rows of the matrix at `index` go, if they are stored or added side by side: to this destination, or to what
    /// it stands for.
    #[doc(hidden)]
    #[inline(always)]
    fn direct(&self, _index: &[usize; R], _add: bool) -> Option<Direct<T>> {
        None
    }

    /// Whether [`matrix`](Self::matrix) is something.
    const MATRIX: bool = false;

    /// The matrix at `index`, if its values are kept side by side.
    #[doc(hidden)]
    #[inline(always)]
    fn matrix(&self, _index: &[usize; R]) -> Option<Store<'_, T, 2>> {
        None
    }

    /// Whether [`with_update`](Self::with_update) does something.
    const UPDATES: bool = false;

    /// Calls `then` with what the library has compiled to do with the blocks of the matrix at `index`, as an epilogue would
    /// that stores the product, or adds it to what is there.
    #[doc(hidden)]
    #[inline(always)]
    fn with_update(&self, _unit: Instructions, _index: &[usize; R], _add: bool, _then: impl FnOnce(Finish<'_, T>)) {}

    /// As [`direct`](Self::direct), if sums may be kept there before they are what is to be stored.
    #[doc(hidden)]
    #[inline(always)]
    fn partial(&self, _index: &[usize; R]) -> Option<Direct<T>> {
        None
    }
}

/// All results of a kernel: a tuple of `M` destinations.
pub trait Outputs<T: Scalar, const R: usize, const M: usize>: Copy + Sealed {
    /// What is carried along a row, for each destination.
    type States<S: Simd>: Copy;

    /// As [`Output::FOLDS`], of all.
    const FOLDS: bool;

    /// As [`Output::is_one_row`], of all.
    fn are_one_row(&self) -> bool;

    /// As [`Output::identity`].
    fn identities<S: Simd>(&self, simd: S) -> [Lanes<T, S>; M];

    /// As [`Output::combine`].
    fn combine<S: Simd>(&self, folded: [Lanes<T, S>; M], values: [Lanes<T, S>; M]) -> [Lanes<T, S>; M];

    /// Whether every index below `extents` lies inside all slices.
    fn fit<X: Machine>(&self, extents: &[usize; R]) -> bool;

    /// Sets reductions to their identity, unless they accumulate.
    fn prepare<X: Machine>(&mut self, extents: &[usize; R]);

    /// Where the row with this index begins in each destination.
    fn bases(&self, index: &[usize; R]) -> [usize; M];

    /// The states at the beginning of a row.
    fn begin<S: Simd>(&self, simd: S) -> Self::States<S>;

    /// What the stores held at this place.
    ///
    /// # Safety
    ///
    /// As for [`Input::load`](super::operands::Input::load).
    unsafe fn previous<S: Simd, P: Span<T, S>>(
        &self,
        simd: S,
        bases: &[usize; M],
        position: usize,
        span: P,
    ) -> [Lanes<T, S>; M];

    /// Takes the values from `position` on along the innermost loop.
    ///
    /// # Safety
    ///
    /// As for [`Input::load`](super::operands::Input::load).
    unsafe fn write<S: Simd, P: Span<T, S>>(
        &mut self,
        states: &mut Self::States<S>,
        bases: &[usize; M],
        position: usize,
        span: P,
        values: [Lanes<T, S>; M],
    );

    /// Ends a row.
    ///
    /// # Safety
    ///
    /// As for [`Input::load`](super::operands::Input::load).
    unsafe fn finish<S: Simd>(&mut self, states: Self::States<S>, bases: &[usize; M]);

    /// As [`Output::reach`], of the only destination.
    #[doc(hidden)]
    fn reach(&self, index: &[usize; R], size: [usize; 2]) -> Option<Reach>;

    /// As [`Output::of_part`], of all.
    #[doc(hidden)]
    #[must_use]
    fn of_part(self, part: usize) -> Self;

    /// As [`Output::direct`], of the only destination.
    #[doc(hidden)]
    fn direct(&self, index: &[usize; R], add: bool) -> Option<Direct<T>>;

    /// As [`Output::MATRIX`], of the only destination.
    const MATRIX: bool;

    /// As [`Output::matrix`], of the only destination.
    #[doc(hidden)]
    fn matrix(&self, index: &[usize; R]) -> Option<Store<'_, T, 2>>;

    /// As [`Output::UPDATES`], of the only destination.
    const UPDATES: bool;

    /// As [`Output::with_update`], of the only destination.
    #[doc(hidden)]
    fn with_update(&self, unit: Instructions, index: &[usize; R], add: bool, then: impl FnOnce(Finish<'_, T>));

    /// As [`Output::partial`], of the only destination.
    #[doc(hidden)]
    fn partial(&self, index: &[usize; R]) -> Option<Direct<T>>;
}

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
        let reach = Reach::of(start.wrapping_add(Output::<T, R>::base(self, index)), size, [self.row(), 1]);
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
        let operand = super::operands::strided(self.slice.readable(), 0, self.strides);
        // SAFETY: the same places as those of this destination, which `fits` has admitted.
        unsafe { super::operands::Input::load(&operand, simd, base, position, span) }
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
        let stride = self.strides.last().copied().unwrap_or(0);
        let mut vector = value.unwrap();
        for (lane, value) in T::as_mut_slice::<S>(&mut vector).iter().take(span.count()).enumerate() {
            // SAFETY: `fits` has admitted the row up to the end of the span.
            unsafe { self.slice.set(base + (position + lane) * stride, *value) };
        }
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&mut self, _: (), _: usize) {}
}

macro_rules! outputs {
    ($($count:literal: $($output:ident $place:tt)*;)*) => {$(
        impl<T: Scalar, const R: usize, $($output: Output<T, R>),*> Outputs<T, R, $count> for ($($output,)*) {
            type States<S: Simd> = ($($output::State<S>,)*);

            const FOLDS: bool = true $(&& $output::FOLDS)*;

            const MATRIX: bool = $count == 1 $(&& $output::MATRIX)*;

            const UPDATES: bool = $count == 1 $(&& $output::UPDATES)*;

            #[inline(always)]
            fn matrix(&self, index: &[usize; R]) -> Option<Store<'_, T, 2>> {
                if $count == 1 { self.0.matrix(index) } else { None }
            }

            #[inline(always)]
            fn are_one_row(&self) -> bool {
                true $(&& self.$place.is_one_row())*
            }

            #[inline(always)]
            fn identities<S: Simd>(&self, simd: S) -> [Lanes<T, S>; $count] {
                [$(self.$place.identity(simd)),*]
            }

            #[inline(always)]
            fn combine<S: Simd>(
                &self,
                folded: [Lanes<T, S>; $count],
                values: [Lanes<T, S>; $count],
            ) -> [Lanes<T, S>; $count] {
                [$(self.$place.combine(folded[$place], values[$place])),*]
            }

            #[inline(always)]
            fn fit<X: Machine>(&self, extents: &[usize; R]) -> bool {
                true $(&& self.$place.fits::<X>(extents))*
            }

            #[inline(always)]
            fn prepare<X: Machine>(&mut self, extents: &[usize; R]) {
                $(self.$place.prepare::<X>(extents);)*
            }

            #[inline(always)]
            fn bases(&self, index: &[usize; R]) -> [usize; $count] {
                [$(self.$place.base(index)),*]
            }

            #[inline(always)]
            fn begin<S: Simd>(&self, simd: S) -> Self::States<S> {
                ($(self.$place.begin(simd),)*)
            }

            #[inline(always)]
            unsafe fn previous<S: Simd, P: Span<T, S>>(
                &self,
                simd: S,
                bases: &[usize; $count],
                position: usize,
                span: P,
            ) -> [Lanes<T, S>; $count] {
                // SAFETY: the caller's promise holds for each destination.
                unsafe { [$(self.$place.previous(simd, bases[$place], position, span)),*] }
            }

            #[inline(always)]
            unsafe fn write<S: Simd, P: Span<T, S>>(
                &mut self,
                states: &mut Self::States<S>,
                bases: &[usize; $count],
                position: usize,
                span: P,
                values: [Lanes<T, S>; $count],
            ) {
                // SAFETY: the caller's promise holds for each destination.
                unsafe { $(self.$place.write(&mut states.$place, bases[$place], position, span, values[$place]);)* }
            }

            #[inline(always)]
            unsafe fn finish<S: Simd>(&mut self, states: Self::States<S>, bases: &[usize; $count]) {
                // SAFETY: the caller's promise holds for each destination.
                unsafe { $(self.$place.finish(states.$place, bases[$place]);)* }
            }

            #[inline(always)]
            fn reach(&self, index: &[usize; R], size: [usize; 2]) -> Option<Reach> {
                if $count == 1 { self.0.reach(index, size) } else { None }
            }

            #[inline(always)]
            fn of_part(self, part: usize) -> Self {
                ($(self.$place.of_part(part),)*)
            }

            #[inline(always)]
            fn direct(&self, index: &[usize; R], add: bool) -> Option<Direct<T>> {
                if $count == 1 { self.0.direct(index, add) } else { None }
            }

            #[inline(always)]
            fn with_update(&self, unit: Instructions, index: &[usize; R], add: bool, then: impl FnOnce(Finish<'_, T>)) {
                if $count == 1 {
                    self.0.with_update(unit, index, add, then);
                }
            }

            #[inline(always)]
            fn partial(&self, index: &[usize; R]) -> Option<Direct<T>> {
                if $count == 1 { self.0.partial(index) } else { None }
            }
        }
    )*};
}

outputs! {
    1: A 0;
    2: A 0 B 1;
    3: A 0 B 1 C 2;
    4: A 0 B 1 C 2 D 3;
    5: A 0 B 1 C 2 D 3 E 4;
    6: A 0 B 1 C 2 D 3 E 4 F 5;
    7: A 0 B 1 C 2 D 3 E 4 F 5 G 6;
    8: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7;
}
