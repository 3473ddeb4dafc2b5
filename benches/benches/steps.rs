//! Whole steps and predictions of the networks of the workloads.

use backprop::optimizers::Optimizer;
use backprop::prelude::*;
use backprop::{Program, Random, Scalar};
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

network! {
    /// A shallow network whose first layer is written out: its weight is bounded, its bias is frozen.
    struct Bounded {
        #[clamp(-0.08, 0.08)]
        weight: [784, 128] = glorot_uniform(),
        #[frozen]
        bias: [128] = constant(0.1),
    }

    fn forward(pixels: [784]) -> [10] { (pixels.matmul(self.weight) + self.bias).relu().dense(10) }

    fn loss(logits, digit: Class<10>) { cross_entropy(logits, digit) }
}

fn trainer<N: Program, O: Optimizer<N>, const CAPACITY: usize>(optimizer: O) -> Box<Trainer<N, O, CAPACITY>> {
    Trainer::new(optimizer, Seed(7))
}

/// A network of pixels that trains on one batch.
fn step<N, O, const BATCH: usize>(criterion: &mut Criterion, name: &str, trainer: &mut Trainer<N, O, BATCH>)
where
    for<'a> N: Network<Inputs<'a> = &'a [Pixels], Targets<'a> = &'a [Class<10>]>,
    O: Optimizer<N>,
{
    let (inputs, digits) = images(BATCH).swap_remove(0);
    criterion.bench_function(&format!("steps/{name}"), |bencher| {
        bencher.iter(|| trainer.step(&inputs, &digits).expect("finite numbers"));
    });
}

/// A regression that trains on one batch, worked in pieces of `CAPACITY`.
fn regression<T, N, O, const I: usize, const OUT: usize, const CAPACITY: usize>(
    criterion: &mut Criterion,
    name: &str,
    trainer: &mut Trainer<N, O, CAPACITY>,
    batch: usize,
) where
    T: Scalar,
    for<'a> N: Network<Inputs<'a> = &'a [[T; I]], Targets<'a> = &'a [[T; OUT]]>,
    O: Optimizer<N>,
{
    let mut random = Random::new(Seed(7));
    let (inputs, targets) = (rows::<T, I>(&mut random, batch), rows::<T, OUT>(&mut random, batch));
    criterion.bench_function(&format!("steps/{name}"), |bencher| {
        bencher.iter(|| trainer.step(&inputs, &targets).expect("finite numbers"));
    });
}

fn steps(criterion: &mut Criterion) {
    let mut tutorial = trainer::<Tutorial, _, 1>(Adam::new(0.01));
    criterion.bench_function("steps/tutorial", |bencher| {
        bencher.iter(|| tutorial.step(&[[0.5, 0.8]], &[[1.0]]).expect("finite numbers"));
    });
    step(criterion, "shallow", &mut trainer::<Shallow, _, 32>(Sgd::new(0.01)));
    step(criterion, "deep", &mut trainer::<Deep, _, 128>(Adam::new(1e-3)));
    step(criterion, "wide", &mut trainer::<Wide, _, 256>(Sgd::new(0.01)));
    regression(criterion, "smooth", &mut trainer::<Smooth, _, 400>(Adam::new(1e-3)), 10_000);
    regression(criterion, "dropout", &mut trainer::<Dropped, _, 128>(Sgd::new(0.01)), 128);
    regression(criterion, "precise", &mut trainer::<Precise<f64>, _, 200>(Sgd::new(0.01)), 200);
}

/// Other ways to update than [`steps`] take.
fn updates(criterion: &mut Criterion) {
    step(criterion, "shallow_with_decay", &mut trainer::<Shallow, _, 32>(Sgd::new(0.01).weight_decay(1e-4)));
    step(criterion, "shallow_with_momentum", &mut trainer::<Shallow, _, 32>(Momentum::new(1e-3, 0.9)));
    // So slow that what is learnt by heart in the end leaves no probability denormal.
    step(criterion, "shallow_with_adam_w", &mut trainer::<Shallow, _, 32>(AdamW::new(1e-7)));
    step(criterion, "bounded", &mut trainer::<Bounded, _, 32>(Sgd::new(0.01)));
    let mut clipped = trainer::<Shallow, _, 32>(Sgd::new(0.01));
    // No gradient is as small: each is scaled.
    clipped.set_clip_norm(1e-3).expect("a positive norm");
    step(criterion, "shallow_clipped", &mut clipped);
}

/// A step whose products are shared, and one whose samples are.
fn threads(criterion: &mut Criterion) {
    step(criterion, "deep_on_two_threads", &mut trainer::<Deep, _, 128>(Adam::new(1e-3)).threads(2));
    regression(criterion, "smooth_on_two_threads", &mut trainer::<Smooth, _, 400>(Adam::new(1e-3)).threads(2), 10_000);
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

criterion_group!(benches, steps, updates, threads, predictions);
criterion_main!(benches);
