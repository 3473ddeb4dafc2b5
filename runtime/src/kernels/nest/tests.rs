use std::prelude::rust_2024::*;
use std::{format, vec};

use pulp::{Simd, WithSimd};

use core::cell::Cell;

use super::*;
use crate::kernels::testing::{Copied, Random, assert_close, on_every_unit};
use crate::kernels::{
    broadcast, contiguous, indices, max_inner, max_outer, max_strided, min_outer, min_strided, position, scalar, store,
    store_strided, strided, sum_inner, sum_outer, sum_strided,
};
use crate::simd::{Instructions, Machine, Plain};

/// `a·b + c` and `a - previous`.
#[derive(Clone, Copy)]
struct Mix;

impl<T: Scalar> Body<T, 3, 2> for Mix {
    #[inline(always)]
    fn evaluate<S: Simd>(self, _: S, [a, b, c]: [Lanes<T, S>; 3], previous: [Lanes<T, S>; 2]) -> [Lanes<T, S>; 2] {
        [a * b + c, a - previous[1]]
    }
}

/// Sums of all inputs.
#[derive(Clone, Copy)]
struct Total;

impl<T: Scalar, const N: usize> Body<T, N, 1> for Total {
    #[inline(always)]
    fn evaluate<S: Simd>(self, simd: S, inputs: [Lanes<T, S>; N], _: [Lanes<T, S>; 1]) -> [Lanes<T, S>; 1] {
        let mut sum = Lanes::constant(simd, 0.0);
        for input in inputs {
            sum += input;
        }
        [sum]
    }
}

struct Map<'a> {
    rows: usize,
    columns: usize,
    data: &'a [f32],
}

impl WithSimd for Map<'_> {
    type Output = [Vec<f32>; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Self { rows, columns, data } = self;
        let (mut first, mut second) = (vec![0.0; rows * columns], data.to_vec());
        nest(
            Instructions::of(simd),
            Nest::new(
                [rows, columns],
                (contiguous(data, 0, [columns, 1]), broadcast(data, 1, [1, 0]), strided(data, 0, [1, rows])),
                (store_strided(&mut first, 0, [1, rows]), store(&mut second, 0, [columns, 1])),
                Mix,
            ),
        );
        [first, second]
    }
}

#[test]
fn maps_read_and_write_in_every_order() {
    let mut random = Random(5);
    let shapes = [(); 30].map(|()| (random.within(1, 9), random.within(1, 70)));
    for (rows, columns) in [(1, 1), (3, 5), (2, 16), (7, 33), (4, 100)].into_iter().chain(shapes) {
        let data = random.numbers(rows * columns + 1);
        let (mut first, mut second) = (vec![0.0; rows * columns], data.clone());
        for i in 0..rows {
            for j in 0..columns {
                first[i + j * rows] = data[i * columns + j] * data[1 + i] + data[i + j * rows];
                second[i * columns + j] = 0.0;
            }
        }
        let single: Vec<f32> = data.iter().map(|&value| value as f32).collect();
        on_every_unit(
            || Map { rows, columns, data: &single },
            |unit, out| {
                assert_close(out[0].iter().map(|&value| f64::from(value)), &first, 1e-6, unit.name());
                assert_close(out[1].iter().map(|&value| f64::from(value)), &second, 0.0, unit.name());
            },
        );
    }
}

struct Reduce<'a> {
    extents: [usize; 3],
    data: &'a [f64],
}

impl WithSimd for Reduce<'_> {
    type Output = [[Vec<f64>; 7]; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        [self.on(Instructions::of(simd)), self.on(Plain(simd))]
    }
}

impl Reduce<'_> {
    #[inline(always)]
    fn on(&self, machine: impl Machine) -> [Vec<f64>; 7] {
        let [a, b, c] = self.extents;
        let mut out =
            [vec![7.0; a * b], vec![2.0; a], vec![7.0; c], vec![0.5; b * c], vec![7.0; b], vec![7.0; 1], vec![7.0; c]];
        let [rows, planes, columns, accumulated, smallest, largest, scattered] = &mut out;
        nest(
            machine,
            Nest::new(
                self.extents,
                (contiguous(self.data, 0, [b * c, c, 1]),),
                (
                    sum_inner(rows, 0, [b, 1, 0], false),
                    sum_inner(planes, 0, [1, 0, 0], true),
                    sum_outer(columns, 0, [0, 0, 1], false),
                    sum_outer(accumulated, 0, [0, c, 1], true),
                    max_inner(smallest, 0, [0, 1, 0], false),
                    max_strided(largest, 0, [0, 0, 0], false),
                    min_outer(scattered, 0, [0, 0, 1], false),
                ),
                Copied,
            ),
        );
        out
    }
}

#[test]
fn reductions_over_any_loops() {
    let mut random = Random(6);
    let shapes = [(); 30].map(|()| [random.within(1, 5), random.within(0, 5), random.within(1, 70)]);
    for extents in [[1, 1, 1], [2, 3, 5], [3, 2, 16], [4, 3, 50], [2, 2, 0]].into_iter().chain(shapes) {
        let [a, b, c] = extents;
        let data = random.numbers(a * b * c);
        let at = |i: usize, j: usize, k: usize| data[(i * b + j) * c + k];
        let mut expected = [
            vec![0.0; a * b],
            vec![2.0; a],
            vec![0.0; c],
            vec![0.5; b * c],
            vec![f64::NEG_INFINITY; b],
            vec![f64::NEG_INFINITY; 1],
            vec![f64::INFINITY; c],
        ];
        for i in 0..a {
            for j in 0..b {
                for k in 0..c {
                    let value = at(i, j, k);
                    expected[0][i * b + j] += value;
                    expected[1][i] += value;
                    expected[2][k] += value;
                    expected[3][j * c + k] += value;
                    expected[4][j] = expected[4][j].max(value);
                    expected[5][0] = expected[5][0].max(value);
                    expected[6][k] = expected[6][k].min(value);
                }
            }
        }
        on_every_unit(
            || Reduce { extents, data: &data },
            |unit, out| {
                for out in out {
                    for (which, (got, expected)) in out.iter().zip(&expected).enumerate() {
                        let context = format!("{unit}, {extents:?}, reduction {which}");
                        assert_close(got.iter().copied(), expected, 1e-14, &context);
                    }
                }
            },
        );
    }
}

/// Reductions over rows only, which are walked through column by column.
struct Down<'a>(Reduce<'a>);

impl WithSimd for Down<'_> {
    type Output = [Vec<f64>; 3];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Reduce { extents, data } = self.0;
        let [a, b, c] = extents;
        let mut out = [vec![7.0; c], vec![0.5; a * c], vec![7.0; a * c]];
        let [all, sums, largest] = &mut out;
        let values = contiguous(data, 0, [b * c, c, 1]);
        nest(Instructions::of(simd), Nest::new(extents, (values,), (sum_outer(all, 0, [0, 0, 1], false),), Copied));
        let outputs = (sum_outer(sums, 0, [c, 0, 1], true), max_outer(largest, 0, [c, 0, 1], false));
        nest(Instructions::of(simd), Nest::new(extents, (values,), outputs, Copied));
        out
    }
}

#[test]
fn reductions_down_columns() {
    let mut random = Random(8);
    for extents in [[1, 1, 1], [2, 3, 5], [3, 2, 16], [1, 9, 33], [2, 4, 64], [2, 3, 150], [2, 0, 4]] {
        let [a, b, c] = extents;
        let data = random.numbers(a * b * c);
        let mut expected = [vec![0.0; c], vec![0.5; a * c], vec![f64::NEG_INFINITY; a * c]];
        for (place, &value) in data.iter().enumerate() {
            let (i, k) = (place / (b * c), place % c);
            expected[0][k] += value;
            expected[1][i * c + k] += value;
            expected[2][i * c + k] = expected[2][i * c + k].max(value);
        }
        on_every_unit(
            || Down(Reduce { extents, data: &data }),
            |unit, out| {
                for (which, (got, expected)) in out.iter().zip(&expected).enumerate() {
                    let context = format!("{unit}, {extents:?}, reduction {which}");
                    assert_close(got.iter().copied(), expected, 1e-14, &context);
                }
            },
        );
    }
}

/// `x - a` of each row's own `a`.
#[derive(Clone, Copy)]
struct Difference;

impl<T: Scalar> Body<T, 2, 1> for Difference {
    #[inline(always)]
    fn evaluate<S: Simd>(self, _: S, [x, a]: [Lanes<T, S>; 2], _: [Lanes<T, S>; 1]) -> [Lanes<T, S>; 1] {
        [x - a]
    }
}

/// Each row less its largest number, then the sum of what is left.
struct Shifted<'a> {
    rows: [usize; 2],
    columns: usize,
    data: &'a [f64],
    plain: bool,
}

impl WithSimd for Shifted<'_> {
    type Output = (Vec<f64>, Vec<f64>);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Self { rows: [outer, inner], columns, data, plain } = self;
        let (mut largest, mut shifted) = (vec![0.0; outer * inner], vec![0.0; data.len()]);
        let mut sums = vec![0.0; outer * inner];
        {
            let largest = Cell::from_mut(&mut largest[..]).as_slice_of_cells();
            let shifted = Cell::from_mut(&mut shifted[..]).as_slice_of_cells();
            let (whole, one) = ([inner * columns, columns, 1], [inner, 1, 0]);
            let extents = [outer, inner, columns];
            let first = Nest::new(extents, (contiguous(data, 0, whole),), (max_inner(largest, 0, one, false),), Copied);
            let operands = (contiguous(data, 0, whole), broadcast(largest, 0, one));
            let second = Nest::new(extents, operands, (store(shifted, 0, whole),), Difference);
            let sums = (sum_inner(&mut sums[..], 0, one, false),);
            let third = Nest::new(extents, (contiguous(shifted, 0, whole),), sums, Copied);
            let stages = (first, (second, (third, ())));
            if plain { rows(Plain(simd), stages) } else { rows(Instructions::of(simd), stages) }
        }
        (shifted, sums)
    }
}

#[test]
fn nests_run_row_by_row() {
    let mut random = Random(11);
    for ([outer, inner], columns) in [([1, 1], 1), ([3, 2], 5), ([2, 4], 16), ([5, 1], 37), ([0, 3], 4)] {
        let data = random.numbers(outer * inner * columns);
        let lines = data.chunks(columns).map(|row| {
            let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            row.iter().map(|x| x - largest).collect::<Vec<_>>()
        });
        let expected: Vec<Vec<f64>> = lines.collect();
        let sums: Vec<f64> = expected.iter().map(|row| row.iter().sum()).collect();
        for plain in [false, true] {
            on_every_unit(
                || Shifted { rows: [outer, inner], columns, data: &data, plain },
                |unit, (shifted, found)| {
                    let name = format!("{} of {outer}x{inner}x{columns}", unit.name());
                    assert_close(shifted.into_iter(), &expected.concat(), 0.0, &name);
                    assert_close(found.into_iter(), &sums, 1e-13, &name);
                },
            );
        }
    }
}

struct Unequal;

impl WithSimd for Unequal {
    type Output = [f64; 6];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [f64; 6] {
        let (mut out, data) = ([7.0; 6], [1.0; 6]);
        {
            let out = Cell::from_mut(&mut out[..]).as_slice_of_cells();
            let of = |rows| Nest::new([rows, 2], (contiguous(&data[..], 0, [2, 1]),), (store(out, 0, [2, 1]),), Copied);
            rows(Instructions::of(simd), (of(2), (of(3), ())));
        }
        out
    }
}

#[test]
#[cfg_attr(debug_assertions, should_panic(expected = "differ"))]
fn nests_with_other_outer_loops_do_nothing() {
    on_every_unit(|| Unequal, |unit, out| assert_eq!(out, [7.0; 6], "{unit}"));
}

struct Others<'a>(&'a [u32]);

impl WithSimd for Others<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let mut out = vec![0.0; 3 * 20];
        nest(
            Instructions::of(simd),
            Nest::new(
                [3, 20],
                (indices(self.0, 0, [1, 0]), indices(self.0, 1, [0, 1]), position(5, [100, 2]), scalar(0.25)),
                (store(&mut out, 0, [20, 1]),),
                Total,
            ),
        );
        out
    }
}

#[test]
fn indices_positions_and_scalars() {
    let list: Vec<u32> = (0..21).map(|i| i * i % 13).collect();
    let expected: Vec<f64> = (0..60)
        .map(|place| {
            let (i, j) = (place / 20, place % 20);
            f64::from(list[i] + list[j + 1]) + (5 + 100 * i + 2 * j) as f64 + 0.25
        })
        .collect();
    on_every_unit(
        || Others(&list),
        |unit, out| assert_close(out.into_iter().map(f64::from), &expected, 0.0, unit.name()),
    );
}

struct Listed<'a> {
    list: &'a [u32],
    stride: usize,
    count: usize,
}

impl WithSimd for Listed<'_> {
    type Output = (Vec<f32>, Vec<f64>);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Listed { list, stride, count } = self;
        let (mut single, mut double) = (vec![7.0; count + 1], vec![7.0; count + 1]);
        let input = (indices(list, 0, [stride]),);
        nest(Instructions::of(simd), Nest::new([count], input, (store(&mut single, 0, [1]),), Copied));
        let input = (indices(list, 0, [stride]),);
        nest(Instructions::of(simd), Nest::new([count], input, (store(&mut double, 0, [1]),), Copied));
        (single, double)
    }
}

#[test]
fn indices_of_any_size() {
    let mut list =
        vec![0, 1, 0xffff, 0x1_0000, 0xff_ffff, 0x100_0000, 0x100_0001, 0x100_0003, 0x8000_0080, 0x8000_0081];
    list.extend([u32::MAX, u32::MAX - 127, u32::MAX - 128]);
    list.extend((0..60_u32).map(|i| i.wrapping_mul(0x9e37_79b9)));
    for (stride, count) in [(1, 73), (1, 3), (2, 36), (3, 24), (5, 1)] {
        let numbers: Vec<u32> = list.iter().copied().step_by(stride).take(count).collect();
        on_every_unit(
            || Listed { list: &list, stride, count },
            |unit, (single, double)| {
                let context = format!("{unit}: {count} by {stride}");
                let expected: Vec<f64> = numbers.iter().map(|&number| f64::from(number)).chain([7.0]).collect();
                assert_eq!(double, expected, "{context}");
                assert_eq!(single, expected.iter().map(|&number| number as f32).collect::<Vec<_>>(), "{context}");
            },
        );
    }
}

struct Scattered(Vec<f64>);

impl WithSimd for Scattered {
    type Output = [Vec<f64>; 5];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let mut out = [(); 5].map(|()| vec![7.0; 30]);
        let [sums, largest, smallest, total, least] = &mut out;
        let outputs = (
            sum_strided(sums, 0, [0, 3], false),
            max_strided(largest, 0, [0, 3], false),
            min_strided(smallest, 0, [0, 3], false),
            sum_strided(total, 0, [3, 0], false),
            min_strided(least, 0, [3, 0], true),
        );
        nest(Instructions::of(simd), Nest::new([4, 10], (contiguous(&self.0, 0, [10, 1]),), outputs, Copied));
        out
    }
}

/// With two places between each and the next, which stay what they were.
#[test]
fn scattered_reductions() {
    let data = Random(7).numbers(40);
    let column = |place: usize| (0..4).map(move |i| place / 3 + 10 * i);
    let row = |place: usize| (0..10).map(move |j| place / 3 * 10 + j);
    let spread = |count: usize, value: &dyn Fn(usize) -> f64| -> Vec<f64> {
        (0..30).map(|place| if place % 3 == 0 && place < 3 * count { value(place) } else { 7.0 }).collect()
    };
    let expected = [
        spread(10, &|place| column(place).map(|index| data[index]).sum()),
        spread(10, &|place| column(place).map(|index| data[index]).fold(f64::NEG_INFINITY, f64::max)),
        spread(10, &|place| column(place).map(|index| data[index]).fold(f64::INFINITY, f64::min)),
        spread(4, &|place| row(place).map(|index| data[index]).sum()),
        spread(4, &|place| row(place).map(|index| data[index]).fold(7.0, f64::min)),
    ];
    on_every_unit(
        || Scattered(data.clone()),
        |unit, out| {
            for (out, expected) in out.into_iter().zip(&expected) {
                assert_close(out.into_iter(), expected, 1e-15, unit.name());
            }
        },
    );
}

/// A map and sums over rows of a length that is a type, on five rows.
struct Known<'a, const LENGTH: usize>(&'a [f64]);

/// Twice the number, and the number.
#[derive(Clone, Copy)]
struct Doubled;

impl<T: Scalar> Body<T, 1, 2> for Doubled {
    const LIGHT: bool = true;

    #[inline(always)]
    fn evaluate<S: Simd>(self, _: S, [x]: [Lanes<T, S>; 1], _: [Lanes<T, S>; 2]) -> [Lanes<T, S>; 2] {
        [x + x, x]
    }
}

impl<const LENGTH: usize> WithSimd for Known<'_, LENGTH> {
    type Output = [Vec<f64>; 3];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let machine = Instructions::of(simd);
        let (mut doubled, mut of_rows, mut of_columns) =
            (vec![9.0; 5 * LENGTH + 4], vec![9.0; 8], vec![9.0; LENGTH + 4]);
        let input = || (contiguous(self.0, 0, [LENGTH, 1]),);
        let outputs = (store(&mut doubled, 0, [LENGTH, 1]), sum_inner(&mut of_rows, 0, [1, 0], false));
        nest(machine, Nest::new([5, LENGTH], input(), outputs, Doubled).rows_of(Const::<LENGTH>));
        let outputs = (sum_outer(&mut of_columns, 0, [0, 1], false),);
        nest(machine, Nest::new([5, LENGTH], input(), outputs, Copied).rows_of(Const::<LENGTH>));
        [doubled, of_rows, of_columns]
    }
}

fn check_known<const LENGTH: usize>() {
    let data: Vec<f64> = (0..5 * LENGTH).map(|index| (index * index % 17) as f64).collect();
    let doubled = data.iter().map(|x| x + x).chain([9.0; 4]).collect();
    let of_rows = data.chunks(LENGTH).map(|row| row.iter().sum()).chain([9.0; 3]).collect();
    let column = |column| data.iter().skip(column).step_by(LENGTH).sum();
    let of_columns = (0..LENGTH).map(column).chain([9.0; 4]).collect();
    let expected: [Vec<f64>; 3] = [doubled, of_rows, of_columns];
    on_every_unit(|| Known::<LENGTH>(&data), |unit, got| assert_eq!(got, expected, "{unit}: {LENGTH}"));
}

#[test]
fn rows_of_known_length() {
    macro_rules! lengths {
        ($($length:literal)*) => { $(check_known::<$length>();)* };
    }
    lengths!(1 2 3 4 5 7 8 15 16 17 31 32 33 63 64 67);
}

#[test]
fn a_single_place() {
    let mut out = [1.0, 2.0, 3.0];
    single(Nest::new([1], (broadcast(&[4.0], 0, [0]),), (store(&mut out, 1, [1]),), Copied));
    assert_eq!(out, [1.0, 4.0, 3.0]);
}
