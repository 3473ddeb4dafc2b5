//! Maps and reductions: passes over memory around a body. Criterion's elements are the numbers that pass through.

use backprop::kernels::{Body, Nest, broadcast, contiguous, max_inner, nest, store, sum_inner, sum_outer};
use backprop::simd::{Instructions, Lanes, Simd};
use backprop::{Random, Scalar, Seed};
use benches::workloads::rows;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

#[derive(Clone, Copy)]
struct Identity;

impl<T: Scalar> Body<T, 1, 1> for Identity {
    #[inline(always)]
    fn evaluate<S: Simd>(self, _: S, [x]: [Lanes<T, S>; 1], _: [Lanes<T, S>; 1]) -> [Lanes<T, S>; 1] {
        [x]
    }
}

#[derive(Clone, Copy)]
struct Relu;

impl<T: Scalar> Body<T, 1, 1> for Relu {
    #[inline(always)]
    fn evaluate<S: Simd>(self, simd: S, [x]: [Lanes<T, S>; 1], _: [Lanes<T, S>; 1]) -> [Lanes<T, S>; 1] {
        [x.max(Lanes::constant(simd, 0.0))]
    }
}

/// The middle of a softmax: differences from the row's maximum, their exponentials and the sum of these.
#[derive(Clone, Copy)]
struct ExponentialOfDifference;

impl<T: Scalar> Body<T, 2, 2> for ExponentialOfDifference {
    #[inline(always)]
    fn evaluate<S: Simd>(self, _: S, [x, maximum]: [Lanes<T, S>; 2], _: [Lanes<T, S>; 2]) -> [Lanes<T, S>; 2] {
        let exponential = (x - maximum).exp();
        [exponential, exponential]
    }
}

/// What is done to a matrix of `SAMPLES` by `WIDTH`.
#[derive(Clone, Copy)]
enum Pass {
    Map,
    SumOfRows,
    MaximumOfRows,
    SumOverSamples,
    Exponentials,
}

struct Data<const WIDTH: usize> {
    samples: usize,
    x: Vec<f32>,
    y: Vec<f32>,
    of_rows: Vec<f32>,
    over_samples: Vec<f32>,
}

struct Run<'a, const WIDTH: usize>(Pass, &'a mut Data<WIDTH>);

impl<const WIDTH: usize> Run<'_, WIDTH> {
    fn on(self, machine: Instructions) {
        let Data { samples, x, y, of_rows, over_samples } = self.1;
        let extents = [*samples, WIDTH];
        let x = contiguous(&**x, 0, [WIDTH, 1]);
        match self.0 {
            Pass::Map => nest(machine, Nest::new(extents, (x,), (store(&mut **y, 0, [WIDTH, 1]),), Relu)),
            Pass::SumOfRows => {
                nest(machine, Nest::new(extents, (x,), (sum_inner(&mut **of_rows, 0, [1, 0], false),), Identity));
            }
            Pass::MaximumOfRows => {
                nest(machine, Nest::new(extents, (x,), (max_inner(&mut **of_rows, 0, [1, 0], false),), Identity));
            }
            Pass::SumOverSamples => {
                nest(machine, Nest::new(extents, (x,), (sum_outer(&mut **over_samples, 0, [0, 1], false),), Identity));
            }
            Pass::Exponentials => {
                let maximum = broadcast(&**over_samples, 0, [0, 0]);
                let outputs = (store(&mut **y, 0, [WIDTH, 1]), sum_inner(&mut **of_rows, 0, [1, 0], false));
                nest(machine, Nest::new(extents, (x, maximum), outputs, ExponentialOfDifference));
            }
        }
    }
}

fn matrix<const WIDTH: usize>(criterion: &mut Criterion, samples: usize) {
    let instructions = Instructions::detect();
    let x = rows::<f32, WIDTH>(&mut Random::new(Seed(7)), samples).into_flattened();
    let (y, of_rows, over_samples) = (x.clone(), vec![0.0; samples], vec![0.0; WIDTH]);
    let mut data = Data::<WIDTH> { samples, x, y, of_rows, over_samples };
    let mut group = criterion.benchmark_group("nest");
    group.throughput(Throughput::Elements((samples * WIDTH) as u64));
    for (name, pass) in [
        ("map", Pass::Map),
        ("sum_of_rows", Pass::SumOfRows),
        ("maximum_of_rows", Pass::MaximumOfRows),
        ("sum_over_samples", Pass::SumOverSamples),
        ("exponentials", Pass::Exponentials),
    ] {
        group.bench_function(format!("{name}/{samples}x{WIDTH}"), |bencher| {
            bencher.iter(|| Run(pass, &mut data).on(instructions));
        });
    }
    group.finish();
}

fn nests(criterion: &mut Criterion) {
    matrix::<10>(criterion, 32);
    matrix::<512>(criterion, 128);
}

criterion_group!(benches, nests);
criterion_main!(benches);
