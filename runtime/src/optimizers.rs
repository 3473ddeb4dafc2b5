//! Optimizers: how a gradient changes the parameters. One file each, generic over every network.

mod adam;
mod momentum;
mod sgd;
mod update;

use core::fmt;

pub(crate) use adam::MomentRule;
pub use adam::{Adam, AdamW, Moments};
pub(crate) use momentum::HeavyBall;
pub use momentum::Momentum;
pub(crate) use sgd::Descent;
pub use sgd::Sgd;
#[doc(hidden)]
pub use update::Compiled;
pub(crate) use update::apply;
#[cfg(feature = "threads")]
pub(crate) use update::apply_part;
pub use update::{Rest, Rule, Ruled, Update};

use crate::error::Error;
use crate::init;
use crate::memory::Flat;
use crate::pass::{self, Job};
use crate::program::Program;
use crate::simd::{Instructions, Machine};
use crate::tensor::Role;

/// How a gradient changes the parameters of a network.
///
/// The value itself holds the settings; what has to be remembered from step to step is its `State`, made of numbers
/// that are zero at the start.
pub trait Optimizer<N: Program>: Clone {
    /// What is remembered between steps.
    type State: Flat<N::Scalar>;
    /// One step, ready to be taken.
    type Update<'a>: Update<N::Scalar>
    where
        Self::State: 'a;

    /// Prepares a step.
    ///
    /// `step` counts from 1; `rate` is a schedule's factor, by which the optimizer's own learning rate is multiplied.
    /// The settings are mutable only to keep what can be computed from `step` and the last call's.
    fn begin<'a>(&mut self, step: u64, rate: f64, network: &'a mut N, state: &'a mut Self::State) -> Self::Update<'a>;

    /// One step. Frozen parameters stay as they are, bounded ones are kept within their bounds.
    #[inline(always)]
    fn update<X: Machine>(
        &mut self,
        machine: X,
        step: u64,
        rate: f64,
        network: &mut N,
        gradient: &N,
        state: &mut Self::State,
    ) {
        let update = self.begin(step, rate, network, state);
        apply(machine, update, gradient);
        init::bound(machine, network);
    }

    /// This optimizer with its state on the heap, made in place, for a loop of one's own.
    #[cfg(feature = "alloc")]
    fn boxed_for<H: crate::network::Held<Network = N>>(self, network: &H) -> alloc::boxed::Box<Updater<N, Self>> {
        let _ = network;
        Updater::boxed(self)
    }
}

/// An optimizer with its state.
#[repr(C)]
pub struct Updater<N: Program, O: Optimizer<N>> {
    state: crate::workspace::Aligned<O::State>,
    optimizer: O,
    steps: u64,
    instructions: Instructions,
}

impl<N: Program, O: Optimizer<N>> Updater<N, O> {
    /// Size of settings and state.
    pub const BYTES: usize = size_of::<Self>();

    /// On the heap, made in place, for the processor's best vector unit.
    #[cfg(feature = "alloc")]
    pub fn boxed(optimizer: O) -> alloc::boxed::Box<Self> {
        let mut boxed = crate::workspace::boxed_zeroed::<Self>();
        let place = boxed.as_mut_ptr();
        // SAFETY: the state is `Flat` and zero, which is valid; the other fields are written here, reading nothing.
        unsafe {
            (&raw mut (*place).optimizer).write(optimizer);
            (&raw mut (*place).steps).write(0);
            (&raw mut (*place).instructions).write(Instructions::detect());
            crate::workspace::assume_init(boxed)
        }
    }

    /// Changes the parameters by one step of the optimizer's learning rate times `rate`, as a
    /// [`Schedule`](crate::schedules::Schedule) gives it (1 for none).
    ///
    /// # Errors
    /// [`Error::Setting`] when the rate is not a finite number, [`Error::NonFiniteGradient`] when the gradient is not made
    /// of such. Network and state are then as they were.
    #[inline]
    pub fn step(&mut self, network: &mut N, gradient: &N, rate: f64) -> Result<(), Error> {
        let rate = finite(rate)?;
        let instructions = self.instructions;
        pass::dispatch(instructions, Step { updater: self, network, gradient, rate })
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The settings.
    pub fn optimizer(&self) -> &O {
        &self.optimizer
    }

    /// The settings, to be changed.
    pub fn optimizer_mut(&mut self) -> &mut O {
        &mut self.optimizer
    }
}

impl<N: Program, O: Optimizer<N> + fmt::Debug> fmt::Debug for Updater<N, O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Updater")
            .field("optimizer", &self.optimizer)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

struct Step<'a, N: Program, O: Optimizer<N>> {
    updater: &'a mut Updater<N, O>,
    network: &'a mut N,
    gradient: &'a N,
    rate: f64,
}

impl<N: Program, O: Optimizer<N>> Job for Step<'_, N, O> {
    type Room = ();
    type Output = Result<(), Error>;

    #[inline(always)]
    fn run<X: Machine>(self, machine: X) -> Self::Output {
        let Updater { optimizer, steps, state, .. } = self.updater;
        pass::finite_squares::<N, X>(machine, self.gradient)?;
        *steps += 1;
        optimizer.update(machine, *steps, self.rate, self.network, self.gradient, &mut state.0);
        Ok(())
    }
}

/// A factor of the learning rate that can be one.
pub(crate) fn finite(factor: f64) -> Result<f64, Error> {
    if factor.is_finite() {
        Ok(factor)
    } else {
        Err(Error::Setting("the factor of the learning rate is not a finite number"))
    }
}

/// Weight decay and the roles of parameters that it leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Decay {
    rate: f64,
    excluded: u8,
}

impl Decay {
    const fn without(self, role: Role) -> Self {
        Self { excluded: self.excluded | 1 << role as u8, ..self }
    }

    const fn of(self, role: Role) -> f64 {
        if self.excluded & 1 << role as u8 == 0 { self.rate } else { 0.0 }
    }
}

#[cfg(test)]
mod tests;
