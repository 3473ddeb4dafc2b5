//! Functions without parameters that are not elementwise: one row each, with shape rule and lowering together.

mod constants;
mod contraction;
mod indices;
mod reductions;
mod shapes;
mod softmax;

pub(crate) use contraction::matmul;
pub(crate) use indices::{ELEMENT, SLICE};
pub(crate) use reductions::centred;
pub(crate) use shapes::RESHAPE;
pub(crate) use softmax::log_softmax;

use crate::function::Function;

/// The registry; `SLICE` and `ELEMENT` have a syntax of their own.
pub(crate) static OPERATIONS: &[&Function] = &[
    &contraction::MATMUL,
    &reductions::SUM,
    &reductions::MEAN,
    &reductions::MAX,
    &reductions::MIN,
    &reductions::VARIANCE,
    &softmax::SOFTMAX,
    &softmax::LOG_SOFTMAX,
    &shapes::RESHAPE,
    &shapes::FLATTEN,
    &shapes::TRANSPOSE,
    &shapes::CONCAT,
    &indices::LOOKUP,
    &indices::ONE_HOT,
    &indices::LAST,
    &constants::STOP_GRADIENT,
    &constants::ZEROS,
    &constants::ONES,
    &constants::CONSTANT,
];
