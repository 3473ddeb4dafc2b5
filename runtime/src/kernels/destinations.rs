//! Where the results of a kernel go: [`stores`](super::stores) or [`reductions`](super::reductions).

use pulp::Simd;

use super::direct::Direct;
use super::sealed::Sealed;
use super::stores::Store;
use super::{Finish, Reach, Span};
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
