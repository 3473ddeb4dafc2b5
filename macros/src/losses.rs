//! Losses: compositions of primitives, one number per sample. Formulas and defaults are PyTorch's with `reduction = "mean"`.

mod cross_entropy;
mod regression;

use crate::check::{Callee, LossBody};
use crate::function::Function;

/// The registry.
pub(crate) static LOSSES: &[&Function] = &[
    &regression::MSE,
    &regression::MAE,
    &regression::HUBER,
    &regression::BINARY_CROSS_ENTROPY,
    &regression::BINARY_CROSS_ENTROPY_WITH_LOGITS,
    &cross_entropy::CROSS_ENTROPY,
];

/// By output, the number above which it means yes, where a loss of decisions is applied to it.
pub(crate) fn decisions(loss: &LossBody, outputs: usize) -> Vec<Option<f64>> {
    let decided = |output| {
        loss.calls.iter().find_map(|call| match &call.callee {
            Callee::Function(function) => {
                threshold(function).filter(|_| call.operand(regression::PREDICTION).value == output)
            }
            _ => None,
        })
    };
    loss.inputs.iter().take(outputs).map(|output| decided(output.value)).collect()
}

fn threshold(loss: &Function) -> Option<f64> {
    let is = |other| std::ptr::eq(loss, other);
    if is(&regression::BINARY_CROSS_ENTROPY) {
        Some(0.5)
    } else if is(&regression::BINARY_CROSS_ENTROPY_WITH_LOGITS) {
        Some(0.0)
    } else {
        None
    }
}
