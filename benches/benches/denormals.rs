//! Runs of an optimizer whose gradients die away, beside runs whose gradients live on: both are to take as long, though the
//! running means of the former shrink through the denormal numbers. Criterion's elements are steps.

use backprop::optimizers::Updater;
use backprop::prelude::*;
use benches::networks::Smooth;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};

const STEPS: usize = 100_000;

/// The factor of the gradient at each step.
type Course = fn(usize) -> f32;

const COURSES: [(&str, Course); 4] = [
    ("living", |_| 1.0),
    ("dead after 100 steps", |step| if step < 100 { 1.0 } else { 0.0 }),
    ("halved every 200 steps", |step| 0.5_f32.powi((step / 200) as i32)),
    ("tiny", |_| 1e-20),
];

fn run<O: Optimizer<Smooth>>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, optimizer: O) {
    for (course, factor) in COURSES {
        group.bench_function(format!("{name}/{course}"), |bencher| {
            bencher.iter(|| {
                let (mut network, start) = (Smooth::boxed(Seed(7)), Smooth::boxed(Seed(8)));
                let mut updater = Updater::boxed(optimizer.clone());
                let mut gradient = start.clone();
                let mut last = 1.0;
                for step in 0..STEPS {
                    let factor = factor(step);
                    if factor != last {
                        last = factor;
                        for (part, &start) in gradient.as_flat_mut().iter_mut().zip(start.as_flat()) {
                            *part = start * factor;
                        }
                    }
                    updater.step(&mut network, &gradient, 1.0).unwrap();
                }
                network
            });
        });
    }
}

fn denormals(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("denormals");
    group.throughput(Throughput::Elements(STEPS as u64)).sample_size(10);
    run(&mut group, "momentum", Momentum::new(1e-6, 0.9));
    run(&mut group, "adam", Adam::new(1e-6));
    group.finish();
}

criterion_group!(benches, denormals);
criterion_main!(benches);
