//! Maps and reductions: passes over memory around a body, as the compiler writes them. Criterion's elements are the numbers that
//! pass through.

use std::cell::Cell;
use std::hint::black_box;

use backprop::kernels::destinations::Outputs;
use backprop::kernels::operands::{Contiguous, Inputs};
use backprop::kernels::stores::Store;
use backprop::kernels::{
    Body, Const, Nest, broadcast, broadcast_indices, contiguous, indices, max_inner, max_outer, max_strided, min_inner,
    min_outer, min_strided, nest, position, scalar, single, store, store_strided, strided, sum_inner, sum_outer,
    sum_strided,
};
use backprop::simd::Instructions;
use backprop::{Random, Scalar, Seed};
use benches::bodies::{Exponential, Identity, LessOneHot, Relu};
use benches::workloads::rows;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};

/// A matrix of `samples` by `WIDTH`, and places for results, of which nothing is read but what sums are added to.
struct Data<T, const WIDTH: usize> {
    samples: usize,
    x: Vec<T>,
    y: Vec<Cell<T>>,
    of_rows: Vec<Cell<T>>,
    over_samples: Vec<Cell<T>>,
    apart: Vec<Cell<T>>,
    targets: Vec<u32>,
}

/// What is done to a matrix.
type Pass<T, const WIDTH: usize> = (&'static str, fn(&Data<T, WIDTH>, Instructions));

/// A reduction of the matrix to these numbers.
macro_rules! reduction {
    ($reduction:ident, $to:ident, $strides:expr, $accumulate:literal) => {
        |data, machine| {
            let result = $reduction(&*data.$to, 0, $strides, $accumulate);
            data.pass(machine, (data.x(),), (result,), Identity);
        }
    };
}

impl<T: Scalar, const WIDTH: usize> Data<T, WIDTH> {
    const REDUCTIONS: [Pass<T, WIDTH>; 12] = [
        ("sum_of_rows", reduction!(sum_inner, of_rows, [1, 0], false)),
        ("added_sum_of_rows", reduction!(sum_inner, of_rows, [1, 0], true)),
        ("maximum_of_rows", reduction!(max_inner, of_rows, [1, 0], false)),
        ("minimum_of_rows", reduction!(min_inner, of_rows, [1, 0], false)),
        ("sum_over_samples", reduction!(sum_outer, over_samples, [0, 1], false)),
        ("added_sum_over_samples", reduction!(sum_outer, over_samples, [0, 1], true)),
        ("maximum_over_samples", reduction!(max_outer, over_samples, [0, 1], false)),
        ("minimum_over_samples", reduction!(min_outer, over_samples, [0, 1], false)),
        ("sums_apart", reduction!(sum_strided, apart, [0, 2], false)),
        ("added_sums_apart", reduction!(sum_strided, apart, [0, 2], true)),
        ("maxima_apart", reduction!(max_strided, apart, [0, 2], false)),
        ("minima_apart", reduction!(min_strided, apart, [0, 2], false)),
    ];

    const MAPS: [Pass<T, WIDTH>; 6] = [
        ("map", |data, machine| data.pass(machine, (data.x(),), (data.y(),), Relu)),
        ("gathered", |data, machine| {
            let columns = strided(&*data.x, 0, [1, data.samples]);
            data.pass(machine, (columns,), (data.y(),), Identity);
        }),
        ("scattered", |data, machine| {
            let columns = store_strided(&*data.y, 0, [1, data.samples]);
            data.pass(machine, (data.x(),), (columns,), Identity);
        }),
        ("exponentials", |data, machine| {
            let maximum = broadcast(&*data.x, 0, [0, 0]);
            let outputs = (data.y(), sum_inner(&*data.of_rows, 0, [1, 0], false));
            data.pass(machine, (data.x(), maximum), outputs, Exponential);
        }),
        ("one_hot", |data, machine| {
            let (class, target) = (position(0, [0, 1]), broadcast_indices(&*data.targets, 0, [1, 0]));
            data.pass(machine, (data.x(), class, target, scalar(T::constant(0.1))), (data.y(),), LessOneHot);
        }),
        ("indices", |data, machine| {
            data.pass(machine, (indices(&*data.targets, 0, [WIDTH, 1]),), (data.y(),), Identity);
        }),
    ];

    /// Where rows make no difference, they are one, whose length depends on the samples.
    const OF_ALL: [Pass<T, WIDTH>; 2] = [
        ("map_of_all", |data, machine| {
            let (x, y) = (contiguous(&*data.x, 0, [1]), store(&*data.y, 0, [1]));
            nest(machine, Nest::new([data.samples * WIDTH], (x,), (y,), Relu));
        }),
        ("sum_of_all", |data, machine| {
            let (x, sum) = (contiguous(&*data.x, 0, [1]), sum_inner(&*data.of_rows, 0, [0], false));
            nest(machine, Nest::new([data.samples * WIDTH], (x,), (sum,), Identity));
        }),
    ];

    fn new(samples: usize) -> Self {
        let x = rows::<T, WIDTH>(&mut Random::new(Seed(7)), samples).into_flattened();
        let targets = (0..samples * WIDTH).map(|place| (place * 7919 % WIDTH) as u32).collect();
        let (y, of_rows, over_samples) = (zeros(samples * WIDTH), zeros(samples), zeros(WIDTH));
        Self { samples, x, y, of_rows, over_samples, apart: zeros(2 * WIDTH), targets }
    }

    fn x(&self) -> Contiguous<'_, T, 2> {
        contiguous(&*self.x, 0, [WIDTH, 1])
    }

    fn y(&self) -> Store<'_, T, 2> {
        store(&*self.y, 0, [WIDTH, 1])
    }

    fn pass<const N: usize, const M: usize>(
        &self,
        machine: Instructions,
        inputs: impl Inputs<T, 2, N>,
        outputs: impl Outputs<T, 2, M>,
        body: impl Body<T, N, M>,
    ) {
        nest(machine, Nest::new([self.samples, WIDTH], inputs, outputs, body).rows_of(Const::<WIDTH>));
    }
}

fn zeros<T: Scalar>(count: usize) -> Vec<Cell<T>> {
    vec![Cell::new(T::zero()); count]
}

fn matrix<T: Scalar, const WIDTH: usize>(group: &mut BenchmarkGroup<'_, WallTime>, samples: usize) {
    let (instructions, data) = (Instructions::detect(), Data::<T, WIDTH>::new(samples));
    group.throughput(Throughput::Elements((samples * WIDTH) as u64));
    for (name, pass) in [&Data::REDUCTIONS[..], &Data::MAPS, &Data::OF_ALL].concat() {
        group.bench_function(format!("{name}/{samples}x{WIDTH}"), |bencher| {
            bencher.iter(|| pass(&data, instructions));
        });
    }
}

/// What is permuted around the products of an attention: steps, heads and their features.
fn permuted<T: Scalar>(group: &mut BenchmarkGroup<'_, WallTime>) {
    const SAMPLES: usize = 32;
    const STEPS: usize = 32;
    const HEADS: usize = 4;
    const WIDTH: usize = 16;
    const FEATURES: usize = HEADS * WIDTH;
    const SAMPLE: usize = STEPS * FEATURES;

    let instructions = Instructions::detect();
    let x = rows::<T, SAMPLE>(&mut Random::new(Seed(7)), SAMPLES).into_flattened();
    let (y, sums) = (zeros::<T>(SAMPLES * SAMPLE), zeros::<T>(FEATURES));
    group.throughput(Throughput::Elements((SAMPLES * SAMPLE) as u64));
    group.bench_function(format!("permuted/{SAMPLES}x{STEPS}x{HEADS}x{WIDTH}"), |bencher| {
        bencher.iter(|| {
            let from = contiguous(&*x, 0, [SAMPLE, WIDTH, STEPS * WIDTH, 1]);
            let to = store(&*y, 0, [SAMPLE, FEATURES, WIDTH, 1]);
            let heads = Nest::new([SAMPLES, STEPS, HEADS, WIDTH], (from,), (to,), Identity);
            nest(instructions, heads.rows_of(Const::<WIDTH>));
        });
    });
    let (extents, columns) = ([SAMPLES, STEPS, FEATURES], strided(&*x, 0, [SAMPLE, 1, STEPS]));
    group.bench_function(format!("transposed/{SAMPLES}x{STEPS}x{FEATURES}"), |bencher| {
        bencher.iter(|| {
            let to = store(&*y, 0, [SAMPLE, FEATURES, 1]);
            nest(instructions, Nest::new(extents, (columns,), (to,), Identity).rows_of(Const::<FEATURES>));
        });
    });
    group.bench_function(format!("sum_of_transposed/{SAMPLES}x{STEPS}x{FEATURES}"), |bencher| {
        bencher.iter(|| {
            let sum = sum_outer(&*sums, 0, [0, 0, 1], false);
            nest(instructions, Nest::new(extents, (columns,), (sum,), Identity).rows_of(Const::<FEATURES>));
        });
    });
}

/// A single place.
fn place<T: Scalar>(group: &mut BenchmarkGroup<'_, WallTime>) {
    let (x, mut y) = (black_box([T::constant(0.5)]), [T::zero()]);
    group.throughput(Throughput::Elements(1));
    group.bench_function("single", |bencher| {
        bencher.iter(|| {
            single(Nest::new([1], (contiguous(&x, 0, [1]),), (store(&mut y, 0, [1]),), Relu));
            black_box(&mut y);
        });
    });
}

fn of_scalar<T: Scalar>(group: &mut BenchmarkGroup<'_, WallTime>) {
    matrix::<T, 512>(group, 128);
    permuted::<T>(group);
    place::<T>(group);
}

fn nests(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("nest");
    matrix::<f32, 10>(&mut group, 32);
    of_scalar::<f32>(&mut group);
    group.finish();
    let mut group = criterion.benchmark_group("nest in double precision");
    of_scalar::<f64>(&mut group);
    group.finish();
}

criterion_group!(benches, nests);
criterion_main!(benches);
