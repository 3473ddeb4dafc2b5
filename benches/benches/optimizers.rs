//! Optimizers' updates and norms of gradients, of parameters within the second-level cache and beyond it. Criterion's elements
//! are parameters.

use std::hint::black_box;

use backprop::optimizers::Updater;
use backprop::prelude::*;
use backprop::{Program, Scalar};
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

fn norms<N: Program>(group: &mut BenchmarkGroup<'_, WallTime>) {
    let mut gradient = N::boxed(Seed(8));
    group.throughput(Throughput::Elements(N::LEN as u64));
    group.bench_function(format!("norm/{}", N::LEN), |bencher| {
        bencher.iter(|| black_box(&gradient).norm());
    });
    // Zeros are scaled each time; what has come down to any other maximum is not.
    let maximum = N::Scalar::constant(0.0);
    group.bench_function(format!("clip_norm/{}", N::LEN), |bencher| {
        bencher.iter(|| gradient.clip_norm(maximum));
    });
}

fn network<N: Program>(group: &mut BenchmarkGroup<'_, WallTime>) {
    update::<N, _>(group, "sgd", Sgd::new(1e-6));
    update::<N, _>(group, "momentum", Momentum::new(1e-6, 0.9));
    update::<N, _>(group, "adam", Adam::new(1e-6));
    update::<N, _>(group, "adam_w", AdamW::new(1e-6));
    norms::<N>(group);
}

fn optimizers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("optimizers");
    network::<Shallow>(&mut group);
    network::<Deep>(&mut group);
    group.finish();
    let mut group = criterion.benchmark_group("optimizers in double precision");
    network::<Shallow<f64>>(&mut group);
    network::<Deep<f64>>(&mut group);
    group.finish();
}

criterion_group!(benches, optimizers);
criterion_main!(benches);
