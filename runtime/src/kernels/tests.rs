//! What all kernels share: the check before the first access, and that nothing is touched where it fails.

use std::prelude::rust_2024::*;
use std::vec;

use proptest::array::{uniform2, uniform3, uniform5};
use proptest::prelude::*;

use super::destinations::Output;
use super::testing::{Copied, Random, assert_close};
use super::*;
use crate::random::Draws;
use crate::simd::Instructions;

/// Whether every place lies below `length`, asked one by one.
fn all_lie_below<const R: usize>(length: usize, offset: usize, extents: &[usize; R], strides: &[usize; R]) -> bool {
    if extents.contains(&0) {
        return true;
    }
    let mut index = [0; R];
    loop {
        if place(offset, &index, strides) >= length {
            return false;
        }
        if !advance(&mut index, extents, 0) {
            return true;
        }
    }
}

proptest! {
    #[test]
    fn a_place_beyond_the_slice_is_noticed(
        length in 0..60_usize,
        offset in 0..20_usize,
        extents in uniform3(0..5_usize),
        strides in uniform3(0..12_usize),
    ) {
        let expected = all_lie_below(length, offset, &extents, &strides);
        prop_assert_eq!(reaches_inline(length, offset, &extents, &strides), expected);
        let machine_says = reaches::<Instructions, 3>(length, offset, &extents, &strides);
        prop_assert_eq!(machine_says, expected);
    }

    /// The last place, which is the largest, may be beyond what a `usize` holds.
    #[test]
    fn a_place_that_overflows_is_noticed(
        length: usize,
        offset: usize,
        extents: [usize; 2],
        strides: [usize; 2],
        shifts in uniform5(0..usize::BITS),
    ) {
        let [extents, strides] = [[extents[0] >> shifts[0], extents[1] >> shifts[1]], [strides[0] >> shifts[2], strides[1] >> shifts[3]]];
        let (extents, offset) = (extents.map(|extent| extent.max(1)), offset >> shifts[4]);
        let last = extents.iter().zip(strides).try_fold(offset as u128, |last, (&extent, stride)| {
            last.checked_add((extent as u128 - 1).checked_mul(stride as u128)?)
        });
        let expected = last.is_some_and(|last| last < length as u128);
        prop_assert_eq!(reaches_inline(length, offset, &extents, &strides), expected);
    }

    #[test]
    fn rows_of_a_table_are_copied_and_added(
        [samples, places] in uniform2(1..4_usize),
        rows in 1..5_usize,
        width in 1..40_usize,
        gap in 0..3_usize,
        seed in 1..u64::MAX,
    ) {
        let mut random = Random(seed);
        let table: Vec<f32> = random.numbers(1 + rows * width).into_iter().map(|value| value as f32).collect();
        // One row more than there are.
        let indices: Vec<u32> = (0..samples * places).map(|_| random.within(0, rows) as u32).collect();
        let (step, sample) = (width + gap, places * (width + gap));
        let mut expected = vec![7.0; samples * sample];
        let mut gradient = table.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
        for (number, &index) in indices.iter().enumerate() {
            for column in 0..width {
                let known = (index as usize) < rows;
                let value = if known { table[1 + index as usize * width + column] } else { 0.0 };
                expected[number * step + column] = value;
                if known {
                    gradient[1 + index as usize * width + column] += f64::from(value);
                }
            }
        }
        for unit in Instructions::available() {
            let mut out = vec![7.0_f32; samples * sample];
            let extents = [samples, places];
            lookup(unit, extents, rows, width, &table, 1, &indices, 0, [places, 1], &mut out, 0, [sample, step]);
            prop_assert_eq!(&out, &expected, "{}", unit);
            let mut sums = table.clone();
            lookup_adjoint(unit, extents, rows, width, &out, 0, [sample, step], &indices, 0, [places, 1], &mut sums, 1, true);
            assert_close(sums.iter().map(|&value| f64::from(value)), &gradient, 1e-6, unit.name());
        }
    }
}

/// Each operation on the way to the last place, at the edge of what a `usize` holds.
#[test]
fn places_at_the_edge_of_a_number() {
    const MOST: usize = usize::MAX;
    for (offset, extents, strides, expected) in [
        (MOST - 1, [1, 1], [5, 5], true),
        (MOST, [1, 1], [0, 0], false),
        (MOST - 7, [2, 4], [3, 1], true),
        (MOST - 7, [2, 5], [3, 1], false),
        (MOST - 2, [2, 2], [2, 1], false),
        (MOST / 2 + 1, [2, 2], [MOST / 2, 1], false),
        (0, [3, 1], [MOST / 2 + 1, 1], false),
        (0, [1, 3], [1, MOST / 2], true),
        (1, [1, 3], [1, MOST / 2], false),
    ] {
        assert_eq!(reaches_inline(MOST, offset, &extents, &strides), expected, "{offset} {extents:?} {strides:?}");
    }
}

/// Not even where somebody asks a reduction without asking first whether it fits.
#[test]
fn no_place_is_reset_beyond_a_slice() {
    let mut out = [7.0; 12];
    for (extents, strides) in [([4], [usize::MAX / 3 + 1]), ([4], [6]), ([13], [1]), ([usize::MAX], [2])] {
        sum_strided(&mut out, 0, strides, false).prepare::<Instructions>(&extents);
        assert_eq!(out, [7.0; 12], "{extents:?} {strides:?}");
    }
}

/// Runs what reaches beyond a slice: it stops at a debug assertion, or does nothing where there are none.
#[track_caller]
fn assert_refused(destination: &mut [f64], kernel: impl FnOnce(&mut [f64])) {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| kernel(destination)));
    assert_eq!(outcome.is_err(), cfg!(debug_assertions), "a debug assertion");
    assert!(destination.iter().all(|&value| value == 7.0), "nothing is touched");
}

#[test]
fn nothing_beyond_a_slice_is_touched() {
    let (numbers, mut out) = ([1.0; 12], [7.0; 12]);
    for unit in Instructions::available() {
        let copy = |input: &[f64], out: &mut [f64], offset| {
            let inputs = (contiguous(input, 0, [4, 1]),);
            nest(unit, Nest::new([3, 4], inputs, (store(out, offset, [4, 1]),), Copied));
        };
        assert_refused(&mut out, |out| copy(&numbers[1..], out, 0));
        assert_refused(&mut out, |out| copy(&numbers, out, 1));
        assert_refused(&mut out, |out| {
            let inputs = (contiguous(&numbers, 0, [4, 1]),);
            nest(unit, Nest::new([3, 4], inputs, (sum_outer(out, 9, [0, 1], false),), Copied));
        });

        let product = |a: &[f64], b: &[f64], out: &mut [f64], offset| {
            let (a, b) = (Matrix::new(a, 0, [], 4, 1), Matrix::new(b, 0, [], 3, 1));
            contract(unit, [], 3_usize, Const::<4>, Const::<3>, a, b, (), (store(out, offset, [3, 1]),), Assign);
        };
        assert_refused(&mut out, |out| product(&numbers, &numbers, out, 4));
        assert_refused(&mut out, |out| product(&numbers[1..], &numbers, out, 3));
        assert_refused(&mut out, |out| product(&numbers, &numbers[1..], out, 3));
        let mut allowed = [7.0; 12];
        copy(&numbers, &mut allowed, 0);
        assert_eq!(allowed, [1.0; 12]);
        product(&numbers, &numbers, &mut allowed, 3);
        assert_eq!(allowed, [1.0, 1.0, 1.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0]);

        assert_refused(&mut out, |out| uniform(unit, Draws { key: 1, first: 0 }, 4, 3, out, 1));
    }
}

/// These check where nothing can unwind: their debug assertions end the process.
#[cfg(not(debug_assertions))]
#[test]
fn nothing_beyond_a_slice_is_touched_by_whole_kernels() {
    let (numbers, indices, mut out) = ([1.0; 12], [0_u32; 4], [7.0; 12]);
    for unit in Instructions::available() {
        let rows = |table: &[f64], indices: &[u32], out: &mut [f64]| {
            lookup(unit, [4], 4, 3, table, 0, indices, 0, [1], out, 0, [3]);
        };
        assert_refused(&mut out, |out| lookup(unit, [4], usize::MAX, 3, &numbers, 0, &indices, 0, [1], out, 0, [3]));
        assert_refused(&mut out, |out| rows(&numbers[1..], &indices, out));
        assert_refused(&mut out, |out| rows(&numbers, &indices[1..], out));
        assert_refused(&mut out, |out| rows(&numbers, &indices, &mut out[1..]));
        let adjoint = |gradient: &[f64], indices: &[u32], out: &mut [f64]| {
            lookup_adjoint(unit, [4], 4, 3, gradient, 0, [3], indices, 0, [1], out, 0, false);
        };
        let most = usize::MAX;
        assert_refused(&mut out, |out| {
            lookup_adjoint(unit, [4], most, 3, &numbers, 0, [3], &indices, 0, [1], out, 0, false);
        });
        assert_refused(&mut out, |out| adjoint(&numbers[1..], &indices, out));
        assert_refused(&mut out, |out| adjoint(&numbers, &indices[1..], out));
        assert_refused(&mut out, |out| adjoint(&numbers, &indices, &mut out[1..]));

        assert_refused(&mut out, |out| sum_columns(unit, [3, 4], &numbers[1..], 0, 4, out, 0, false));
        assert_refused(&mut out, |out| sum_columns(unit, [3, 4], &numbers, 0, 4, out, 9, false));
    }
}
