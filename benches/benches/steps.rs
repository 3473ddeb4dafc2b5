//! Whole steps and predictions of the networks of the workloads.

use backprop::optimizers::Optimizer;
use backprop::prelude::*;
use backprop::{Random, Scalar};
use benches::networks::{Controller, Deep, Precise, Shallow, Smooth, Tutorial, Wide};
use benches::workloads::{images, rows};
use criterion::{Criterion, criterion_group, criterion_main};

type Pixels = [f32; 784];

network! {
    /// Random numbers, and little besides.
    struct Dropped;

    fn forward(x: [512]) -> [1] { x.dropout(0.5).dense(1) }

    fn loss(y, t: [1]) { mse(y, t) }
}

/// A network of pixels that trains on one batch.
fn step<N, O, const BATCH: usize>(criterion: &mut Criterion, name: &str, optimizer: O)
where
    for<'a> N: Network<Inputs<'a> = &'a [Pixels], Targets<'a> = &'a [Class<10>]>,
    O: Optimizer<N>,
{
    let (inputs, digits) = images(BATCH).swap_remove(0);
    let mut trainer = Trainer::<N, O, BATCH>::new(optimizer, Seed(7));
    criterion.bench_function(&format!("steps/{name}"), |bencher| {
        bencher.iter(|| trainer.step(&inputs, &digits).expect("finite numbers"));
    });
}

/// A regression that trains on one batch, worked in pieces of `CAPACITY`.
fn regression<T, N, O, const I: usize, const OUT: usize, const CAPACITY: usize>(
    criterion: &mut Criterion,
    name: &str,
    optimizer: O,
    batch: usize,
) where
    T: Scalar,
    for<'a> N: Network<Inputs<'a> = &'a [[T; I]], Targets<'a> = &'a [[T; OUT]]>,
    O: Optimizer<N>,
{
    let mut random = Random::new(Seed(7));
    let (inputs, targets) = (rows::<T, I>(&mut random, batch), rows::<T, OUT>(&mut random, batch));
    let mut trainer = Trainer::<N, O, CAPACITY>::new(optimizer, Seed(7));
    criterion.bench_function(&format!("steps/{name}"), |bencher| {
        bencher.iter(|| trainer.step(&inputs, &targets).expect("finite numbers"));
    });
}

fn steps(criterion: &mut Criterion) {
    let mut trainer = Trainer::<Tutorial, _, 1>::new(Adam::new(0.01), Seed(7));
    criterion.bench_function("steps/tutorial", |bencher| {
        bencher.iter(|| trainer.step(&[[0.5, 0.8]], &[[1.0]]).expect("finite numbers"));
    });
    step::<Shallow, _, 32>(criterion, "shallow", Sgd::new(0.01));
    step::<Deep, _, 128>(criterion, "deep", Adam::new(1e-3));
    step::<Wide, _, 256>(criterion, "wide", Sgd::new(0.01));
    regression::<f32, Smooth, _, 4, 4, 400>(criterion, "smooth", Adam::new(1e-3), 10_000);
    regression::<f32, Dropped, _, 512, 1, 128>(criterion, "dropout", Sgd::new(0.01), 128);
    regression::<f64, Precise<f64>, _, 24, 2, 200>(criterion, "precise", Sgd::new(0.01), 200);
}

fn predictions(criterion: &mut Criterion) {
    let image = images(1)[0].0[0];
    let network = Shallow::<f32>::boxed(Seed(7));
    let mut workspace = Workspace::<Shallow, 1>::boxed();
    criterion.bench_function("predictions/shallow", |bencher| {
        bencher.iter(|| network.predict(&image, &mut workspace));
    });
    let network = Controller::<f32>::boxed(Seed(7));
    let mut workspace = Workspace::<Controller, 1>::boxed();
    criterion.bench_function("predictions/controller", |bencher| {
        bencher.iter(|| network.predict(&[0.1; 6], &mut workspace));
    });
}

criterion_group!(benches, steps, predictions);
criterion_main!(benches);
