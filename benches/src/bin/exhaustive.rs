//! `exhaustive [--scalar] [FUNCTION …]`: the largest error of the elementwise functions over all 2^32 numbers of single
//! precision, on the best vector unit or without one.
//!
//! Held against the functions of the standard library in double precision, and `erf`, which it has not, against the
//! library's own in double precision, which the tests hold against 106 bits. Exits with 1 where a bound is broken.

use std::process::ExitCode;

use backprop::__private::{Lanes, Simd, WithSimd};
use backprop::Instructions;

/// A function with its bound in units in the last place.
struct Function {
    name: &'static str,
    bound: f64,
    which: Which,
    reference: fn(&[f64], &mut [f64]),
}

#[derive(Clone, Copy)]
enum Which {
    Exp,
    Ln,
    Tanh,
    Sigmoid,
    Erf,
    Sin,
    Cos,
}

fn each(function: impl Fn(f64) -> f64) -> impl Fn(&[f64], &mut [f64]) {
    move |from, to| from.iter().zip(to).for_each(|(&x, y)| *y = function(x))
}

const FUNCTIONS: &[Function] = &[
    Function { name: "exp", bound: 1.0, which: Which::Exp, reference: |x, y| each(f64::exp)(x, y) },
    Function { name: "ln", bound: 1.0, which: Which::Ln, reference: |x, y| each(f64::ln)(x, y) },
    Function { name: "tanh", bound: 2.0, which: Which::Tanh, reference: |x, y| each(f64::tanh)(x, y) },
    Function { name: "sigmoid", bound: 2.0, which: Which::Sigmoid, reference: |x, y| each(sigmoid)(x, y) },
    Function { name: "erf", bound: 2.0, which: Which::Erf, reference: erf },
    Function { name: "sin", bound: 2.0, which: Which::Sin, reference: |x, y| each(f64::sin)(x, y) },
    Function { name: "cos", bound: 2.0, which: Which::Cos, reference: |x, y| each(f64::cos)(x, y) },
];

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn erf(from: &[f64], to: &mut [f64]) {
    Instructions::detect().dispatch(Apply { which: Which::Erf, from, to });
}

struct Apply<'a, T> {
    which: Which,
    from: &'a [T],
    to: &'a mut [T],
}

impl<T: backprop::Scalar> WithSimd for Apply<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = Lanes::<T, S>::COUNT;
        for (from, to) in self.from.chunks(lanes).zip(self.to.chunks_mut(lanes)) {
            let x = Lanes::from_slice(simd, from);
            let y = match self.which {
                Which::Exp => x.exp(),
                Which::Ln => x.ln(),
                Which::Tanh => x.tanh(),
                Which::Sigmoid => x.sigmoid(),
                Which::Erf => x.erf(),
                Which::Sin => x.sin(),
                Which::Cos => x.cos(),
            };
            y.to_slice(to);
        }
    }
}

/// Distance from `want` in units of its last place in single precision; infinite where one is NaN and the other is not.
fn ulp(got: f32, want: f64) -> f64 {
    if got.is_nan() || want.is_nan() {
        return if got.is_nan() && want.is_nan() { 0.0 } else { f64::INFINITY };
    }
    // What rounds to infinity is infinite.
    if f64::from(got) == want || got == want as f32 && got.is_infinite() {
        return 0.0;
    }
    // The exponent field of the value, no less than that of the smallest normal number.
    let exponent = ((want.abs().to_bits() >> 52) as i32 - 1023).clamp(-126, 127);
    let place = f64::from_bits(((exponent - 23 + 1023) as u64) << 52);
    (f64::from(got) - want).abs() / place
}

/// The largest error, and where it is.
fn worst(function: &Function, unit: Instructions) -> (f64, f32) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads)
            .map(|part| {
                scope.spawn(move || worst_of(function, unit, part * BLOCKS / threads..(part + 1) * BLOCKS / threads))
            })
            .collect();
        let parts = parts.into_iter().map(|part| part.join().expect("no part panics"));
        parts.max_by(|one, other| one.0.total_cmp(&other.0)).unwrap_or_default()
    })
}

const BLOCK: usize = 4096;
const BLOCKS: u64 = (1 << 32) / BLOCK as u64;

/// Of the numbers in these blocks.
fn worst_of(function: &Function, unit: Instructions, blocks: std::ops::Range<u64>) -> (f64, f32) {
    let (mut inputs, mut outputs) = (vec![0.0_f32; BLOCK], vec![0.0_f32; BLOCK]);
    let (mut wide, mut expected) = (vec![0.0_f64; BLOCK], vec![0.0_f64; BLOCK]);
    let mut worst = (0.0, 0.0);
    for block in blocks {
        for (place, (input, wide)) in inputs.iter_mut().zip(&mut wide).enumerate() {
            *input = f32::from_bits(block as u32 * BLOCK as u32 + place as u32);
            *wide = f64::from(*input);
        }
        unit.dispatch(Apply { which: function.which, from: &inputs, to: &mut outputs });
        (function.reference)(&wide, &mut expected);
        for ((&x, &got), &want) in inputs.iter().zip(&outputs).zip(&expected) {
            let error = ulp(got, want);
            if error > worst.0 {
                worst = (error, x);
            }
        }
    }
    worst
}

fn main() -> ExitCode {
    let (options, names): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let unit =
        if options.iter().any(|word| word == "--scalar") { Instructions::scalar() } else { Instructions::detect() };
    let mut code = ExitCode::SUCCESS;
    for function in FUNCTIONS.iter().filter(|one| names.is_empty() || names.iter().any(|name| name == one.name)) {
        let start = std::time::Instant::now();
        let (error, place) = worst(function, unit);
        let seconds = start.elapsed().as_secs_f64();
        let verdict = if error <= function.bound { "" } else { ": broken" };
        println!(
            "{:<8} {error:.4} ulp at {place:e} on {unit}, bound {}{verdict} ({seconds:.0} s)",
            function.name, function.bound
        );
        if error > function.bound {
            code = ExitCode::FAILURE;
        }
    }
    code
}
