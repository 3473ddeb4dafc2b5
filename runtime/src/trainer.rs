//! Training: network, gradient, optimizer and workspace in one place.

#[cfg(feature = "threads")]
mod threads;

use core::fmt;
use core::mem::MaybeUninit;

use num_traits::Zero;

use crate::error::Error;
use crate::flat;
use crate::gradients::{Applied, Flaws};
use crate::init;
use crate::memory::{cells, zeroed};
use crate::network::Network;
use crate::optimizers::{self, Optimizer, Rest, Update};
use crate::pass::{self, Job, Key};
use crate::program::Program;
use crate::random::Seed;
use crate::scalar::Scalar;
use crate::simd::{Instructions, Machine};
use crate::workspace::{Aligned, Workspace};

/// Everything that training one network needs, in one piece of memory.
///
/// [`new`](Self::new) makes it in place on the heap, [`StaticTrainer`] in a `static`, and [`init_in`](Self::init_in) in
/// memory of the caller's. `CAPACITY` is the number of samples that the workspace holds at a time; longer batches are
/// worked in pieces with the same result, to rounding.
///
/// A [`step`](Self::step) or a [`predict`](Self::predict) allocates nothing, takes no lock and does not panic.
///
/// ```
/// use backprop::prelude::*;
/// # network! {
/// #     pub struct Line;
/// #     fn forward(x: [2]) -> [1] { x.dense(1) }
/// #     fn loss(y, t: [1]) { mse(y, t) }
/// # }
///
/// let mut trainer = Trainer::<Line, _, 32>::new(Momentum::new(0.1, 0.9), Seed(7));
/// for _ in 0..200 {
///     trainer.step(&[[0.0, 1.0], [1.0, 0.0]], &[[1.0], [-1.0]])?;
/// }
/// let [output] = trainer.predict(&[0.0, 1.0]);
/// assert!((output - 1.0).abs() < 1e-3);
/// # Ok::<(), backprop::Error>(())
/// ```
#[repr(C)]
pub struct Trainer<N: Program, O: Optimizer<N>, const CAPACITY: usize> {
    network: Aligned<N>,
    gradient: Aligned<N>,
    state: Aligned<O::State>,
    workspace: Workspace<N, CAPACITY>,
    settings: Settings<O>,
    #[cfg(feature = "threads")]
    team: Option<alloc::boxed::Box<threads::Team<N, CAPACITY>>>,
}

struct Settings<O> {
    optimizer: O,
    steps: u64,
    /// A schedule's factor.
    rate: f64,
    /// The largest norm of a gradient.
    clip: f64,
    /// Whether the last step has left its gradient.
    kept: bool,
}

impl<N: Program, O: Optimizer<N>, const CAPACITY: usize> Trainer<N, O, CAPACITY> {
    /// Size of all that training needs.
    pub const BYTES: usize = size_of::<Self>();

    /// A trainer on the heap, made in place, with start values drawn from the seed, for the processor's best vector
    /// unit.
    #[cfg(feature = "alloc")]
    pub fn new(optimizer: O, seed: Seed) -> alloc::boxed::Box<Self> {
        let mut place = crate::workspace::boxed_zeroed::<Self>();
        // SAFETY: the memory is zeroed.
        unsafe {
            Self::prepare(&mut place, optimizer, seed);
            crate::workspace::assume_init(place)
        }
    }

    /// A trainer in memory of the caller's.
    pub fn init_in(place: &mut MaybeUninit<Self>, optimizer: O, seed: Seed) -> &mut Self {
        // SAFETY: the memory is zeroed before it is prepared.
        unsafe {
            place.as_mut_ptr().write_bytes(0, 1);
            Self::prepare(place, optimizer, seed)
        }
    }

    /// Completes a trainer in zeroed memory.
    ///
    /// # Safety
    /// The memory must be zero.
    unsafe fn prepare(place: &mut MaybeUninit<Self>, optimizer: O, seed: Seed) -> &mut Self {
        let pointer = place.as_mut_ptr();
        // SAFETY: all fields lie in the place, which is exclusively ours. Network, gradient, state and memory are `Flat`:
        // numbers for which zero is valid. The others are written here, and nothing is read before.
        unsafe {
            (&raw mut (*pointer).settings).write(Settings {
                optimizer,
                steps: 0,
                rate: 1.0,
                clip: f64::INFINITY,
                kept: false,
            });
            #[cfg(feature = "threads")]
            (&raw mut (*pointer).team).write(None);
            Workspace::<N, CAPACITY>::prepare(&mut *(&raw mut (*pointer).workspace).cast(), seed.part(1));
            let trainer = &mut *pointer;
            trainer.network.initialize(seed);
            trainer
        }
    }

    /// One step of training: loss, gradient, and the optimizer's update. Returns the batch's loss before the update.
    ///
    /// Where nothing needs the whole gradient first, parameters are updated as soon as their gradient is known: when
    /// the batch is not above the capacity, [`set_clip_norm`](Self::set_clip_norm) was not called, threads do not share the
    /// samples, and the network is not a tiny one.
    ///
    /// # Errors
    /// As of [`Network::loss_and_gradient`]; the trainer is then as it was, with one exception: a gradient that is not
    /// finite while the loss is ([`Error::NonFiniteGradient`], after an overflow) is found only after the update where
    /// parameters are updated at once; what is NaN then stays so, bounds or not. Who wants to go on from there sets a norm,
    /// which may be [`f64::MAX`].
    #[inline]
    pub fn step(&mut self, inputs: N::Inputs<'_>, targets: N::Targets<'_>) -> Result<N::Scalar, Error> {
        self.workspace.forwarded = 0;
        #[cfg(feature = "threads")]
        if !<Workspace<N, CAPACITY> as pass::Room>::TINY {
            return match self.plan(inputs, targets) {
                None => self.step_apart(inputs, targets),
                Some(plan) => self.step_shared(plan, inputs, targets),
            };
        }
        self.step_alone(inputs, targets)
    }

    /// A step of this thread, which may have helpers: compiled once for both.
    #[cfg(feature = "threads")]
    #[inline(never)]
    fn step_apart(&mut self, inputs: N::Inputs<'_>, targets: N::Targets<'_>) -> Result<N::Scalar, Error> {
        self.step_alone(inputs, targets)
    }

    /// A step of this thread.
    #[inline(always)]
    fn step_alone(&mut self, inputs: N::Inputs<'_>, targets: N::Targets<'_>) -> Result<N::Scalar, Error> {
        let instructions = self.workspace.instructions;
        pass::dispatch::<Step<'_, '_, '_, N, O, CAPACITY>>(instructions, Step { trainer: self, inputs, targets })
    }

    /// A step within a job, which has entered the vector unit already if the network is tiny.
    #[cfg(feature = "alloc")]
    #[inline(always)]
    pub(crate) fn step_on<X: Machine>(
        &mut self,
        machine: X,
        inputs: N::Inputs<'_>,
        targets: N::Targets<'_>,
    ) -> Result<N::Scalar, Error> {
        if !X::PLAIN {
            return self.step(inputs, targets);
        }
        self.workspace.forwarded = 0;
        Step { trainer: self, inputs, targets }.run(machine)
    }

    /// Inference for one sample.
    #[inline]
    pub fn predict(&mut self, sample: N::Sample<'_>) -> N::Output {
        Network::predict(&self.network.0, sample, &mut self.workspace)
    }

    /// Inference for up to `CAPACITY` samples.
    ///
    /// # Errors
    /// As of [`Network::predict_batch`].
    #[inline]
    pub fn predict_batch(&mut self, inputs: N::Inputs<'_>) -> Result<N::Outputs<'_>, Error> {
        Network::predict_batch(&self.network.0, inputs, &mut self.workspace)
    }

    /// The loss by inference.
    ///
    /// # Errors
    /// As of [`Network::loss`].
    #[inline]
    pub fn loss(&mut self, inputs: N::Inputs<'_>, targets: N::Targets<'_>) -> Result<N::Scalar, Error> {
        Network::loss(&self.network.0, inputs, targets, &mut self.workspace)
    }

    /// Multiplies the optimizer's learning rate from now on, as a schedule asks for.
    ///
    /// # Errors
    /// [`Error::Setting`] when the factor is not a finite number.
    pub fn set_rate(&mut self, factor: f64) -> Result<(), Error> {
        self.settings.rate = optimizers::finite(factor)?;
        Ok(())
    }

    /// Scales gradients with a larger Euclidean norm down to this one from now on.
    ///
    /// # Errors
    /// [`Error::Setting`] unless the norm is positive (infinity turns clipping off).
    pub fn set_clip_norm(&mut self, maximum: f64) -> Result<(), Error> {
        if maximum > 0.0 {
            self.settings.clip = maximum;
            Ok(())
        } else {
            Err(Error::Setting("the largest norm of the gradient must be positive"))
        }
    }

    #[cfg(feature = "alloc")]
    pub(crate) fn limits(&self) -> (f64, f64) {
        (self.settings.rate, self.settings.clip)
    }

    /// The network.
    pub fn network(&self) -> &N {
        &self.network.0
    }

    /// The network, to be changed.
    pub fn network_mut(&mut self) -> &mut N {
        &mut self.network.0
    }

    /// The gradient of the last step, clipped if it was; `None` if the parameters were updated without gathering it.
    /// There always is one after [`set_clip_norm`](Self::set_clip_norm), with [`f64::MAX`] at most, and after a step whose
    /// samples several threads share.
    pub fn gradient(&self) -> Option<&N> {
        self.settings.kept.then_some(&self.gradient.0)
    }

    /// The optimizer's settings.
    pub fn optimizer(&self) -> &O {
        &self.settings.optimizer
    }

    /// The optimizer's settings, to be changed.
    pub fn optimizer_mut(&mut self) -> &mut O {
        &mut self.settings.optimizer
    }

    /// What the optimizer remembers.
    pub fn optimizer_state(&self) -> &O::State {
        &self.state.0
    }

    /// The workspace.
    pub fn workspace(&mut self) -> &mut Workspace<N, CAPACITY> {
        &mut self.workspace
    }

    /// Network and workspace, for what [`Network`] offers beyond the trainer.
    pub fn parts(&mut self) -> (&mut N, &mut Workspace<N, CAPACITY>) {
        (&mut self.network.0, &mut self.workspace)
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.settings.steps
    }

    /// The vector unit.
    pub fn instructions(&self) -> Instructions {
        self.workspace.instructions
    }
}

impl<N: Program, O: Optimizer<N> + fmt::Debug, const CAPACITY: usize> fmt::Debug for Trainer<N, O, CAPACITY> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Trainer")
            .field("optimizer", &self.settings.optimizer)
            .field("steps", &self.settings.steps)
            .field("workspace", &self.workspace)
            .finish_non_exhaustive()
    }
}

struct Step<'a, 'i, 't, N: Program, O: Optimizer<N>, const CAPACITY: usize> {
    trainer: &'a mut Trainer<N, O, CAPACITY>,
    inputs: N::Inputs<'i>,
    targets: N::Targets<'t>,
}

impl<N: Program, O: Optimizer<N>, const CAPACITY: usize> Job for Step<'_, '_, '_, N, O, CAPACITY> {
    type Room = Workspace<N, CAPACITY>;
    type Output = Result<N::Scalar, Error>;

    #[inline(always)]
    fn run<X: Machine>(self, machine: X) -> Self::Output {
        if X::PLAIN { self.in_registers(machine) } else { self.in_memory(machine) }
    }
}

impl<N: Program, O: Optimizer<N>, const CAPACITY: usize> Step<'_, '_, '_, N, O, CAPACITY> {
    /// With the gradient as a variable, whose numbers become registers. (In a function of its own: where unoptimised
    /// code for a large network passed, it would have its place on the stack even if it was not used.)
    #[inline(always)]
    fn in_registers<X: Machine>(self, machine: X) -> Result<N::Scalar, Error> {
        let Self { trainer, inputs, targets } = self;
        let Trainer { network, gradient, state, workspace, settings, .. } = trainer;
        let mut own = zeroed();
        let loss = settings.after(machine, &mut network.0, &mut own, &mut state.0, workspace, inputs, targets);
        gradient.0 = own;
        loss
    }

    /// With updates as soon as gradients are known, where possible.
    #[inline(always)]
    fn in_memory<X: Machine>(self, machine: X) -> Result<N::Scalar, Error> {
        let Self { trainer, inputs, targets } = self;
        let Trainer { network, gradient, state, workspace, settings, .. } = trainer;
        let (network, gradient, memory) = (&mut network.0, &mut gradient.0, &mut workspace.memory.0);
        let key = Key { seed: workspace.key.seed, step: settings.steps };
        let batch = pass::prepare::<N, X, CAPACITY>(machine, network, inputs, targets, key, memory)?;
        let at_once = N::WHOLE.contains(&true) && batch.samples <= CAPACITY && settings.clip == f64::INFINITY;
        settings.kept = false;
        let update = settings.optimizer.begin(settings.steps + 1, settings.rate, network, &mut state.0);
        let flaws = Flaws::none();
        let gradients = Applied { update, gradient: cells(gradient), flaws: &flaws, at_once };
        let loss = batch.backpropagate(machine, update.parameters(), memory, gradients)?;
        let (done, gradient): (&[bool], _) = (if at_once { N::WHOLE } else { &[] }, cells(gradient));
        let rest = Rest { update, gradient, tensors: N::TENSORS, done, clip: settings.clip };
        let finite =
            <O::Update<'_> as Update<_>>::end(machine.instructions(), &rest).is_zero() && flaws.is_empty(machine);
        settings.kept = finite && !at_once;
        if finite || at_once {
            settings.steps += 1;
            init::bound(machine, network);
        }
        if finite { Ok(loss) } else { Err(Error::NonFiniteGradient) }
    }
}

impl<O> Settings<O> {
    /// A step whose update comes after the gradient.
    #[expect(clippy::too_many_arguments, reason = "the parts of a trainer, of which the gradient lies elsewhere")]
    #[inline(always)]
    fn after<N: Program, X: Machine, const CAPACITY: usize>(
        &mut self,
        machine: X,
        network: &mut N,
        gradient: &mut N,
        state: &mut O::State,
        workspace: &mut Workspace<N, CAPACITY>,
        inputs: N::Inputs<'_>,
        targets: N::Targets<'_>,
    ) -> Result<N::Scalar, Error>
    where
        O: Optimizer<N>,
    {
        let key = Key { seed: workspace.key.seed, step: self.steps };
        let memory = &mut workspace.memory.0;
        let (loss, squares) =
            pass::loss_and_gradient::<N, X, CAPACITY>(machine, network, inputs, targets, key, memory, gradient)?;
        self.limit(machine, gradient, squares);
        self.steps += 1;
        self.optimizer.update(machine, self.steps, self.rate, network, gradient, state);
        Ok(loss)
    }

    #[inline(always)]
    fn limit<N: Program, X: Machine>(&mut self, machine: X, gradient: &mut N, squares: N::Scalar) {
        self.kept = true;
        if self.clip < f64::INFINITY {
            let norm = pass::norm::<N, X>(squares, gradient);
            flat::clip(machine, gradient.as_flat_mut(), norm, N::Scalar::constant(self.clip));
        }
    }
}

/// Room for a trainer in a `static`: zeros in `.bss`, no flash, no heap.
///
/// ```
/// use backprop::prelude::*;
/// # network! {
/// #     pub struct Line;
/// #     fn forward(x: [2]) -> [1] { x.dense(1) }
/// #     fn loss(y, t: [1]) { mse(y, t) }
/// # }
///
/// static TRAINER: StaticTrainer<Line, Sgd, 1> = StaticTrainer::new();
/// const _: () = assert!(StaticTrainer::<Line, Sgd, 1>::BYTES < 1024);
///
/// let trainer = TRAINER.init(Sgd::new(0.05), Seed(1)); // once
/// let loss = trainer.step(&[[0.5, 1.0]], &[[2.0]])?;
/// # assert!(loss > 0.0);
/// # Ok::<(), backprop::Error>(())
/// ```
pub struct StaticTrainer<N: Program, O: Optimizer<N>, const CAPACITY: usize> {
    place: core::cell::UnsafeCell<MaybeUninit<Trainer<N, O, CAPACITY>>>,
    #[cfg(target_has_atomic = "8")]
    taken: core::sync::atomic::AtomicBool,
}

// SAFETY: the place is reached only through `init`, which hands it out once, to one thread (or, where there are no
// atomic exchanges, as the caller of the unsafe function promises).
unsafe impl<N: Program + Send, O: Optimizer<N> + Send, const CAPACITY: usize> Sync for StaticTrainer<N, O, CAPACITY> {}

impl<N: Program, O: Optimizer<N>, const CAPACITY: usize> StaticTrainer<N, O, CAPACITY> {
    /// Size of all that training needs.
    pub const BYTES: usize = size_of::<Self>();

    /// Zeroed room.
    #[expect(clippy::new_without_default, reason = "a default could not be const, and would pass through the stack")]
    pub const fn new() -> Self {
        Self {
            place: core::cell::UnsafeCell::new(MaybeUninit::zeroed()),
            #[cfg(target_has_atomic = "8")]
            taken: core::sync::atomic::AtomicBool::new(false),
        }
    }

    /// Makes the trainer, with start values drawn in place. Call it once.
    ///
    /// # Panics
    /// When it is called again: there is one trainer. [`try_init`](Self::try_init) tells instead.
    #[cfg(target_has_atomic = "8")]
    pub fn init(&'static self, optimizer: O, seed: Seed) -> &'static mut Trainer<N, O, CAPACITY> {
        match self.try_init(optimizer, seed) {
            Some(trainer) => trainer,
            None => panic!("the static trainer of {} is initialized a second time", N::NAME),
        }
    }

    /// Makes the trainer; `None` if it is made already.
    #[cfg(target_has_atomic = "8")]
    #[expect(clippy::mut_from_ref, reason = "handed out once")]
    pub fn try_init(&'static self, optimizer: O, seed: Seed) -> Option<&'static mut Trainer<N, O, CAPACITY>> {
        if self.taken.swap(true, core::sync::atomic::Ordering::AcqRel) {
            return None;
        }
        // SAFETY: the flag was not yet set, so that this is the first call.
        Some(unsafe { self.init_unchecked(optimizer, seed) })
    }

    /// Makes the trainer on processors without atomic exchange.
    ///
    /// # Safety
    /// Neither this nor [`init`](Self::init) may be called a second time.
    #[expect(clippy::mut_from_ref, reason = "handed out once, as the caller promises")]
    pub unsafe fn init_unchecked(&'static self, optimizer: O, seed: Seed) -> &'static mut Trainer<N, O, CAPACITY> {
        // SAFETY: the only reference, as the caller promises; zeroed since `new`.
        unsafe { Trainer::prepare(&mut *self.place.get(), optimizer, seed) }
    }
}

impl<N: Program, O: Optimizer<N>, const CAPACITY: usize> fmt::Debug for StaticTrainer<N, O, CAPACITY> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("StaticTrainer").field("network", &N::NAME).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
