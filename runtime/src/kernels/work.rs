//! Work that knows of no network: it is compiled with this library, once for each scalar type and vector unit.

use pulp::{Simd, WithSimd};

use super::column_sums::ColumnSums;
use super::product::Promised;
use super::uniform::Uniform;
use crate::flat::{Bound, Finite, Scale, SumOfSquares, scaled_norm};
use crate::scalar::Scalar;

/// A piece of work for [`Element::work`](crate::simd::Element::work).
#[derive(Clone, Copy)]
#[allow(private_interfaces, reason = "made and done in this library only")]
pub enum Work<'a, T> {
    /// The blocks of a product.
    Product(&'a Promised<'a, T>),
    /// Sums of columns.
    Columns(&'a ColumnSums<'a, T>),
    /// Random numbers.
    Uniform(&'a Uniform<'a, T>),
    /// A factor for many numbers.
    Scale(&'a Scale<'a, T>),
    /// Bounds for many numbers.
    Bound(&'a Bound<'a, T>),
    /// Yields zero if all numbers are finite.
    Finite(&'a Finite<'a, T>),
    /// Yields the sum.
    Squares(&'a SumOfSquares<'a, T>),
    /// Yields the norm, however large its square.
    ScaledNorm(&'a [T]),
}

impl<T: Scalar> WithSimd for Work<'_, T> {
    type Output = T;

    /// Each piece in a function of its own: without optimisation, the frame of one function would have room for all.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> T {
        match self {
            Self::Product(product) => product.walk(simd),
            Self::Columns(sums) => simd.vectorize(sums),
            Self::Uniform(uniform) => simd.vectorize(uniform),
            Self::Scale(scale) => simd.vectorize(scale),
            Self::Bound(bound) => simd.vectorize(bound),
            Self::Finite(finite) if !simd.vectorize(finite) => return T::nan(),
            Self::Finite(_) => {}
            Self::Squares(squares) => return simd.vectorize(squares),
            Self::ScaledNorm(numbers) => return scaled_norm(numbers),
        }
        T::zero()
    }
}
