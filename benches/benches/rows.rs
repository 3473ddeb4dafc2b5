//! Nests that run row by row, as the compiler writes them for a softmax, for a layer normalisation and for their gradients.
//! Criterion's elements are the numbers that pass through.

use std::cell::Cell;

use backprop::kernels::{Const, Nest, broadcast, contiguous, max_inner, rows, scalar, store, sum_inner, sum_outer};
use backprop::simd::Instructions;
use backprop::{Random, Scalar, Seed};
use benches::bodies::{
    Centred, CentredAdjoint, Exponential, Identity, Normalized, Product, Reciprocal, ReciprocalRoot, ScaleAdjoint,
    SoftmaxAdjoint, Sum,
};
use benches::workloads;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};

/// Matrices and rows that nests write for others to read, and what belongs to the columns.
struct Data<T, const WIDTH: usize> {
    samples: usize,
    x: Vec<T>,
    y: Vec<Cell<T>>,
    first: Vec<Cell<T>>,
    second: Vec<Cell<T>>,
    columns: [T; WIDTH],
    scales: Vec<T>,
    over_samples: [Vec<Cell<T>>; 2],
}

impl<T: Scalar, const WIDTH: usize> Data<T, WIDTH> {
    fn new(samples: usize) -> Self {
        let x = workloads::rows::<T, WIDTH>(&mut Random::new(Seed(7)), samples).into_flattened();
        let zeros = |count| vec![Cell::new(T::zero()); count];
        let (y, first, second) = (zeros(samples * WIDTH), zeros(samples), zeros(samples));
        let half = T::constant(0.5);
        let (columns, scales, over_samples) = ([half; WIDTH], vec![half; samples], [zeros(WIDTH), zeros(WIDTH)]);
        Self { samples, x, y, first, second, columns, scales, over_samples }
    }

    fn softmax(&self, machine: Instructions) {
        let Self { samples, x, y, first, second, .. } = self;
        let (extents, width) = ([*samples, WIDTH], Const::<WIDTH>);
        let (largest, sums) = (max_inner(&**first, 0, [1, 0], false), sum_inner(&**second, 0, [1, 0], false));
        let (x, kept) = (contiguous(&**x, 0, [WIDTH, 1]), store(&**y, 0, [WIDTH, 1]));
        let (y, largest_of_row) = (contiguous(&**y, 0, [WIDTH, 1]), broadcast(&**first, 0, [1, 0]));
        let (sum, factor) = (contiguous(&**second, 0, [1, 1]), broadcast(&**second, 0, [1, 0]));
        let reciprocal = store(&**second, 0, [1, 1]);
        let stages = (Nest::new(extents, (y, factor), (kept,), Product).rows_of(width), ());
        let stages = (Nest::new([*samples, 1], (sum,), (reciprocal,), Reciprocal).rows_of(Const::<1>), stages);
        let stages = (Nest::new(extents, (x, largest_of_row), (kept, sums), Exponential).rows_of(width), stages);
        rows(machine, (Nest::new(extents, (x,), (largest,), Identity).rows_of(width), stages));
    }

    fn layer_normalisation(&self, machine: Instructions) {
        let Self { samples, x, y, first, second, columns, .. } = self;
        let (extents, width, share) = ([*samples, WIDTH], Const::<WIDTH>, scalar(T::constant(1.0 / WIDTH as f64)));
        let (sums, squares) = (sum_inner(&**first, 0, [1, 0], false), sum_inner(&**second, 0, [1, 0], false));
        let (x, kept) = (contiguous(&**x, 0, [WIDTH, 1]), store(&**y, 0, [WIDTH, 1]));
        let (y, column) = (contiguous(&**y, 0, [WIDTH, 1]), contiguous(columns, 0, [0, 1]));
        let [mean, scale] = [first, second].map(|of_rows| broadcast(&**of_rows, 0, [1, 0]));
        let [sum, square] = [first, second].map(|of_rows| contiguous(&**of_rows, 0, [1, 1]));
        let [to_mean, to_scale] = [first, second].map(|of_rows| (store(&**of_rows, 0, [1, 1]),));
        let (one, single) = ([*samples, 1], Const::<1>);
        let stages = (Nest::new(extents, (column, column, y, scale), (kept,), Normalized).rows_of(width), ());
        let stages = (Nest::new(one, (square, share), to_scale, ReciprocalRoot).rows_of(single), stages);
        let stages = (Nest::new(extents, (x, mean), (kept, squares), Centred).rows_of(width), stages);
        let stages = (Nest::new(one, (sum, share), to_mean, Product).rows_of(single), stages);
        rows(machine, (Nest::new(extents, (x,), (sums,), Identity).rows_of(width), stages));
    }

    /// Of the probabilities and the gradient, for which `x` stands both times, and with it for their product.
    fn softmax_backward(&self, machine: Instructions) {
        let Self { samples, x, y, first, .. } = self;
        let (extents, width) = ([*samples, WIDTH], Const::<WIDTH>);
        let x = contiguous(&**x, 0, [WIDTH, 1]);
        let (sum, mean) = (sum_inner(&**first, 0, [1, 0], false), broadcast(&**first, 0, [1, 0]));
        let result = store(&**y, 0, [WIDTH, 1]);
        let stages = (Nest::new(extents, (x, x, mean), (result,), SoftmaxAdjoint).rows_of(width), ());
        rows(machine, (Nest::new(extents, (x,), (sum,), Identity).rows_of(width), stages));
    }

    /// Of the normalised numbers and the gradient, for which `x` stands both times, and with it for their product.
    fn layer_normalisation_backward(&self, machine: Instructions) {
        let Self { samples, x, y, first, second, columns, scales, over_samples } = self;
        let (extents, width, share) = ([*samples, WIDTH], Const::<WIDTH>, scalar(T::constant(-1.0 / WIDTH as f64)));
        let (x, kept) = (contiguous(&**x, 0, [WIDTH, 1]), store(&**y, 0, [WIDTH, 1]));
        let (y, weight) = (contiguous(&**y, 0, [WIDTH, 1]), contiguous(columns, 0, [0, 1]));
        let sums = [first, second].map(|of_rows| sum_inner(&**of_rows, 0, [1, 0], false));
        let [along, mean] = [first, second].map(|of_rows| broadcast(&**of_rows, 0, [1, 0]));
        let [of_scale, of_mean] = [first, second].map(|of_rows| contiguous(&**of_rows, 0, [1, 1]));
        let [to_scale, to_mean] = [first, second].map(|of_rows| (store(&**of_rows, 0, [1, 1]),));
        let [bias, before] = over_samples.each_ref().map(|columns| sum_outer(&**columns, 0, [0, 1], false));
        let (one, single) = ([*samples, 1], Const::<1>);
        let (scale, of_row) = (broadcast(&**scales, 0, [1, 0]), contiguous(&**scales, 0, [1, 1]));
        let stages = (Nest::new(extents, (y, mean), (kept, before), Sum).rows_of(width), ());
        let stages = (Nest::new(one, (of_mean, share), to_mean, Product).rows_of(single), stages);
        let outputs = (bias, kept, sums[1]);
        let stages = (Nest::new(extents, (x, weight, scale, x, along), outputs, CentredAdjoint).rows_of(width), stages);
        let stages = (Nest::new(one, (of_scale, of_row, share), to_scale, ScaleAdjoint).rows_of(single), stages);
        rows(machine, (Nest::new(extents, (x,), (sums[0],), Identity).rows_of(width), stages));
    }
}

fn matrix<T: Scalar, const WIDTH: usize>(group: &mut BenchmarkGroup<'_, WallTime>, samples: usize) {
    let (instructions, data) = (Instructions::detect(), Data::<T, WIDTH>::new(samples));
    group.throughput(Throughput::Elements((samples * WIDTH) as u64));
    group.bench_function(format!("softmax/{samples}x{WIDTH}"), |bencher| {
        bencher.iter(|| data.softmax(instructions));
    });
    group.bench_function(format!("layer_normalisation/{samples}x{WIDTH}"), |bencher| {
        bencher.iter(|| data.layer_normalisation(instructions));
    });
    group.bench_function(format!("softmax_backward/{samples}x{WIDTH}"), |bencher| {
        bencher.iter(|| data.softmax_backward(instructions));
    });
    group.bench_function(format!("layer_normalisation_backward/{samples}x{WIDTH}"), |bencher| {
        bencher.iter(|| data.layer_normalisation_backward(instructions));
    });
}

fn matrices(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rows");
    matrix::<f32, 10>(&mut group, 32);
    matrix::<f32, 32>(&mut group, 4096);
    matrix::<f32, 64>(&mut group, 2048);
    matrix::<f32, 512>(&mut group, 128);
    group.finish();
    let mut group = criterion.benchmark_group("rows in double precision");
    matrix::<f64, 64>(&mut group, 2048);
    group.finish();
}

criterion_group!(benches, matrices);
criterion_main!(benches);
