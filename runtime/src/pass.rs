//! Whole passes over a batch of any length: what [`Network`](crate::Network) and [`Trainer`](crate::Trainer) have in
//! common. Everything here is inlined into the one function that a call dispatches to a vector unit, so that the
//! checks of the data are vectorised, too.

use num_traits::{Float, Zero};

use crate::data::Samples;
use crate::error::Error;
use crate::flat;
use crate::program::Program;
use crate::random::mix;
use crate::scalar::Scalar;
use crate::simd::{Inlined, Instructions, Machine, Outlined, Simd, WithSimd};

/// Up to this many multiply-adds a sample, a network's kernels become part of the step: calling them would cost more
/// than their arithmetic.
const TINY: usize = 256;

/// Work on a network, to be compiled for each vector unit.
pub(crate) trait Job {
    type Network: Program;
    type Output;

    fn run<X: Machine>(self, machine: X) -> Self::Output;
}

struct Dispatched<J>(J);

impl<J: Job> WithSimd for Dispatched<J> {
    type Output = J::Output;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> J::Output {
        if const { J::Network::MULTIPLY_ADDS <= TINY } { self.0.run(Inlined(simd)) } else { self.0.run(Outlined(simd)) }
    }
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
        (start, samples.min(start + CAPACITY))
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

/// The batch's loss in training, its gradient, and the gradient's norm.
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
    let scales = scales(machine, network, inputs, targets, samples, memory)?;
    let mut terms = N::no_terms();
    for (start, end) in pieces::<CAPACITY>(samples) {
        let (inputs, targets, piece) = (inputs.range(start, end), targets.range(start, end), key.piece(start));
        let (count, accumulate) = (end - start, start > 0);
        let part =
            network.run_loss_and_gradient(machine, inputs, targets, count, scales, piece, memory, gradient, accumulate);
        add(&mut terms, part);
    }
    let loss = total(&terms, &scales)?;
    let norm = flat::norm(machine, gradient.as_flat());
    if norm.is_finite() { Ok((loss, norm)) } else { Err(Error::NonFiniteGradient) }
}
