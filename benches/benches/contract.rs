//! The products of a dense layer over a grid of shapes, as `samples x inputs x outputs`, and many small ones. Criterion's
//! elements a second are floating-point operations a second, to be compared with `workloads peak`.

use backprop::kernels::{Assign, Const, Matrix, contract, store};
use backprop::simd::Instructions;
use backprop::{Random, Scalar, Seed};
use benches::products::{Layer, Product};
use benches::workloads::rows;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};

fn layer<T: Scalar, const K: usize, const N: usize>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    samples: usize,
    products: &[Product],
) {
    let instructions = Instructions::detect();
    for &product in products {
        let mut layer = Layer::<T, _, _>::new(samples, Const::<K>, Const::<N>);
        group.throughput(Throughput::Elements(layer.operations()));
        group.bench_function(format!("{}/{samples}x{K}x{N}", product.name()), |bencher| {
            bencher.iter(|| layer.run(product, instructions));
        });
    }
}

fn products(criterion: &mut Criterion) {
    grid::<f32>(criterion, "contract");
    grid::<f64>(criterion, "contract in double precision");
}

fn grid<T: Scalar>(criterion: &mut Criterion, name: &str) {
    let mut group = criterion.benchmark_group(name);
    layer::<T, 784, 128>(&mut group, 32, &Product::LAYER);
    layer::<T, 128, 10>(&mut group, 32, &Product::LAYER);
    layer::<T, 784, 128>(&mut group, 1, &Product::LAYER);
    layer::<T, 784, 512>(&mut group, 128, &Product::LAYER);
    layer::<T, 512, 512>(&mut group, 128, &Product::LAYER);
    layer::<T, 25, 32>(&mut group, 24, &Product::LAYER);
    layer::<T, 2048, 2048>(&mut group, 256, &Product::LAYER);
    layer::<T, 4, 32>(&mut group, 400, &Product::OTHERS);
    layer::<T, 784, 128>(&mut group, 32, &Product::OTHERS);
    layer::<T, 512, 512>(&mut group, 128, &Product::OTHERS);
    layer::<T, 512, 1>(&mut group, 128, &[Product::Scattered]);
    // Few samples for a weight whose rows lie on pages of their own, samples that compete for places of the cache, and many.
    layer::<T, 2048, 2048>(&mut group, 32, &[Product::Forward, Product::Rectified]);
    layer::<T, 128, 64>(&mut group, 256, &[Product::WeightGradient]);
    let many = [Product::Forward, Product::Rectified, Product::InputGradient, Product::Scattered];
    layer::<T, 512, 512>(&mut group, 512, &many);
    attention::<T>(&mut group);
    // Of both matrices every other number.
    repeated::<T, 0, 2>(&mut group, "apart", [], [32, 128, 64], ([], 256, 2), ([], 128, 2));
    group.finish();
}

/// The products of an attention for each sample and head: scores of queries and keys, values by scores, and their gradient.
fn attention<T: Scalar>(group: &mut BenchmarkGroup<'_, WallTime>) {
    const SAMPLES: usize = 32;
    const HEADS: usize = 4;
    const STEPS: usize = 32;
    const WIDTH: usize = 16;
    const FEATURES: usize = HEADS * WIDTH;
    const SAMPLE: usize = STEPS * FEATURES;

    let outer = [SAMPLES, HEADS];
    let (features, scores) = ([SAMPLE, WIDTH], [HEADS * STEPS * STEPS, STEPS * STEPS]);
    let (values, keys) = ((features, FEATURES, 1), (features, 1, FEATURES));
    repeated::<T, 2, 4>(group, "heads", outer, [STEPS, WIDTH, STEPS], values, keys);
    repeated::<T, 2, 4>(group, "heads_of_values", outer, [STEPS, STEPS, WIDTH], (scores, STEPS, 1), values);
    repeated::<T, 2, 4>(group, "heads_transposed", outer, [STEPS, STEPS, WIDTH], (scores, 1, STEPS), values);
    let (values, keys) = (([SAMPLE], FEATURES, 1), ([SAMPLE], 1, FEATURES));
    repeated::<T, 1, 3>(group, "one_head", [SAMPLES], [STEPS, FEATURES, STEPS], values, keys);
}

/// Where the matrices of an operand lie: from one to the next for each outer loop, from row to row and from column to column.
type Distances<const D: usize> = ([usize; D], usize, usize);

/// A product for each index of the outer loops; `R` is their number and two.
fn repeated<T: Scalar, const D: usize, const R: usize>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    outer: [usize; D],
    [m, k, n]: [usize; 3],
    a: Distances<D>,
    b: Distances<D>,
) {
    let (instructions, mut random) = (Instructions::detect(), Random::new(Seed(7)));
    let mut numbers = |count| rows::<T, 1>(&mut random, count).into_flattened();
    let reach = |rows: usize, columns: usize, (distances, row, column): Distances<D>| {
        let loops = outer.iter().zip(distances).map(|(&count, distance)| (count - 1) * distance);
        loops.sum::<usize>() + (rows - 1) * row + (columns - 1) * column + 1
    };
    let extents = [&outer[..], &[m, n]].concat();
    let [left, right, mut results] = [reach(m, k, a), reach(k, n, b), extents.iter().product()].map(&mut numbers);
    // One product lies behind the other.
    let mut to = [1; R];
    for axis in (1..R).rev() {
        to[axis - 1] = to[axis] * extents[axis];
    }
    let sizes: Vec<_> = outer.iter().chain(&[m, k, n]).map(usize::to_string).collect();
    group.throughput(Throughput::Elements((2 * results.len() * k) as u64));
    group.bench_function(format!("{name}/{}", sizes.join("x")), |bencher| {
        bencher.iter(|| {
            let [a, b] = [(&*left, a), (&*right, b)]
                .map(|(matrix, (distances, row, column))| Matrix::new(matrix, 0, distances, row, column));
            contract(instructions, outer, m, k, n, a, b, (), (store(&mut *results, 0, to),), Assign);
        });
    });
}

criterion_group!(benches, products);
criterion_main!(benches);
