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
    heads::<T>(&mut group);
    group.finish();
}

/// The scores of an attention: queries times transposed keys, for each sample and head.
fn heads<T: Scalar>(group: &mut BenchmarkGroup<'_, WallTime>) {
    const SAMPLES: usize = 32;
    const HEADS: usize = 4;
    const STEPS: usize = 32;
    const WIDTH: usize = 16;
    const FEATURES: usize = HEADS * WIDTH;
    const SAMPLE: usize = STEPS * FEATURES;

    let (instructions, mut random) = (Instructions::detect(), Random::new(Seed(7)));
    let mut numbers = |count| rows::<T, 1>(&mut random, count).into_flattened();
    let [queries, keys] = [SAMPLES * SAMPLE; 2].map(&mut numbers);
    let mut scores = numbers(SAMPLES * HEADS * STEPS * STEPS);
    group.throughput(Throughput::Elements((2 * SAMPLES * HEADS * STEPS * STEPS * WIDTH) as u64));
    group.bench_function(format!("heads/{SAMPLES}x{HEADS}x{STEPS}x{WIDTH}x{STEPS}"), |bencher| {
        bencher.iter(|| {
            let a = Matrix::new(&*queries, 0, [SAMPLE, WIDTH], FEATURES, 1);
            let b = Matrix::new(&*keys, 0, [SAMPLE, WIDTH], 1, FEATURES);
            let place = (store(&mut *scores, 0, [HEADS * STEPS * STEPS, STEPS * STEPS, STEPS, 1]),);
            let (outer, steps, width) = ([SAMPLES, HEADS], Const::<STEPS>, Const::<WIDTH>);
            contract(instructions, outer, steps, width, steps, a, b, (), place, Assign);
        });
    });
}

criterion_group!(benches, products);
criterion_main!(benches);
