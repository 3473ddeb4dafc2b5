//! Logarithms and powers.

use pulp::Simd;

use super::Lanes;
use crate::scalar::Scalar;

impl<T: Scalar, S: Simd> Lanes<T, S> {
    /// For `0 ≤ z ≤ 0.0295` and `s² = z`: `(2·artanh s - 2s)/s`, to 2^-29 or 2^-58 of `2·artanh s / s`.
    #[inline(always)]
    fn artanh_rest(self) -> Self {
        let quotient = if T::DIGITS == 24 {
            self.polynomial([0.29872820872875355, 0.3997750671814641, 0.6666677660246236])
        } else {
            self.polynomial([
                0.14797107493324896,
                0.1531394616661466,
                0.18183567917952786,
                0.22222198514694744,
                0.2857142874283595,
                0.3999999999941335,
                0.6666666666666734,
            ])
        };
        self * quotient
    }

    /// Exponent and fraction of a positive number, denormal ones too: `self = m·2^e` with `√½ ≤ m < √2`.
    #[inline(always)]
    fn split_positive(self) -> (Self, Self) {
        let denormal = self.lt(self.like(T::min_positive_value().widen()));
        let raise = self.like((1_u64 << T::DIGITS) as f64);
        let (exponent, fraction) = denormal.select(self * raise, self).split_exponent();
        (denormal.select(exponent - self.like(f64::from(T::DIGITS)), exponent), fraction)
    }

    /// The logarithm of a positive number, after its special cases.
    #[inline(always)]
    fn with_logarithm_specials(self, logarithm: Self) -> Self {
        let zero = self.like(0.0);
        let infinity = self.like(f64::INFINITY);
        let finite = self.lt(infinity).select(logarithm, self);
        let known = self.gt(zero).select(finite, self.like(f64::NAN));
        self.eq(zero).select(-infinity, known)
    }

    /// The natural logarithm.
    ///
    /// Within 1 ulp (`f32`, `f64`), of denormal numbers too; −∞ at zero, NaN below.
    #[inline(always)]
    pub fn ln(self) -> Self {
        let (exponent, fraction) = self.split_positive();
        // With s = f/(2 + f), ln(1 + f) = 2·artanh s = f - (f²/2 - s·(f²/2 + rest(s²))): the large terms are exact.
        let f = fraction - self.like(1.0);
        let s = f / (f + self.like(2.0));
        let half_square = f * f * self.like(0.5);
        let rest = (s * s).artanh_rest();
        let (high, low) = self.ln_2_parts();
        let small = s.mul_add(half_square + rest, exponent * low);
        let logarithm = exponent.mul_add(high, f - (half_square - small));
        self.with_logarithm_specials(logarithm)
    }

    /// `ln(1 + x)`, accurate near zero.
    ///
    /// Within 2 ulp (`f32`, `f64`); −∞ at −1, NaN below.
    #[inline(always)]
    pub fn ln_1p(self) -> Self {
        let one = self.like(1.0);
        let sum = one + self;
        // What rounding took from the sum, relative to it: ln(1 + x) = ln(sum) + lost/sum.
        let lost = (self - (sum - one)) / sum;
        let corrected = sum.ln() + lost.eq(lost).select(lost, self.like(0.0));
        // Zero keeps its sign; infinity has lost nothing that could be computed.
        self.eq(self.like(0.0)).select(self, corrected)
    }

    /// `self` to the power of `exponent`, with the special cases of IEEE 754's `pow`.
    ///
    /// Within 2 ulp (`f32`) or 8 ulp (`f64`, 4 where the result lies between 1e-100 and 1e100).
    #[inline(always)]
    pub fn powf(self, exponent: Self) -> Self {
        let one = self.like(1.0);
        let zero = self.like(0.0);
        let magnitude = self.abs();
        let power = magnitude.positive_power(exponent);
        // A negative base has a power for whole exponents only, negative for odd ones. Halves of large numbers are whole.
        let whole = exponent.is_whole();
        let odd = whole & !(exponent * self.like(0.5)).is_whole();
        let sign = odd.select(self, one);
        let undefined = self.lt(zero) & !whole & exponent.eq(exponent);
        let signed = undefined.select(self.like(f64::NAN), power.turn_sign(sign));
        let trivial = exponent.eq(zero) | self.eq(one);
        let opposite = self.eq(-one) & exponent.abs().eq(self.like(f64::INFINITY));
        (trivial | opposite).select(one, signed)
    }

    /// Whether each lane is a whole number; infinities are.
    #[inline(always)]
    fn is_whole(self) -> super::LanesMask<T, S> {
        let large = self.abs().ge(self.like((1_u64 << (T::DIGITS - 2)) as f64));
        large | self.round_small().eq(self)
    }

    /// `self^exponent` for a base that is not negative: the exponential of a logarithm that carries twice the digits.
    #[inline(always)]
    fn positive_power(self, exponent: Self) -> Self {
        let (e, fraction) = self.split_positive();
        let one = self.like(1.0);
        let two = self.like(2.0);
        let f = fraction - one;
        // s = f/(2 + f) as a sum of two numbers.
        let divisor = f + two;
        let divisor_low = f - (divisor - two);
        let s = f / divisor;
        let (product, product_low) = s.exact_product(divisor);
        let s_low = (((f - product) - product_low) - s * divisor_low) / divisor;
        // 2·artanh of it; the first term of the rest, 2/3·s³, also as a sum of two.
        let square = s * s;
        let rest = s * square.artanh_rest() + two * s_low * (one + square);
        let (high, low) = self.ln_2_parts();
        let (sum, sum_low) = (e * high).exact_sum(two * s);
        let (sum, rest_low) = sum.exact_sum(rest);
        let (logarithm, exponent_low) = sum.exact_sum(e * low);
        let logarithm_low = sum_low + rest_low + exponent_low;
        let (product, product_low) = logarithm.exact_product(exponent);
        let correction = product_low + logarithm_low * exponent;
        let small = product.abs().lt(self.like(2000.0));
        // Zero, infinite and huge cases have no correction: the product with the plain logarithm decides.
        let plain = self.ln() * exponent;
        let usable = small & plain.abs().lt(self.like(2000.0));
        let value = usable.select(product, plain).exp();
        let factor = usable.select(correction, self.like(0.0));
        let corrected = value.mul_add(factor, value);
        // An infinite or zero value has no use for a factor, which could turn it into NaN.
        (usable & value.abs().lt(self.like(f64::INFINITY))).select(corrected, value)
    }

    /// `self + other` as its rounded value and what rounding took (Knuth's two-sum).
    #[inline(always)]
    fn exact_sum(self, other: Self) -> (Self, Self) {
        let sum = self + other;
        let part = sum - self;
        (sum, (self - (sum - part)) + (other - part))
    }

    /// `self·other` as its rounded value and what rounding took (Dekker's product, which needs no fused operation).
    #[inline(always)]
    fn exact_product(self, other: Self) -> (Self, Self) {
        let product = self * other;
        let (a, b) = (self.split_digits(), other.split_digits());
        let error = ((a.0 * b.0 - product) + a.0 * b.1 + a.1 * b.0) + a.1 * b.1;
        (product, error)
    }

    /// The upper and lower half of the digits (Veltkamp's splitting).
    #[inline(always)]
    fn split_digits(self) -> (Self, Self) {
        let spread = self * self.like(((1_u64 << T::DIGITS.div_ceil(2)) + 1) as f64);
        let upper = spread - (spread - self);
        (upper, self - upper)
    }
}
