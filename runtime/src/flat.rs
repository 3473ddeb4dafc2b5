//! One pass over many numbers: whether they are finite, norm, scaling.

use core::cell::Cell;
#[cfg(feature = "threads")]
use core::sync::atomic::{AtomicBool, Ordering};

use num_traits::Float;

#[cfg(feature = "threads")]
use crate::helpers::{self, portion};
use crate::kernels::Work;
use crate::scalar::Scalar;
use crate::simd::{Instructions, Lanes, Machine, Simd, WithSimd};

/// Whether none of these numbers is NaN or infinite.
pub(crate) struct Finite<'a, T>(&'a [T]);

impl<T: Scalar> WithSimd for &Finite<'_, T> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> bool {
        // No early return: the loop without one is vectorised.
        self.0.iter().fold(true, |finite, value| finite & value.is_finite())
    }
}

/// Whether none of these numbers is NaN or infinite.
#[inline(always)]
pub(crate) fn all_finite<T: Scalar, X: Machine>(machine: X, numbers: &[T]) -> bool {
    #[cfg(feature = "threads")]
    if numbers.len() >= MANY
        && let Some(finite) = all_finite_shared(machine, numbers)
    {
        return finite;
    }
    all_finite_alone(machine, numbers)
}

/// [`all_finite`] on this thread.
#[inline(always)]
fn all_finite_alone<T: Scalar, X: Machine>(machine: X, numbers: &[T]) -> bool {
    let finite = Finite(numbers);
    if X::PLAIN { machine.call(&finite) } else { T::work(machine.instructions(), Work::Finite(&finite)).is_zero() }
}

/// Numbers from which on a part of them is worth handing over: reading them takes ten times as long as that does. (Tests are
/// content with fewer.)
#[cfg(feature = "threads")]
const MANY: usize = if cfg!(test) { 100 } else { 1 << 16 };

/// [`all_finite`] by the threads that help, if there are any.
#[cfg(feature = "threads")]
#[inline(never)]
fn all_finite_shared<T: Scalar, X: Machine>(machine: X, numbers: &[T]) -> Option<bool> {
    let finite = AtomicBool::new(true);
    let shared = helpers::share(usize::MAX, |index, count, _| {
        let (start, end) = portion(numbers.len(), 1, index, count);
        if !all_finite_alone(machine, &numbers[start..end]) {
            finite.store(false, Ordering::Relaxed);
        }
    });
    shared.then(|| finite.into_inner())
}

/// The sum of the squares of all numbers, in several running sums: NaN or infinite if a number is.
pub(crate) struct SumOfSquares<'a, T>(&'a [T]);

impl<T: Scalar> WithSimd for &SumOfSquares<'_, T> {
    type Output = T;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> T {
        const SUMS: usize = 4;
        let mut sums = [Lanes::<T, S>::splat(simd, T::zero()); SUMS];
        let mut groups = self.0.chunks_exact(SUMS * Lanes::<T, S>::COUNT);
        for group in &mut groups {
            for (index, sum) in sums.iter_mut().enumerate() {
                let value = Lanes::from_slice(simd, &group[index * Lanes::<T, S>::COUNT..]);
                *sum = value.mul_add(value, *sum);
            }
        }
        let [mut sum, second, third, fourth] = sums;
        for part in groups.remainder().chunks(Lanes::<T, S>::COUNT) {
            let value = Lanes::from_slice(simd, part);
            sum = value.mul_add(value, sum);
        }
        ((sum + second) + (third + fourth)).reduce_sum()
    }
}

/// The sum of the squares of all numbers: NaN or infinite if one of them is, or if their squares are too large.
#[inline(always)]
pub(crate) fn squares<T: Scalar, X: Machine>(machine: X, numbers: &[T]) -> T {
    let squares = SumOfSquares(numbers);
    if X::PLAIN { machine.call(&squares) } else { T::work(machine.instructions(), Work::Squares(&squares)) }
}

/// The Euclidean norm of numbers with this sum of squares; NaN or infinite only if one of them is. A norm so small that
/// its square is zero in this type is 0.
#[inline(always)]
pub(crate) fn norm_of<T: Scalar>(squares: T, numbers: &[T]) -> T {
    if squares.is_finite() { squares.sqrt() } else { T::work(Instructions::scalar(), Work::ScaledNorm(numbers)) }
}

/// The Euclidean norm, as of [`norm_of`].
#[inline(always)]
pub(crate) fn norm<T: Scalar, X: Machine>(machine: X, numbers: &[T]) -> T {
    norm_of(squares(machine, numbers), numbers)
}

/// The Euclidean norm, as of [`norm_of`], in code for a vector unit.
#[inline(always)]
pub(crate) fn norm_of_cells<T: Scalar, S: Simd>(simd: S, numbers: &[Cell<T>]) -> T {
    // SAFETY: a `Cell` lies in memory as its value does. Nobody writes while the reference lives, which is given to what
    // only reads: other threads reach a `Cell` in products only, which are over.
    let numbers = unsafe { &*(core::ptr::from_ref(numbers) as *const [T]) };
    norm_of(SumOfSquares(numbers).with_simd(simd), numbers)
}

/// The Euclidean norm of numbers whose squares are too large for their type.
#[cold]
pub(crate) fn scaled_norm<T: Scalar>(numbers: &[T]) -> T {
    let mut largest = 0.0_f64;
    for number in numbers {
        if !number.is_finite() {
            return T::nan();
        }
        largest = largest.max(Float::abs(number.widen()));
    }
    let mut sum = 0.0;
    for number in numbers {
        let share = number.widen() / largest;
        sum += share * share;
    }
    T::constant(largest * Float::sqrt(sum))
}

/// A factor for all of these numbers.
pub(crate) struct Scale<'a, T> {
    pub(crate) numbers: &'a [Cell<T>],
    pub(crate) factor: T,
}

impl<T: Scalar> WithSimd for &Scale<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let factor = self.factor;
        for number in self.numbers {
            number.set(number.get() * factor);
        }
    }
}

#[cfg(feature = "threads")]
struct Add<'a, T> {
    sums: &'a mut [T],
    terms: &'a [T],
}

#[cfg(feature = "threads")]
impl<T: Scalar> WithSimd for Add<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let count = Lanes::<T, S>::COUNT;
        for (sums, terms) in self.sums.chunks_mut(count).zip(self.terms.chunks(count)) {
            (Lanes::from_slice(simd, sums) + Lanes::from_slice(simd, terms)).to_slice(sums);
        }
    }
}

/// Adds as many numbers to others.
#[cfg(feature = "threads")]
#[inline(always)]
pub(crate) fn add<T: Scalar, X: Machine>(machine: X, sums: &mut [T], terms: &[T]) {
    machine.call_light(Add { sums, terms });
}

/// Multiplies all numbers.
#[inline(always)]
pub(crate) fn scale<T: Scalar, X: Machine>(machine: X, numbers: &mut [T], factor: T) {
    let scale = Scale { numbers: Cell::from_mut(numbers).as_slice_of_cells(), factor };
    if X::PLAIN {
        machine.call(&scale);
    } else {
        T::work(machine.instructions(), Work::Scale(&scale));
    }
}

/// Scales a gradient of this norm down to `maximum`, if it is larger; with the 1e-6 that PyTorch's `clip_grad_norm_` adds
/// to the norm.
#[inline(always)]
pub(crate) fn clip<T: Scalar, X: Machine>(machine: X, numbers: &mut [T], norm: T, maximum: T) {
    if let Some(factor) = clipping(norm, maximum) {
        scale(machine, numbers, factor);
    }
}

/// The factor of [`clip`], if there is one.
#[inline(always)]
pub(crate) fn clipping<T: Scalar>(norm: T, maximum: T) -> Option<T> {
    let factor = maximum / (norm + T::constant(1e-6));
    // Never turned round.
    (factor < T::one()).then(|| factor.max(T::zero()))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Norm<'a, T>(&'a [T]);

    impl<T: Scalar> WithSimd for Norm<'_, T> {
        type Output = T;

        fn with_simd<S: Simd>(self, simd: S) -> T {
            norm(Instructions::of(simd), self.0)
        }
    }

    #[test]
    fn what_is_not_finite_is_found_anywhere() {
        let check = || {
            for unit in Instructions::available() {
                for length in [1, 99, 100, 333] {
                    let mut numbers = std::vec![0.5_f64; length];
                    assert!(all_finite(unit, &numbers), "{unit}: {length}");
                    for place in [0, length / 2, length - 1] {
                        numbers[place] = f64::NAN;
                        assert!(!all_finite(unit, &numbers), "{unit}: {place} of {length}");
                        numbers[place] = 0.5;
                    }
                }
            }
        };
        check();
        #[cfg(feature = "threads")]
        crate::kernels::testing::with_help(check);
    }

    #[test]
    fn norms_of_any_size_on_any_unit() {
        let mut numbers = [0.0_f32; 131];
        for (index, number) in numbers.iter_mut().enumerate() {
            *number = index as f32 - 60.0;
        }
        let expected = numbers.iter().map(|number| number * number).sum::<f32>().sqrt();
        for unit in Instructions::available() {
            assert!((unit.dispatch(Norm(&numbers)) / expected - 1.0).abs() < 1e-6, "{unit}");
            assert_eq!(unit.dispatch(Norm(&[3e30_f32, 4e30])), 5e30);
            assert_eq!(unit.dispatch(Norm(&[3e-30_f32, 4e-30])), 0.0);
            assert_eq!(unit.dispatch(Norm::<f64>(&[])), 0.0);
            for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                assert!(unit.dispatch(Norm(&[1.0, wrong])).is_nan());
            }
        }
    }
}
