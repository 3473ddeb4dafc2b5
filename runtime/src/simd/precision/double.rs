//! Sums of two `f64`, in which series are summed directly.

use core::ops::{Add, Div, Mul, Neg, Sub};

/// A sum of two `f64`, the second below half an ulp of the first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Double(pub(super) f64, pub(super) f64);

fn fast_sum(a: f64, b: f64) -> Double {
    let sum = a + b;
    Double(sum, b - (sum - a))
}

fn sum(a: f64, b: f64) -> Double {
    let sum = a + b;
    let part = sum - a;
    Double(sum, (a - (sum - part)) + (b - part))
}

impl From<f64> for Double {
    fn from(value: f64) -> Self {
        Self(value, 0.0)
    }
}

impl Neg for Double {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0, -self.1)
    }
}

impl Add for Double {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let (high, low) = (sum(self.0, other.0), sum(self.1, other.1));
        let high = fast_sum(high.0, high.1 + low.0);
        fast_sum(high.0, high.1 + low.1)
    }
}

impl Sub for Double {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Double {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let product = self.0 * other.0;
        let error = self.0.mul_add(other.0, -product);
        fast_sum(product, error + (self.0 * other.1 + self.1 * other.0))
    }
}

impl Div for Double {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let first = self.0 / other.0;
        let rest = self - other * Self::from(first);
        let second = rest.0 / other.0;
        let rest = rest - other * Self::from(second);
        fast_sum(first, second) + Self::from(rest.0 / other.0)
    }
}

const LN_2: Double = Double(core::f64::consts::LN_2, 2.3190468138462996e-17);
const HALF_PI: Double = Double(core::f64::consts::FRAC_PI_2, 6.123233995736766e-17);
/// What [`HALF_PI`] lacks.
const HALF_PI_REST: f64 = -1.4973849048591698e-33;
/// Up to here quarter turns are counted exactly, and the parts of π/2 are enough for their multiples.
pub(super) const TURNS: f64 = (1_u64 << 51) as f64;

impl Double {
    pub(super) fn abs(self) -> Self {
        if self.0 < 0.0 { -self } else { self }
    }

    /// `e^x - 1` for `|x| < 0.4`
    pub(super) fn exp_m1_series(self) -> Self {
        let (mut term, mut total) = (self, self);
        for n in 2..40 {
            term = term * self / Self::from(f64::from(n));
            total = total + term;
        }
        total
    }

    pub(super) fn scale(self, n: f64) -> Self {
        let half = (n / 2.0).floor();
        let (a, b) = (half.exp2(), (n - half).exp2());
        Self(self.0 * a * b, self.1 * a * b)
    }

    pub(super) fn exp(self) -> Self {
        let n = (self.0 / core::f64::consts::LN_2).round();
        (Self::from(1.0) + (self - Self::from(n) * LN_2).exp_m1_series()).scale(n)
    }

    pub(super) fn exp_m1(self) -> Self {
        if self.0.abs() < 0.3 { self.exp_m1_series() } else { self.exp() - Self::from(1.0) }
    }

    /// Newton's method from the `f64` value: each step doubles the digits.
    pub(super) fn ln(self) -> Self {
        if self.0 < 1e-290 {
            return self.scale(200.0).ln() - Self::from(200.0) * LN_2;
        }
        if self.0 > 1e290 {
            return self.scale(-200.0).ln() + Self::from(200.0) * LN_2;
        }
        let near = self - Self::from(1.0);
        if near.0.abs() < 0.1 {
            return near.ln_1p_series();
        }
        let guess = Self::from(self.0.ln());
        guess + (self * (-guess).exp() - Self::from(1.0))
    }

    /// `2·artanh(x/(2 + x))` for `|x| < 0.11`
    pub(super) fn ln_1p_series(self) -> Self {
        let s = self / (self + Self::from(2.0));
        let square = s * s;
        let (mut power, mut total) = (s, s);
        for n in 1..40 {
            power = power * square;
            total = total + power / Self::from(f64::from(2 * n + 1));
        }
        total + total
    }

    pub(super) fn ln_1p(self) -> Self {
        if self.0.abs() < 0.1 { self.ln_1p_series() } else { (self + Self::from(1.0)).ln() }
    }

    /// Sine of an `f64` up to [`TURNS`], a quarter turn later for each `quarter`.
    pub(super) fn sin_from(self, quarter: i64) -> Self {
        let turns = (self.0 / HALF_PI.0).round();
        // Exact products, so that what is left close to a multiple of π/2 has all its digits.
        let product = |part: f64| Self(turns * part, turns.mul_add(part, -(turns * part)));
        let r = self - product(HALF_PI.0) - product(HALF_PI.1) - product(HALF_PI_REST);
        let quadrant = (turns as i64 + quarter).rem_euclid(4);
        let (mut term, first) = if quadrant % 2 == 0 { (r, 1) } else { (Self::from(1.0), 0) };
        let mut total = term;
        for n in 1..20 {
            let k = 2 * n + first;
            term = -(term * r * r / Self::from(f64::from(k * (k - 1))));
            total = total + term;
        }
        if quadrant < 2 { total } else { -total }
    }

    pub(super) fn sigmoid(self) -> Self {
        let decay = (-self.abs()).exp();
        (if self.0 < 0.0 { decay } else { Self::from(1.0) }) / (Self::from(1.0) + decay)
    }

    pub(super) fn softplus(self) -> Self {
        let positive = if self.0 > 0.0 { self } else { Self::from(0.0) };
        positive + (-self.abs()).exp().ln_1p()
    }

    pub(super) fn tanh(self) -> Self {
        if self.0.abs() > 30.0 {
            return Self::from(self.0.signum());
        }
        let t = (self + self).exp_m1();
        t / (t + Self::from(2.0))
    }

    /// `2/√π·e^(-x²)·Σ 2^n x^(2n+1)/(1·3·…·(2n+1))`, whose terms are all of one sign.
    pub(super) fn erf(self) -> Self {
        if self.0.abs() > 6.5 {
            return Self::from(self.0.signum());
        }
        let square = self * self;
        let (mut term, mut total) = (self, self);
        for n in 1..200 {
            term = term * square * Self::from(2.0) / Self::from(f64::from(2 * n + 1));
            total = total + term;
        }
        // 2/√π
        total * (-square).exp() * Double(core::f64::consts::FRAC_2_SQRT_PI, 1.533545961316588e-17)
    }

    pub(super) fn powf(self, exponent: Self) -> Self {
        (self.ln() * exponent).exp()
    }
}
