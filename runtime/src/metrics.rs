//! How good predictions are.

mod confusion;
mod evaluation;
mod regression;

pub use confusion::Confusion;
pub use evaluation::{Evaluation, Part};
pub use regression::Regression;
