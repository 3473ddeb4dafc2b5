//! What `network!` generates code for: the contract between the compiler and the runtime.
//!
//! Users meet [`Network`](crate::Network), whose methods check their input and then call these. (The `run_` in
//! the names keeps the two apart where code is generic over a network.)

use crate::data::Samples;
use crate::gradients::Gradients;
use crate::kernels::Readable;
use crate::memory::Flat;
use crate::random::Draws;
use crate::scalar::Scalar;
use crate::simd::Machine;
use crate::tensor::Tensor;

/// The functions that `network!` generates for one declaration.
///
/// Every function takes `samples`, the number of samples in all of the slices, which is at most the capacity
/// `CAPACITY` of the memory; callers see to that. None of them allocates, locks or panics.
pub trait Program: Flat<Self::Scalar> + Send + Sync + 'static {
    /// The type of the parameters and of all arithmetic.
    type Scalar: Scalar;
    /// Inputs of a batch: a slice with one element per sample, or a tuple of such slices (a per-step
    /// scalar is a plain number) in the order of declaration.
    type Inputs<'a>: Samples;
    /// One sample's inputs: a reference, or a tuple of references.
    type Sample<'a>: Copy;
    /// Targets of a batch, shaped like `Inputs`; `()` without a loss.
    type Targets<'a>: Samples;
    /// One sample's outputs: an array, or a tuple of arrays.
    type Output: Copy;
    /// Outputs of a batch: a slice of arrays, or a tuple of such slices.
    type Outputs<'a>: Samples;
    /// Gradients for the real-valued inputs of a batch, in their order; `()` when there are none.
    type InputGradients<'a>: Samples;
    /// One number for each separately weighted term of the loss: `[Scalar; TERMS]`.
    type Terms: Copy + Send + Sync + AsRef<[Self::Scalar]> + AsMut<[Self::Scalar]>;
    /// Room for all that a pass over up to `CAPACITY` samples keeps.
    type Memory<const CAPACITY: usize>: Flat<Self::Scalar>;

    /// The declared name.
    const NAME: &'static str;
    /// A fingerprint of names, shapes and order of all parameters.
    const ARCHITECTURE: u64;
    /// All parameters in the order in which they lie in memory.
    const TENSORS: &'static [Tensor];
    /// Multiply-adds of one sample's prediction.
    const MULTIPLY_ADDS: usize;
    /// Whether calls of kernels for one sample would cost more than their arithmetic.
    const TINY: bool;
    /// Whether a loss was declared.
    const HAS_LOSS: bool;
    /// By output, the number above which it means yes, where a binary cross-entropy makes it a decision: 0 for logits, 0.5
    /// for probabilities.
    const DECISIONS: &'static [Option<f64>];
    /// By parameter, whether a training pass gives its gradient to [`Gradients::whole`].
    const WHOLE: &'static [bool];

    /// Zero for each term.
    fn no_terms() -> Self::Terms;
    /// One sample as a batch of one.
    fn batch_of_one<'a>(sample: Self::Sample<'a>) -> Self::Inputs<'a>;

    /// Inference: leaves the outputs in `memory`.
    fn run_predict<X: Machine, const CAPACITY: usize>(
        &self,
        machine: X,
        inputs: Self::Inputs<'_>,
        samples: usize,
        memory: &mut Self::Memory<CAPACITY>,
    );
    /// The outputs that [`run_predict`](Self::run_predict) left.
    fn predicted<const CAPACITY: usize>(memory: &Self::Memory<CAPACITY>, samples: usize) -> Self::Outputs<'_>;
    /// The first sample of a batch of outputs.
    fn first_output(outputs: Self::Outputs<'_>) -> Option<Self::Output>;

    /// Sum over the samples of each loss term's weight (the number of samples, unless a loss is masked or weighted).
    fn loss_weights<X: Machine, const CAPACITY: usize>(
        &self,
        machine: X,
        inputs: Self::Inputs<'_>,
        targets: Self::Targets<'_>,
        samples: usize,
        memory: &mut Self::Memory<CAPACITY>,
    ) -> Self::Terms;
    /// Inference: the sum over the samples of each loss term.
    fn run_loss<X: Machine, const CAPACITY: usize>(
        &self,
        machine: X,
        inputs: Self::Inputs<'_>,
        targets: Self::Targets<'_>,
        samples: usize,
        memory: &mut Self::Memory<CAPACITY>,
    ) -> Self::Terms;
    /// Training: the sum over the samples of each loss term, and the gradient of `sum_k scales[k] * term_k`
    /// (added to `gradient` when `accumulate`, else written over it). A loss that is not finite may be left without one.
    #[expect(clippy::too_many_arguments, reason = "generated and called in one place each")]
    fn run_loss_and_gradient<'g, X: Machine, G: Gradients<'g, Self::Scalar>, const CAPACITY: usize>(
        machine: X,
        parameters: Readable<'_, Self::Scalar>,
        inputs: Self::Inputs<'_>,
        targets: Self::Targets<'_>,
        samples: usize,
        scales: Self::Terms,
        draws: Draws,
        memory: &mut Self::Memory<CAPACITY>,
        gradient: G,
        accumulate: bool,
    ) -> Self::Terms;

    /// Training without the declared loss, first half: computes the outputs and keeps what `run_backward` needs.
    fn run_forward<X: Machine, const CAPACITY: usize>(
        &self,
        machine: X,
        inputs: Self::Inputs<'_>,
        samples: usize,
        draws: Draws,
        memory: &mut Self::Memory<CAPACITY>,
    );
    /// The outputs that [`run_forward`](Self::run_forward) left.
    fn forwarded<const CAPACITY: usize>(memory: &Self::Memory<CAPACITY>, samples: usize) -> Self::Outputs<'_>;
    /// Training without the declared loss, second half, after `run_forward` of the same inputs: the gradient of
    /// `sum(outputs * output_gradients)` for the parameters and, left in `memory`, for the inputs.
    #[expect(clippy::too_many_arguments, reason = "generated and called in one place each")]
    fn run_backward<X: Machine, const CAPACITY: usize>(
        &self,
        machine: X,
        inputs: Self::Inputs<'_>,
        output_gradients: Self::Outputs<'_>,
        samples: usize,
        draws: Draws,
        memory: &mut Self::Memory<CAPACITY>,
        gradient: &mut Self,
        accumulate: bool,
    );
    /// The input gradients that [`run_backward`](Self::run_backward) left.
    fn input_gradients<const CAPACITY: usize>(
        memory: &Self::Memory<CAPACITY>,
        samples: usize,
    ) -> Self::InputGradients<'_>;
}
