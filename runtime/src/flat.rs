//! One pass over many numbers: whether they are finite, norm, scaling, bounds.

use core::cell::Cell;
#[cfg(feature = "threads")]
use core::sync::atomic::{AtomicBool, Ordering};

use num_traits::Float;

#[cfg(feature = "threads")]
use crate::helpers::{self, portion};
use crate::kernels::{Part, Span, Whole, Work};
use crate::scalar::Scalar;
use crate::simd::{Instructions, Lanes, Machine, Simd, WithSimd};

/// Whether none of these numbers is NaN or infinite.
pub(crate) struct Finite<'a, T>(&'a [T]);

impl<T: Scalar> WithSimd for &Finite<'_, T> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        // A finite number's product with zero is zero, and any other one's is NaN.
        sum_of_products::<T, S, false>(simd, self.0).is_zero()
    }
}

/// The sum of all numbers' products with themselves, or with zero, in several running sums.
#[inline(always)]
fn sum_of_products<T: Scalar, S: Simd, const SQUARES: bool>(simd: S, numbers: &[T]) -> T {
    const SUMS: usize = 4;
    let zero = Lanes::<T, S>::constant(simd, 0.0);
    let mut sums = [zero; SUMS];
    let mut groups = numbers.chunks_exact(SUMS * Lanes::<T, S>::COUNT);
    for group in &mut groups {
        for (index, sum) in sums.iter_mut().enumerate() {
            let value = Lanes::from_slice(simd, &group[index * Lanes::<T, S>::COUNT..]);
            *sum = value.mul_add(if SQUARES { value } else { zero }, *sum);
        }
    }
    let [mut sum, second, third, fourth] = sums;
    for part in groups.remainder().chunks(Lanes::<T, S>::COUNT) {
        let value = Lanes::from_slice(simd, part);
        sum = value.mul_add(if SQUARES { value } else { zero }, sum);
    }
    ((sum + second) + (third + fourth)).reduce_sum()
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

/// The sum of the squares of all numbers: NaN or infinite if one of them is, or if their squares are too large.
pub(crate) struct SumOfSquares<'a, T>(&'a [T]);

impl<T: Scalar> WithSimd for &SumOfSquares<'_, T> {
    type Output = T;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> T {
        sum_of_products::<T, S, true>(simd, self.0)
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
    // SAFETY: what follows only reads, and other threads reach a `Cell` in products only, which are over.
    let numbers = unsafe { values(numbers) };
    norm_of(SumOfSquares(numbers).with_simd(simd), numbers)
}

/// Whether none of these numbers is NaN or infinite.
#[inline(always)]
pub(crate) fn all_cells_finite<T: Scalar, X: Machine>(machine: X, numbers: &[Cell<T>]) -> bool {
    // SAFETY: what follows only reads, and other threads reach a `Cell` in products only, which are over.
    all_finite_alone(machine, unsafe { values(numbers) })
}

/// The numbers in cells.
///
/// # Safety
///
/// Nobody may write to them while the reference lives.
#[inline(always)]
unsafe fn values<T>(numbers: &[Cell<T>]) -> &[T] {
    // SAFETY: a `Cell` lies in memory as its value does.
    unsafe { &*(core::ptr::from_ref(numbers) as *const [T]) }
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
#[derive(Clone, Copy)]
pub(crate) struct Scale<'a, T> {
    pub(crate) numbers: &'a [Cell<T>],
    pub(crate) factor: T,
}

impl<T: Scalar> WithSimd for &Scale<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        change_each(simd, self.numbers, *self);
    }
}

impl<T: Scalar> Change<T> for Scale<'_, T> {
    #[inline(always)]
    fn of<S: Simd>(self, numbers: Lanes<T, S>) -> Lanes<T, S> {
        numbers * Lanes::splat(numbers.simd(), self.factor)
    }
}

/// Bounds for all of these numbers; NaN stays what it is, and bounds in the wrong order give the upper one.
#[derive(Clone, Copy)]
pub(crate) struct Bound<'a, T> {
    numbers: &'a [Cell<T>],
    low: T,
    high: T,
}

impl<T: Scalar> WithSimd for &Bound<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        change_each(simd, self.numbers, *self);
    }
}

impl<T: Scalar> Change<T> for Bound<'_, T> {
    #[inline(always)]
    fn of<S: Simd>(self, numbers: Lanes<T, S>) -> Lanes<T, S> {
        numbers.clamp(Lanes::splat(numbers.simd(), self.low), Lanes::splat(numbers.simd(), self.high))
    }
}

/// What becomes of numbers. (By value: through a reference it might change with each number that is written.)
trait Change<T: Scalar>: Copy {
    /// Of those in a register.
    fn of<S: Simd>(self, numbers: Lanes<T, S>) -> Lanes<T, S>;
}

/// Changes numbers where they are.
#[inline(always)]
fn change_each<T: Scalar, S: Simd>(simd: S, numbers: &[Cell<T>], change: impl Change<T>) {
    let mut registers = numbers.chunks_exact(Lanes::<T, S>::COUNT);
    for register in &mut registers {
        // SAFETY: a chunk has as many numbers as a register.
        unsafe { change_register(simd, register, change, Whole) };
    }
    let rest = registers.remainder();
    if const { Lanes::<T, S>::COUNT > 1 } && !rest.is_empty() {
        // SAFETY: the span has as many as are left, which are fewer than a register's.
        unsafe { change_register(simd, rest, change, Part::new(simd, rest.len())) };
    }
}

/// Changes the numbers of a register.
///
/// # Safety
///
/// There must be as many numbers as the span has lanes, or more.
#[inline(always)]
unsafe fn change_register<T: Scalar, S: Simd>(
    simd: S,
    numbers: &[Cell<T>],
    change: impl Change<T>,
    span: impl Span<T, S>,
) {
    let pointer = numbers.as_ptr().cast::<T>().cast_mut();
    // SAFETY: by the caller's promise so many numbers lie there, in cells, which may be written to.
    unsafe { span.store(pointer, change.of(span.load(simd, pointer))) };
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

/// Brings all numbers within bounds.
#[inline(always)]
pub(crate) fn bound<T: Scalar, X: Machine>(machine: X, numbers: &mut [T], low: T, high: T) {
    let bound = Bound { numbers: Cell::from_mut(numbers).as_slice_of_cells(), low, high };
    if X::PLAIN {
        machine.call(&bound);
    } else {
        T::work(machine.instructions(), Work::Bound(&bound));
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

    fn find_what_is_not_finite<T: Scalar>() {
        let smallest = T::min_positive_value() * T::constant(0.25);
        for unit in Instructions::available() {
            for length in [1, 99, 100, 333] {
                for finite in [T::constant(0.5), T::max_value(), T::min_value(), smallest, T::constant(-0.0)] {
                    let mut numbers = std::vec![finite; length];
                    assert!(all_finite(unit, &numbers), "{unit}: {length} times {finite}");
                    for place in [0, length / 2, length - 1] {
                        for wrong in [T::nan(), T::infinity(), T::neg_infinity()] {
                            numbers[place] = wrong;
                            assert!(!all_finite(unit, &numbers), "{unit}: {wrong} at {place} of {length}");
                        }
                        numbers[place] = finite;
                    }
                    numbers[0] = T::infinity();
                    numbers[length - 1] = T::neg_infinity();
                    assert!(!all_finite(unit, &numbers), "{unit}: both infinities in {length}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_finite_is_found_anywhere() {
        let check = || {
            find_what_is_not_finite::<f32>();
            find_what_is_not_finite::<f64>();
        };
        check();
        #[cfg(feature = "threads")]
        crate::kernels::testing::with_help(check);
    }

    fn scale_a_part<T: Scalar>() {
        let (around, factor) = (T::constant(7.0), T::constant(-0.5));
        for unit in Instructions::available() {
            for length in 0..=65 {
                let mut numbers = std::vec![around; length + 2];
                for (index, number) in numbers[1..=length].iter_mut().enumerate() {
                    *number = T::constant(index as f64);
                }
                scale(unit, &mut numbers[1..=length], factor);
                assert!(numbers[0] == around && numbers[length + 1] == around, "{unit}: beyond {length}");
                for (index, &number) in numbers[1..=length].iter().enumerate() {
                    assert_eq!(number, T::constant(-0.5 * index as f64), "{unit}: {index} of {length}");
                }
            }
        }
    }

    #[test]
    fn all_numbers_are_scaled_and_no_others() {
        scale_a_part::<f32>();
        scale_a_part::<f64>();
    }

    fn bound_a_part<T: Scalar>() {
        let [around, low, high] = [70.0, -2.0, 3.5].map(T::constant);
        let kinds =
            [T::nan(), T::neg_infinity(), T::constant(-2.5), low, T::zero(), high, T::constant(4.0), T::infinity()];
        let bounded = [T::nan(), low, low, low, T::zero(), high, high, high];
        for unit in Instructions::available() {
            for length in 0..=65 {
                let mut numbers = std::vec![around; length + 2];
                for (index, number) in numbers[1..=length].iter_mut().enumerate() {
                    *number = kinds[index % kinds.len()];
                }
                bound(unit, &mut numbers[1..=length], low, high);
                assert!(numbers[0] == around && numbers[length + 1] == around, "{unit}: beyond {length}");
                for (index, &number) in numbers[1..=length].iter().enumerate() {
                    let expected = bounded[index % bounded.len()];
                    let same = number == expected || number.is_nan() && expected.is_nan();
                    assert!(same, "{unit}: {index} of {length} is {number}, not {expected}");
                }
            }
        }
    }

    #[test]
    fn all_numbers_are_bounded_and_no_others() {
        bound_a_part::<f32>();
        bound_a_part::<f64>();
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
