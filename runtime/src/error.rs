//! What can be wrong with the data or the settings of a call.

use core::fmt;

/// Why a call did nothing.
///
/// Everything is checked before anything is changed: after an `Err`, network, optimizer and trainer are as they were. What a
/// gradient holds that was to be computed is not specified.
/// The value is small and plain, so that reporting a mistake allocates nothing either.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// There is not a single sample.
    EmptyBatch,
    /// Inputs and targets, or several inputs, are of different lengths.
    UnequalLengths {
        /// Samples in the first slice.
        expected: usize,
        /// Samples in the slice that differs.
        found: usize,
    },
    /// The samples do not fit into the workspace, in a call that cannot work in pieces.
    BatchTooLarge {
        /// Samples that the workspace has room for.
        capacity: usize,
        /// Samples that were given.
        found: usize,
    },
    /// A class index is not below the number of classes.
    ClassOutOfRange {
        /// The index.
        index: u64,
        /// The number of classes.
        classes: usize,
    },
    /// A length is zero or above the longest possible one.
    LengthOutOfRange {
        /// The length.
        length: u64,
        /// The longest possible one.
        maximum: usize,
    },
    /// An input is NaN or infinite.
    NonFiniteInput,
    /// A target is NaN or infinite.
    NonFiniteTarget,
    /// The loss came out NaN or infinite.
    NonFiniteLoss,
    /// The gradient came out NaN or infinite, while the loss did not. Parameters may have been updated with it: see
    /// [`Trainer::step`](crate::Trainer::step).
    NonFiniteGradient,
    /// No place of the batch counts in one of the losses, all being masked or weighted with zero: there is no mean.
    NoWeight,
    /// The network was declared without a loss.
    NoLoss,
    /// The operating system refused to start a thread.
    #[cfg(feature = "threads")]
    NoThread,
    /// `backward` was not preceded by `forward` with as many samples.
    NoForward,
    /// A setting has no meaning; the text says which.
    Setting(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyBatch => write!(formatter, "the batch is empty"),
            Self::UnequalLengths { expected, found } => {
                write!(formatter, "slices of one batch differ in length: {expected} and {found} samples")
            }
            Self::BatchTooLarge { capacity, found } => {
                write!(formatter, "{found} samples do not fit into a workspace for {capacity}")
            }
            Self::ClassOutOfRange { index, classes } => {
                write!(formatter, "class {index} is out of range: there are {classes} classes, counted from 0")
            }
            Self::LengthOutOfRange { length, maximum } => {
                write!(formatter, "length {length} is out of range: lengths go from 1 to {maximum}")
            }
            Self::NonFiniteInput => write!(formatter, "an input is NaN or infinite"),
            Self::NonFiniteTarget => write!(formatter, "a target is NaN or infinite"),
            Self::NonFiniteLoss => write!(formatter, "the loss is NaN or infinite"),
            Self::NonFiniteGradient => write!(formatter, "the gradient is NaN or infinite"),
            Self::NoWeight => write!(formatter, "the batch has no weight in a loss: every place is masked"),
            Self::NoLoss => write!(formatter, "the network is declared without a loss"),
            #[cfg(feature = "threads")]
            Self::NoThread => write!(formatter, "the operating system refused to start a thread"),
            Self::NoForward => {
                write!(formatter, "`backward` must follow `forward` with the same number of samples")
            }
            Self::Setting(message) => formatter.write_str(message),
        }
    }
}

impl core::error::Error for Error {}
