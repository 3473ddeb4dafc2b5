//! Whole passes over a batch of any length: what [`Network`](crate::Network) and [`Trainer`](crate::Trainer) have in
//! common.

use num_traits::{Float, Zero};

use crate::data::Samples;
use crate::error::Error;
use crate::flat;
use crate::gradients::{Gradients, Kept};
use crate::kernels::Readable;
use crate::memory::{cells, copied, zeroed};
use crate::program::Program;
use crate::random::{Draws, mix};
use crate::scalar::Scalar;
use crate::simd::{Instructions, Machine, Plain, Simd, WithSimd};
use crate::workspace::Workspace;

/// Samples at a time up to which a tiny network's kernels become part of a pass. More of them are worth vectors.
const FEW: usize = 4;
/// Bytes of gradient and memory that may be variables of such a pass, on the stack as far as they do not become registers.
const SMALL: usize = 2048;

/// Work on a network.
pub(crate) trait Job {
    /// Where it works: a workspace, or `()` for work without one.
    type Room: Room;
    type Output;

    fn run<X: Machine>(self, machine: X) -> Self::Output;
}

/// A job of which kernels become part, compiled for each vector unit.
struct Tiny<J>(J);

impl<J: Job> WithSimd for Tiny<J> {
    type Output = J::Output;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> J::Output {
        self.0.run(Plain(simd))
    }
}

/// Where a job works.
pub(crate) trait Room {
    /// Whether kernels become part of the job, and its numbers registers.
    const TINY: bool;
}

impl Room for () {
    const TINY: bool = false;
}

impl<N: Program, const CAPACITY: usize> Room for Workspace<N, CAPACITY> {
    const TINY: bool = N::TINY && CAPACITY <= FEW && size_of::<N>() + size_of::<N::Memory<CAPACITY>>() <= SMALL;
}

#[inline(always)]
pub(crate) fn dispatch<J: Job>(instructions: Instructions, job: J) -> J::Output {
    if J::Room::TINY { instructions.dispatch(Tiny(job)) } else { job.run(instructions) }
}

/// What random numbers, as of dropout, depend on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    pub(crate) seed: u64,
    pub(crate) step: u64,
}

impl Key {
    /// The random numbers of the piece of a batch that begins with sample `first`.
    #[inline(always)]
    pub(crate) const fn draws(self, first: usize) -> Draws {
        Draws { key: mix(self.seed ^ mix(self.step)), first }
    }
}

/// The number of samples, with everything in order.
#[inline(always)]
pub(crate) fn check<I: Samples, T: Samples, X: Machine>(machine: X, inputs: I, targets: T) -> Result<usize, Error> {
    let samples = count(inputs, targets)?;
    check_numbers(machine, inputs, targets)?;
    Ok(samples)
}

/// The number of samples, at least one.
#[inline(always)]
pub(crate) fn count<I: Samples, T: Samples>(inputs: I, targets: T) -> Result<usize, Error> {
    // Data of which nothing has a length describes one sample.
    match (inputs, targets).count()?.unwrap_or(1) {
        0 => Err(Error::EmptyBatch),
        samples => Ok(samples),
    }
}

#[inline(always)]
pub(crate) fn check_numbers<I: Samples, T: Samples, X: Machine>(
    machine: X,
    inputs: I,
    targets: T,
) -> Result<(), Error> {
    if !inputs.all_finite(machine) {
        return Err(Error::NonFiniteInput);
    }
    if !targets.all_finite(machine) {
        return Err(Error::NonFiniteTarget);
    }
    Ok(())
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
pub(crate) fn add<T: Scalar, A: AsRef<[T]> + AsMut<[T]>>(sums: &mut A, terms: A) {
    for (sum, &term) in sums.as_mut().iter_mut().zip(terms.as_ref()) {
        *sum += term;
    }
}

/// The weight of each term of the loss.
#[inline(always)]
pub(crate) fn weights<N: Program, X: Machine, const CAPACITY: usize>(
    machine: X,
    network: &N,
    inputs: N::Inputs<'_>,
    targets: N::Targets<'_>,
    samples: usize,
    memory: &mut N::Memory<CAPACITY>,
) -> N::Terms {
    let mut weights = N::no_terms();
    for (start, end) in pieces::<CAPACITY>(samples) {
        let (inputs, targets) = (inputs.range(start, end), targets.range(start, end));
        add(&mut weights, network.loss_weights(machine, inputs, targets, end - start, memory));
    }
    weights
}

/// `1 / weight` for each term of the loss, the weight taken over the whole batch.
#[inline(always)]
pub(crate) fn scales<N: Program>(mut weights: N::Terms) -> Result<N::Terms, Error> {
    for weight in weights.as_mut() {
        if weight.is_zero() {
            return Err(Error::NoWeight);
        }
        *weight = weight.recip();
    }
    Ok(weights)
}

/// Whether a loss is worth a gradient.
#[inline(always)]
pub fn is_finite<T: Scalar, A: AsRef<[T]>>(terms: &A, scales: &A) -> bool {
    total(terms, scales).is_ok()
}

#[inline(always)]
pub(crate) fn total<T: Scalar, A: AsRef<[T]>>(terms: &A, scales: &A) -> Result<T, Error> {
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
    let samples = check(machine, inputs, targets)?;
    let scales = scales::<N>(weights(machine, network, inputs, targets, samples, memory))?;
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
    let loss = if X::PLAIN {
        in_registers::<N, X, CAPACITY>(machine, network, inputs, targets, key, memory, gradient)?
    } else {
        let batch = prepare::<N, X, CAPACITY>(machine, network, inputs, targets, key, memory)?;
        batch.backpropagate(machine, network.as_flat().into(), memory, Kept(cells(gradient)))?
    };
    Ok((loss, finite_squares::<N, X>(machine, gradient)?))
}

/// The sum of a gradient's squares, if the gradient is finite.
#[inline(always)]
pub(crate) fn finite_squares<N: Program, X: Machine>(machine: X, gradient: &N) -> Result<N::Scalar, Error> {
    let squares = flat::squares(machine, gradient.as_flat());
    if squares.is_finite() || norm::<N, X>(squares, gradient).is_finite() {
        Ok(squares)
    } else {
        Err(Error::NonFiniteGradient)
    }
}

/// The norm of a gradient whose squares have this sum.
#[inline(always)]
pub(crate) fn norm<N: Program, X: Machine>(squares: N::Scalar, gradient: &N) -> N::Scalar {
    /// A copy: of what others have seen the address, nothing becomes a register.
    #[inline(always)]
    fn of_copy<N: Program>(squares: N::Scalar, gradient: &N) -> N::Scalar {
        flat::norm_of(squares, copied(gradient).as_flat())
    }

    if X::PLAIN { of_copy(squares, gradient) } else { flat::norm_of(squares, gradient.as_flat()) }
}

/// A batch in order.
pub(crate) struct Batch<'i, 't, N: Program> {
    pub(crate) inputs: N::Inputs<'i>,
    pub(crate) targets: N::Targets<'t>,
    pub(crate) samples: usize,
    pub(crate) key: Key,
    pub(crate) scales: N::Terms,
}

/// Checks a batch before training with it.
#[inline(always)]
pub(crate) fn prepare<'i, 't, N: Program, X: Machine, const CAPACITY: usize>(
    machine: X,
    network: &N,
    inputs: N::Inputs<'i>,
    targets: N::Targets<'t>,
    key: Key,
    memory: &mut N::Memory<CAPACITY>,
) -> Result<Batch<'i, 't, N>, Error> {
    if !N::HAS_LOSS {
        return Err(Error::NoLoss);
    }
    let samples = check(machine, inputs, targets)?;
    let scales = scales::<N>(weights(machine, network, inputs, targets, samples, memory))?;
    Ok(Batch { inputs, targets, samples, key, scales })
}

/// The batch's loss, and its gradient, with the memory as a variable, whose numbers become registers, and the usual case of
/// a single piece in a straight line.
#[inline(always)]
fn in_registers<N: Program, X: Machine, const CAPACITY: usize>(
    machine: X,
    network: &N,
    inputs: N::Inputs<'_>,
    targets: N::Targets<'_>,
    key: Key,
    memory: &mut N::Memory<CAPACITY>,
    gradient: &mut N,
) -> Result<N::Scalar, Error> {
    let mut own: N::Memory<CAPACITY> = zeroed();
    let batch = prepare::<N, X, CAPACITY>(machine, network, inputs, targets, key, &mut own)?;
    let (samples, scales) = (batch.samples, batch.scales);
    let end = if CAPACITY == 1 { 1 } else { samples.min(CAPACITY) };
    let parameters = network.as_flat().into();
    let kept = Kept(cells(&mut *gradient));
    let mut terms = batch.piece::<X, _, CAPACITY>(machine, parameters, 0, end, &mut own, kept, false);
    if samples > CAPACITY {
        // A copy: of what others have seen the address, nothing becomes a register.
        let mut sums = copied(gradient);
        add(&mut terms, rest::<N, X, CAPACITY>(machine, network, batch, memory, &mut sums));
        *gradient = sums;
    }
    total(&terms, &scales)
}

impl<N: Program> Batch<'_, '_, N> {
    /// The batch's loss in training, and its gradient, unless the loss is not finite.
    #[inline(always)]
    pub(crate) fn backpropagate<'g, X: Machine, G: Gradients<'g, N::Scalar>, const CAPACITY: usize>(
        &self,
        machine: X,
        parameters: Readable<'_, N::Scalar>,
        memory: &mut N::Memory<CAPACITY>,
        gradient: G,
    ) -> Result<N::Scalar, Error> {
        let all = (0, self.samples);
        total(&self.part::<X, G, CAPACITY>(machine, parameters, all, memory, gradient, false), &self.scales)
    }

    #[expect(clippy::too_many_arguments, reason = "those of the pass")]
    #[inline(always)]
    fn piece<'g, X: Machine, G: Gradients<'g, N::Scalar>, const CAPACITY: usize>(
        &self,
        machine: X,
        parameters: Readable<'_, N::Scalar>,
        start: usize,
        end: usize,
        memory: &mut N::Memory<CAPACITY>,
        gradient: G,
        accumulate: bool,
    ) -> N::Terms {
        let Self { inputs, targets, key, scales, .. } = *self;
        let (inputs, targets, draws) = (inputs.range(start, end), targets.range(start, end), key.draws(start));
        let count = end - start;
        N::run_loss_and_gradient(
            machine, parameters, inputs, targets, count, scales, draws, memory, gradient, accumulate,
        )
    }

    /// The samples from the first of these numbers to the second, in pieces, with their gradient added to what is there if
    /// `accumulate` says so.
    #[inline(always)]
    pub(crate) fn part<'g, X: Machine, G: Gradients<'g, N::Scalar>, const CAPACITY: usize>(
        &self,
        machine: X,
        parameters: Readable<'_, N::Scalar>,
        (first, end): (usize, usize),
        memory: &mut N::Memory<CAPACITY>,
        gradient: G,
        accumulate: bool,
    ) -> N::Terms {
        let mut terms = N::no_terms();
        for (start, end) in pieces::<CAPACITY>(end - first) {
            let (accumulate, start, end) = (accumulate || start > 0, first + start, first + end);
            add(
                &mut terms,
                self.piece::<X, G, CAPACITY>(machine, parameters, start, end, memory, gradient, accumulate),
            );
        }
        terms
    }
}

/// The pieces behind the first one: tiny networks rarely have any.
#[cold]
#[inline(never)]
fn rest<N: Program, X: Machine, const CAPACITY: usize>(
    machine: X,
    network: &N,
    batch: Batch<'_, '_, N>,
    memory: &mut N::Memory<CAPACITY>,
    gradient: &mut N,
) -> N::Terms {
    struct Rest<'a, 'i, 't, N: Program, X, const CAPACITY: usize> {
        machine: X,
        network: &'a N,
        batch: Batch<'i, 't, N>,
        memory: &'a mut N::Memory<CAPACITY>,
        gradient: &'a mut N,
    }

    impl<N: Program, X: Machine, const CAPACITY: usize> WithSimd for Rest<'_, '_, '_, N, X, CAPACITY> {
        type Output = N::Terms;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> N::Terms {
            let Self { machine, network, batch, memory, gradient } = self;
            let parameters = network.as_flat().into();
            let rest = (CAPACITY, batch.samples);
            batch.part::<X, _, CAPACITY>(machine, parameters, rest, memory, Kept(cells(gradient)), true)
        }
    }

    machine.outline(Rest { machine, network, batch, memory, gradient })
}
