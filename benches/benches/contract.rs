//! The three products of a dense layer over a grid of shapes, as `samples x inputs x outputs`. Criterion's elements a
//! second are floating-point operations a second, to be compared with `workloads peak`.

use backprop::kernels::Const;
use backprop::simd::Instructions;
use benches::products::{Layer, Product};
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};

fn layer<const K: usize, const N: usize>(group: &mut BenchmarkGroup<'_, WallTime>, samples: usize) {
    let instructions = Instructions::detect();
    for product in Product::ALL {
        let mut layer = Layer::new(samples, Const::<K>, Const::<N>);
        group.throughput(Throughput::Elements(layer.operations()));
        group.bench_function(format!("{}/{samples}x{K}x{N}", product.name()), |bencher| {
            bencher.iter(|| layer.run(product, instructions));
        });
    }
}

fn products(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("contract");
    layer::<784, 128>(&mut group, 32);
    layer::<128, 10>(&mut group, 32);
    layer::<784, 128>(&mut group, 1);
    layer::<784, 512>(&mut group, 128);
    layer::<512, 512>(&mut group, 128);
    layer::<25, 32>(&mut group, 24);
    layer::<2048, 2048>(&mut group, 256);
    group.finish();
}

criterion_group!(benches, products);
criterion_main!(benches);
