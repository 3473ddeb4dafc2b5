//! The data that passes through a network: batches of samples, class indices, lengths.

use core::fmt;

use crate::error::Error;
use crate::flat;
use crate::random::Random;
use crate::simd::Machine;

/// A class index, `0..N`: what `Class<N>` means in a declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[repr(transparent)]
pub struct Class<const N: usize>(u32);

impl<const N: usize> Class<N> {
    /// Number of classes.
    pub const COUNT: usize = N;

    /// The class of this index.
    ///
    /// # Errors
    /// [`Error::ClassOutOfRange`] unless `index < N`.
    ///
    /// ```
    /// # use backprop::data::Class;
    /// assert_eq!(Class::<10>::new(3)?.index(), 3);
    /// assert!(Class::<10>::new(10).is_err());
    /// # Ok::<(), backprop::Error>(())
    /// ```
    pub const fn new(index: usize) -> Result<Self, Error> {
        if index < N && index <= u32::MAX as usize {
            Ok(Self(index as u32))
        } else {
            Err(Error::ClassOutOfRange { index: index as u64, classes: N })
        }
    }

    /// The index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl<const N: usize> fmt::Display for Class<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The length of a sequence, `1..=N`: what `Length<N>` means in a declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Length<const N: usize>(u32);

impl<const N: usize> Length<N> {
    /// The longest possible length.
    pub const MAXIMUM: usize = N;

    /// This length.
    ///
    /// # Errors
    /// [`Error::LengthOutOfRange`] unless `1 <= length <= N`.
    ///
    /// ```
    /// # use backprop::data::Length;
    /// assert_eq!(Length::<64>::new(64)?.steps(), 64);
    /// assert!(Length::<64>::new(0).is_err());
    /// # Ok::<(), backprop::Error>(())
    /// ```
    pub const fn new(length: usize) -> Result<Self, Error> {
        if length >= 1 && length <= N && length <= u32::MAX as usize {
            Ok(Self(length as u32))
        } else {
            Err(Error::LengthOutOfRange { length: length as u64, maximum: N })
        }
    }

    /// The number of steps.
    pub const fn steps(self) -> usize {
        self.0 as usize
    }
}

impl<const N: usize> fmt::Display for Length<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

macro_rules! conversions {
    ($($integer:ty),*) => {$(
        impl<const N: usize> TryFrom<$integer> for Class<N> {
            type Error = Error;

            fn try_from(index: $integer) -> Result<Self, Error> {
                let error = Error::ClassOutOfRange { index: index as u64, classes: N };
                usize::try_from(index).map_or(Err(error), Self::new)
            }
        }

        impl<const N: usize> TryFrom<$integer> for Length<N> {
            type Error = Error;

            fn try_from(length: $integer) -> Result<Self, Error> {
                let error = Error::LengthOutOfRange { length: length as u64, maximum: N };
                usize::try_from(length).map_or(Err(error), Self::new)
            }
        }
    )*};
}

conversions!(u8, u16, u32, u64, usize);

/// The numbers of a column of data, whatever its shape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Values<'a> {
    /// Single precision.
    F32(&'a [f32]),
    /// Double precision.
    F64(&'a [f64]),
    /// Class indices and the number of classes.
    Classes(&'a [u32], usize),
    /// Lengths and the longest possible one.
    Lengths(&'a [u32], usize),
}

impl Values<'_> {
    /// How many there are.
    pub const fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::Classes(values, _) | Self::Lengths(values, _) => values.len(),
        }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number `index`, if there is one.
    pub fn number(&self, index: usize) -> Option<f64> {
        match self {
            Self::F32(values) => values.get(index).map(|&value| f64::from(value)),
            Self::F64(values) => values.get(index).copied(),
            Self::Classes(values, _) | Self::Lengths(values, _) => values.get(index).map(|&value| f64::from(value)),
        }
    }

    /// Whether none is NaN or infinite.
    #[inline(always)]
    fn all_finite<X: Machine>(self, machine: X) -> bool {
        match self {
            Self::F32(values) => flat::all_finite(machine, values),
            Self::F64(values) => flat::all_finite(machine, values),
            Self::Classes(..) | Self::Lengths(..) => true,
        }
    }
}

/// Real numbers that may be changed.
#[derive(Debug, PartialEq)]
pub enum ValuesMut<'a> {
    /// Single precision.
    F32(&'a mut [f32]),
    /// Double precision.
    F64(&'a mut [f64]),
}

/// One sample's data for one input or target: a number, a [`Class`], a [`Length`], or an array of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no data of a sample",
    label = "neither `f32`, `f64`, `Class<N>`, `Length<N>`, nor an array of one of these",
    note = "samples have a fixed size: `[f32; 784]` rather than a `Vec`",
    note = "a class is made from an index with `Class::<N>::new(index)?`, a length with `Length::<N>::new(steps)?`"
)]
pub trait Datum: Copy + Send + Sync + 'static {
    /// How many numbers it holds.
    const WIDTH: usize;

    /// All numbers of several samples.
    fn values(samples: &[Self]) -> Values<'_>;
    /// All numbers of several samples, if they are real.
    fn values_mut(samples: &mut [Self]) -> Option<ValuesMut<'_>>;
    /// A random value: real numbers between the bounds, classes and lengths in their range.
    fn draw(random: &mut Random, low: f64, high: f64) -> Self;
}

macro_rules! numbers {
    ($($number:ty, $variant:ident);*) => {$(
        impl Datum for $number {
            const WIDTH: usize = 1;

            #[inline(always)]
            fn values(samples: &[Self]) -> Values<'_> {
                Values::$variant(samples)
            }

            fn values_mut(samples: &mut [Self]) -> Option<ValuesMut<'_>> {
                Some(ValuesMut::$variant(samples))
            }

            fn draw(random: &mut Random, low: f64, high: f64) -> Self {
                random.between(low, high) as Self
            }
        }

        impl Samples for $number {
            #[cfg(feature = "alloc")]
            type Owned = Self;

            #[inline(always)]
            fn count(self) -> Result<Option<usize>, Error> {
                Ok(None)
            }

            #[inline(always)]
            fn range(self, _: usize, _: usize) -> Self {
                self
            }

            #[inline(always)]
            fn all_finite<X: Machine>(self, _: X) -> bool {
                self.is_finite()
            }

            fn columns(self, visit: &mut dyn FnMut(Column<'_>)) {
                visit(Column { values: Values::$variant(&[self]), width: 1, per_step: true });
            }
        }
    )*};
}

numbers!(f32, F32; f64, F64);

macro_rules! indices {
    ($($index:ident, $variant:ident, $draw:expr);*) => {$(
        impl<const N: usize> Datum for $index<N> {
            const WIDTH: usize = 1;

            #[inline(always)]
            fn values(samples: &[Self]) -> Values<'_> {
                // SAFETY: `repr(transparent)` over `u32`.
                Values::$variant(unsafe { core::slice::from_raw_parts(samples.as_ptr().cast(), samples.len()) }, N)
            }

            fn values_mut(_: &mut [Self]) -> Option<ValuesMut<'_>> {
                None
            }

            fn draw(random: &mut Random, _: f64, _: f64) -> Self {
                let draw: fn(usize) -> u32 = $draw;
                Self(draw(random.below(N)))
            }
        }
    )*};
}

indices!(Class, Classes, |index| index as u32; Length, Lengths, |index| index as u32 + 1);

impl<A: Datum, const N: usize> Datum for [A; N] {
    const WIDTH: usize = N * A::WIDTH;

    #[inline(always)]
    fn values(samples: &[Self]) -> Values<'_> {
        A::values(samples.as_flattened())
    }

    fn values_mut(samples: &mut [Self]) -> Option<ValuesMut<'_>> {
        A::values_mut(samples.as_flattened_mut())
    }

    fn draw(random: &mut Random, low: f64, high: f64) -> Self {
        core::array::from_fn(|_| A::draw(random, low, high))
    }
}

/// Class indices or lengths as plain numbers; empty for real numbers.
#[inline(always)]
pub fn flatten_indices<A: Datum>(samples: &[A]) -> &[u32] {
    match A::values(samples) {
        Values::Classes(indices, _) | Values::Lengths(indices, _) => indices,
        Values::F32(_) | Values::F64(_) => &[],
    }
}

/// One input, output or target of a batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Column<'a> {
    /// The numbers, sample by sample.
    pub values: Values<'a>,
    /// Numbers of one sample.
    pub width: usize,
    /// Whether it is one number for the whole step.
    pub per_step: bool,
}

/// The inputs, outputs or targets of a batch: a slice with one element a sample, a plain number that counts for the
/// whole step, or a tuple of these in the order of declaration; `()` for none.
pub trait Samples: Copy + Send + Sync {
    /// The same data, owned.
    #[cfg(feature = "alloc")]
    type Owned: crate::dataset::Columns;

    /// The number of samples; `None` where nothing has a length.
    ///
    /// # Errors
    /// [`Error::UnequalLengths`] where slices differ.
    fn count(self) -> Result<Option<usize>, Error>;
    /// The samples `start..end`, cut to what there is.
    fn range(self, start: usize, end: usize) -> Self;
    /// Whether no number is NaN or infinite.
    fn all_finite<X: Machine>(self, machine: X) -> bool;
    /// Shows each slice or number in order.
    fn columns(self, visit: &mut dyn FnMut(Column<'_>));
}

impl<A: Datum> Samples for &[A] {
    #[cfg(feature = "alloc")]
    type Owned = alloc::vec::Vec<A>;

    #[inline(always)]
    fn count(self) -> Result<Option<usize>, Error> {
        Ok(Some(self.len()))
    }

    #[inline(always)]
    fn range(self, start: usize, end: usize) -> Self {
        let end = end.min(self.len());
        self.get(start..end).unwrap_or_default()
    }

    #[inline(always)]
    fn all_finite<X: Machine>(self, machine: X) -> bool {
        A::values(self).all_finite(machine)
    }

    fn columns(self, visit: &mut dyn FnMut(Column<'_>)) {
        visit(Column { values: A::values(self), width: A::WIDTH, per_step: false });
    }
}

/// The length that two parts of a batch have in common.
#[inline(always)]
fn common(first: Option<usize>, second: Option<usize>) -> Result<Option<usize>, Error> {
    match (first, second) {
        (Some(expected), Some(found)) if expected != found => Err(Error::UnequalLengths { expected, found }),
        _ => Ok(first.or(second)),
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),*))*) => {$(
        impl<$($name: Samples),*> Samples for ($($name,)*) {
            #[cfg(feature = "alloc")]
            type Owned = ($($name::Owned,)*);

            #[inline(always)]
            fn count(self) -> Result<Option<usize>, Error> {
                let count = None;
                $(let count = common(count, self.$index.count()?)?;)*
                Ok(count)
            }

            #[inline(always)]
            #[allow(clippy::unused_unit, unused_variables, reason = "the empty tuple")]
            fn range(self, start: usize, end: usize) -> Self {
                ($(self.$index.range(start, end),)*)
            }

            #[inline(always)]
            #[allow(unused_variables, reason = "the empty tuple")]
            fn all_finite<X: Machine>(self, machine: X) -> bool {
                true $(&& self.$index.all_finite(machine))*
            }

            #[allow(unused_variables, reason = "the empty tuple")]
            fn columns(self, visit: &mut dyn FnMut(Column<'_>)) {
                $(self.$index.columns(visit);)*
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

/// Scores of classes, of which the largest wins.
///
/// ```
/// use backprop::prelude::*;
/// let winner: Class<3> = [0.1, 0.7, 0.2].argmax();
/// assert_eq!(winner.index(), 1);
/// ```
pub trait Scores<const N: usize> {
    /// The class with the largest score, the first of equal ones. NaN does not win over a number; class 0 where there is
    /// no number.
    fn argmax(&self) -> Class<N>;
}

impl<T: PartialOrd, const N: usize> Scores<N> for [T; N] {
    fn argmax(&self) -> Class<N> {
        Class(largest(self) as u32)
    }
}

/// Index of the largest number, the first of equal ones; 0 where there is none.
pub(crate) fn largest<T: PartialOrd>(scores: &[T]) -> usize {
    let mut best: Option<(usize, &T)> = None;
    for (index, score) in scores.iter().enumerate() {
        #[allow(clippy::eq_op, reason = "NaN differs from itself")]
        if score == score && best.is_none_or(|(_, largest)| score > largest) {
            best = Some((index, score));
        }
    }
    best.map_or(0, |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Instructions;

    #[test]
    fn classes_and_lengths_know_their_range() {
        assert_eq!(Class::<3>::new(2).map(Class::index), Ok(2));
        assert_eq!(Class::<3>::new(3), Err(Error::ClassOutOfRange { index: 3, classes: 3 }));
        assert_eq!(Class::<3>::try_from(200_u8), Err(Error::ClassOutOfRange { index: 200, classes: 3 }));
        assert_eq!(Length::<3>::new(3).map(Length::steps), Ok(3));
        assert_eq!(Length::<3>::new(0), Err(Error::LengthOutOfRange { length: 0, maximum: 3 }));
        assert_eq!(Length::<3>::try_from(4_u64), Err(Error::LengthOutOfRange { length: 4, maximum: 3 }));
    }

    #[test]
    fn lengths_of_a_batch_must_agree() {
        let (long, short) = ([[0.0_f32; 2]; 5], [Class::<4>::default(); 3]);
        assert_eq!((&long[..], 0.5_f32, &long[..]).count(), Ok(Some(5)));
        assert_eq!((&long[..], &short[..]).count(), Err(Error::UnequalLengths { expected: 5, found: 3 }));
        assert_eq!(().count(), Ok(None));
    }

    #[test]
    fn a_range_is_cut_to_what_there_is() {
        let numbers = [1.0_f64, 2.0, 3.0];
        assert_eq!((&numbers[..], 7.0_f64).range(1, 9), (&numbers[1..], 7.0));
        assert!((&numbers[..]).range(4, 9).is_empty());
    }

    #[test]
    fn infinities_are_found_at_any_depth() {
        let mut values = [[[1.0_f32; 3]; 2]; 4];
        for unit in Instructions::available() {
            assert!((&values[..], 1.0_f32).all_finite(unit));
            values[3][1][2] = f32::NAN;
            assert!(!(&values[..], 1.0_f32).all_finite(unit));
            values[3][1][2] = -1.0;
            assert!(!f64::INFINITY.all_finite(unit));
        }
    }

    #[test]
    fn indices_of_sequences_are_flat() {
        let class = |index| Class::<9>::new(index).unwrap_or_default();
        assert_eq!(flatten_indices(&[[class(1), class(2)], [class(3), class(8)]]), &[1, 2, 3, 8]);
        assert!(flatten_indices(&[1.0_f32]).is_empty());
    }

    #[test]
    fn the_largest_score_wins() {
        assert_eq!([0.5, 2.0, 2.0, -1.0].argmax().index(), 1);
        assert_eq!([f32::NAN, -3.0, f32::NEG_INFINITY].argmax().index(), 1);
        assert_eq!([f32::NAN; 2].argmax().index(), 0);
    }
}
