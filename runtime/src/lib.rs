//! Neural networks that are differentiated at compile time.
//!
//! `network!` turns a declaration into a struct of fixed-size parameters and straight-line calls of
//! size-specialised kernels, forwards and backwards. Nothing interprets a graph at run time; a step of training or a
//! prediction allocates nothing, takes no lock and cannot panic.
//!
//! ```
//! use backprop::prelude::*;
//!
//! network! {
//!     /// Is the first number the larger one?
//!     pub struct Larger;
//!
//!     fn forward(numbers: [2]) -> [2] { numbers.dense(8).relu().dense(2) }
//!
//!     fn loss(scores, larger: Class<2>) { cross_entropy(scores, larger) }
//! }
//!
//! let numbers: Vec<[f32; 2]> = (0..400).map(|i| [(i % 20) as f32 / 20.0, (i / 20) as f32 / 20.0]).collect();
//! let larger: Vec<Class<2>> =
//!     numbers.iter().map(|[a, b]| Class::new(usize::from(a > b))).collect::<Result<_, _>>()?;
//! let (train, test) = Dataset::new(numbers, larger)?.split(0.8, Seed(7));
//!
//! let mut trainer = Trainer::<Larger, _, 32>::new(Adam::new(0.01), Seed(7));
//! trainer.fit(&train, Fit::epochs(40).validate(&test))?;
//! println!("{}", trainer.evaluate(&test)?.report());
//! assert_eq!(trainer.predict(&[0.9, 0.2]).argmax().index(), 1);
//! # Ok::<(), backprop::Error>(())
//! ```
//!
//! # Features
//!
//! | feature | what it adds |
//! | --- | --- |
//! | none | networks, workspaces, optimizers and trainers in `static`s or the caller's memory, without heap or operating system |
//! | `alloc` | the same on the heap, data sets, `fit`, metrics, gradient checks |
//! | `std` (default) | choice of the vector unit at run time on every processor, [`Fit::progress`](fit::Fit::progress): a line an epoch |
//! | `threads` | [`Trainer::threads`](Trainer#method.threads): steps that several threads take together |
//! | `progress` | a progress bar in `fit` |
//! | `plot` | learning curves as SVG |

#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

// What generated code stands on.
pub mod kernels;
pub mod memory;
mod program;
mod scalar;
pub mod simd;
pub mod tensor;

// Data.
pub mod data;
#[cfg(feature = "alloc")]
pub mod dataset;
mod error;
mod random;

// Networks at work.
mod init;
mod network;
mod pass;
mod workspace;

// Training.
mod flat;
mod gradients;
#[cfg(feature = "threads")]
mod helpers;
pub mod optimizers;
pub mod schedules;
mod trainer;
#[cfg(feature = "threads")]
mod workers;

// Training at large.
#[cfg(feature = "alloc")]
pub mod check;
#[cfg(feature = "alloc")]
mod fit;
#[cfg(feature = "alloc")]
pub mod history;
#[cfg(feature = "alloc")]
pub mod metrics;

#[cfg(test)]
mod line;

pub use backprop_macros::network;

pub use data::{Class, Length};
#[cfg(feature = "alloc")]
pub use dataset::Dataset;
pub use error::Error;
#[cfg(feature = "alloc")]
pub use fit::Fit;
pub use network::Network;
pub use program::Program;
pub use random::{Random, Seed};
pub use scalar::Scalar;
pub use simd::Instructions;
pub use trainer::{StaticTrainer, Trainer};
pub use workspace::Workspace;

/// Everything that a program around a network needs: `use backprop::prelude::*;`.
pub mod prelude {
    pub use crate::data::{Class, Length, Scores};
    #[cfg(feature = "alloc")]
    pub use crate::dataset::{Batch, Dataset};
    #[cfg(feature = "alloc")]
    pub use crate::fit::Fit;
    pub use crate::memory::Flat as _;
    pub use crate::network;
    pub use crate::network::Network;
    pub use crate::optimizers::{Adam, AdamW, Momentum, Optimizer, Sgd};
    pub use crate::random::Seed;
    pub use crate::schedules::{Constant, Cosine, Linear, Schedule, StepDecay, Warmup};
    pub use crate::tensor::Role::{Bias, Normalization};
    pub use crate::trainer::{StaticTrainer, Trainer};
    pub use crate::workspace::Workspace;
}

/// What generated code names; not for use by hand.
#[doc(hidden)]
pub mod __private {
    #[cfg(feature = "alloc")]
    pub use alloc::boxed::Box;

    pub use crate::__clone_boxed as clone_boxed;
    pub use crate::data::{Class, Column, Datum, Length, Samples, flatten_indices};
    pub use crate::error::Error;
    pub use crate::gradients::{Gradients, Kept};
    pub use crate::kernels::*;
    pub use crate::memory::{Arena, Flat, cells, clear, flatten, read, results};
    pub use crate::network::{Held, Method, Network, run_method};
    pub use crate::pass::is_finite;
    pub use crate::program::Program;
    pub use crate::random::Draws;
    pub use crate::scalar::{Scalar, step_number};
    pub use crate::simd::{Instructions, Lanes, LanesMask, Machine, Plain, Simd, WithSimd};
    pub use crate::tensor::{Initializer, Role, Tensor};
    pub use crate::workspace::Workspace;
}
