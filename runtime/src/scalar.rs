//! The numbers a network computes with.

use core::fmt::{Debug, Display};
use core::ops::{AddAssign, DivAssign, MulAssign, SubAssign};

use num_traits::{Float, FromPrimitive};

use crate::simd::Element;

/// A floating-point type that networks can be built of: `f32` or `f64`.
///
/// The same declaration runs in either: training usually in `f32`, gradient checks in `f64`.
/// The trait is sealed, since every scalar needs its vector operations ([`Element`]).
pub trait Scalar:
    crate::data::Datum
    + crate::data::Samples
    + Element
    + Float
    + FromPrimitive
    + Default
    + Debug
    + Display
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + Send
    + Sync
{
    /// The name that messages and files use: `"f32"` or `"f64"`.
    const NAME: &'static str;

    /// The distance from 1 to the next larger number.
    const EPSILON: Self;

    /// The scalar nearest to `value`.
    ///
    /// Unlike `FromPrimitive::from_f64` it cannot fail: what is too large becomes infinite.
    fn constant(value: f64) -> Self;

    /// This number as an `f64`, which holds it exactly.
    fn widen(self) -> f64;
}

impl Scalar for f32 {
    const NAME: &'static str = "f32";
    const EPSILON: Self = f32::EPSILON;

    #[inline(always)]
    fn constant(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn widen(self) -> f64 {
        f64::from(self)
    }
}

impl Scalar for f64 {
    const NAME: &'static str = "f64";
    const EPSILON: Self = f64::EPSILON;

    #[inline(always)]
    fn constant(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn widen(self) -> f64 {
        self
    }
}

/// A whole number, such as the number of a step.
#[inline(always)]
pub fn step_number<T: Scalar>(number: usize) -> T {
    T::constant(number as f64)
}
