//! What every network can do, each piece working alone.

use crate::data::Samples;
use crate::error::Error;
use crate::flat;
use crate::init;
use crate::pass::{self, Job, Key};
use crate::program::Program;
use crate::random::{Draws, Seed};
use crate::simd::{Instructions, Machine};
use crate::workspace::Workspace;

/// The methods of a network that `network!` made; a gradient is a value of the same type.
///
/// ```
/// use backprop::prelude::*;
/// # network! {
/// #     pub struct Line;
/// #     fn forward(x: [2]) -> [1] { x.dense(1) }
/// #     fn loss(y, t: [1]) { mse(y, t) }
/// # }
///
/// let mut network = Line::<f32>::boxed(Seed(7));
/// let mut gradient = network.zeros_like();
/// let mut workspace = Workspace::<Line, 32>::boxed();
/// let mut optimizer = Sgd::new(0.1).boxed_for(&network);
/// let (inputs, targets) = ([[0.0, 1.0], [1.0, 0.0]], [[1.0], [-1.0]]);
///
/// let before = network.loss_and_gradient(&inputs, &targets, &mut workspace, &mut gradient)?;
/// gradient.clip_norm(1.0);
/// optimizer.step(&mut network, &gradient, 1.0)?;
/// assert!(network.loss(&inputs, &targets, &mut workspace)? < before);
///
/// let [output] = network.predict(&[0.5, 0.5], &mut workspace);
/// # assert!(output.is_finite());
/// # Ok::<(), backprop::Error>(())
/// ```
///
/// None of the methods that take a workspace allocates, locks or panics. What fails returns an `Err`; then the network is
/// as it was, while a gradient may be half written.
pub trait Network: Program {
    /// A network on the heap with start values drawn in place.
    #[cfg(feature = "alloc")]
    fn boxed(seed: Seed) -> alloc::boxed::Box<Self> {
        let mut network = boxed_zeros::<Self>();
        network.initialize(seed);
        network
    }

    /// A network of zeros on the heap, to hold a gradient.
    #[cfg(feature = "alloc")]
    fn zeros_like(&self) -> alloc::boxed::Box<Self> {
        boxed_zeros()
    }

    /// A copy on the heap, made in place; what a `Box` of a network is cloned by.
    ///
    /// The network itself is not `Clone`: it would pass through the stack, for which it may be too large.
    ///
    /// ```
    /// # use backprop::prelude::*;
    /// # network! {
    /// #     pub struct Line;
    /// #     fn forward(x: [2]) -> [1] { x.dense(1) }
    /// #     fn loss(y, t: [1]) { mse(y, t) }
    /// # }
    /// let mut trainer = Trainer::<Line, _, 32>::new(Sgd::new(0.1), Seed(7));
    /// let mut best = trainer.network().to_boxed();
    /// trainer.step(&[[0.0, 1.0]], &[[1.0]])?;
    /// let now = trainer.network().to_boxed();
    /// assert_ne!(best, now);
    /// best.clone_from(&now); // without an allocation
    /// assert_eq!(best.clone(), now);
    /// # Ok::<(), backprop::Error>(())
    /// ```
    #[cfg(feature = "alloc")]
    fn to_boxed(&self) -> alloc::boxed::Box<Self> {
        let mut copy = boxed_zeros::<Self>();
        copy.as_flat_mut().copy_from_slice(self.as_flat());
        copy
    }

    /// Gives every parameter its start value, in place. Each tensor has random numbers of its own, found by its name.
    fn initialize(&mut self, seed: Seed) {
        init::initialize(self, seed);
    }

    /// Brings parameters that were declared with `#[clamp(low, high)]` back within their bounds, as optimizers do. NaN stays
    /// NaN.
    fn apply_bounds(&mut self) {
        init::bound(Instructions::detect(), self);
    }

    /// The Euclidean norm of all numbers (of a gradient, as a rule).
    fn norm(&self) -> Self::Scalar {
        pass::dispatch(Instructions::detect(), NormOf(self))
    }

    /// Scales a gradient whose norm is above `maximum` down to it, as PyTorch's `clip_grad_norm_` does (up to the 1e-6
    /// that it adds to the norm); the norm it had. A negative `maximum` counts as 0, NaN as none.
    ///
    /// ```
    /// # use backprop::prelude::*;
    /// # network! {
    /// #     pub struct Line;
    /// #     fn forward(x: [2]) -> [1] { x.dense(1, bias = false) }
    /// # }
    /// let mut gradient = Line::<f32>::boxed(Seed(1)).zeros_like();
    /// gradient.as_flat_mut().copy_from_slice(&[3.0, 4.0]);
    /// assert_eq!(gradient.clip_norm(10.0), 5.0);
    /// assert_eq!(gradient.as_flat(), [3.0, 4.0]);
    /// gradient.clip_norm(1.0);
    /// assert!((gradient.as_flat()[1] - 0.8).abs() < 1e-6);
    /// gradient.clip_norm(-1.0);
    /// assert_eq!(gradient.as_flat(), [0.0, 0.0]);
    /// ```
    fn clip_norm(&mut self, maximum: Self::Scalar) -> Self::Scalar {
        pass::dispatch(Instructions::detect(), Clip { gradient: self, maximum })
    }

    /// Training: the batch's loss and its gradient, which overwrites what was in `gradient`.
    ///
    /// The loss of a batch is the total over the total weight, whatever the workspace's capacity: a mean over the
    /// samples, or over the unmasked places.
    ///
    /// # Errors
    /// [`Error::NoLoss`], [`Error::EmptyBatch`], [`Error::UnequalLengths`], [`Error::NonFiniteInput`],
    /// [`Error::NonFiniteTarget`], [`Error::NoWeight`], [`Error::NonFiniteLoss`], [`Error::NonFiniteGradient`].
    #[inline]
    fn loss_and_gradient<const CAPACITY: usize>(
        &self,
        inputs: Self::Inputs<'_>,
        targets: Self::Targets<'_>,
        workspace: &mut Workspace<Self, CAPACITY>,
        gradient: &mut Self,
    ) -> Result<Self::Scalar, Error> {
        workspace.forwarded = 0;
        let Workspace { memory, instructions, key, .. } = workspace;
        let job = LossAndGradient { network: self, inputs, targets, key: *key, memory: &mut memory.0, gradient };
        let loss = pass::dispatch::<LossAndGradient<'_, '_, '_, Self, CAPACITY>>(*instructions, job)?;
        key.step += 1;
        Ok(loss)
    }

    /// Inference: the batch's loss.
    ///
    /// # Errors
    /// As of [`loss_and_gradient`](Self::loss_and_gradient).
    #[inline]
    fn loss<const CAPACITY: usize>(
        &self,
        inputs: Self::Inputs<'_>,
        targets: Self::Targets<'_>,
        workspace: &mut Workspace<Self, CAPACITY>,
    ) -> Result<Self::Scalar, Error> {
        workspace.forwarded = 0;
        let Workspace { memory, instructions, .. } = workspace;
        let job = Loss { network: self, inputs, targets, memory: &mut memory.0 };
        pass::dispatch::<Loss<'_, '_, '_, Self, CAPACITY>>(*instructions, job)
    }

    /// Inference for one sample. Input that is NaN or infinite gives some output without an error.
    #[inline]
    fn predict<const CAPACITY: usize>(
        &self,
        sample: Self::Sample<'_>,
        workspace: &mut Workspace<Self, CAPACITY>,
    ) -> Self::Output {
        run_predict(self, Self::batch_of_one(sample), 1, workspace);
        match Self::first_output(Self::predicted(&workspace.memory, 1)) {
            Some(output) => output,
            None => unreachable!("a batch of one has one output"),
        }
    }

    /// Inference for up to `CAPACITY` samples; the outputs stay in the workspace.
    ///
    /// # Errors
    /// [`Error::BatchTooLarge`], [`Error::EmptyBatch`], [`Error::UnequalLengths`], [`Error::NonFiniteInput`].
    #[inline]
    fn predict_batch<'w, const CAPACITY: usize>(
        &self,
        inputs: Self::Inputs<'_>,
        workspace: &'w mut Workspace<Self, CAPACITY>,
    ) -> Result<Self::Outputs<'w>, Error> {
        let samples = fitting::<_, CAPACITY>(workspace.instructions, inputs)?;
        run_predict(self, inputs, samples, workspace);
        Ok(Self::predicted(&workspace.memory, samples))
    }

    /// Training with a loss of one's own, first half: the outputs for up to `CAPACITY` samples, with dropout.
    ///
    /// # Errors
    /// As of [`predict_batch`](Self::predict_batch).
    #[inline]
    fn forward<'w, const CAPACITY: usize>(
        &self,
        inputs: Self::Inputs<'_>,
        workspace: &'w mut Workspace<Self, CAPACITY>,
    ) -> Result<Self::Outputs<'w>, Error> {
        let samples = fitting::<_, CAPACITY>(workspace.instructions, inputs)?;
        workspace.key.step += 1;
        workspace.forwarded = samples;
        let Workspace { memory, instructions, key, .. } = workspace;
        let job = Forward { network: self, inputs, samples, draws: key.draws(0), memory: &mut memory.0 };
        pass::dispatch::<Forward<'_, '_, Self, CAPACITY>>(*instructions, job);
        Ok(Self::forwarded(&workspace.memory, samples))
    }

    /// Training with a loss of one's own, second half: from the loss's gradient for the outputs of the
    /// [`forward`](Self::forward) before, with the same inputs, its gradient for the parameters, which overwrites what was
    /// in `gradient`, and for the real-valued inputs.
    ///
    /// # Errors
    /// [`Error::NoForward`] unless `forward` came last in this workspace, with as many samples;
    /// [`Error::UnequalLengths`]; [`Error::NonFiniteTarget`] when an output gradient is NaN or infinite.
    #[inline]
    fn backward<'w, const CAPACITY: usize>(
        &self,
        inputs: Self::Inputs<'_>,
        output_gradients: Self::Outputs<'_>,
        workspace: &'w mut Workspace<Self, CAPACITY>,
        gradient: &mut Self,
    ) -> Result<Self::InputGradients<'w>, Error> {
        let samples = pass::check(workspace.instructions, inputs, output_gradients)?;
        if samples != workspace.forwarded {
            return Err(Error::NoForward);
        }
        workspace.forwarded = 0;
        let Workspace { memory, instructions, key, .. } = workspace;
        let job = Backward {
            network: self,
            inputs,
            output_gradients,
            samples,
            draws: key.draws(0),
            memory: &mut memory.0,
            gradient,
        };
        pass::dispatch::<Backward<'_, '_, '_, Self, CAPACITY>>(*instructions, job);
        Ok(Self::input_gradients(&workspace.memory, samples))
    }
}

impl<N: Program> Network for N {}

/// A further entry point that `network!` generated: forward only.
pub trait Method<N: Program> {
    /// As [`Program::Inputs`], of this entry point.
    type Inputs<'a>: Samples;
    /// As [`Program::Outputs`], of this entry point.
    type Outputs<'a>;

    /// Leaves the outputs in `memory`.
    fn run<X: Machine, const CAPACITY: usize>(
        network: &N,
        machine: X,
        inputs: Self::Inputs<'_>,
        samples: usize,
        memory: &mut N::Memory<CAPACITY>,
    );
    /// What [`run`](Self::run) left.
    fn outputs<const CAPACITY: usize>(memory: &N::Memory<CAPACITY>, samples: usize) -> Self::Outputs<'_>;
}

struct RunMethod<'a, 'i, N: Program, M: Method<N>, const CAPACITY: usize> {
    network: &'a N,
    inputs: M::Inputs<'i>,
    samples: usize,
    memory: &'a mut N::Memory<CAPACITY>,
}

impl<N: Program, M: Method<N>, const CAPACITY: usize> Job for RunMethod<'_, '_, N, M, CAPACITY> {
    type Room = Workspace<N, CAPACITY>;
    type Output = ();

    #[inline(always)]
    fn run<X: Machine>(self, machine: X) {
        M::run::<X, CAPACITY>(self.network, machine, self.inputs, self.samples, self.memory);
    }
}

/// Runs an entry point in the workspace, where its outputs stay.
///
/// # Errors
/// As of [`Network::predict_batch`].
#[inline]
pub fn run_method<'w, N: Program, M: Method<N>, const CAPACITY: usize>(
    network: &N,
    inputs: M::Inputs<'_>,
    workspace: &'w mut Workspace<N, CAPACITY>,
) -> Result<M::Outputs<'w>, Error> {
    let samples = fitting::<_, CAPACITY>(workspace.instructions, inputs)?;
    workspace.forwarded = 0;
    let Workspace { memory, instructions, .. } = workspace;
    let job = RunMethod::<N, M, CAPACITY> { network, inputs, samples, memory: &mut memory.0 };
    pass::dispatch::<RunMethod<'_, '_, N, M, CAPACITY>>(*instructions, job);
    Ok(M::outputs::<CAPACITY>(&workspace.memory, samples))
}

/// What holds a network: the network itself or a `Box` of it, so that either can be named in a call.
pub trait Held {
    /// The network.
    type Network: Program;
}

#[cfg(feature = "alloc")]
impl<H: Held> Held for alloc::boxed::Box<H> {
    type Network = H::Network;
}

/// Makes boxes of a network `Clone`, where there are any.
#[cfg(feature = "alloc")]
#[doc(hidden)]
#[macro_export]
macro_rules! __clone_boxed {
    ($network:ident) => {
        impl<T: $crate::__private::Scalar> ::core::clone::Clone for $crate::__private::Box<$network<T>> {
            fn clone(&self) -> Self {
                $crate::Network::to_boxed(&**self)
            }

            fn clone_from(&mut self, source: &Self) {
                $crate::__private::Flat::as_flat_mut(&mut **self)
                    .copy_from_slice($crate::__private::Flat::as_flat(&**source));
            }
        }
    };
}

/// There are no boxes.
#[cfg(not(feature = "alloc"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __clone_boxed {
    ($network:ident) => {};
}

#[cfg(feature = "alloc")]
pub(crate) fn boxed_zeros<N: Program>() -> alloc::boxed::Box<N> {
    // SAFETY: a network is `Flat`: made of floating-point numbers, for which zero bytes are valid.
    unsafe { crate::workspace::assume_init(crate::workspace::boxed_zeroed()) }
}

/// The number of samples, checked to fit.
#[inline(always)]
fn fitting<I: Samples, const CAPACITY: usize>(instructions: Instructions, inputs: I) -> Result<usize, Error> {
    let samples = pass::check(instructions, inputs, ())?;
    if samples > CAPACITY { Err(Error::BatchTooLarge { capacity: CAPACITY, found: samples }) } else { Ok(samples) }
}

#[inline(always)]
fn run_predict<N: Program, const CAPACITY: usize>(
    network: &N,
    inputs: N::Inputs<'_>,
    samples: usize,
    workspace: &mut Workspace<N, CAPACITY>,
) {
    workspace.forwarded = 0;
    let Workspace { memory, instructions, .. } = workspace;
    let job = Predict { network, inputs, samples, memory: &mut memory.0 };
    pass::dispatch::<Predict<'_, '_, N, CAPACITY>>(*instructions, job);
}

struct NormOf<'a, N>(&'a N);

impl<N: Program> Job for NormOf<'_, N> {
    type Room = ();
    type Output = N::Scalar;

    #[inline(always)]
    fn run<X: Machine>(self, machine: X) -> N::Scalar {
        flat::norm(machine, self.0.as_flat())
    }
}

struct Clip<'a, N: Program> {
    gradient: &'a mut N,
    maximum: N::Scalar,
}

impl<N: Program> Job for Clip<'_, N> {
    type Room = ();
    type Output = N::Scalar;

    #[inline(always)]
    fn run<X: Machine>(self, machine: X) -> N::Scalar {
        let norm = flat::norm(machine, self.gradient.as_flat());
        flat::clip(machine, self.gradient.as_flat_mut(), norm, self.maximum);
        norm
    }
}

struct LossAndGradient<'a, 'i, 't, N: Program, const CAPACITY: usize> {
    network: &'a N,
    inputs: N::Inputs<'i>,
    targets: N::Targets<'t>,
    key: Key,
    memory: &'a mut N::Memory<CAPACITY>,
    gradient: &'a mut N,
}

impl<N: Program, const CAPACITY: usize> Job for LossAndGradient<'_, '_, '_, N, CAPACITY> {
    type Room = Workspace<N, CAPACITY>;
    type Output = Result<N::Scalar, Error>;

    #[inline(always)]
    fn run<X: Machine>(self, machine: X) -> Self::Output {
        let Self { network, inputs, targets, key, memory, gradient } = self;
        pass::loss_and_gradient::<N, X, CAPACITY>(machine, network, inputs, targets, key, memory, gradient)
            .map(|(loss, _)| loss)
    }
}

struct Loss<'a, 'i, 't, N: Program, const CAPACITY: usize> {
    network: &'a N,
    inputs: N::Inputs<'i>,
    targets: N::Targets<'t>,
    memory: &'a mut N::Memory<CAPACITY>,
}

impl<N: Program, const CAPACITY: usize> Job for Loss<'_, '_, '_, N, CAPACITY> {
    type Room = Workspace<N, CAPACITY>;
    type Output = Result<N::Scalar, Error>;

    #[inline(always)]
    fn run<X: Machine>(self, machine: X) -> Self::Output {
        pass::loss::<N, X, CAPACITY>(machine, self.network, self.inputs, self.targets, self.memory)
    }
}

struct Predict<'a, 'i, N: Program, const CAPACITY: usize> {
    network: &'a N,
    inputs: N::Inputs<'i>,
    samples: usize,
    memory: &'a mut N::Memory<CAPACITY>,
}

impl<N: Program, const CAPACITY: usize> Job for Predict<'_, '_, N, CAPACITY> {
    type Room = Workspace<N, CAPACITY>;
    type Output = ();

    #[inline(always)]
    fn run<X: Machine>(self, machine: X) {
        self.network.run_predict(machine, self.inputs, self.samples, self.memory);
    }
}

struct Forward<'a, 'i, N: Program, const CAPACITY: usize> {
    network: &'a N,
    inputs: N::Inputs<'i>,
    samples: usize,
    draws: Draws,
    memory: &'a mut N::Memory<CAPACITY>,
}

impl<N: Program, const CAPACITY: usize> Job for Forward<'_, '_, N, CAPACITY> {
    type Room = Workspace<N, CAPACITY>;
    type Output = ();

    #[inline(always)]
    fn run<X: Machine>(self, machine: X) {
        self.network.run_forward(machine, self.inputs, self.samples, self.draws, self.memory);
    }
}

struct Backward<'a, 'i, 'o, N: Program, const CAPACITY: usize> {
    network: &'a N,
    inputs: N::Inputs<'i>,
    output_gradients: N::Outputs<'o>,
    samples: usize,
    draws: Draws,
    memory: &'a mut N::Memory<CAPACITY>,
    gradient: &'a mut N,
}

impl<N: Program, const CAPACITY: usize> Job for Backward<'_, '_, '_, N, CAPACITY> {
    type Room = Workspace<N, CAPACITY>;
    type Output = ();

    #[inline(always)]
    fn run<X: Machine>(self, machine: X) {
        let Self { network, inputs, output_gradients, samples, draws, memory, gradient } = self;
        network.run_backward(machine, inputs, output_gradients, samples, draws, memory, gradient, false);
    }
}

#[cfg(test)]
mod tests;
