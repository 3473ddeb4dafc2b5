//! A step of an optimizer: a rule for one parameter, and where parameters and state lie.

use core::cell::Cell;
use core::marker::PhantomData;

use pulp::{Simd, WithSimd};

use super::Decay;
use crate::flat;
use crate::kernels::{Part, Readable, Span, Sums, Whole, Writable};
use crate::memory::copied;
use crate::program::Program;
use crate::scalar::Scalar;
use crate::simd::{Instructions, Lanes, Machine};
use crate::tensor::{Role, Tensor};

/// What an optimizer does to one parameter, written for a vector of them. Implementations are `#[inline(always)]`.
pub trait Rule<T: Scalar, const STATES: usize>: Copy + Send + Sync {
    /// The new parameters and the new state; `decay` is the weight decay, 0 where it is excluded.
    fn update<S: Simd>(
        self,
        parameter: Lanes<T, S>,
        gradient: Lanes<T, S>,
        state: [Lanes<T, S>; STATES],
        decay: Lanes<T, S>,
    ) -> (Lanes<T, S>, [Lanes<T, S>; STATES]);

    /// What the gradient is multiplied by before it is added to the parameter, if that is all that happens without weight
    /// decay.
    #[doc(hidden)]
    #[inline(always)]
    fn factor(self) -> Option<T> {
        None
    }

    /// What applies a block of a gradient, if the library has compiled it: its first argument is an
    /// [`Updating`](crate::gradients::Updating).
    #[doc(hidden)]
    const FINISH: Option<unsafe extern "C" fn(*mut u8, *const Sums<T>)> = None;

    /// Ends a step: updates what was not updated before; NaN where the gradient is not finite, else zero. The library has
    /// compiled that for its own rules.
    #[doc(hidden)]
    #[inline(always)]
    fn end(unit: Instructions, rest: &Rest<'_, T, Ruled<'_, T, Self, STATES>>) -> T {
        unit.dispatch_light(rest)
    }
}

/// What the library has compiled for a [`Rule`]: these functions of [`Element`](crate::simd::Element). A rule without is
/// compiled with each network.
macro_rules! compiled {
    ($finish:ident, $end:ident, $states:literal) => {
        const FINISH: Option<unsafe extern "C" fn(*mut u8, *const crate::kernels::Sums<T>)> = Some(T::$finish);

        #[inline(always)]
        fn end(
            unit: crate::simd::Instructions,
            rest: &crate::optimizers::Rest<'_, T, Ruled<'_, T, Self, $states>>,
        ) -> T {
            T::$end(unit, rest)
        }
    };
}
pub(super) use compiled;

/// Zero instead of a denormal number. What shrinks by a factor each step, as the running means of gradients that have
/// become zero, would otherwise stay denormal for ever, and slow every operation down.
#[inline(always)]
pub(crate) fn flush<T: Scalar, S: Simd>(value: Lanes<T, S>) -> Lanes<T, S> {
    flush_below(value, T::min_positive_value())
}

/// Zero instead of what is smaller than `least`.
#[inline(always)]
pub(crate) fn flush_below<T: Scalar, S: Simd>(value: Lanes<T, S>, least: T) -> Lanes<T, S> {
    let simd = value.simd();
    value.abs().lt(Lanes::splat(simd, least)).select(Lanes::splat(simd, T::zero()), value)
}

/// A function that applies a block of a gradient by updates of type `U`. No other type can hand it on as its own. Only a
/// [`Ruled`] makes one, of what its rule says, and only the library makes a [`Ruled`].
#[doc(hidden)]
#[derive(Debug)]
pub struct Compiled<T, U> {
    pub(crate) function: unsafe extern "C" fn(*mut u8, *const Sums<T>),
    update: PhantomData<fn(U)>,
}

/// One step of an optimizer, ready to be taken parameter by parameter, by several threads at a time.
pub trait Update<T: Scalar>: Copy + Send + Sync {
    /// All parameters.
    fn parameters(&self) -> Readable<'_, T>;

    /// Where parameters and state lie, as far as they are worth fetching before they are used; null for nothing.
    #[doc(hidden)]
    #[inline(always)]
    fn places(&self) -> [*const T; 3] {
        [core::ptr::null(); 3]
    }

    /// The weight decay of parameters with this role.
    fn decay(self, role: Role) -> T;

    /// The weight decay, if no role is treated apart.
    fn same_decay(&self) -> Option<T>;

    /// The parameters, and what the gradient is multiplied by before it is added to them, if that is all that the update does
    /// with this weight decay.
    #[doc(hidden)]
    #[inline(always)]
    fn factor(&self, _decay: T) -> Option<(Writable<'_, T>, T)> {
        None
    }

    /// What applies a block of a gradient, if the library has compiled it.
    #[doc(hidden)]
    const FINISH: Option<Compiled<T, Self>> = None;

    /// As [`Rule::end`].
    #[doc(hidden)]
    #[inline(always)]
    fn end(unit: Instructions, rest: &Rest<'_, T, Self>) -> T {
        unit.dispatch_light(rest)
    }

    /// Updates the parameters from number `at` to the end of the span.
    ///
    /// # Safety
    ///
    /// They must be [`parameters`](Self::parameters), which no other thread reads or updates meanwhile.
    unsafe fn apply<S: Simd, P: Span<T, S>>(self, at: usize, gradient: Lanes<T, S>, decay: T, span: P);
}

/// A [`Rule`] with the places of parameters and state, which all have the same length.
#[derive(Debug)]
pub struct Ruled<'a, T, R, const STATES: usize> {
    rule: R,
    decay: Decay,
    parameters: Writable<'a, T>,
    states: [Writable<'a, T>; STATES],
}

impl<T, R: Copy, const STATES: usize> Clone for Ruled<'_, T, R, STATES> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, R: Copy, const STATES: usize> Copy for Ruled<'_, T, R, STATES> {}

// SAFETY: it stands for an exclusive reference to the numbers, which it writes only in `apply`, whose callers see to it that
// each number is reached by one thread at a time.
unsafe impl<T: Send, R: Send, const STATES: usize> Send for Ruled<'_, T, R, STATES> {}
// SAFETY: as above.
unsafe impl<T: Sync, R: Sync, const STATES: usize> Sync for Ruled<'_, T, R, STATES> {}

impl<'a, T: Scalar, R: Rule<T, STATES>, const STATES: usize> Ruled<'a, T, R, STATES> {
    /// Of no parameters, should the state have another length than they.
    #[inline(always)]
    pub(super) fn new(rule: R, decay: Decay, parameters: &'a mut [T], states: [&'a mut [T]; STATES]) -> Self {
        let fit = states.iter().all(|state| state.len() == parameters.len());
        debug_assert!(fit, "the state of an optimizer is as long as the parameters");
        let parameters = if fit { parameters } else { &mut [] };
        Self { rule, decay, parameters: parameters.into(), states: states.map(Writable::from) }
    }
}

impl<T: Scalar, R: Rule<T, STATES>, const STATES: usize> Update<T> for Ruled<'_, T, R, STATES> {
    #[inline(always)]
    fn parameters(&self) -> Readable<'_, T> {
        self.parameters.readable()
    }

    #[inline(always)]
    fn places(&self) -> [*const T; 3] {
        let mut places = [core::ptr::null(); 3];
        for (place, numbers) in places.iter_mut().zip(core::iter::once(&self.parameters).chain(&self.states)) {
            *place = numbers.as_mut_ptr().cast_const();
        }
        places
    }

    #[inline(always)]
    fn decay(self, role: Role) -> T {
        T::constant(self.decay.of(role))
    }

    #[inline(always)]
    fn same_decay(&self) -> Option<T> {
        (self.decay.excluded == 0).then(|| T::constant(self.decay.rate))
    }

    #[inline(always)]
    fn factor(&self, decay: T) -> Option<(Writable<'_, T>, T)> {
        if decay.is_zero() { self.rule.factor().map(|factor| (self.parameters, factor)) } else { None }
    }

    const FINISH: Option<Compiled<T, Self>> = match R::FINISH {
        Some(function) => Some(Compiled { function, update: PhantomData }),
        None => None,
    };

    #[inline(always)]
    fn end(unit: Instructions, rest: &Rest<'_, T, Self>) -> T {
        R::end(unit, rest)
    }

    #[inline(always)]
    unsafe fn apply<S: Simd, P: Span<T, S>>(self, at: usize, gradient: Lanes<T, S>, decay: T, span: P) {
        let simd = gradient.simd();
        let place = self.parameters.as_mut_ptr().wrapping_add(at);
        let mut state = [Lanes::splat(simd, T::zero()); STATES];
        // SAFETY: the caller's promise; the state is as long as the parameters.
        unsafe {
            for index in 0..STATES {
                state[index] = span.load(simd, self.states[index].as_mut_ptr().add(at));
            }
            let (parameter, state) =
                self.rule.update(span.load(simd, place), gradient, state, Lanes::splat(simd, decay));
            span.store(place, parameter);
            for index in 0..STATES {
                span.store(self.states[index].as_mut_ptr().add(at), state[index]);
            }
        }
    }
}

/// An update of neighbouring parameters, from number `start` on, one for each number of the gradient.
struct Stretch<'a, T, U> {
    update: U,
    gradient: Readable<'a, T>,
    start: usize,
    decay: T,
}

impl<T: Scalar, U: Update<T>> WithSimd for Stretch<'_, T, U> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { update, gradient, start, decay } = self;
        let (length, parameters) = (gradient.len(), update.parameters().len());
        let fit = start <= parameters && length <= parameters - start;
        debug_assert!(fit, "there is a parameter for every number of the gradient");
        if !fit {
            return;
        }
        let lanes = Lanes::<T, S>::COUNT;
        let mut at = 0;
        // SAFETY: everything up to the end lies within the gradient and the parameters.
        unsafe {
            while length - at >= lanes {
                update.apply(start + at, Whole.load(simd, gradient.as_ptr().add(at)), decay, Whole);
                at += lanes;
            }
            if const { Lanes::<T, S>::COUNT > 1 } && at < length {
                let rest = Part::new(simd, length - at);
                update.apply(start + at, rest.load(simd, gradient.as_ptr().add(at)), decay, rest);
            }
        }
    }
}

/// The end of a step, when the whole gradient is known.
#[doc(hidden)]
pub struct Rest<'a, T, U> {
    pub(crate) update: U,
    pub(crate) gradient: &'a [Cell<T>],
    pub(crate) tensors: &'static [Tensor],
    /// Tensors that are updated already; if there are any, the others must follow, finite or not.
    pub(crate) done: &'static [bool],
    /// The largest norm that the gradient may have, infinite if tensors are updated already.
    pub(crate) clip: f64,
}

/// Updates all parameters that are neither frozen nor done; NaN where their gradient is not finite, else zero.
impl<T: Scalar, U: Update<T>> WithSimd for &Rest<'_, T, U> {
    type Output = T;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> T {
        let Rest { update, gradient, tensors, done, clip } = *self;
        let mut finite = true;
        if done.is_empty() {
            let norm = flat::norm_of_cells(simd, gradient);
            if !norm.is_finite() {
                return T::nan();
            }
            if let Some(factor) = flat::clipping(norm, T::constant(clip)) {
                flat::Scale { numbers: gradient, factor }.with_simd(simd);
            }
        }
        for (start, end, decay) in stretches(update, tensors, done) {
            let gradient = gradient.get(start..end).unwrap_or_default();
            finite &= done.is_empty() || flat::norm_of_cells(simd, gradient).is_finite();
            Stretch { update, gradient: gradient.into(), start, decay }.with_simd(simd);
        }
        if finite { T::zero() } else { T::nan() }
    }
}

/// Neighbouring tensors that are trained and whose weight decay is the same, as `(start, end, decay)`; without those
/// that are `done`.
#[inline(always)]
fn stretches<T: Scalar, U: Update<T>>(
    update: U,
    tensors: &'static [Tensor],
    done: &'static [bool],
) -> impl Iterator<Item = (usize, usize, T)> {
    let mut index = 0;
    core::iter::from_fn(move || {
        let mut stretch: Option<(usize, usize, T)> = None;
        while let Some(tensor) = tensors.get(index) {
            if !tensor.frozen && !done.get(index).copied().unwrap_or(false) {
                let (start, decay) = (tensor.offset, update.decay(tensor.role));
                let first = match stretch {
                    None => start,
                    Some((first, end, same)) if end == start && same == decay => first,
                    Some(_) => break,
                };
                stretch = Some((first, start + tensor.len(), decay));
            }
            index += 1;
        }
        stretch
    })
}

/// Updates all parameters that are not frozen.
#[inline(always)]
pub(crate) fn apply<N: Program, X: Machine, U: Update<N::Scalar>>(machine: X, update: U, gradient: &N) {
    // Where nothing is treated apart, all is one run; frozen parameters are known to the compiler.
    match update.same_decay() {
        Some(decay) if const { !any_frozen(N::TENSORS) } => {
            machine.call_light(Stretch { update, gradient: gradient.as_flat().into(), start: 0, decay });
        }
        _ if X::PLAIN => apply_copied(machine, update, gradient),
        _ => apply_apart(machine, update, gradient),
    }
}

const fn any_frozen(tensors: &[Tensor]) -> bool {
    let mut index = 0;
    while index < tensors.len() {
        if tensors[index].frozen {
            return true;
        }
        index += 1;
    }
    false
}

/// [`apply_apart`] from a copy: of what is read at places found by a loop, nothing becomes a register.
#[inline(always)]
fn apply_copied<N: Program, X: Machine, U: Update<N::Scalar>>(machine: X, update: U, gradient: &N) {
    apply_apart(machine, update, &copied(gradient));
}

/// [`apply`] for runs of neighbours.
#[inline(always)]
fn apply_apart<N: Program, X: Machine, U: Update<N::Scalar>>(machine: X, update: U, gradient: &N) {
    for (start, end, decay) in stretches(update, N::TENSORS, &[]) {
        let gradient = gradient.as_flat().get(start..end).unwrap_or_default().into();
        machine.call_light(Stretch { update, gradient, start, decay });
    }
}

/// [`apply`] for a part of the gradient that begins with number `first`.
///
/// # Safety
/// No other thread reads or updates the same part of the parameters meanwhile.
#[cfg(feature = "threads")]
#[inline(always)]
pub(crate) unsafe fn apply_part<N: Program, X: Machine, U: Update<N::Scalar>>(
    machine: X,
    update: U,
    gradient: &[N::Scalar],
    first: usize,
) {
    let last = first + gradient.len();
    for (start, end, decay) in stretches(update, N::TENSORS, &[]) {
        let start = start.max(first);
        if let Some(gradient) = gradient.get(start - first..end.min(last).saturating_sub(first)) {
            machine.call_light(Stretch { update, gradient: gradient.into(), start, decay });
        }
    }
}
