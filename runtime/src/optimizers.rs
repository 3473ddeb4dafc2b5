//! Optimizers: how a gradient changes the parameters. One file each, generic over every network.

mod adam;
mod momentum;
mod sgd;

use core::fmt;

pub use adam::{Adam, AdamW, Moments};
pub use momentum::Momentum;
pub use sgd::Sgd;

use crate::flat::{Rule, Update};
use crate::init;
use crate::memory::{Flat, copied};
use crate::pass::{self, Job};
use crate::program::Program;
use crate::scalar::Scalar;
use crate::simd::{Instructions, Machine};
use crate::tensor::{Role, Tensor};

/// How a gradient changes the parameters of a network.
///
/// The value itself holds the settings; what has to be remembered from step to step is its `State`, made of numbers
/// that are zero at the start.
pub trait Optimizer<N: Program>: Clone {
    /// What is remembered between steps.
    type State: Flat<N::Scalar>;

    /// One step. Frozen parameters stay as they are, bounded ones are kept within their bounds.
    ///
    /// `step` counts from 1; `rate` is a schedule's factor, by which the optimizer's own learning rate is multiplied.
    /// The settings are mutable only to keep what can be computed from `step` and the last call's.
    fn update<X: Machine>(
        &mut self,
        machine: X,
        step: u64,
        rate: f64,
        network: &mut N,
        gradient: &N,
        state: &mut Self::State,
    );

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
    /// The gradient is taken as it is; [`loss_and_gradient`](crate::Network::loss_and_gradient) has checked it for
    /// NaN.
    #[inline]
    pub fn step(&mut self, network: &mut N, gradient: &N, rate: f64) {
        self.steps += 1;
        let instructions = self.instructions;
        pass::dispatch(instructions, Step { updater: self, network, gradient, rate });
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
    type Network = N;
    type Output = ();

    #[inline(always)]
    fn run<X: Machine>(self, machine: X) {
        let Updater { optimizer, steps, state, .. } = self.updater;
        optimizer.update(machine, *steps, self.rate, self.network, self.gradient, &mut state.0);
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

    const fn of(self, tensor: &Tensor) -> f64 {
        if self.excluded & 1 << tensor.role as u8 == 0 { self.rate } else { 0.0 }
    }
}

/// Applies a rule to all parameters that are not frozen; neighbours with the same weight decay in one go.
#[inline(always)]
fn apply<N: Program, X: Machine, R: Rule<N::Scalar, STATES>, const STATES: usize>(
    machine: X,
    network: &mut N,
    gradient: &N,
    states: [&mut [N::Scalar]; STATES],
    decay: Decay,
    rule: R,
) {
    // Where nothing is treated apart, all is one run; frozen parameters are known to the compiler.
    if const { !any_frozen(N::TENSORS) } && decay.excluded == 0 {
        let decay = N::Scalar::constant(decay.rate);
        let (parameters, gradient) = (network.as_flat_mut(), gradient.as_flat());
        machine.call(Update { rule, decay, parameters, gradient, states });
    } else if X::PLAIN {
        apply_near(machine, network, gradient, states, decay, rule);
    } else {
        apply_apart(machine, network, gradient, states, decay, rule);
    }
    init::bound(network);
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
fn apply_near<N: Program, X: Machine, R: Rule<N::Scalar, STATES>, const STATES: usize>(
    machine: X,
    network: &mut N,
    gradient: &N,
    states: [&mut [N::Scalar]; STATES],
    decay: Decay,
    rule: R,
) {
    apply_apart(machine, network, &copied(gradient), states, decay, rule);
}

/// [`apply`] for runs of neighbours.
#[inline(always)]
fn apply_apart<N: Program, X: Machine, R: Rule<N::Scalar, STATES>, const STATES: usize>(
    machine: X,
    network: &mut N,
    gradient: &N,
    mut states: [&mut [N::Scalar]; STATES],
    decay: Decay,
    rule: R,
) {
    let (parameters, gradient) = (network.as_flat_mut(), gradient.as_flat());
    let mut tensors = N::TENSORS.iter().filter(|tensor| !tensor.frozen).peekable();
    while let Some(tensor) = tensors.next() {
        let (start, mut end, rate) = (tensor.offset, tensor.offset + tensor.len(), decay.of(tensor));
        #[allow(clippy::float_cmp, reason = "the same setting or zero")]
        while let Some(next) = tensors.next_if(|next| next.offset == end && decay.of(next) == rate) {
            end += next.len();
        }
        machine.call(Update {
            rule,
            decay: N::Scalar::constant(rate),
            parameters: parameters.get_mut(start..end).unwrap_or_default(),
            gradient: gradient.get(start..end).unwrap_or_default(),
            states: states.each_mut().map(|state| state.get_mut(start..end).unwrap_or_default()),
        });
    }
}

#[cfg(test)]
mod tests;
