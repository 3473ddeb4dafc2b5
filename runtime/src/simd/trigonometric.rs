//! Sine and cosine.

use pulp::Simd;

use super::Lanes;
use crate::scalar::Scalar;

/// Whether `mul_add` rounds once on this unit.
#[inline(always)]
const fn is_fused<S: Simd>() -> bool {
    !S::IS_SCALAR && !cfg!(target_arch = "wasm32")
}

/// Up to here the reduction by multiples of π/2 is accurate; numbers beyond are given to `libm` one by one.
const LIMIT: f64 = 1e5;

impl<T: Scalar, S: Simd> Lanes<T, S> {
    /// The sine.
    ///
    /// Within 2 ulp (`f32`, `f64`) for `|x| ≤ 10^5`; `libm`'s beyond, and without a vector unit.
    #[inline(always)]
    pub fn sin(self) -> Self {
        if S::IS_SCALAR {
            return self.each(T::sin);
        }
        let result = self.sine_near(0.0, is_fused::<S>());
        let far = !self.abs().le(self.like(LIMIT));
        if far.any() { far.select(self.each(T::sin), result) } else { result }
    }

    /// The cosine.
    ///
    /// Within 2 ulp (`f32`, `f64`) for `|x| ≤ 10^5`; `libm`'s beyond, and without a vector unit.
    #[inline(always)]
    pub fn cos(self) -> Self {
        if S::IS_SCALAR {
            return self.each(T::cos);
        }
        let result = self.sine_near(1.0, is_fused::<S>());
        let far = !self.abs().le(self.like(LIMIT));
        if far.any() { far.select(self.each(T::cos), result) } else { result }
    }

    /// `sin(self + quarter·π/2)` for `|self| ≤ LIMIT`; `fused` if `mul_add` rounds once.
    #[inline(always)]
    pub(super) fn sine_near(self, quarter: f64, fused: bool) -> Self {
        let turns = (self * self.like(core::f64::consts::FRAC_2_PI)).round_small();
        let r = if fused { self.less_turns(turns) } else { self.less_turns_unfused(turns) };
        // The quadrant, from -2 to 2: odd ones take the cosine, ±2 and -1 turn the sign.
        let quadrant = turns + self.like(quarter);
        let quadrant = self.like(-4.0).mul_add((quadrant * self.like(0.25)).round_small(), quadrant);
        let odd = quadrant.abs().eq(self.like(1.0));
        let negative = quadrant.eq(self.like(-1.0)) | quadrant.abs().eq(self.like(2.0));
        let square = r * r;
        let value = odd.select(cosine_reduced(square), sine_reduced(r, square));
        let value = negative.select(-value, value);
        // The reduction would lose the sign of zero.
        if quarter == 0.0 { self.eq(self.like(0.0)).select(self, value) } else { value }
    }

    /// `self - turns·π/2`
    #[inline(always)]
    fn less_turns(self, turns: Self) -> Self {
        // π/2 in three parts of full length: each fused step is exact but for its one rounding.
        let parts = if T::DIGITS == 24 {
            [1.5707963705062866, -4.371138828673793e-8, -1.7151245100058819e-15]
        } else {
            [core::f64::consts::FRAC_PI_2, 6.123233995736766e-17, -1.4973849048591698e-33]
        };
        let mut r = self;
        for part in parts {
            r = (-turns).mul_add(self.like(part), r);
        }
        r
    }

    /// [`less_turns`](Self::less_turns) where products are rounded.
    #[inline(always)]
    fn less_turns_unfused(self, turns: Self) -> Self {
        // π/2 in parts so short, but for the last one, that their products with the turns, of 16 bits up to the limit, are exact
        // (Cody and Waite: Software manual for the elementary functions, 1980).
        let parts: &[f64] = if T::DIGITS == 24 {
            &[
                1.5703125,
                0.000457763671875,
                2.5987625122070312e-5,
                7.543712854385376e-8,
                6.002665031701326e-11,
                7.389644451905042e-13,
                5.390302953474238e-15,
            ]
        } else {
            &[1.5707963267923333, 2.5633441515839558e-12, 1.0562999066987428e-23]
        };
        let (mut r, mut lost) = (self, self.like(0.0));
        for &part in parts {
            // What a difference loses by rounding, computed exactly (Knuth: The Art of Computer Programming 2, 4.2.2, theorem B).
            let product = turns * self.like(part);
            let difference = r - product;
            let taken = r - difference;
            lost += (r - (difference + taken)) + (taken - product);
            r = difference;
        }
        r + lost
    }
}

/// `r + r³·p(r²)` for `|r| ≤ π/4`, where `p` approximates `(sin r / r - 1)/r²` to 2^-29 or 2^-58 of `sin r / r`.
#[inline(always)]
fn sine_reduced<T: Scalar, S: Simd>(r: Lanes<T, S>, square: Lanes<T, S>) -> Lanes<T, S> {
    let cubic = if T::DIGITS == 24 {
        square.polynomial([-0.00019516685060373326, 0.008332173813738316, -0.16666654879309495])
    } else {
        square.polynomial([
            1.5896524115604998e-10,
            -2.5050753634284633e-8,
            2.755731366475357e-6,
            -0.00019841269829734348,
            0.00833333333332233,
            -0.16666666666666632,
        ])
    };
    (r * square).mul_add(cubic, r)
}

/// `1 - r²/2 + r⁴·p(r²)` for `|r| ≤ π/4`, where `p` approximates `(cos r - 1 + r²/2)/r⁴` to 2^-33 or 2^-63.
#[inline(always)]
fn cosine_reduced<T: Scalar, S: Simd>(square: Lanes<T, S>) -> Lanes<T, S> {
    let quartic = if T::DIGITS == 24 {
        square.polynomial([2.4437831521621547e-5, -0.0013887362474793684, 0.04166664677285012])
    } else {
        square.polynomial([
            -1.1359544809385681e-11,
            2.0875721587531437e-9,
            -2.755731434255721e-7,
            2.4801587289459392e-5,
            -0.001388888888887411,
            0.0416666666666666,
        ])
    };
    let half = square * square.like(0.5);
    let one = square.like(1.0);
    // 1 - r²/2 is rounded; what it lost is added back with the quartic term.
    let leading = one - half;
    leading + (square * square).mul_add(quartic, (one - leading) - half)
}
