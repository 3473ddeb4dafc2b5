//! Labelled samples in memory: splitting, shuffling, batches, standardisation.

use alloc::vec::Vec;

use crate::data::{Datum, Samples, ValuesMut};
use crate::error::Error;
use crate::random::{Random, Seed};
use crate::scalar::Scalar;
use crate::simd::Instructions;

/// Owned inputs or targets: a `Vec` with one element a sample, a plain number for the whole step, or a tuple of these.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no column of a `Dataset`",
    label = "neither a `Vec` with one element a sample, a number for the whole step, nor a tuple of these",
    note = "a `Vec` of `[f32; 784]`, `Class<10>`, `Length<64>` or `f32`, owned; several inputs or targets: `(Vec<A>, Vec<B>)`"
)]
pub trait Columns: Clone + 'static {
    /// What a network takes: slices in place of the `Vec`s.
    type View<'a>: Samples
    where
        Self: 'a;

    /// The data, borrowed.
    fn view(&self) -> Self::View<'_>;
    /// No samples, with room for `capacity`.
    fn with_capacity(&self, capacity: usize) -> Self;
    /// Takes these samples of `source` in place of its own; indices out of range are left out. Allocates nothing
    /// when there is room.
    fn gather(&mut self, source: &Self, samples: &[usize]);
    /// Exchanges two samples.
    fn swap(&mut self, first: usize, second: usize);
    /// Random samples: real numbers between the bounds, classes and lengths in their range.
    fn draw(samples: usize, random: &mut Random, low: f64, high: f64) -> Self;
    /// Shows each column in order; `None` for one that has no real numbers.
    fn columns_mut(&mut self, visit: &mut dyn FnMut(Option<ValuesMut<'_>>));
}

impl<A: Datum> Columns for Vec<A> {
    type View<'a> = &'a [A];

    fn view(&self) -> &[A] {
        self
    }

    fn with_capacity(&self, capacity: usize) -> Self {
        Self::with_capacity(capacity)
    }

    fn gather(&mut self, source: &Self, samples: &[usize]) {
        self.clear();
        for &sample in samples {
            if let Some(found) = source.get(sample..=sample) {
                self.extend_from_slice(found);
            }
        }
    }

    fn swap(&mut self, first: usize, second: usize) {
        if first.max(second) < self.len() {
            self.as_mut_slice().swap(first, second);
        }
    }

    fn draw(samples: usize, random: &mut Random, low: f64, high: f64) -> Self {
        (0..samples).map(|_| A::draw(random, low, high)).collect()
    }

    fn columns_mut(&mut self, visit: &mut dyn FnMut(Option<ValuesMut<'_>>)) {
        visit(A::values_mut(self));
    }
}

macro_rules! numbers {
    ($($number:ty, $variant:ident);*) => {$(
        impl Columns for $number {
            type View<'a> = Self;

            fn view(&self) -> Self {
                *self
            }

            fn with_capacity(&self, _: usize) -> Self {
                *self
            }

            fn gather(&mut self, source: &Self, _: &[usize]) {
                *self = *source;
            }

            fn swap(&mut self, _: usize, _: usize) {}

            fn draw(_: usize, random: &mut Random, low: f64, high: f64) -> Self {
                random.between(low, high) as Self
            }

            fn columns_mut(&mut self, visit: &mut dyn FnMut(Option<ValuesMut<'_>>)) {
                visit(Some(ValuesMut::$variant(core::slice::from_mut(self))));
            }
        }
    )*};
}

numbers!(f32, F32; f64, F64);

macro_rules! tuples {
    ($(($($name:ident $index:tt),*))*) => {$(
        #[allow(unused_variables, clippy::unused_unit, reason = "the empty tuple")]
        impl<$($name: Columns),*> Columns for ($($name,)*) {
            type View<'a> = ($($name::View<'a>,)*) where Self: 'a;

            fn view(&self) -> Self::View<'_> {
                ($(self.$index.view(),)*)
            }

            fn with_capacity(&self, capacity: usize) -> Self {
                ($(self.$index.with_capacity(capacity),)*)
            }

            fn gather(&mut self, source: &Self, samples: &[usize]) {
                $(self.$index.gather(&source.$index, samples);)*
            }

            fn swap(&mut self, first: usize, second: usize) {
                $(self.$index.swap(first, second);)*
            }

            fn draw(samples: usize, random: &mut Random, low: f64, high: f64) -> Self {
                ($($name::draw(samples, random, low, high),)*)
            }

            fn columns_mut(&mut self, visit: &mut dyn FnMut(Option<ValuesMut<'_>>)) {
                $(self.$index.columns_mut(visit);)*
            }
        }
    )*};
}

tuples! {
    ()
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
}

/// Of batches that would never come to an end.
pub(crate) const NO_SAMPLES: Error = Error::Setting("a batch needs samples");

/// Samples with their targets.
///
/// Inputs and targets are `Vec`s with one element a sample, or tuples of them, in the order of declaration.
///
/// ```
/// use backprop::prelude::*;
///
/// let numbers: Vec<[f32; 2]> = (0..10).map(|number| [number as f32, 1.0]).collect();
/// let parity: Vec<Class<2>> = (0..10).map(|number| Class::new(number % 2)).collect::<Result<_, _>>()?;
/// let (train, test) = Dataset::new(numbers, parity)?.split(0.8, Seed(7));
/// assert_eq!((train.len(), test.len()), (8, 2));
/// # Ok::<(), backprop::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset<I, T = ()> {
    inputs: I,
    targets: T,
    len: usize,
}

/// The inputs and targets of a few samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Batch<I, T> {
    /// What the network is given.
    pub inputs: I,
    /// What it is to answer.
    pub targets: T,
}

impl<I: Columns, T: Columns> Dataset<I, T> {
    /// Samples and their targets.
    ///
    /// # Errors
    /// [`Error::EmptyBatch`] without samples, [`Error::UnequalLengths`] when the numbers of samples differ,
    /// [`Error::NonFiniteInput`] or [`Error::NonFiniteTarget`] when a number is NaN or infinite.
    pub fn new(inputs: I, targets: T) -> Result<Self, Error> {
        let len = (inputs.view(), targets.view()).count()?.unwrap_or(0);
        if len == 0 {
            return Err(Error::EmptyBatch);
        }
        let instructions = Instructions::detect();
        if !inputs.view().all_finite(instructions) {
            return Err(Error::NonFiniteInput);
        }
        if !targets.view().all_finite(instructions) {
            return Err(Error::NonFiniteTarget);
        }
        Ok(Self { inputs, targets, len })
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no samples, as after splitting off all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All inputs.
    pub fn inputs(&self) -> I::View<'_> {
        self.inputs.view()
    }

    /// All targets.
    pub fn targets(&self) -> T::View<'_> {
        self.targets.view()
    }

    /// Changes the inputs as a whole, to scale them for instance; `change` must keep the number of samples (a
    /// network refuses inputs and targets of different lengths).
    #[must_use]
    pub fn map_inputs(mut self, change: impl FnOnce(&mut I)) -> Self {
        change(&mut self.inputs);
        self
    }

    /// Two parts in a random order, the first with `fraction` of the samples (rounded; between 0 and 1).
    #[must_use]
    pub fn split(&self, fraction: f64, seed: Seed) -> (Self, Self) {
        let mut order: Vec<usize> = (0..self.len).collect();
        Random::new(seed).shuffle(&mut order);
        let first = num_traits::Float::round(fraction.clamp(0.0, 1.0) * self.len as f64) as usize;
        let (first, second) = order.split_at(first.min(self.len));
        (self.select(first), self.select(second))
    }

    /// The samples of these indices, in this order; indices out of range are left out.
    #[must_use]
    pub fn select(&self, samples: &[usize]) -> Self {
        let mut part = self.with_capacity(samples.len());
        part.gather(self, samples);
        part
    }

    /// Brings the samples into a random order.
    pub fn shuffle(&mut self, seed: Seed) {
        let mut random = Random::new(seed);
        for last in (1..self.len).rev() {
            let other = random.below(last + 1);
            self.inputs.swap(last, other);
            self.targets.swap(last, other);
        }
    }

    /// Batches of `size` samples in order, the last one with what is left. Nothing is copied.
    ///
    /// # Errors
    /// [`Error::Setting`] when the size is 0.
    ///
    /// ```
    /// # use backprop::prelude::*;
    /// let data = Dataset::new(vec![1.0_f32, 2.0, 3.0], ())?;
    /// let sums: Vec<f32> = data.batches(2)?.map(|batch| batch.inputs.iter().sum()).collect();
    /// assert_eq!(sums, [3.0, 3.0]);
    /// assert!(data.batches(0).is_err());
    /// # Ok::<(), backprop::Error>(())
    /// ```
    pub fn batches(&self, size: usize) -> Result<impl Iterator<Item = Batch<I::View<'_>, T::View<'_>>>, Error> {
        if size == 0 {
            return Err(NO_SAMPLES);
        }
        Ok((0..self.len).step_by(size).map(move |start| Batch {
            inputs: self.inputs().range(start, start.saturating_add(size)),
            targets: self.targets().range(start, start.saturating_add(size)),
        }))
    }

    pub(crate) fn with_capacity(&self, capacity: usize) -> Self {
        Self { inputs: self.inputs.with_capacity(capacity), targets: self.targets.with_capacity(capacity), len: 0 }
    }

    pub(crate) fn gather(&mut self, source: &Self, samples: &[usize]) {
        self.inputs.gather(&source.inputs, samples);
        self.targets.gather(&source.targets, samples);
        self.len = samples.iter().filter(|&&sample| sample < source.len).count();
    }
}

/// A shift and a scale for each feature that give it mean 0 and deviation 1.
///
/// Measured on the training data, applied to all data:
///
/// ```
/// # use backprop::dataset::Standardization;
/// let mut inputs = vec![[1.0_f64, 5.0], [3.0, 5.0]];
/// let scale = Standardization::of(&inputs);
/// scale.apply(&mut inputs);
/// assert_eq!(inputs, [[-1.0, 0.0], [1.0, 0.0]]);
/// ```
///
/// Sequences are flattened to their steps, whose features are then scaled alike:
///
/// ```
/// # use backprop::dataset::Standardization;
/// let mut windows = vec![[[1.0_f32, 5.0], [3.0, 5.0]]; 10];
/// Standardization::of(windows.as_flattened()).apply(windows.as_flattened_mut());
/// assert_eq!(windows[9], [[-1.0, 0.0], [1.0, 0.0]]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Standardization<T, const N: usize> {
    /// Each feature's mean.
    pub mean: [T; N],
    /// Each feature's standard deviation; 1 for a feature that does not vary.
    pub deviation: [T; N],
}

impl<T: Scalar, const N: usize> Standardization<T, N> {
    /// Mean and (population) deviation of each feature.
    pub fn of(samples: &[[T; N]]) -> Self {
        let count = samples.len().max(1) as f64;
        let mean: [f64; N] =
            core::array::from_fn(|feature| samples.iter().map(|sample| sample[feature].widen()).sum::<f64>() / count);
        let deviation = core::array::from_fn(|feature| {
            // Not seen by the deviation, which the mean's rounding keeps from being zero.
            if samples.windows(2).all(|pair| pair[0][feature] == pair[1][feature]) {
                return T::one();
            }
            let squares = samples.iter().map(|sample| {
                let distance = sample[feature].widen() - mean[feature];
                distance * distance
            });
            let deviation = num_traits::Float::sqrt(squares.sum::<f64>() / count);
            T::constant(if deviation > 0.0 { deviation } else { 1.0 })
        });
        Self { mean: mean.map(T::constant), deviation }
    }

    /// Shifts and scales every sample.
    pub fn apply(&self, samples: &mut [[T; N]]) {
        for sample in samples {
            for ((value, &mean), &deviation) in sample.iter_mut().zip(&self.mean).zip(&self.deviation) {
                *value = (*value - mean) / deviation;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::data::Class;

    fn squares(count: usize) -> Dataset<Vec<f64>, Vec<[f64; 1]>> {
        let inputs: Vec<f64> = (0..count).map(|number| number as f64).collect();
        let targets = inputs.iter().map(|number| [number * number]).collect();
        Dataset::new(inputs, targets).unwrap()
    }

    #[test]
    fn a_split_keeps_every_sample_and_its_target() {
        let (first, second) = squares(11).split(0.7, Seed(2));
        assert_eq!((first.len(), second.len()), (8, 3));
        let mut all: Vec<f64> = first.inputs().iter().chain(second.inputs()).copied().collect();
        all.sort_by(f64::total_cmp);
        assert_eq!(all, squares(11).inputs());
        for batch in first.batches(3).unwrap().chain(second.batches(3).unwrap()) {
            for (input, target) in batch.inputs.iter().zip(batch.targets) {
                assert_eq!(input * input, target[0]);
            }
        }
        assert_eq!(squares(11).split(0.7, Seed(2)), (first, second));
    }

    #[test]
    fn shuffling_moves_inputs_with_their_targets() {
        let mut data = squares(20);
        data.shuffle(Seed(1));
        assert_ne!(data, squares(20));
        assert!(data.inputs().iter().zip(data.targets()).all(|(input, target)| input * input == target[0]));
    }

    #[test]
    fn the_last_batch_is_what_is_left() {
        let data = squares(7);
        let sizes = |size| data.batches(size).unwrap().map(|batch| batch.inputs.len()).collect::<Vec<usize>>();
        assert_eq!(sizes(3), [3, 3, 1]);
        assert_eq!(sizes(7), [7]);
        assert_eq!(sizes(usize::MAX), [7]);
        assert_eq!(data.batches(0).err(), Some(NO_SAMPLES));
        assert_eq!(data.select(&[]).batches(3).unwrap().count(), 0);
    }

    #[test]
    fn a_feature_that_does_not_vary_is_not_scaled() {
        // The sum of three tenths is not three times a tenth.
        let scale = Standardization::of(&[[0.1_f64, 1.0], [0.1, 2.0], [0.1, 3.0]]);
        assert_eq!(scale.deviation[0], 1.0);
        assert!((scale.deviation[1] - (2.0_f64 / 3.0).sqrt()).abs() < 1e-15);
        assert_eq!(Standardization::<f32, 2>::of(&[]).deviation, [1.0; 2]);
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        assert_eq!(
            Dataset::new(vec![[1.0_f32]; 3], vec![Class::<2>::default(); 4]).unwrap_err(),
            Error::UnequalLengths { expected: 3, found: 4 }
        );
        assert_eq!(Dataset::new(Vec::<f32>::new(), ()).unwrap_err(), Error::EmptyBatch);
        assert_eq!(Dataset::new(vec![f32::NAN], ()).unwrap_err(), Error::NonFiniteInput);
        assert_eq!(Dataset::new(vec![1.0], vec![f64::INFINITY]).unwrap_err(), Error::NonFiniteTarget);
    }
}
