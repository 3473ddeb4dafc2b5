mod added;
#[cfg(feature = "threads")]
mod shared;

use std::prelude::rust_2024::*;
use std::{format, vec};

use pulp::{Simd, WithSimd};

use super::*;
#[cfg(feature = "threads")]
use crate::kernels::testing::with_help;
use crate::kernels::testing::{Random, assert_close, on_every_unit};
use crate::kernels::{contiguous, store, sum_outer};
use crate::simd::{Instructions, Machine, Plain};

/// How a matrix lies in memory: rows, columns or both apart.
#[derive(Clone, Copy, Debug)]
enum Order {
    Rows,
    Columns,
    Apart,
}

impl Order {
    fn strides(self, rows: usize, columns: usize, gap: usize) -> (usize, usize) {
        match self {
            Self::Rows => (columns + gap, 1),
            Self::Columns => (1, rows + gap),
            Self::Apart => (2 * columns + gap + 1, 2),
        }
    }
}

#[derive(Clone, Debug)]
struct Case {
    outer: usize,
    m: usize,
    k: usize,
    n: usize,
    a: [usize; 3],
    b: [usize; 3],
    gap: usize,
    data: [Vec<f64>; 3],
    accumulate: bool,
    /// Numbers of memory that is lent,
    lent: usize,
    /// and when they are used.
    used: Used,
}

/// Which products use lent memory.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Used {
    /// All.
    Always,
    /// Those whose sums may be kept in the destination.
    InPlace,
    /// None, since it is too little.
    Never,
    /// Nobody asks.
    #[cfg_attr(not(feature = "threads"), expect(dead_code, reason = "of parts of a product"))]
    Perhaps,
}

impl Case {
    fn new(random: &mut Random, [outer, m, k, n]: [usize; 4], orders: [Order; 2]) -> Self {
        let gap = random.within(0, 3);
        let (a_row, a_column) = orders[0].strides(m, k, gap);
        let (b_row, b_column) = orders[1].strides(k, n, gap);
        let a_size = a_row * m + a_column * k;
        let b_size = b_row * k + b_column * n;
        let c_size = m * (n + gap);
        Self {
            outer,
            m,
            k,
            n,
            a: [a_size, a_row, a_column],
            b: [b_size, b_row, b_column],
            gap,
            data: [random.numbers(outer * a_size), random.numbers(outer * b_size), random.numbers(outer * c_size)],
            accumulate: random.within(0, 1) == 1,
            lent: 0,
            used: Used::Always,
        }
    }

    fn expected(&self) -> Vec<f64> {
        let mut c = self.data[2].clone();
        let width = self.n + self.gap;
        for o in 0..self.outer {
            for i in 0..self.m {
                for j in 0..self.n {
                    let product: f64 = (0..self.k)
                        .map(|k| {
                            let a = self.data[0][o * self.a[0] + i * self.a[1] + k * self.a[2]];
                            a * self.data[1][o * self.b[0] + k * self.b[1] + j * self.b[2]]
                        })
                        .sum();
                    let place = &mut c[(o * self.m + i) * width + j];
                    *place = if self.accumulate { *place + product } else { product };
                }
            }
        }
        c
    }

    /// Those of the destination.
    fn strides(&self) -> [usize; 3] {
        let width = self.n + self.gap;
        [self.m * width, width, 1]
    }

    /// What lies in memory if results below zero become zero.
    fn rectified(&self, mut c: Vec<f64>) -> Vec<f64> {
        let width = self.n + self.gap;
        for row in c.chunks_mut(width).take(self.outer * self.m) {
            for value in &mut row[..self.n] {
                *value = value.max(0.0);
            }
        }
        c
    }
}

struct Run<'a, T>(&'a Case, core::marker::PhantomData<T>);

impl<T: Scalar> WithSimd for Run<'_, T> {
    /// Results of different ways to the same, and rectified ones.
    type Output = ([Vec<f64>; 6], [Vec<f64>; 2]);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let unit = Instructions::of(simd);
        let same = [
            product::<T, _>(unit, self.0),
            product::<T, _>(Plain(simd), self.0),
            added::added::<T>(unit, self.0),
            sum::<T, _>(unit, self.0, false, Plus),
            sum::<T, _>(unit, self.0, true, Plus),
            sum::<T, _>(unit, self.0, true, Biased::<false>),
        ];
        let rectified =
            [sum::<T, _>(unit, self.0, false, Biased::<true>), sum::<T, _>(Plain(simd), self.0, false, Biased::<true>)];
        (same, rectified)
    }
}

/// Lends memory between two guards, and sees whether it was used.
#[inline(always)]
fn lend<T: Scalar>(case: &Case, plain: bool, in_place: bool, product: impl FnOnce(&[Cell<T>])) {
    const GUARD: usize = 64;
    let memory = vec![Cell::new(T::nan()); case.lent + 2 * GUARD];
    let (front, rest) = memory.split_at(GUARD);
    let (lent, back) = rest.split_at(case.lent);
    product(lent);
    assert!(front.iter().chain(back).all(|cell| cell.get().is_nan()), "more was used than is lent");
    let used = lent.iter().any(|cell| !cell.get().is_nan());
    let expected = match case.used {
        Used::Always => true,
        Used::InPlace => in_place,
        Used::Never => false,
        Used::Perhaps => return,
    };
    assert_eq!(used, case.lent > 0 && expected && !plain, "lent memory: {}", case.lent);
}

fn matrix<T: Scalar>(numbers: &[T], [outer, row, column]: [usize; 3]) -> Matrix<'_, T, 1> {
    Matrix::new(numbers, 0, [outer], row, column)
}

/// `product + x`.
#[derive(Clone, Copy)]
struct Plus;

impl<T: Scalar> Epilogue<T, 1, 1> for Plus {
    #[inline(always)]
    fn evaluate<S: Simd>(
        self,
        _: S,
        product: Lanes<T, S>,
        [x]: [Lanes<T, S>; 1],
        _: [Lanes<T, S>; 1],
    ) -> [Lanes<T, S>; 1] {
        [product + x]
    }
}

/// What the case computes, from these inputs by this epilogue; sums may be kept in the destination or not.
#[inline(always)]
fn compute<T: Scalar, X: Machine, const I: usize>(
    machine: X,
    case: &Case,
    inputs: impl Inputs<T, 3, I>,
    apart: bool,
    epilogue: impl Epilogue<T, I, 1>,
) -> Vec<f64> {
    let [a, b, mut c] = case.data.clone().map(constants::<T>);
    let to = store(&mut c[..], 0, case.strides());
    lend(case, X::PLAIN, apart || I == 0, |lent| {
        contract_large(
            machine,
            lent,
            [case.outer],
            case.m,
            case.k,
            case.n,
            matrix(&a, case.a),
            matrix(&b, case.b),
            inputs,
            (if apart { to.apart() } else { to },),
            epilogue,
        )
    });
    c.into_iter().map(Scalar::widen).collect()
}

fn constants<T: Scalar>(numbers: Vec<f64>) -> Vec<T> {
    numbers.into_iter().map(T::constant).collect()
}

/// What was there comes as an input.
#[inline(always)]
fn sum<T: Scalar, X: Machine>(machine: X, case: &Case, apart: bool, epilogue: impl Epilogue<T, 1, 1>) -> Vec<f64> {
    let c = &case.data[2];
    let before = constants::<T>(if case.accumulate { c.clone() } else { vec![0.0; c.len()] });
    compute(machine, case, (contiguous(&before[..], 0, case.strides()),), apart, epilogue)
}

#[inline(always)]
fn product<T: Scalar, X: Machine>(machine: X, case: &Case) -> Vec<f64> {
    compute::<T, X, 0>(machine, case, (), false, Accumulate(case.accumulate))
}

fn check(case: &Case) {
    check_in::<f32>(case, 2e-5);
    check_in::<f64>(case, 1e-13);
}

fn check_in<T: Scalar>(case: &Case, tolerance: f64) {
    check_alone::<T>(case, tolerance);
    // Parts of a product need not use the lent memory where the whole does.
    #[cfg(feature = "threads")]
    with_help(|| check_alone::<T>(&Case { used: Used::Perhaps, ..case.clone() }, tolerance));
}

fn check_alone<T: Scalar>(case: &Case, tolerance: f64) {
    let expected = case.expected();
    let rectified = case.rectified(expected.clone());
    on_every_unit(
        || Run::<T>(case, core::marker::PhantomData),
        |unit, (same, above)| {
            let name = format!("{unit}, {}·{}×{}×{}, {tolerance}", case.outer, case.m, case.k, case.n);
            for got in same {
                assert_close(got.into_iter(), &expected, tolerance, &name);
            }
            for got in above {
                assert_close(got.into_iter(), &rectified, tolerance, &name);
            }
        },
    );
}

#[test]
fn agrees_with_the_plain_sum_in_every_order() {
    let mut random = Random(1);
    let orders = [Order::Rows, Order::Columns, Order::Apart];
    for a in orders {
        for b in orders {
            for _ in 0..8 {
                let sizes = [random.within(1, 2), random.within(1, 29), random.within(0, 40), random.within(1, 70)];
                check(&Case::new(&mut random, sizes, [a, b]));
            }
        }
    }
}

#[test]
fn large_products_go_through_lent_memory() {
    let mut random = Random(3);
    for (lent, sizes, orders) in [
        (130_000, [1, 101, 151, 601], [Order::Columns, Order::Rows]),
        (60_000, [1, 109, 130, 203], [Order::Rows, Order::Columns]),
        // Several passes over the steps, on any unit.
        (150_000, [2, 198, 300, 150], [Order::Columns, Order::Rows]),
        (200_000, [1, 100, 600, 135], [Order::Apart, Order::Rows]),
        // Fewer columns than are packed at least where there are more.
        (34_000, [1, 101, 140, 37], [Order::Columns, Order::Rows]),
        // What the compiler lends for 32 samples.
        (32 * (128 + 4 * 160), [1, 101, 32, 160], [Order::Columns, Order::Rows]),
        (32 * 1024, [1, 101, 32, 512], [Order::Columns, Order::Rows]),
    ] {
        check(&Case { lent, ..Case::new(&mut random, sizes, orders) });
    }
    for (lent, sizes) in [
        // Too little memory: as without.
        (5_000, [1, 101, 151, 203]),
        (14_000, [1, 101, 140, 203]),
        // Too small for a copy.
        (100_000, [1, 101, 30, 60]),
    ] {
        let without = Case::new(&mut random, sizes, [Order::Columns, Order::Rows]);
        check(&Case { lent, used: Used::Never, ..without });
    }
}

/// Few rows, the rows of the right matrix on pages of their own: panels are packed while others are in use.
#[test]
fn large_matrices_stream_past_few_rows() {
    let mut random = Random(4);
    for (lent, sizes, orders) in [
        (60_000, [1, 53, 70, 1100], [Order::Rows, Order::Rows]),
        (60_000, [1, 61, 300, 1037], [Order::Columns, Order::Rows]),
        // Transposed: its columns lie on pages of their own.
        (60_000, [1, 50, 1030, 75], [Order::Rows, Order::Columns]),
        (80_000, [2, 97, 1025, 130], [Order::Apart, Order::Columns]),
        // Several tiles to a piece on any unit, and memory for some of the steps only.
        (60_000, [1, 97, 35, 1100], [Order::Rows, Order::Rows]),
        (20_000, [1, 97, 300, 600], [Order::Rows, Order::Rows]),
    ] {
        check(&Case { lent, used: Used::InPlace, ..Case::new(&mut random, sizes, orders) });
    }
    let without = Case::new(&mut random, [1, 53, 70, 1100], [Order::Rows, Order::Rows]);
    check(&Case { lent: 1_500, used: Used::Never, ..without });
}

#[test]
fn sums_longer_than_the_buffers_are_put_together() {
    let mut random = Random(2);
    for (m, k, n) in [(3, 700, 5), (150, 300, 33), (13, 129, 40), (1, 2100, 3), (140, 260, 9)] {
        check(&Case::new(&mut random, [1, m, k, n], [Order::Rows, Order::Columns]));
    }
}

/// Rows that compete for few places of the cache are packed, and taken in lower tiles.
#[test]
fn rows_at_a_distance_of_a_power_of_two() {
    let mut random = Random(8);
    let (m, k, n) = (29, 1030, 37);
    let mut case = Case::new(&mut random, [1, m, k, n], [Order::Rows, Order::Rows]);
    case.a = [0, 2048, 1];
    case.b = [0, 1024, 1];
    case.data[0] = random.numbers(2048 * m);
    case.data[1] = random.numbers(1024 * k);
    check(&case);
}

/// Each way of cutting a product into blocks: wide ones of far rows, packed rows of a transposed `a`, few steps at a time.
#[test]
fn blocks_of_every_kind() {
    let mut random = Random(9);
    let orders = [(Order::Rows, [27, 270, 512]), (Order::Rows, [24, 140, 2048]), (Order::Columns, [512, 40, 133])];
    let few = [(Order::Rows, [32, 100, 128]), (Order::Rows, [9, 100, 64])];
    let many = [(Order::Rows, [200, 300, 64]), (Order::Rows, [193, 10, 2048]), (Order::Columns, [200, 1100, 16])];
    for (order, [m, k, n]) in orders.into_iter().chain(few).chain(many) {
        let mut case = Case::new(&mut random, [1, m, k, n], [order, Order::Rows]);
        let (a_row, a_column) = order.strides(m, k, 0);
        case.a = [0, a_row, a_column];
        case.b = [0, n, 1];
        check(&case);
    }
}

#[test]
fn single_rows_are_wide() {
    let mut random = Random(3);
    for (k, n) in [(9, 128), (20, 300), (5, 129), (1, 64)] {
        check(&Case::new(&mut random, [1, 1, k, n], [Order::Rows, Order::Rows]));
    }
}

/// A single row of few columns has several sums for each, from twice as many steps on.
#[test]
fn single_rows_may_be_narrow() {
    let mut random = Random(5);
    for k in [7, 8, 9, 10, 11, 50] {
        for n in [1, 5, 8, 19, 32, 37] {
            check(&Case::new(&mut random, [1, 1, k, n], [Order::Apart, Order::Rows]));
        }
    }
}

/// A single column is one dot product a row where both lie along the steps.
#[test]
fn single_columns_are_dot_products() {
    let mut random = Random(6);
    for m in [1, 3, 4, 7, 600] {
        for k in [15, 16, 33, 100] {
            for orders in [[Order::Rows, Order::Columns], [Order::Columns, Order::Columns], [Order::Rows, Order::Apart]]
            {
                check(&Case::new(&mut random, [2, m, k, 1], orders));
            }
        }
    }
}

#[derive(Clone, Copy)]
struct BiasRelu;

impl<T: Scalar> Epilogue<T, 1, 2> for BiasRelu {
    #[inline(always)]
    fn evaluate<S: Simd>(
        self,
        simd: S,
        product: Lanes<T, S>,
        [bias]: [Lanes<T, S>; 1],
        _: [Lanes<T, S>; 2],
    ) -> [Lanes<T, S>; 2] {
        let value = (product + bias).max(Lanes::constant(simd, 0.0));
        [value, value]
    }
}

struct Fused<'a> {
    a: &'a [f32],
    b: &'a [f32],
    bias: &'a [f32],
}

impl WithSimd for Fused<'_> {
    type Output = (Vec<f32>, Vec<f32>);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let (mut out, mut sums) = (vec![0.0; 17 * 37], vec![9.0; 37]);
        contract(
            Instructions::of(simd),
            [],
            17_usize,
            Const::<20>,
            Const::<37>,
            Matrix { slice: (self.a).into(), offset: 0, outer: [], row: 20, column: 1 },
            Matrix { slice: (self.b).into(), offset: 0, outer: [], row: 37, column: 1 },
            (contiguous(self.bias, 0, [0, 1]),),
            (store(&mut out, 0, [37, 1]), sum_outer(&mut sums, 0, [0, 1], false)),
            BiasRelu,
        );
        (out, sums)
    }
}

#[test]
fn an_epilogue_takes_inputs_and_may_reduce() {
    let mut random = Random(4);
    let [a, b, bias] = [17 * 20, 20 * 37, 37].map(|count| random.numbers(count));
    let expected: Vec<f64> = (0..17 * 37)
        .map(|place| {
            let (i, j) = (place / 37, place % 37);
            ((0..20).map(|k| a[i * 20 + k] * b[k * 37 + j]).sum::<f64>() + bias[j]).max(0.0)
        })
        .collect();
    let sums: Vec<f64> = (0..37).map(|j| (0..17).map(|i| expected[i * 37 + j]).sum()).collect();
    let [a, b, bias] = [a, b, bias].map(|data| data.into_iter().map(|value| value as f32).collect::<Vec<_>>());
    on_every_unit(
        || Fused { a: &a, b: &b, bias: &bias },
        |unit, (out, reduced)| {
            assert_close(out.into_iter().map(f64::from), &expected, 1e-5, unit.name());
            assert_close(reduced.into_iter().map(f64::from), &sums, 1e-5, unit.name());
        },
    );
}

/// What is not a number stays visible behind a rectifier.
#[test]
fn a_rectified_bias_keeps_nan() {
    for (bias, expected) in [(f64::NAN, f64::NAN), (-3.0, 0.0), (1.0, 3.0)] {
        for unit in Instructions::available() {
            let mut out = [9.0; 3];
            contract(
                unit,
                [],
                1_usize,
                Const::<2>,
                Const::<3>,
                Matrix::new(&[1.0; 2], 0, [], 2, 1),
                Matrix::new(&[1.0; 6], 0, [], 3, 1),
                (contiguous(&[bias; 3], 0, [0, 1]),),
                (store(&mut out, 0, [3, 1]),),
                Biased::<true>,
            );
            assert!(
                out.iter().all(|out| out.total_cmp(&expected).is_eq() || out.is_nan() && expected.is_nan()),
                "{unit}"
            );
        }
    }
}
