//! The products of a dense layer over a grid of shapes, as `samples x inputs x outputs`. Criterion's elements a
//! second are floating-point operations a second, to be compared with `workloads peak`.

use backprop::Scalar;
use backprop::kernels::Const;
use backprop::simd::Instructions;
use benches::products::{Layer, Product};
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};

fn layer<T: Scalar, const K: usize, const N: usize>(group: &mut BenchmarkGroup<'_, WallTime>, samples: usize) {
    let instructions = Instructions::detect();
    for product in Product::ALL {
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
    layer::<T, 784, 128>(&mut group, 32);
    layer::<T, 128, 10>(&mut group, 32);
    layer::<T, 784, 128>(&mut group, 1);
    layer::<T, 784, 512>(&mut group, 128);
    layer::<T, 512, 512>(&mut group, 128);
    layer::<T, 25, 32>(&mut group, 24);
    layer::<T, 2048, 2048>(&mut group, 256);
    group.finish();
}

criterion_group!(benches, products);
criterion_main!(benches);
