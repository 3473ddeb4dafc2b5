//! The error function.

use pulp::Simd;

use super::Lanes;
use crate::scalar::Scalar;

impl<T: Scalar, S: Simd> Lanes<T, S> {
    /// The error function `2/√π·∫₀ˣ e^(-t²) dt`.
    ///
    /// Within 2 ulp (`f32`, `f64`).
    #[inline(always)]
    pub fn erf(self) -> Self {
        let magnitude = self.abs();
        let square = self * self;
        let one = self.like(1.0);
        let (small, exponent) = if T::DIGITS == 24 {
            (square.erf_cubic_single(), magnitude.erfc_exponent_single())
        } else {
            (square.erf_cubic_double(), magnitude.erfc_exponent_double())
        };
        // Below 1, 2/√π·x + x³·p(x²); 2/√π - 1 is used so that its own rounding counts less.
        let excess = self.like(core::f64::consts::FRAC_2_SQRT_PI - 1.0);
        let small = self + self * square.mul_add(small, excess);
        // Above, 1 - e^q(x), where q approximates ln erfc.
        let large = (one - exponent.exp()).copy_sign(self);
        magnitude.lt(one).select(small, large)
    }

    /// `(erf x / x - 2/√π)/x²` of the square of `|x| ≤ 1`, to 2^-29 of `erf x / x`.
    #[inline(always)]
    fn erf_cubic_single(self) -> Self {
        self.polynomial([
            7.93337210929066e-5,
            -0.0008035113807477911,
            0.0051913014692975675,
            -0.02685548945768109,
            0.11283630011150961,
            -0.3761263073121241,
        ])
    }

    /// As [`erf_cubic_single`](Self::erf_cubic_single), to 2^-58.
    #[inline(always)]
    fn erf_cubic_double(self) -> Self {
        self.polynomial([
            5.971145074237408e-11,
            -1.138147578543434e-9,
            1.466211629547498e-8,
            -1.6350679606670957e-7,
            1.6461037202248423e-6,
            -1.4925597715679587e-5,
            0.0001205533122190865,
            -0.0008548326984157372,
            0.0052239776248831,
            -0.02686617064508461,
            0.1128379167095493,
            -0.3761263890318375,
        ])
    }

    /// `ln erfc x` for `1 ≤ x ≤ 4`, where `erfc x` is then right to 2^-35 absolutely; beyond, `erf x` rounds to 1.
    #[inline(always)]
    fn erfc_exponent_single(self) -> Self {
        let x = self.clamp(self.like(1.0), self.like(4.0));
        x.polynomial([
            2.5129950463012886e-7,
            -2.531442074327968e-5,
            0.00046378564669958546,
            -0.004282374506297577,
            0.025373538744136847,
            -0.10863897542297977,
            -0.6330396305920251,
            -1.1296611488886807,
            0.0002043583091970168,
        ])
    }

    /// `ln erfc x` for `1 ≤ x ≤ 6`, where `erfc x` is then right to 2^-60 absolutely; beyond, `erf x` rounds to 1.
    #[inline(always)]
    fn erfc_exponent_double(self) -> Self {
        let x = self.clamp(self.like(1.0), self.like(6.0));
        x.polynomial([
            1.039096780493541e-12,
            -4.751916344982934e-11,
            1.017089937663272e-9,
            -1.352275995414414e-8,
            1.2483537979439868e-7,
            -8.452209204962656e-7,
            4.301910240417086e-6,
            -1.642194599655323e-5,
            4.477120171341802e-5,
            -6.975323766314502e-5,
            -4.5951115401752276e-5,
            0.0006428270286730828,
            -0.0017709180769496086,
            0.0002822222471205123,
            0.019076959685816984,
            -0.10274664480815672,
            -0.6366287029493783,
            -1.1283772825675888,
            -1.843679868845182e-7,
        ])
    }
}
