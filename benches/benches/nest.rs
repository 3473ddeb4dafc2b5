//! Maps and reductions: passes over memory around a body. Criterion's elements are the numbers that pass through.

use std::hint::black_box;

use backprop::kernels::{
    Nest, broadcast, broadcast_indices, contiguous, indices, max_inner, max_outer, max_strided, min_inner, min_outer,
    min_strided, nest, position, scalar, single, store, store_strided, strided, sum_inner, sum_outer, sum_strided,
};
use backprop::simd::Instructions;
use backprop::{Random, Seed};
use benches::bodies::{Exponential, Identity, LessOneHot, Relu};
use benches::workloads::rows;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// What is done to a matrix of `SAMPLES` by `WIDTH`.
#[derive(Clone, Copy)]
enum Pass {
    Map,
    SumOfRows,
    MaximumOfRows,
    MinimumOfRows,
    SumOverSamples,
    MaximumOverSamples,
    MinimumOverSamples,
    SumsApart,
    MaximaApart,
    MinimaApart,
    Gathered,
    Scattered,
    Exponentials,
    OneHot,
    Indices,
}

struct Data<const WIDTH: usize> {
    samples: usize,
    x: Vec<f32>,
    y: Vec<f32>,
    of_rows: Vec<f32>,
    over_samples: Vec<f32>,
    apart: Vec<f32>,
    targets: Vec<u32>,
}

struct Run<'a, const WIDTH: usize>(Pass, &'a mut Data<WIDTH>);

impl<const WIDTH: usize> Run<'_, WIDTH> {
    fn on(self, machine: Instructions) {
        let Data { samples, x, y, of_rows, over_samples, apart, targets } = self.1;
        let extents = [*samples, WIDTH];
        let columns = strided(&**x, 0, [1, *samples]);
        let x = contiguous(&**x, 0, [WIDTH, 1]);
        match self.0 {
            Pass::Map => nest(machine, Nest::new(extents, (x,), (store(&mut **y, 0, [WIDTH, 1]),), Relu)),
            Pass::SumOfRows => {
                nest(machine, Nest::new(extents, (x,), (sum_inner(&mut **of_rows, 0, [1, 0], false),), Identity));
            }
            Pass::MaximumOfRows => {
                nest(machine, Nest::new(extents, (x,), (max_inner(&mut **of_rows, 0, [1, 0], false),), Identity));
            }
            Pass::MinimumOfRows => {
                nest(machine, Nest::new(extents, (x,), (min_inner(&mut **of_rows, 0, [1, 0], false),), Identity));
            }
            Pass::SumOverSamples => {
                nest(machine, Nest::new(extents, (x,), (sum_outer(&mut **over_samples, 0, [0, 1], false),), Identity));
            }
            Pass::MaximumOverSamples => {
                nest(machine, Nest::new(extents, (x,), (max_outer(&mut **over_samples, 0, [0, 1], false),), Identity));
            }
            Pass::MinimumOverSamples => {
                nest(machine, Nest::new(extents, (x,), (min_outer(&mut **over_samples, 0, [0, 1], false),), Identity));
            }
            Pass::SumsApart => {
                nest(machine, Nest::new(extents, (x,), (sum_strided(&mut **apart, 0, [0, 2], false),), Identity));
            }
            Pass::MaximaApart => {
                nest(machine, Nest::new(extents, (x,), (max_strided(&mut **apart, 0, [0, 2], false),), Identity));
            }
            Pass::MinimaApart => {
                nest(machine, Nest::new(extents, (x,), (min_strided(&mut **apart, 0, [0, 2], false),), Identity));
            }
            Pass::Gathered => {
                nest(machine, Nest::new(extents, (columns,), (store(&mut **y, 0, [WIDTH, 1]),), Identity));
            }
            Pass::Scattered => {
                nest(machine, Nest::new(extents, (x,), (store_strided(&mut **y, 0, [1, *samples]),), Identity));
            }
            Pass::Exponentials => {
                let maximum = broadcast(&**over_samples, 0, [0, 0]);
                let outputs = (store(&mut **y, 0, [WIDTH, 1]), sum_inner(&mut **of_rows, 0, [1, 0], false));
                nest(machine, Nest::new(extents, (x, maximum), outputs, Exponential));
            }
            Pass::OneHot => {
                let (class, target) = (position(0, [0, 1]), broadcast_indices(&**targets, 0, [1, 0]));
                let inputs = (x, class, target, scalar(0.1));
                nest(machine, Nest::new(extents, inputs, (store(&mut **y, 0, [WIDTH, 1]),), LessOneHot));
            }
            Pass::Indices => {
                let targets = indices(&**targets, 0, [WIDTH, 1]);
                nest(machine, Nest::new(extents, (targets,), (store(&mut **y, 0, [WIDTH, 1]),), Identity));
            }
        }
    }
}

fn matrix<const WIDTH: usize>(criterion: &mut Criterion, samples: usize) {
    let instructions = Instructions::detect();
    let x = rows::<f32, WIDTH>(&mut Random::new(Seed(7)), samples).into_flattened();
    let (y, of_rows, over_samples) = (x.clone(), vec![0.0; samples], vec![0.0; WIDTH]);
    let targets = (0..samples * WIDTH).map(|place| (place * 7919 % WIDTH) as u32).collect();
    let mut data = Data::<WIDTH> { samples, x, y, of_rows, over_samples, apart: vec![0.0; 2 * WIDTH], targets };
    let mut group = criterion.benchmark_group("nest");
    group.throughput(Throughput::Elements((samples * WIDTH) as u64));
    for (name, pass) in [
        ("map", Pass::Map),
        ("sum_of_rows", Pass::SumOfRows),
        ("maximum_of_rows", Pass::MaximumOfRows),
        ("minimum_of_rows", Pass::MinimumOfRows),
        ("sum_over_samples", Pass::SumOverSamples),
        ("maximum_over_samples", Pass::MaximumOverSamples),
        ("minimum_over_samples", Pass::MinimumOverSamples),
        ("sums_apart", Pass::SumsApart),
        ("maxima_apart", Pass::MaximaApart),
        ("minima_apart", Pass::MinimaApart),
        ("gathered", Pass::Gathered),
        ("scattered", Pass::Scattered),
        ("exponentials", Pass::Exponentials),
        ("one_hot", Pass::OneHot),
        ("indices", Pass::Indices),
    ] {
        group.bench_function(format!("{name}/{samples}x{WIDTH}"), |bencher| {
            bencher.iter(|| Run(pass, &mut data).on(instructions));
        });
    }
    group.finish();
}

/// A single place.
fn place(criterion: &mut Criterion) {
    let (x, mut y) = (black_box([0.5_f32]), [0.0]);
    criterion.bench_function("nest/single", |bencher| {
        bencher.iter(|| {
            single(Nest::new([1], (contiguous(&x, 0, [1]),), (store(&mut y, 0, [1]),), Relu));
            black_box(&mut y);
        });
    });
}

fn nests(criterion: &mut Criterion) {
    matrix::<10>(criterion, 32);
    matrix::<512>(criterion, 128);
    place(criterion);
}

criterion_group!(benches, nests);
criterion_main!(benches);
