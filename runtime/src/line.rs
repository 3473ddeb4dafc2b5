//! A network written by hand, as the compiler would write it: the tests of everything that needs one.

use alloc::vec::Vec;

use crate::data::Samples;
use crate::gradients::Gradients;
use crate::kernels::Readable;
use crate::memory::{Arena, Flat, arrays, results};
use crate::network::Held;
use crate::program::Program;
use crate::random::Draws;
use crate::scalar::Scalar;
use crate::simd::Machine;
use crate::tensor::{Initializer, Role, Tensor};

/// `y = gain · w · x + b` with two inputs, the gain frozen and the weight bounded; its loss is the weighted mean of
/// `(y - t)²`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Line<T = f64> {
    pub(crate) weight: [T; 2],
    pub(crate) gain: T,
    pub(crate) bias: [T; 1],
}

// SAFETY: four `T`s behind each other, `repr(C)`.
unsafe impl<T: Scalar> Flat<T> for Line<T> {}

impl<T: Scalar> Held for Line<T> {
    type Network = Self;
}

impl<T: Scalar> Line<T> {
    fn output(&self, x: &[T; 2]) -> T {
        self.gain * (self.weight[0] * x[0] + self.weight[1] * x[1]) + self.bias[0]
    }

    fn add_gradient(&self, x: &[T; 2], output_gradient: T, gradient: &mut Self) -> [T; 2] {
        for (gradient, &x) in gradient.weight.iter_mut().zip(x) {
            *gradient += self.gain * x * output_gradient;
        }
        gradient.bias[0] += output_gradient;
        self.weight.map(|weight| self.gain * weight * output_gradient)
    }

    fn outputs<const C: usize>(&self, inputs: &[[T; 2]], memory: &mut Arena<T, C, 3, 0>) {
        for (output, x) in memory.as_flat_mut().iter_mut().zip(inputs) {
            *output = self.output(x);
        }
    }

    const ZERO: fn() -> Self = || Self { weight: [T::zero(); 2], gain: T::zero(), bias: [T::zero(); 1] };
}

impl<T: Scalar> Program for Line<T> {
    type Scalar = T;
    type Inputs<'a> = &'a [[T; 2]];
    type Sample<'a> = &'a [T; 2];
    type Targets<'a> = (&'a [[T; 1]], &'a [T]);
    type Output = [T; 1];
    type Outputs<'a> = &'a [[T; 1]];
    type InputGradients<'a> = &'a [[T; 2]];
    type Terms = [T; 1];
    type Memory<const CAPACITY: usize> = Arena<T, CAPACITY, 3, 0>;

    const NAME: &'static str = "Line";
    const ARCHITECTURE: u64 = 1;
    const TENSORS: &'static [Tensor] = &[
        Tensor {
            name: "weight",
            offset: 0,
            shape: &[2],
            role: Role::Weight,
            initializer: Initializer::Uniform(-1.0, 1.0),
            frozen: false,
            clamp: Some((-2.0, 2.0)),
        },
        Tensor {
            name: "gain",
            offset: 2,
            shape: &[],
            role: Role::Other,
            initializer: Initializer::Constant(1.5),
            frozen: true,
            clamp: None,
        },
        Tensor {
            name: "bias",
            offset: 3,
            shape: &[1],
            role: Role::Bias,
            initializer: Initializer::Zeros,
            frozen: false,
            clamp: None,
        },
    ];
    const MULTIPLY_ADDS: usize = 3;
    const TINY: bool = true;
    const HAS_LOSS: bool = true;
    const DECISIONS: &'static [Option<f64>] = &[None];
    const WHOLE: &'static [bool] = &[];

    fn no_terms() -> [T; 1] {
        [T::zero()]
    }

    fn batch_of_one<'a>(sample: Self::Sample<'a>) -> Self::Inputs<'a> {
        core::slice::from_ref(sample)
    }

    fn run_predict<X: Machine, const C: usize>(
        &self,
        _: X,
        inputs: &[[T; 2]],
        _: usize,
        memory: &mut Arena<T, C, 3, 0>,
    ) {
        self.outputs(inputs, memory);
    }

    fn predicted<const C: usize>(memory: &Arena<T, C, 3, 0>, samples: usize) -> &[[T; 1]] {
        arrays(memory.as_flat()).range(0, samples)
    }

    fn first_output(outputs: &[[T; 1]]) -> Option<[T; 1]> {
        outputs.first().copied()
    }

    fn loss_weights<X: Machine, const C: usize>(
        &self,
        _: X,
        _: &[[T; 2]],
        (_, weights): (&[[T; 1]], &[T]),
        _: usize,
        _: &mut Arena<T, C, 3, 0>,
    ) -> [T; 1] {
        [weights.iter().fold(T::zero(), |sum, &weight| sum + weight)]
    }

    fn run_loss<X: Machine, const C: usize>(
        &self,
        _: X,
        inputs: &[[T; 2]],
        (targets, weights): (&[[T; 1]], &[T]),
        _: usize,
        _: &mut Arena<T, C, 3, 0>,
    ) -> [T; 1] {
        let losses = inputs.iter().zip(targets).zip(weights).map(|((x, t), &weight)| {
            let error = self.output(x) - t[0];
            weight * error * error
        });
        [losses.fold(T::zero(), |sum, loss| sum + loss)]
    }

    fn run_loss_and_gradient<'g, X: Machine, G: Gradients<'g, T>, const C: usize>(
        machine: X,
        parameters: Readable<'_, T>,
        inputs: &[[T; 2]],
        (targets, weights): (&[[T; 1]], &[T]),
        samples: usize,
        [scale]: [T; 1],
        _: Draws,
        memory: &mut Arena<T, C, 3, 0>,
        gradient: G,
        accumulate: bool,
    ) -> [T; 1] {
        assert!(samples <= C);
        assert_eq!(parameters.len(), 4);
        // SAFETY: the four parameters of a line, which nobody changes meanwhile.
        let line = unsafe { &*parameters.as_ptr().cast::<Self>() };
        let mut sums = Self::ZERO();
        for ((x, t), &weight) in inputs.iter().zip(targets).zip(weights) {
            let error = line.output(x) - t[0];
            line.add_gradient(x, scale * weight * (error + error), &mut sums);
        }
        for (cell, &sum) in gradient.cells().iter().zip(sums.as_flat()) {
            cell.set(if accumulate { cell.get() + sum } else { sum });
        }
        line.run_loss(machine, inputs, (targets, weights), samples, memory)
    }

    fn run_forward<X: Machine, const C: usize>(
        &self,
        _: X,
        inputs: &[[T; 2]],
        _: usize,
        _: Draws,
        memory: &mut Arena<T, C, 3, 0>,
    ) {
        self.outputs(inputs, memory);
    }

    fn forwarded<const C: usize>(memory: &Arena<T, C, 3, 0>, samples: usize) -> &[[T; 1]] {
        Self::predicted(memory, samples)
    }

    fn run_backward<X: Machine, const C: usize>(
        &self,
        _: X,
        inputs: &[[T; 2]],
        output_gradients: &[[T; 1]],
        _: usize,
        _: Draws,
        memory: &mut Arena<T, C, 3, 0>,
        gradient: &mut Self,
        accumulate: bool,
    ) {
        if !accumulate {
            *gradient = Self::ZERO();
        }
        let places = memory.as_flat_mut()[C..].chunks_mut(2);
        for ((x, output_gradient), place) in inputs.iter().zip(output_gradients).zip(places) {
            place.copy_from_slice(&self.add_gradient(x, output_gradient[0], gradient));
        }
    }

    fn input_gradients<const C: usize>(memory: &Arena<T, C, 3, 0>, samples: usize) -> &[[T; 2]] {
        results(memory.as_flat(), C, 2 * samples)
    }
}

/// Samples of `t = 2·x0 - x1 + 0.5`, all with weight 1.
pub(crate) fn samples(count: usize) -> (Vec<[f64; 2]>, Vec<[f64; 1]>, Vec<f64>) {
    let inputs: Vec<[f64; 2]> =
        (0..count).map(|i| [(i * 7 % 11) as f64 / 11.0 - 0.5, (i * 5 % 13) as f64 / 13.0 - 0.5]).collect();
    let targets = inputs.iter().map(|x| [2.0 * x[0] - x[1] + 0.5]).collect();
    (inputs, targets, alloc::vec![1.0; count])
}
