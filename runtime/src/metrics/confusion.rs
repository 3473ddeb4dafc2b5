use alloc::vec::Vec;
use alloc::{format, vec};
use core::fmt;

/// How often each class was taken for each other, of a [`Classification`](super::Classification).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    /// `[expected][predicted]`
    counts: Vec<u64>,
}

impl Confusion {
    pub(super) fn new(classes: usize) -> Self {
        Self { classes, counts: vec![0; classes * classes] }
    }

    pub(super) fn record(&mut self, expected: usize, predicted: usize) {
        if let Some(count) = self.counts.get_mut(expected * self.classes + predicted) {
            *count += 1;
        }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How often `expected` was taken for `predicted`.
    pub fn count(&self, expected: usize, predicted: usize) -> u64 {
        if expected.max(predicted) < self.classes {
            self.counts.get(expected * self.classes + predicted).copied().unwrap_or(0)
        } else {
            0
        }
    }
}

/// The matrix: a row for each expected class, a column for each predicted one.
impl fmt::Display for Confusion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let largest = self.counts.iter().copied().max().unwrap_or(0).max(self.classes as u64);
        let width = format!("{largest}").len() + 1;
        write!(formatter, "{:>9} ", "predicted")?;
        for class in 0..self.classes {
            write!(formatter, "{class:>width$}")?;
        }
        writeln!(formatter)?;
        for expected in 0..self.classes {
            write!(formatter, "{:>9} ", format!("{}{expected}", if expected == 0 { "actual " } else { "" }))?;
            for predicted in 0..self.classes {
                write!(formatter, "{:>width$}", self.count(expected, predicted))?;
            }
            writeln!(formatter)?;
        }
        Ok(())
    }
}
