//! Layers: compositions of primitives with parameters or a state of training. One file and one row each.
//!
//! Defaults are those of Keras for what parameters start as, and those of PyTorch for the small constants inside formulas;
//! each row says so.

mod dense;
mod dropout;
mod embedding;
mod glu;
mod normalization;
mod prelu;

use crate::function::Function;

/// The registry.
pub(crate) static LAYERS: &[&Function] = &[
    &dense::DENSE,
    &embedding::EMBEDDING,
    &dropout::DROPOUT,
    &normalization::LAYER_NORM,
    &normalization::RMS_NORM,
    &prelu::PRELU,
    &glu::GLU,
];
