//! Losses: compositions of primitives, one number per sample. Formulas and defaults are PyTorch's with `reduction = "mean"`.

mod cross_entropy;
mod regression;

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
