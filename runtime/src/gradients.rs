//! Where a training pass leaves its gradients: in memory, or at once in the parameters.

use core::cell::Cell;

use pulp::Simd;

use crate::flat;
use crate::kernels::destinations::Output;
use crate::kernels::sealed::Sealed;
use crate::kernels::stores::Store;
use crate::kernels::{
    Accumulate, Addition, Ahead, Direct, Ending, Finish, LANES, PARTS, Reach, Span, Sums, Whole, store,
};
use crate::optimizers::{Compiled, Update};
use crate::scalar::Scalar;
use crate::simd::{Instructions, Lanes, Machine};
use crate::tensor::Role;

/// Where a training pass leaves its gradients.
pub trait Gradients<'a, T: Scalar>: Copy {
    /// See [`whole`](Self::whole).
    type Whole<const R: usize>: Output<T, R>;

    /// The gradients of all parameters, one behind the other.
    fn cells(self) -> &'a [Cell<T>];

    /// The destination of a tensor's whole gradient, of which every element is written once, when nobody will need the
    /// parameters or this gradient any more. Offset and strides are those within [`cells`](Self::cells).
    fn whole<const R: usize>(self, role: Role, offset: usize, strides: [usize; R]) -> Self::Whole<R>;
}

/// Gradients that are kept.
#[derive(Clone, Copy)]
pub struct Kept<'a, T>(pub &'a [Cell<T>]);

impl<'a, T: Scalar> Gradients<'a, T> for Kept<'a, T> {
    type Whole<const R: usize> = Store<'a, T, R>;

    #[inline(always)]
    fn cells(self) -> &'a [Cell<T>] {
        self.0
    }

    #[inline(always)]
    fn whole<const R: usize>(self, _: Role, offset: usize, strides: [usize; R]) -> Self::Whole<R> {
        store(self.0, offset, strides)
    }
}

/// Room for marks of gradients that are not finite, for each part of a product.
#[cfg_attr(feature = "threads", repr(align(64)))]
pub(crate) struct Flaws<T>([[Cell<T>; LANES]; PARTS]);

impl<T: Scalar> Flaws<T> {
    #[inline(always)]
    pub(crate) fn none() -> Self {
        Self(core::array::from_fn(|_| core::array::from_fn(|_| Cell::new(T::zero()))))
    }

    /// Whether all gradients were finite.
    #[inline(always)]
    pub(crate) fn is_empty<X: Machine>(&self, machine: X) -> bool {
        flat::all_cells_finite(machine, self.0.as_flattened())
    }

    /// Where the marks of a part begin.
    #[inline(always)]
    fn of_part(&self, part: usize) -> *mut T {
        self.0.as_ptr().cast::<T>().cast_mut().wrapping_add(part * LANES)
    }
}

/// Gradients that become updates as soon as they are known, if that is what `at_once` says; else they are kept.
pub(crate) struct Applied<'a, T, U> {
    pub(crate) update: U,
    pub(crate) gradient: &'a [Cell<T>],
    pub(crate) flaws: &'a Flaws<T>,
    pub(crate) at_once: bool,
}

impl<T, U: Copy> Clone for Applied<'_, T, U> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, U: Copy> Copy for Applied<'_, T, U> {}

impl<'a, T: Scalar, U: Update<T>> Gradients<'a, T> for Applied<'a, T, U> {
    type Whole<const R: usize> = Apply<'a, T, U, R>;

    #[inline(always)]
    fn cells(self) -> &'a [Cell<T>] {
        self.gradient
    }

    #[inline(always)]
    fn whole<const R: usize>(self, role: Role, offset: usize, strides: [usize; R]) -> Self::Whole<R> {
        let Self { update, gradient, flaws, at_once } = self;
        let (gradient, decay, length) =
            (store(gradient, offset, strides), update.decay(role), update.parameters().len());
        Apply { update, gradient, decay, flaws, at_once, length, part: 0 }
    }
}

/// The destination of a gradient that is applied. It lies within the parameters as it would within the gradients.
pub(crate) struct Apply<'a, T, U, const R: usize> {
    update: U,
    gradient: Store<'a, T, R>,
    decay: T,
    flaws: &'a Flaws<T>,
    at_once: bool,
    /// Number of parameters, asked for once: an update of somebody else might say something else the next time.
    length: usize,
    /// Which part of the product it belongs to.
    part: usize,
}

impl<T: Copy, U: Copy, const R: usize> Clone for Apply<'_, T, U, R> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Copy, U: Copy, const R: usize> Copy for Apply<'_, T, U, R> {}

impl<T, U, const R: usize> Sealed for Apply<'_, T, U, R> {}

impl<'a, T: Scalar, U: Update<T>, const R: usize> Output<T, R> for Apply<'a, T, U, R> {
    /// Zero in every lane, or NaN after a gradient that is not finite.
    type State<S: Simd> = Lanes<T, S>;

    #[inline(always)]
    fn fits<X: Machine>(&self, extents: &[usize; R]) -> bool {
        self.gradient.fits::<X>(extents) && self.gradient.fits_below::<X>(self.length, extents)
    }

    #[inline(always)]
    fn prepare<X: Machine>(&mut self, _: &[usize; R]) {}

    #[inline(always)]
    fn base(&self, index: &[usize; R]) -> usize {
        self.gradient.base(index)
    }

    #[inline(always)]
    fn begin<S: Simd>(&self, simd: S) -> Lanes<T, S> {
        Lanes::splat(simd, T::zero())
    }

    #[inline(always)]
    unsafe fn previous<S: Simd, P: Span<T, S>>(&self, simd: S, base: usize, position: usize, span: P) -> Lanes<T, S> {
        // A gradient that is applied at once is not added to another one.
        if self.at_once {
            return Lanes::splat(simd, T::zero());
        }
        // SAFETY: the caller's promise.
        unsafe { self.gradient.previous(simd, base, position, span) }
    }

    #[inline(always)]
    unsafe fn write<S: Simd, P: Span<T, S>>(
        &mut self,
        state: &mut Lanes<T, S>,
        base: usize,
        position: usize,
        span: P,
        value: Lanes<T, S>,
    ) {
        // SAFETY: the caller's promise; `fits` has admitted the place within the gradients and within the parameters.
        unsafe {
            if self.at_once {
                let zero = Lanes::splat(value.simd(), T::zero());
                *state = span.fill(value, zero).mul_add(zero, *state);
                self.update.apply(base + position, value, self.decay, span);
            } else {
                self.gradient.write(&mut (), base, position, span, value);
            }
        }
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&mut self, state: Lanes<T, S>, _: usize) {
        const { assert!(Lanes::<T, S>::COUNT <= LANES, "flaws have room for every lane") };
        debug_assert!(self.part < PARTS, "there are marks for every part");
        let flaws = self.flaws.of_part(self.part);
        // SAFETY: a register has at most as many lanes as there are cells for a part, which may be written by this thread.
        unsafe { Whole.store(flaws, Whole.load(state.simd(), flaws) + state) };
    }

    #[inline(always)]
    fn direct(&self, index: &[usize; R], add: bool) -> Option<Direct<T>> {
        if !self.at_once {
            return self.gradient.direct(index, add);
        }
        // A gradient that is whole is not added to another one.
        let (parameters, factor) = if add { None } else { self.update.factor(self.decay) }?;
        if parameters.len() != self.length {
            return None;
        }
        let flaws = self.flaws.of_part(0);
        Some(self.gradient.direct_from(index, parameters.as_mut_ptr(), Some(Addition { factor, flaws })))
    }

    #[inline(always)]
    fn reach(&self, index: &[usize; R], size: [usize; 2]) -> Option<Reach> {
        // State lies in memory that nothing else of a step knows.
        let parameters = self.update.parameters();
        if !self.at_once {
            self.gradient.reach(index, size)
        } else if parameters.len() == self.length {
            self.gradient.reach_from(parameters.as_ptr(), index, size)
        } else {
            None
        }
    }

    #[inline(always)]
    fn of_part(self, part: usize) -> Self {
        Self { part, ..self }
    }

    const UPDATES: bool = U::FINISH.is_some();

    #[inline(always)]
    fn with_update(&self, unit: Instructions, index: &[usize; R], add: bool, then: impl FnOnce(Finish<'_, T>)) {
        let Self { update, gradient, decay, flaws, at_once, length, part } = *self;
        let destination = Apply { update, gradient: gradient.matrix_at(index), decay, flaws, at_once, length, part };
        let ending = Ending { index: [0; 2], inputs: (), outputs: (destination,), epilogue: Accumulate(add) };
        let updating = Updating { unit, ending };
        if let Some(Compiled { function, .. }) = U::FINISH {
            let ahead = if at_once { gradient.ahead(index, update.places()) } else { Ahead::NOTHING };
            then(Finish::Call(function, core::ptr::from_ref(&updating).cast_mut().cast(), ahead));
        }
    }
}

/// What applies a product that is a gradient.
pub(crate) struct Updating<'a, T, U> {
    unit: Instructions,
    ending: Ending<(), (Apply<'a, T, U, 2>,), Accumulate, 2>,
}

impl<T: Scalar, U: Update<T>> Updating<'_, T, U> {
    /// Applies a block.
    ///
    /// # Safety
    ///
    /// The block must lie within the product, and its sums must be complete.
    #[inline(always)]
    pub(crate) unsafe fn finish(&self, sums: &Sums<T>) {
        // SAFETY: the caller's promise.
        unsafe { self.ending.finish_on(self.unit, sums) };
    }
}
