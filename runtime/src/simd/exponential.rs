//! The exponential function and what is made of it.
//!
//! Coefficients here and in the neighbouring files are minimax, found with a Remez exchange in 50-digit arithmetic; each says
//! what it approximates. The bounds were measured against 100-bit and longer references (see the tests).

use pulp::Simd;

use super::Lanes;
use crate::scalar::Scalar;

/// `log2 e`
const LOG2_E: f64 = core::f64::consts::LOG2_E;

/// `x = n·ln 2 + r + lost` with whole `n`, `|r| ≤ ln 2 / 2` and what rounding took from `r`.
struct Reduced<T: Scalar, S: Simd> {
    n: Lanes<T, S>,
    r: Lanes<T, S>,
    lost: Lanes<T, S>,
}

impl<T: Scalar, S: Simd> Lanes<T, S> {
    /// `ln 2` in two parts, the first so short that its product with any exponent is exact.
    #[inline(always)]
    pub(super) fn ln_2_parts(self) -> (Self, Self) {
        if T::DIGITS == 24 {
            (self.like(0.693115234375), self.like(3.1946184945309415e-5))
        } else {
            (self.like(0.6931471805592082), self.like(7.371002565167799e-13))
        }
    }

    #[inline(always)]
    fn reduce_exponent(self) -> Reduced<T, S> {
        let (high, low) = self.ln_2_parts();
        let n = (self * self.like(LOG2_E)).round_small();
        let nearly = (-n).mul_add(high, self);
        let r = (-n).mul_add(low, nearly);
        let lost = (-n).mul_add(low, nearly - r);
        Reduced { n, r, lost }
    }

    /// `q(r)` for `|r| ≤ ln 2 / 2`: approximates `(e^r - 1 - r)/r²` to 2^-28 or 2^-58 of `e^r`.
    #[inline(always)]
    fn exp_quotient(self) -> Self {
        if T::DIGITS == 24 {
            self.polynomial([
                0.0013950585912228617,
                0.008368946713824111,
                0.04166620446294584,
                0.16666518379499723,
                0.5000000095548007,
            ])
        } else {
            self.polynomial([
                2.5117962636328874e-8,
                2.763137125585655e-7,
                2.7557215993047343e-6,
                2.480148972335402e-5,
                0.00019841269917709732,
                0.0013888888947185224,
                0.008333333333307066,
                0.04166666666651498,
                0.166666666666667,
                0.5000000000000013,
            ])
        }
    }

    /// `self·2^n` for whole `n`, also where `2^n` itself is beyond the range: overflow and denormal results are right.
    #[inline(always)]
    pub(super) fn scale(self, n: Self) -> Self {
        let half = (n * self.like(0.5)).round_small();
        (self * half.power_of_two()) * (n - half).power_of_two()
    }

    /// The exponential function.
    ///
    /// Within 1 ulp (`f32`, `f64`), of denormal results within 1 of their last place; overflows to infinity.
    #[inline(always)]
    pub fn exp(self) -> Self {
        // Beyond these bounds the result is zero or infinite.
        let (low, high) = if T::DIGITS == 24 { (-105.0, 90.0) } else { (-750.0, 711.0) };
        let x = self.clamp(self.like(low), self.like(high));
        let Reduced { n, r, lost } = x.reduce_exponent();
        // 1 + r is rounded; what it lost, here and in the reduction, is added with the small terms.
        let one = r.like(1.0);
        let leading = one + r;
        let rest = (r * r).mul_add(r.exp_quotient(), (r - (leading - one)) + lost);
        (leading + rest).scale(n)
    }

    /// `e^x - 1`, accurate near zero.
    ///
    /// Within 2 ulp (`f32`, `f64`).
    #[inline(always)]
    pub fn exp_m1(self) -> Self {
        let digits = f64::from(T::DIGITS);
        let high = if T::DIGITS == 24 { 89.0 } else { 710.0 };
        let x = self.clamp(self.like(-0.75 * digits), self.like(high));
        let Reduced { n, r, lost } = x.reduce_exponent();
        let reduced = r + (r * r).mul_add(r.exp_quotient(), lost);
        // Half of 2^n·(e^r - 1) + (2^n - 1): 2^n itself may overflow where the result does not.
        let half = self.like(0.5);
        let scale = (n - self.like(1.0)).power_of_two();
        let halved = scale.mul_add(reduced, scale - half);
        // Where n is zero the halves would cost denormal numbers a bit: the number itself is right there.
        let tiny = self.abs().lt(self.like(T::EPSILON.widen() * 0.5));
        tiny.select(self, halved + halved)
    }

    /// The logistic function `1/(1 + e^-x)`.
    ///
    /// Within 2 ulp (`f32`, `f64`).
    #[inline(always)]
    pub fn sigmoid(self) -> Self {
        // With e^-|x| nothing overflows, and small results keep their digits.
        let decay = (-self.abs()).exp();
        let one = self.like(1.0);
        let negative = self.lt(self.like(0.0));
        let sum = one + decay;
        let quotient = negative.select(decay, one) / sum;
        // What rounding took from the sum, divided by it: one of the two quotients is 1/sum.
        let lost = decay - (sum - one);
        let inverse = negative.select(one - quotient, quotient);
        (-quotient * lost).mul_add(inverse, quotient)
    }

    /// `ln(1 + e^x)`.
    ///
    /// Within 2 ulp (`f32`, `f64`).
    #[inline(always)]
    pub fn softplus(self) -> Self {
        let zero = self.like(0.0);
        let positive = self.lt(zero).select(zero, self);
        positive + (-self.abs()).exp().ln_1p()
    }

    /// The hyperbolic tangent.
    ///
    /// Within 2 ulp (`f32`) or 3 (`f64`).
    #[inline(always)]
    pub fn tanh(self) -> Self {
        // From these bounds on it is 1.
        let bound = self.like(if T::DIGITS == 24 { 10.0 } else { 20.0 });
        let magnitude = self.abs();
        let x = magnitude.gt(bound).select(bound, magnitude);
        let tanh = if T::DIGITS == 24 { x.tanh_single() } else { x.tanh_double() };
        tanh.copy_sign(self)
    }

    /// `tanh` from 0 to 10.
    #[inline(always)]
    fn tanh_single(self) -> Self {
        // Below 0.6 x + x³·p(x²), where p approximates (tanh x / x - 1)/x² to 2^-28 of tanh x / x.
        let square = self * self;
        let cubic = square.polynomial([
            -0.005906343612670698,
            0.0208058274792141,
            -0.05378682891453707,
            0.1333196019015186,
            -0.3333329935877938,
        ]);
        let small = (self * square).mul_add(cubic, self);
        // Above, 1 - 2/(e^2x + 1), whose second term is at most half: its error counts half, and less than that for large n,
        // so that ln 2 needs no second part.
        let one = self.like(1.0);
        let y = self + self;
        let n = (y * self.like(LOG2_E)).round_small();
        let r = (-n).mul_add(self.like(core::f64::consts::LN_2), y);
        let power = one + (r * r).mul_add(r.exp_quotient(), r);
        let large = self.like(-2.0).mul_add(n.power_of_two().mul_add(power, one).recip(), one);
        self.lt(self.like(0.6)).select(small, large)
    }

    /// `tanh` from 0 to 20.
    #[inline(always)]
    fn tanh_double(self) -> Self {
        // -t/(t + 2) with t = e^-2x - 1 = 2^n·(e^r - 1) + (2^n - 1). Negative exponents, so that the sum is just below 2 for
        // small numbers, where it is rounded half as much as just above.
        let y = -(self + self);
        // n changes at -0.75 rather than at -0.5: the difference of what is left cancels less.
        let n = y.mul_add(self.like(LOG2_E), self.like(0.25)).round_small();
        let (high, low) = self.ln_2_parts();
        let r = (-n).mul_add(low, (-n).mul_add(high, y));
        // For -0.755 ≤ r / ln 2 ≤ 0.255 approximates (e^r - 1 - r)/r² to 2^-62 of the result.
        let quotient = r.polynomial([
            1.7592761890609703e-9,
            2.4774210217267442e-8,
            2.754642214872364e-7,
            2.7557192450480624e-6,
            2.480159157869525e-5,
            0.0001984126997891494,
            0.001388888888927246,
            0.008333333333307715,
            0.04166666666666459,
            0.16666666666666677,
            0.5,
        ]);
        let reduced = (r * r).mul_add(quotient, r);
        let (scale, one) = (n.power_of_two(), self.like(1.0));
        scale.mul_add(reduced, scale - one) / scale.mul_add(reduced, scale + one)
    }
}
