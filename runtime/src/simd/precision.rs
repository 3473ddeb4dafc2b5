//! Tests of the elementwise functions: dense sampling against references with more digits.
//!
//! `f32` is held against `f64`, `f64` against sums of two `f64` (about 106 bits), in which series are summed directly.

use std::prelude::rust_2024::*;
use std::vec;

use pulp::{Simd, WithSimd};

mod double;

use self::double::{Double, TURNS};
use super::{Instructions, Lanes};
use crate::scalar::Scalar;

#[derive(Clone, Copy, Debug)]
enum Function {
    Exp,
    ExpM1,
    Ln,
    Ln1p,
    Sin,
    Cos,
    /// As of units whose `mul_add` rounds twice.
    UnfusedSin,
    UnfusedCos,
    Tanh,
    Sigmoid,
    Softplus,
    Erf,
    Recip,
    Sqrt,
    /// The power with this exponent.
    Power(f64),
}

use Function::*;

impl Function {
    fn reference(self, x: f64) -> Double {
        let x = Double::from(x);
        match self {
            Exp => x.exp(),
            ExpM1 => x.exp_m1(),
            Ln => x.ln(),
            Ln1p => x.ln_1p(),
            Sin | UnfusedSin => x.sin_from(0),
            Cos | UnfusedCos => x.sin_from(1),
            Tanh => x.tanh(),
            Sigmoid => x.sigmoid(),
            Softplus => x.softplus(),
            Erf => x.erf(),
            Recip => Double::from(1.0) / x,
            // What rounding took must not be denormal.
            Sqrt if x.0 < 1e-250 => Sqrt.reference(x.scale(200.0).0).scale(-100.0),
            Sqrt => {
                Double::from(x.0.sqrt())
                    + (x - Double::from(x.0.sqrt()) * Double::from(x.0.sqrt())) / Double::from(2.0 * x.0.sqrt())
            }
            Power(exponent) => x.powf(Double::from(exponent)),
        }
    }
}

/// Applies a function to a list.
struct Apply<'a, T>(Function, &'a [T]);

impl<T: Scalar> WithSimd for Apply<'_, T> {
    type Output = Vec<T>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<T> {
        let mut out = vec![T::zero(); self.1.len()];
        let lanes = Lanes::<T, S>::COUNT;
        for (from, to) in self.1.chunks(lanes).zip(out.chunks_mut(lanes)) {
            let x = Lanes::from_slice(simd, from);
            let y = match self.0 {
                Exp => x.exp(),
                ExpM1 => x.exp_m1(),
                Ln => x.ln(),
                Ln1p => x.ln_1p(),
                Sin => x.sin(),
                Cos => x.cos(),
                UnfusedSin => x.sine_near(0.0, false),
                UnfusedCos => x.sine_near(1.0, false),
                Tanh => x.tanh(),
                Sigmoid => x.sigmoid(),
                Softplus => x.softplus(),
                Erf => x.erf(),
                Recip => x.recip(),
                Sqrt => x.sqrt(),
                Power(exponent) => x.powf(Lanes::constant(simd, exponent)),
            };
            y.to_slice(to);
        }
        out
    }
}

/// Distance in units of the last place of `want`, for a format with these digits and smallest exponent.
fn ulp(got: f64, want: Double, digits: i32, lowest: f64) -> f64 {
    if got.is_nan() || want.0.is_nan() {
        return if got.is_nan() && want.0.is_nan() { 0.0 } else { f64::INFINITY };
    }
    if got == want.0 {
        return if got.is_infinite() { 0.0 } else { want.1.abs() / spacing(want.0, digits, lowest) };
    }
    ((got - want.0) - want.1).abs() / spacing(want.0, digits, lowest)
}

fn spacing(value: f64, digits: i32, lowest: f64) -> f64 {
    // From the bits: just below a power of two, a logarithm would be rounded up to it.
    let exponent = (value.abs().max(f64::MIN_POSITIVE).to_bits() >> 52) as i32 - 1023;
    f64::from(exponent - (digits - 1)).max(lowest).exp2()
}

/// Points of both signs: evenly over `-limit..limit`, and evenly in their logarithm from `1e-40` to `limit`.
fn points(limit: f64, count: usize) -> Vec<f64> {
    let mut points = Vec::new();
    for i in 0..count {
        // The golden ratio's multiples fill the interval evenly and hit no round numbers.
        let part = (i as f64 * 0.6180339887498949).fract();
        points.push((2.0 * part - 1.0) * limit);
        let magnitude = 10_f64.powf(part * (limit.log10() + 40.0) - 40.0);
        points.push(if i % 2 == 0 { magnitude } else { -magnitude });
    }
    points
}

/// The functions, how far they are looked at, and their bounds in ulp for `f32` and `f64`.
const BOUNDS: [(Function, f64, f64, f64); 24] = [
    (Exp, 680.0, 1.0, 1.0),
    (Exp, 110.0, 1.0, 1.0),
    (Exp, 2.0, 1.0, 1.0),
    (ExpM1, 110.0, 2.0, 2.0),
    (ExpM1, 1.0, 2.0, 2.0),
    (Ln, 1e30, 1.0, 1.0),
    (Ln, 3.0, 1.0, 1.0),
    (Ln1p, 1e30, 2.0, 2.0),
    (Sin, 1e5, 2.0, 2.0),
    (Cos, 1e5, 2.0, 2.0),
    (UnfusedSin, 1e5, 2.0, 2.0),
    (UnfusedCos, 1e5, 2.0, 2.0),
    (Tanh, 20.0, 2.0, 3.0),
    (Tanh, 1.5, 2.0, 3.0),
    (Sigmoid, 680.0, 2.0, 2.0),
    (Sigmoid, 100.0, 2.0, 2.0),
    (Sigmoid, 8.0, 2.0, 2.0),
    (Softplus, 20.0, 2.0, 2.0),
    (Erf, 7.0, 2.0, 2.0),
    (Recip, 1e30, 0.5, 0.5),
    (Sqrt, 1e30, 0.5, 0.5),
    (Power(2.5), 1e12, 2.0, 4.0),
    (Power(-0.75), 1e30, 2.0, 4.0),
    (Power(20.25), 60.0, 2.0, 4.0),
];

fn domain(function: Function, points: Vec<f64>) -> Vec<f64> {
    match function {
        Ln | Sqrt | Power(_) => points.into_iter().map(f64::abs).collect(),
        Ln1p => points.into_iter().map(|x| if x <= -1.0 { -1.0 / (1.0 - x) } else { x }).collect(),
        _ => points,
    }
}

/// Points of both signs in every binade in which the references are accurate, up to `limit` where they are not beyond.
fn binades(function: Function, limit: f64) -> Vec<f64> {
    let (first, last) = match function {
        Ln | Sqrt => (-1074, 1023),
        Ln1p => (-960, 1000),
        Recip => (-960, 960),
        Power(_) => (-130, limit.log2() as i32 - 1),
        _ => (-960, limit.log2() as i32 - 1),
    };
    let mut points = Vec::new();
    for exponent in first..=last {
        for i in 0..4 {
            let fraction = 1.0 + (f64::from(4 * exponent + i) * 0.6180339887498949).rem_euclid(1.0);
            let half = f64::from(exponent / 2).exp2();
            let magnitude = half * f64::from(exponent - exponent / 2).exp2() * fraction;
            points.push(if i % 2 == 0 { magnitude } else { -magnitude });
        }
    }
    points
}

/// Points of both signs around those at which a function may change its formula: whole numbers, tenths, multiples of π/4
/// (the highest about 10^5), eighths of ln 2, √½ at many exponents, and what lies below these by one, for `ln_1p`.
fn switches(limit: f64, beside: fn(f64, i32) -> f64) -> Vec<f64> {
    let mut places = vec![limit];
    for k in 1..=128 {
        let k = f64::from(k);
        let root = core::f64::consts::FRAC_1_SQRT_2 * (k - 64.0).exp2();
        places.extend([k, k / 10.0, k * core::f64::consts::FRAC_PI_4, k * core::f64::consts::LN_2 / 8.0]);
        places.push(994.0 * k * core::f64::consts::FRAC_PI_4);
        places.extend([root, root - 1.0]);
    }
    let mut points = Vec::new();
    for place in places {
        for distance in -4..=4 {
            let point = beside(place, distance);
            points.extend([point, -point].into_iter().filter(|point| point.abs() <= limit));
        }
    }
    points
}

/// Holds a function on each vector unit against what it should be.
fn compare<T: Scalar>(function: Function, points: &[T], expected: &[Double], bound: f64) {
    let lowest = if T::DIGITS == 24 { -149.0 } else { -1074.0 };
    for unit in Instructions::available() {
        let got = unit.dispatch(Apply(function, points));
        for ((&x, &got), &want) in points.iter().zip(&got).zip(expected) {
            let (x, got) = (x.widen(), got.widen());
            let error = ulp(got, want, T::DIGITS as i32, lowest);
            assert!(error <= bound + 1e-6, "{unit}: {function:?} of {x:e} is {got:e}, {error} ulp from {:e}", want.0);
        }
    }
}

/// (Over all numbers: `exhaustive`, of the benches.)
#[test]
fn errors_stay_below_their_bounds_in_single_precision() {
    for (function, limit, bound, _) in BOUNDS {
        let beside =
            |place: f64, distance| f32::from_bits((place as f32).to_bits().saturating_add_signed(distance)).into();
        let points = domain(function, [points(limit, 12_000), switches(limit, beside)].concat());
        let points: Vec<f32> = points.iter().map(|&x| x as f32).collect();
        let expected = points.iter().map(|&x| {
            let want = function.reference(f64::from(x));
            // Beyond the range of f32 the result is infinite.
            let infinite = want.0.abs() > f64::from(f32::MAX) * 1.0000001;
            if infinite { Double::from(want.0.signum() * f64::INFINITY) } else { want }
        });
        compare(function, &points, &expected.collect::<Vec<_>>(), bound);
    }
}

#[test]
fn errors_stay_below_their_bounds_in_double_precision() {
    for (function, limit, _, bound) in BOUNDS {
        let beside = |place: f64, distance| f64::from_bits(place.to_bits().saturating_add_signed(i64::from(distance)));
        let points = [points(limit, 16_000), binades(function, limit), switches(limit, beside)].concat();
        let points = domain(function, points);
        let expected: Vec<Double> = points.iter().map(|&x| function.reference(x)).collect();
        compare(function, &points, &expected, bound);
    }
}

/// Beyond the vectors' own reduction, beside numbers within it in the same register, and beside what is no number.
#[test]
fn sine_and_cosine_of_large_numbers() {
    /// Seven after seven, which divides no register: each lane sees each kind of neighbour.
    fn registers(highest: f64) -> Vec<f64> {
        let mut points = vec![1e5, 1e5_f64.next_up(), -1e5, 1e5_f64.next_down()];
        for i in 0..20_000 {
            let part = (f64::from(i) * 0.6180339887498949).fract();
            let far = 10_f64.powf(5.0 + part * (highest.log10() - 5.0));
            points.push(match i % 7 {
                0 => far,
                1 => -far,
                2 => [f64::NAN, f64::INFINITY, f64::NEG_INFINITY][i as usize % 3],
                _ => (2.0 * part - 1.0) * 1e5,
            });
        }
        // Registers in which all lanes are beyond.
        points.extend((0..64).map(|i| 123456.789 * f64::from(i + 1)));
        points
    }

    for (function, standard) in [(Sin, f64::sin as fn(f64) -> f64), (Cos, f64::cos)] {
        let points: Vec<f32> = registers(3e38).iter().map(|&x| x as f32).collect();
        let expected: Vec<Double> = points.iter().map(|&x| standard(f64::from(x)).into()).collect();
        compare(function, &points, &expected, 2.0);

        let of = |x: f64| if x.is_finite() { function.reference(x) } else { f64::NAN.into() };
        let points = registers(TURNS);
        compare(function, &points, &points.iter().map(|&x| of(x)).collect::<Vec<_>>(), 2.0);

        // Far lanes are the standard library's own work, each of its own number; beside them, its error below one ulp comes on
        // top.
        let points = registers(1e308);
        let expected: Vec<Double> = points.iter().map(|&x| standard(x).into()).collect();
        compare(function, &points, &expected, 3.0);
    }
}

/// Values at the edges, and what must come out: NaN stays NaN, infinities and zeros go where the function goes.
#[test]
fn special_values() {
    let (infinity, nan) = (f64::INFINITY, f64::NAN);
    let table: [(Function, &[(f64, f64)]); 12] = [
        (Exp, &[(-infinity, 0.0), (0.0, 1.0), (infinity, infinity), (1e9, infinity), (-1e9, 0.0)]),
        (ExpM1, &[(-infinity, -1.0), (0.0, 0.0), (-0.0, -0.0), (infinity, infinity), (1e-300, 1e-300)]),
        (Ln, &[(0.0, -infinity), (-0.0, -infinity), (1.0, 0.0), (infinity, infinity), (-1.0, nan), (-infinity, nan)]),
        (Ln1p, &[(-1.0, -infinity), (0.0, 0.0), (-0.0, -0.0), (infinity, infinity), (-2.0, nan)]),
        (Sin, &[(0.0, 0.0), (-0.0, -0.0), (infinity, nan), (-infinity, nan)]),
        (Cos, &[(0.0, 1.0), (infinity, nan)]),
        (Tanh, &[(0.0, 0.0), (-0.0, -0.0), (infinity, 1.0), (-infinity, -1.0), (1e9, 1.0)]),
        (Sigmoid, &[(0.0, 0.5), (infinity, 1.0), (-infinity, 0.0), (1e9, 1.0), (-1e9, 0.0)]),
        (Softplus, &[(-infinity, 0.0), (infinity, infinity), (1e9, 1e9)]),
        (Erf, &[(0.0, 0.0), (-0.0, -0.0), (infinity, 1.0), (-infinity, -1.0)]),
        (Power(0.5), &[(0.0, 0.0), (infinity, infinity), (-4.0, nan), (1.0, 1.0)]),
        (Power(-3.0), &[(0.0, infinity), (-0.0, -infinity), (-2.0, -0.125), (infinity, 0.0)]),
    ];
    for (function, cases) in table {
        for &(x, expected) in cases.iter().chain(&[(nan, nan)]) {
            for unit in Instructions::available() {
                let double = unit.dispatch(Apply(function, &[x]))[0];
                let single = f64::from(unit.dispatch(Apply(function, &[x as f32]))[0]);
                for got in [double, single] {
                    let expected =
                        if got == single && expected.abs() < 1e-40 { f64::from(expected as f32) } else { expected };
                    let same = got.is_nan() && expected.is_nan()
                        || got == expected && got.is_sign_negative() == expected.is_sign_negative();
                    assert!(same, "{unit}: {function:?} of {x} is {got}, expected {expected}");
                }
            }
        }
    }
}

struct Extremes;

impl WithSimd for Extremes {
    type Output = Vec<[f32; 4]>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let mut out = Vec::new();
        for (a, b) in [(1.0, 2.0), (f32::NAN, 1.0), (1.0, f32::NAN), (-0.5, -1.0)] {
            let (a, b) = (Lanes::splat(simd, a), Lanes::splat(simd, b));
            out.push([a.min(b).reduce_max(), a.max(b).reduce_min(), a.sign().reduce_sum(), a.powi(-3).reduce_max()]);
        }
        out
    }
}

#[test]
fn minimum_and_maximum_hand_on_nan() {
    for unit in Instructions::available() {
        let out = unit.dispatch(Extremes);
        assert_eq!(out[0][..2], [1.0, 2.0], "{unit}");
        assert!(out[1][..2].iter().chain(&out[2][..2]).all(|value| value.is_nan()), "{unit}: {out:?}");
        assert_eq!(out[3][..2], [-1.0, -0.5], "{unit}");
        assert_eq!(out[3][3], -8.0, "{unit}");
    }
}
