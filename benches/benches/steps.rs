//! Whole steps and predictions of the networks of the workloads.

use backprop::optimizers::Optimizer;
use backprop::prelude::*;
use benches::networks::{Controller, Deep, Shallow, Tutorial};
use benches::workloads::images;
use criterion::{Criterion, criterion_group, criterion_main};

type Pixels = [f32; 784];

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

fn steps(criterion: &mut Criterion) {
    let mut trainer = Trainer::<Tutorial, _, 1>::new(Adam::new(0.01), Seed(7));
    criterion.bench_function("steps/tutorial", |bencher| {
        bencher.iter(|| trainer.step(&[[0.5, 0.8]], &[[1.0]]).expect("finite numbers"));
    });
    step::<Shallow, _, 32>(criterion, "shallow", Sgd::new(0.01));
    step::<Deep, _, 128>(criterion, "deep", Adam::new(1e-3));
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
