//! How good predictions are.

mod classification;
mod confusion;
mod evaluation;
mod regression;

pub use classification::Classification;
pub use confusion::Confusion;
pub(crate) use evaluation::decisions;
pub use evaluation::{Evaluation, Part};
pub use regression::Regression;
