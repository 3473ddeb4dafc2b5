//! Optimizers' updates, of parameters within the second-level cache and beyond it. Criterion's elements are parameters.

use backprop::Program;
use backprop::optimizers::Updater;
use backprop::prelude::*;
use benches::networks::{Deep, Shallow};
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};

fn update<N: Program, O: Optimizer<N>>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, optimizer: O) {
    let (mut network, gradient) = (N::boxed(Seed(7)), N::boxed(Seed(8)));
    let mut updater = Updater::boxed(optimizer);
    group.throughput(Throughput::Elements(N::LEN as u64));
    group.bench_function(format!("{name}/{}", N::LEN), |bencher| {
        bencher.iter(|| updater.step(&mut network, &gradient, 1.0).unwrap());
    });
}

fn network<N: Program<Scalar = f32>>(group: &mut BenchmarkGroup<'_, WallTime>) {
    update::<N, _>(group, "sgd", Sgd::new(1e-6));
    update::<N, _>(group, "momentum", Momentum::new(1e-6, 0.9));
    update::<N, _>(group, "adam", Adam::new(1e-6));
    update::<N, _>(group, "adam_w", AdamW::new(1e-6));
}

fn optimizers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("optimizers");
    network::<Shallow>(&mut group);
    network::<Deep>(&mut group);
    group.finish();
}

criterion_group!(benches, optimizers);
criterion_main!(benches);
