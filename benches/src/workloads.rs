//! The workloads: networks of [`networks`](crate::networks), data from a fixed seed, driven through the public API.

use std::hint::black_box;

use backprop::prelude::*;
use backprop::{Error, Random};

use crate::networks::{Controller, Deep, Precise, Shallow, Smooth, Tutorial, Wide};
use crate::timing::{Call, Measurement, measure};

/// Distinct batches that a training workload cycles through.
const BATCHES: usize = 4;
/// Where all data and start values come from.
pub const SEED: Seed = Seed(7);

/// A workload's name, what it is, and its measurement.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// As on the command line.
    pub name: &'static str,
    /// Network, optimizer, batch.
    pub description: &'static str,
    /// Makes data and a trainer with this number of threads, and measures.
    pub run: fn(usize) -> Result<Measurement, Error>,
}

/// All workloads. Other libraries have them, too: those without a dot, and W8, in the harness of peers, the others in `peers`.
pub const WORKLOADS: &[Workload] = &[
    Workload { name: "W1", description: "2-2(relu)-1, Adam, batch 1, 200 steps over two samples", run: tutorial },
    Workload { name: "W2", description: "784-128(relu)-10, SGD, batch 32", run: shallow },
    Workload { name: "W3", description: "784-512-512-10, relu, Adam, batch 128", run: deep },
    Workload { name: "W8.mlp", description: "forward pass of W2, batch 1", run: shallow_forward },
    Workload { name: "W.tanh", description: "4-32-16-4, tanh, Adam, full batch of 10000", run: smooth },
    Workload { name: "W.forward", description: "forward pass of 6-64-8-4, relu, batch 1", run: controller },
    Workload { name: "W.f64", description: "24-8(tanh)-2 in f64, SGD, batch 200", run: precise },
    Workload { name: "W.large", description: "784-2048-2048-10, relu, SGD, batch 256", run: wide },
];

/// Rows of numbers in [-1, 1).
pub fn rows<T: backprop::Scalar, const WIDTH: usize>(random: &mut Random, count: usize) -> Vec<[T; WIDTH]> {
    (0..count).map(|_| [(); WIDTH].map(|()| T::constant(random.between(-1.0, 1.0)))).collect()
}

/// Class indices.
pub fn classes<const N: usize>(random: &mut Random, count: usize) -> Vec<Class<N>> {
    (0..count).map(|_| Class::new(random.below(N)).expect("an index below the number of classes")).collect()
}

/// Images of 28×28 pixels and their digits.
pub fn images(batch: usize) -> Vec<(Vec<[f32; 784]>, Vec<Class<10>>)> {
    let mut random = Random::new(SEED);
    (0..BATCHES).map(|_| (rows(&mut random, batch), classes(&mut random, batch))).collect()
}

fn tutorial(threads: usize) -> Result<Measurement, Error> {
    const STEPS: usize = 200;
    let (inputs, targets) = ([[[0.5, 0.8]], [[0.2, 0.3]]], [[[1.0]], [[0.5]]]);
    let mut trainer = Trainer::<Tutorial, _, 1>::new(Adam::new(0.01), SEED).threads(threads);
    measure(Call { steps: STEPS, batch: 1 }, |_| {
        for step in 0..STEPS {
            black_box(trainer.step(&inputs[step % 2], &targets[step % 2])?);
        }
        Ok(())
    })
}

fn shallow(threads: usize) -> Result<Measurement, Error> {
    let batches = images(32);
    let mut trainer = Trainer::<Shallow, _, 32>::new(Sgd::new(0.01), SEED).threads(threads);
    measure(Call { steps: 1, batch: 32 }, |call| {
        let (images, digits) = &batches[call % BATCHES];
        black_box(trainer.step(images, digits)?);
        Ok(())
    })
}

fn deep(threads: usize) -> Result<Measurement, Error> {
    let batches = images(128);
    let mut trainer = Trainer::<Deep, _, 128>::new(Adam::new(1e-3), SEED).threads(threads);
    measure(Call { steps: 1, batch: 128 }, |call| {
        let (images, digits) = &batches[call % BATCHES];
        black_box(trainer.step(images, digits)?);
        Ok(())
    })
}

fn shallow_forward(_: usize) -> Result<Measurement, Error> {
    let batches = images(1);
    let network = Shallow::<f32>::boxed(SEED);
    let mut workspace = Workspace::<Shallow, 1>::boxed();
    measure(Call { steps: 1, batch: 1 }, |_| {
        black_box(network.predict(black_box(&batches[0].0[0]), &mut workspace));
        Ok(())
    })
}

fn smooth(threads: usize) -> Result<Measurement, Error> {
    const BATCH: usize = 10_000;
    let mut random = Random::new(SEED);
    let inputs: Vec<[f32; 4]> = rows(&mut random, BATCH);
    let targets: Vec<[f32; 4]> = rows(&mut random, BATCH);
    // The batch is worked in pieces of 400, whose activations stay in the cache.
    let mut trainer = Trainer::<Smooth, _, 400>::new(Adam::new(1e-3), SEED).threads(threads);
    measure(Call { steps: 1, batch: BATCH }, |_| {
        black_box(trainer.step(&inputs, &targets)?);
        Ok(())
    })
}

fn controller(_: usize) -> Result<Measurement, Error> {
    let states: Vec<[f32; 6]> = rows(&mut Random::new(SEED), BATCHES);
    let network = Controller::<f32>::boxed(SEED);
    let mut workspace = Workspace::<Controller, 1>::boxed();
    measure(Call { steps: 1, batch: 1 }, |call| {
        black_box(network.predict(&states[call % BATCHES], &mut workspace));
        Ok(())
    })
}

fn precise(threads: usize) -> Result<Measurement, Error> {
    const BATCH: usize = 200;
    let mut random = Random::new(SEED);
    let inputs: Vec<[f64; 24]> = rows(&mut random, BATCH);
    let targets: Vec<[f64; 2]> = rows(&mut random, BATCH);
    let mut trainer = Trainer::<Precise<f64>, _, BATCH>::new(Sgd::new(0.01), SEED).threads(threads);
    measure(Call { steps: 1, batch: BATCH }, |_| {
        black_box(trainer.step(&inputs, &targets)?);
        Ok(())
    })
}

fn wide(threads: usize) -> Result<Measurement, Error> {
    let batches = images(256);
    let mut trainer = Trainer::<Wide, _, 256>::new(Sgd::new(0.01), SEED).threads(threads);
    measure(Call { steps: 1, batch: 256 }, |call| {
        let (images, digits) = &batches[call % BATCHES];
        black_box(trainer.step(images, digits)?);
        Ok(())
    })
}
