//! Work that knows of no network: it is compiled with this library, once for each scalar type and vector unit.

use pulp::{Simd, WithSimd};

use super::blocks::Product;
use super::column_sums::ColumnSums;
use super::uniform::Uniform;
use crate::flat::{Finite, Scale, SumOfSquares, scaled_norm};
use crate::optimizers::{Descent, HeavyBall, MomentRule, Rest, Ruled};
use crate::scalar::Scalar;

/// A piece of work for [`Element::work`](crate::simd::Element::work).
#[derive(Clone, Copy)]
#[allow(private_interfaces, reason = "made and done in this library only")]
pub enum Work<'a, T> {
    /// The blocks of a product.
    Product(&'a Product<'a, T>),
    /// Sums of columns.
    Columns(&'a ColumnSums<'a, T>),
    /// Random numbers.
    Uniform(&'a Uniform<'a, T>),
    /// A factor for many numbers.
    Scale(&'a Scale<'a, T>),
    /// Yields zero if all numbers are finite.
    Finite(&'a Finite<'a, T>),
    /// Yields the sum.
    Squares(&'a SumOfSquares<'a, T>),
    /// Yields the norm, however large its square.
    ScaledNorm(&'a [T]),
    /// The end of a step of gradient descent; yields NaN if the gradient is not finite.
    Descent(&'a Rest<'a, T, Ruled<'a, T, Descent<T>, 0>>),
    /// The same with momentum.
    HeavyBall(&'a Rest<'a, T, Ruled<'a, T, HeavyBall<T>, 1>>),
    /// The same with running means, as of Adam.
    Moments(&'a Rest<'a, T, Ruled<'a, T, MomentRule<T>, 2>>),
}

impl<T: Scalar> WithSimd for Work<'_, T> {
    type Output = T;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> T {
        match self {
            Self::Product(product) => product.walk(simd),
            Self::Columns(sums) => sums.with_simd(simd),
            Self::Uniform(uniform) => uniform.with_simd(simd),
            Self::Scale(scale) => scale.with_simd(simd),
            Self::Finite(finite) if !finite.with_simd(simd) => return T::nan(),
            Self::Finite(_) => {}
            Self::Squares(squares) => return squares.with_simd(simd),
            Self::ScaledNorm(numbers) => return scaled_norm(numbers),
            Self::Descent(rest) => return rest.with_simd(simd),
            Self::HeavyBall(rest) => return rest.with_simd(simd),
            Self::Moments(rest) => return rest.with_simd(simd),
        }
        T::zero()
    }
}
