//! Whole passes over a batch of any length: what [`Network`](crate::Network) and [`Trainer`](crate::Trainer) have in
//! common. Everything here is inlined into the one function that a call dispatches to a vector unit, so that the
//! checks of the data are vectorised, too.

use num_traits::{Float, Zero};

use crate::data::Samples;
use crate::error::Error;
use crate::flat;
use crate::memory::{copied, zeroed};
use crate::program::Program;
use crate::random::mix;
use crate::scalar::Scalar;
use crate::simd::{Instructions, Machine, Outlined, Plain, Simd, WithSimd};

/// Samples at a time up to which a tiny network's kernels become part of a pass. More of them are worth vectors.
const FEW: usize = 4;
/// Bytes of gradient and memory that may be variables of such a pass, on the stack as far as they do not become registers.
const SMALL: usize = 2048;

/// Work on a network, to be compiled for each vector unit.
pub(crate) trait Job {
    type Network: Program;
    type Output;

    /// Whether kernels become part of the job, see [`is_tiny`].
    const TINY: bool = false;

    fn run<X: Machine>(self, machine: X) -> Self::Output;
}

struct Dispatched<J>(J);

impl<J: Job> WithSimd for Dispatched<J> {
    type Output = J::Output;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> J::Output {
        if J::TINY { self.0.run(Plain(simd)) } else { self.0.run(Outlined(simd)) }
    }
}

/// Whether kernels become part of a pass over this many samples at a time, and its numbers registers.
pub(crate) const fn is_tiny<N: Program, const CAPACITY: usize>() -> bool {
    N::TINY && CAPACITY <= FEW && size_of::<N>() + size_of::<N::Memory<CAPACITY>>() <= SMALL
}

#[inline(always)]
pub(crate) fn dispatch<J: Job>(instructions: Instructions, job: J) -> J::Output {
    instructions.dispatch(Dispatched(job))
}

/// What random numbers, as of dropout, depend on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    pub(crate) seed: u64,
    pub(crate) step: u64,
}

impl Key {
    /// The key of the piece of a batch that begins with sample `start`.
    #[inline(always)]
    pub(crate) const fn piece(self, start: usize) -> u64 {
        mix(mix(self.seed ^ mix(self.step)) ^ start as u64)
    }
}

/// The number of samples, with everything in order.
#[inline(always)]
pub(crate) fn check<I: Samples, T: Samples>(inputs: I, targets: T) -> Result<usize, Error> {
    // Data of which nothing has a length describes one sample.
    let samples = (inputs, targets).count()?.unwrap_or(1);
    if samples == 0 {
        return Err(Error::EmptyBatch);
    }
    if !inputs.all_finite() {
        return Err(Error::NonFiniteInput);
    }
    if !targets.all_finite() {
        return Err(Error::NonFiniteTarget);
    }
    Ok(samples)
}

/// The pieces of a batch that fit into the workspace, as `(start, end)`.
#[inline(always)]
pub(crate) fn pieces<const CAPACITY: usize>(samples: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..samples.div_ceil(CAPACITY)).map(move |piece| {
        let start = piece * CAPACITY;
        // One sample at a time is a number that the compiler knows.
        (start, if CAPACITY == 1 { start + 1 } else { samples.min(start + CAPACITY) })
    })
}

#[inline(always)]
fn add<T: Scalar, A: AsRef<[T]> + AsMut<[T]>>(sums: &mut A, terms: A) {
    for (sum, &term) in sums.as_mut().iter_mut().zip(terms.as_ref()) {
        *sum += term;
    }
}

/// `1 / weight` for each term of the loss, the weight taken over the whole batch.
#[inline(always)]
fn scales<N: Program, X: Machine, const CAPACITY: usize>(
    machine: X,
    network: &N,
    inputs: N::Inputs<'_>,
    targets: N::Targets<'_>,
    samples: usize,
    memory: &mut N::Memory<CAPACITY>,
) -> Result<N::Terms, Error> {
    let mut weights = N::no_terms();
    for (start, end) in pieces::<CAPACITY>(samples) {
        let (inputs, targets) = (inputs.range(start, end), targets.range(start, end));
        add(&mut weights, network.loss_weights(machine, inputs, targets, end - start, memory));
    }
    for weight in weights.as_mut() {
        if weight.is_zero() {
            return Err(Error::NoWeight);
        }
        *weight = weight.recip();
    }
    Ok(weights)
}

#[inline(always)]
fn total<T: Scalar, A: AsRef<[T]>>(terms: &A, scales: &A) -> Result<T, Error> {
    let mut total = T::zero();
    for (&term, &scale) in terms.as_ref().iter().zip(scales.as_ref()) {
        total += term * scale;
    }
    if total.is_finite() { Ok(total) } else { Err(Error::NonFiniteLoss) }
}

/// The batch's loss by inference.
#[inline(always)]
pub(crate) fn loss<N: Program, X: Machine, const CAPACITY: usize>(
    machine: X,
    network: &N,
    inputs: N::Inputs<'_>,
    targets: N::Targets<'_>,
    memory: &mut N::Memory<CAPACITY>,
) -> Result<N::Scalar, Error> {
    if !N::HAS_LOSS {
        return Err(Error::NoLoss);
    }
    let samples = check(inputs, targets)?;
    let scales = scales(machine, network, inputs, targets, samples, memory)?;
    let mut terms = N::no_terms();
    for (start, end) in pieces::<CAPACITY>(samples) {
        let (inputs, targets) = (inputs.range(start, end), targets.range(start, end));
        add(&mut terms, network.run_loss(machine, inputs, targets, end - start, memory));
    }
    total(&terms, &scales)
}

/// The batch's loss in training, its gradient, and the sum of the gradient's squares.
#[inline(always)]
pub(crate) fn loss_and_gradient<N: Program, X: Machine, const CAPACITY: usize>(
    machine: X,
    network: &N,
    inputs: N::Inputs<'_>,
    targets: N::Targets<'_>,
    key: Key,
    memory: &mut N::Memory<CAPACITY>,
    gradient: &mut N,
) -> Result<(N::Scalar, N::Scalar), Error> {
    if !N::HAS_LOSS {
        return Err(Error::NoLoss);
    }
    let samples = check(inputs, targets)?;
    let pieces = Pieces { network, inputs, targets, samples, key, memory, gradient: &mut *gradient };
    let (terms, scales) = if X::PLAIN { pieces.near(machine)? } else { pieces.far(machine)? };
    let loss = total(&terms, &scales)?;
    let squares = flat::squares(machine, gradient.as_flat());
    if squares.is_finite() || norm::<N, X>(squares, gradient).is_finite() {
        Ok((loss, squares))
    } else {
        Err(Error::NonFiniteGradient)
    }
}

/// The norm of a gradient whose squares have this sum.
#[inline(always)]
pub(crate) fn norm<N: Program, X: Machine>(squares: N::Scalar, gradient: &N) -> N::Scalar {
    /// A copy: of what others have seen the address, nothing becomes a register.
    #[inline(always)]
    fn near<N: Program>(squares: N::Scalar, gradient: &N) -> N::Scalar {
        flat::norm_of(squares, copied(gradient).as_flat())
    }

    if X::PLAIN { near(squares, gradient) } else { flat::norm_of(squares, gradient.as_flat()) }
}

/// A batch on its way through [`loss_and_gradient`].
struct Pieces<'a, 'i, 't, N: Program, const CAPACITY: usize> {
    network: &'a N,
    inputs: N::Inputs<'i>,
    targets: N::Targets<'t>,
    samples: usize,
    key: Key,
    memory: &'a mut N::Memory<CAPACITY>,
    gradient: &'a mut N,
}

impl<N: Program, const CAPACITY: usize> Pieces<'_, '_, '_, N, CAPACITY> {
    /// The terms of the loss and their scales.
    #[inline(always)]
    fn far<X: Machine>(self, machine: X) -> Result<(N::Terms, N::Terms), Error> {
        let scales = scales(machine, self.network, self.inputs, self.targets, self.samples, self.memory)?;
        Ok((self.from(machine, 0, scales), scales))
    }

    /// As [`far`](Self::far), with the memory as a variable, whose numbers become registers, and the usual case of a single
    /// piece in a straight line.
    #[inline(always)]
    fn near<X: Machine>(self, machine: X) -> Result<(N::Terms, N::Terms), Error> {
        let Self { network, inputs, targets, samples, key, memory, gradient } = self;
        let mut near: N::Memory<CAPACITY> = zeroed();
        let scales = scales(machine, network, inputs, targets, samples, &mut near)?;
        let first = Pieces { network, inputs, targets, samples, key, memory: &mut near, gradient: &mut *gradient };
        let mut terms = first.piece(machine, 0, if CAPACITY == 1 { 1 } else { samples.min(CAPACITY) }, scales);
        if samples > CAPACITY {
            // A copy: of what others have seen the address, nothing becomes a register.
            let mut sums = copied(gradient);
            let others = Pieces { network, inputs, targets, samples, key, memory, gradient: &mut sums };
            add(&mut terms, rest(machine, others, scales));
            *gradient = sums;
        }
        Ok((terms, scales))
    }

    #[inline(always)]
    fn piece<X: Machine>(self, machine: X, start: usize, end: usize, scales: N::Terms) -> N::Terms {
        let Self { network, inputs, targets, key, memory, gradient, .. } = self;
        let (inputs, targets, key) = (inputs.range(start, end), targets.range(start, end), key.piece(start));
        let (count, accumulate) = (end - start, start > 0);
        network.run_loss_and_gradient(machine, inputs, targets, count, scales, key, memory, gradient, accumulate)
    }

    /// All pieces from the one with this number on.
    #[inline(always)]
    fn from<X: Machine>(self, machine: X, first: usize, scales: N::Terms) -> N::Terms {
        let mut terms = N::no_terms();
        for (start, end) in pieces::<CAPACITY>(self.samples).skip(first) {
            let piece = Pieces { memory: &mut *self.memory, gradient: &mut *self.gradient, ..self };
            add(&mut terms, piece.piece(machine, start, end, scales));
        }
        terms
    }
}

/// The pieces behind the first one: tiny networks rarely have any.
#[cold]
#[inline(never)]
fn rest<N: Program, X: Machine, const CAPACITY: usize>(
    machine: X,
    pieces: Pieces<'_, '_, '_, N, CAPACITY>,
    scales: N::Terms,
) -> N::Terms {
    struct Rest<'a, 'i, 't, N: Program, X, const CAPACITY: usize> {
        machine: X,
        pieces: Pieces<'a, 'i, 't, N, CAPACITY>,
        scales: N::Terms,
    }

    impl<N: Program, X: Machine, const CAPACITY: usize> WithSimd for Rest<'_, '_, '_, N, X, CAPACITY> {
        type Output = N::Terms;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> N::Terms {
            self.pieces.from(self.machine, 1, self.scales)
        }
    }

    machine.outline(Rest { machine, pieces, scales })
}
