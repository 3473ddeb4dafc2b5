//! Random numbers that depend on a key and a position only.

use pulp::{Simd, WithSimd};

use super::{Part, Span, Whole, Work, Writable};
use crate::random::{Draws, GOLDEN, mix, mix_lanes};
use crate::scalar::Scalar;
use crate::simd::{Integers, Lanes, Machine};

/// Fills `size` places a sample of `out`, from `offset` on, with numbers uniform in `[0, 1)`. Each depends on the key, the
/// number of its sample in the batch, and its place within the sample alone, whatever the vector unit and the pieces in
/// which the batch is worked.
///
/// The generator is SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014), entered at
/// position `sample * size + place` of the stream that the key begins; its upper bits become the number, 24 of them for
/// `f32` and 53 for `f64`.
#[inline(always)]
pub fn uniform<'a, T: Scalar, X: Machine>(
    machine: X,
    draws: Draws,
    size: usize,
    samples: usize,
    out: impl Into<Writable<'a, T>>,
    offset: usize,
) {
    let out = out.into();
    let length = size.saturating_mul(samples);
    let fit = offset.checked_add(length).is_some_and(|end| end <= out.len());
    debug_assert!(fit, "random numbers reach beyond their slice");
    if fit {
        let skipped = (draws.first as u64).wrapping_mul(size as u64);
        let start = mix(draws.key).wrapping_add(skipped.wrapping_mul(GOLDEN));
        let uniform = Uniform { start, length, out, offset };
        if X::PLAIN {
            machine.call(&uniform);
        } else {
            T::work(machine.instructions(), Work::Uniform(&uniform));
        }
    }
}

pub(super) struct Uniform<'a, T> {
    /// The state of the generator before the first number.
    start: u64,
    length: usize,
    out: Writable<'a, T>,
    offset: usize,
}

impl<T: Scalar> WithSimd for &Uniform<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // `fraction` takes the words of a register's numbers in the order that little-endian machines have them in.
        if S::IS_SCALAR || cfg!(target_endian = "big") {
            return self.one_by_one();
        }
        let Uniform { start, length, out, offset } = *self;
        let start = Integers::splat(simd, start.wrapping_add(GOLDEN));
        let mut states = start + Integers::multiples(simd, GOLDEN, T::WORDS);
        let step = Integers::splat(simd, GOLDEN.wrapping_mul(Integers::<S>::COUNT as u64));
        let (count, mut position) = (Lanes::<T, S>::COUNT, 0);
        while position < length {
            let words = mix_lanes(states).words();
            for register in 0..T::WORDS {
                let numbers = Lanes::wrap(simd, T::fraction(simd, words, register));
                let left = length.saturating_sub(position);
                // SAFETY: `uniform` has checked that the end lies inside the slice, and no span goes beyond it.
                unsafe {
                    let pointer = out.as_mut_ptr().add(offset + position.min(length));
                    if left >= count {
                        Whole.store(pointer, numbers);
                    } else {
                        Part::new(simd, left).store(pointer, numbers);
                    }
                }
                position += count;
            }
            states = states + step;
        }
    }
}

impl<T: Scalar> Uniform<'_, T> {
    #[inline(always)]
    fn one_by_one(&self) {
        let unit = 1.0 / (1_u64 << T::DIGITS) as f64;
        for position in 0..self.length {
            let bits = mix(self.start.wrapping_add((position as u64 + 1).wrapping_mul(GOLDEN))) >> (64 - T::DIGITS);
            // SAFETY: `uniform` has checked that the end lies inside the slice.
            unsafe { self.out.set(self.offset + position, T::constant(bits as f64 * unit)) };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::prelude::rust_2024::*;
    use std::vec;

    use super::*;
    use crate::kernels::testing::on_every_unit;
    use crate::random::Seed;
    use crate::simd::Instructions;

    struct Drawn(u64);

    impl WithSimd for Drawn {
        type Output = (Vec<f32>, Vec<f64>);

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            let (mut single, mut double) = (vec![0.0; 10_007], vec![0.0; 10_007]);
            let draws = Draws::new(Seed(self.0));
            uniform(Instructions::of(simd), draws, 1, 10_007, &mut single[..], 0);
            uniform(Instructions::of(simd), draws, 1, 10_007, &mut double[..], 0);
            (single, double)
        }
    }

    #[test]
    fn numbers_are_uniform_and_the_same_everywhere() {
        let mut first = None;
        on_every_unit(
            || Drawn(7),
            |unit, (single, double)| {
                for numbers in [single.iter().map(|&x| f64::from(x)).collect::<Vec<_>>(), double.clone()] {
                    assert!(numbers.iter().all(|x| (0.0..1.0).contains(x)), "{unit}");
                    let count = numbers.len() as f64;
                    let mean = numbers.iter().sum::<f64>() / count;
                    let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
                    assert!(
                        (mean - 0.5).abs() < 0.01 && (variance - 1.0 / 12.0).abs() < 0.002,
                        "{unit}: {mean}, {variance}"
                    );
                }
                let drawn = (single, double);
                assert_eq!(*first.get_or_insert_with(|| drawn.clone()), drawn, "{unit}");
            },
        );
        on_every_unit(|| Drawn(8), |_, drawn| assert_ne!(first.as_ref(), Some(&drawn)));
    }

    struct Short<T>(Vec<T>);

    impl<T: Scalar> WithSimd for Short<T> {
        type Output = Vec<T>;

        #[inline(always)]
        fn with_simd<S: Simd>(mut self, simd: S) -> Self::Output {
            let length = self.0.len() - 2;
            uniform(Instructions::of(simd), Draws { key: 5, first: 9 }, 1, length, &mut self.0[..], 1);
            self.0
        }
    }

    fn draw_short<T: Scalar>() {
        let around = T::constant(7.0);
        for length in 0..=65 {
            let expected = Instructions::scalar().dispatch(Short(vec![around; length + 2]));
            on_every_unit(
                || Short(vec![around; length + 2]),
                |unit, numbers| {
                    assert_eq!(expected, numbers, "{unit}: {length}");
                    assert!(numbers[0] == around && numbers[length + 1] == around, "{unit}: beyond {length}");
                    assert!(!numbers[1..=length].contains(&around), "{unit}: {length}");
                },
            );
        }
    }

    #[test]
    fn as_many_numbers_are_drawn_as_asked_for() {
        draw_short::<f32>();
        draw_short::<f64>();
    }

    struct Pieces(&'static [usize]);

    impl WithSimd for Pieces {
        type Output = Vec<f32>;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            const SIZE: usize = 7;
            let mut numbers = vec![0.0; SIZE * self.0.iter().sum::<usize>()];
            let mut first = 0;
            for &samples in self.0 {
                uniform(Instructions::of(simd), Draws { key: 3, first }, SIZE, samples, &mut numbers[..], SIZE * first);
                first += samples;
            }
            numbers
        }
    }

    #[test]
    fn a_samples_numbers_do_not_depend_on_the_pieces() {
        let mut first = None;
        for pieces in [&[29][..], &[8, 8, 8, 5], &[1, 28]] {
            on_every_unit(
                || Pieces(pieces),
                |unit, numbers| {
                    assert_eq!(*first.get_or_insert_with(|| numbers.clone()), numbers, "{unit}: {pieces:?}")
                },
            );
        }
    }
}
