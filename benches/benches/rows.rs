//! Nests that run row by row, as the compiler writes them for a softmax and for a layer normalisation. Criterion's elements
//! are the numbers that pass through.

use std::cell::Cell;

use backprop::kernels::{Const, Nest, broadcast, contiguous, max_inner, rows, scalar, store, sum_inner};
use backprop::simd::Instructions;
use backprop::{Random, Seed};
use benches::bodies::{Centred, Exponential, Identity, Normalized, Product, Reciprocal, ReciprocalRoot};
use benches::workloads;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Matrices and rows that nests write for others to read, and what belongs to the columns.
struct Data<const WIDTH: usize> {
    samples: usize,
    x: Vec<f32>,
    y: Vec<Cell<f32>>,
    first: Vec<Cell<f32>>,
    second: Vec<Cell<f32>>,
    columns: [f32; WIDTH],
}

impl<const WIDTH: usize> Data<WIDTH> {
    fn new(samples: usize) -> Self {
        let x = workloads::rows::<f32, WIDTH>(&mut Random::new(Seed(7)), samples).into_flattened();
        let zeros = |count| vec![Cell::new(0.0); count];
        let (y, first, second) = (zeros(samples * WIDTH), zeros(samples), zeros(samples));
        Self { samples, x, y, first, second, columns: [0.5; WIDTH] }
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
        let Self { samples, x, y, first, second, columns } = self;
        let (extents, width, share) = ([*samples, WIDTH], Const::<WIDTH>, scalar(1.0 / WIDTH as f32));
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
}

fn matrix<const WIDTH: usize>(criterion: &mut Criterion, samples: usize) {
    let (instructions, data) = (Instructions::detect(), Data::<WIDTH>::new(samples));
    let mut group = criterion.benchmark_group("rows");
    group.throughput(Throughput::Elements((samples * WIDTH) as u64));
    group.bench_function(format!("softmax/{samples}x{WIDTH}"), |bencher| {
        bencher.iter(|| data.softmax(instructions));
    });
    group.bench_function(format!("layer_normalisation/{samples}x{WIDTH}"), |bencher| {
        bencher.iter(|| data.layer_normalisation(instructions));
    });
    group.finish();
}

fn matrices(criterion: &mut Criterion) {
    matrix::<10>(criterion, 32);
    matrix::<32>(criterion, 4096);
    matrix::<64>(criterion, 2048);
    matrix::<512>(criterion, 128);
}

criterion_group!(benches, matrices);
criterion_main!(benches);
