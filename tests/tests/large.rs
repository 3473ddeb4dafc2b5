//! A network of large weights, whose gradients are computed from copies where a batch is large.

use backprop::Random;
use backprop::optimizers::Optimizer;
use backprop::prelude::*;
use backprop::simd::Instructions;

network! {
    pub struct Wide;

    fn forward(x: [1024]) -> [1030] { x.dense(1030).tanh().dense(1030) }

    fn loss(y, t: [1030]) { mse(y, t) }
}

const SAMPLES: usize = 160;

/// Three steps with the whole batch; the last loss and the parameters.
fn trained<O: Optimizer<Wide>, const CAPACITY: usize>(
    optimizer: O,
    inputs: &[[f32; 1024]],
    targets: &[[f32; 1030]],
) -> (f32, Vec<f32>) {
    let mut trainer = Trainer::<Wide, _, CAPACITY>::new(optimizer, Seed(1));
    let mut loss = f32::NAN;
    for _ in 0..3 {
        loss = trainer.step(inputs, targets).unwrap();
    }
    (loss, trainer.network().as_flat().to_vec())
}

fn numbers<const WIDTH: usize>(random: &mut Random) -> Vec<[f32; WIDTH]> {
    (0..SAMPLES).map(|_| std::array::from_fn(|_| random.between(-1.0, 1.0) as f32)).collect()
}

/// With room for all samples, gradients are copied; with room for a few, they are too small for that.
fn compare<O: Optimizer<Wide> + Clone>(optimizer: &O) {
    let mut random = Random::new(Seed(5));
    let (inputs, targets) = (numbers(&mut random), numbers(&mut random));
    let (loss, parameters) = trained::<O, SAMPLES>(optimizer.clone(), &inputs, &targets);
    let (expected, others) = trained::<O, 23>(optimizer.clone(), &inputs, &targets);
    assert!((loss - expected).abs() < 1e-5, "{loss} and {expected}");
    let furthest = parameters.iter().zip(&others).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
    assert!(furthest < 1e-6, "parameters differ by {furthest}");
}

#[test]
fn updates_are_the_same_by_way_of_copies() {
    compare(&Sgd::new(0.1));
    compare(&Adam::new(0.001).epsilon(1e-3));
}

/// The loss and the gradient of a batch.
fn gradient<const CAPACITY: usize>(
    network: &Wide,
    unit: Instructions,
    inputs: &[[f32; 1024]],
    targets: &[[f32; 1030]],
) -> (f32, Vec<f32>) {
    let (mut workspace, mut gradient) = (Workspace::<Wide, CAPACITY>::boxed(), network.zeros_like());
    workspace.with_instructions(unit);
    let loss = network.loss_and_gradient(inputs, targets, &mut workspace, &mut gradient).unwrap();
    (loss, gradient.as_flat().to_vec())
}

#[test]
fn gradients_are_the_same_on_every_vector_unit() {
    let mut random = Random::new(Seed(6));
    let (inputs, targets) = (numbers(&mut random), numbers(&mut random));
    let network = Wide::boxed(Seed(1));
    let (expected, others) = gradient::<23>(&network, Instructions::scalar(), &inputs, &targets);
    for unit in Instructions::available() {
        let (loss, numbers) = gradient::<SAMPLES>(&network, unit, &inputs, &targets);
        // Without vectors, 165,000 squares are one sum.
        assert!((loss - expected).abs() < 1e-4, "{unit}: {loss} and {expected}");
        let furthest = numbers.iter().zip(&others).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
        assert!(furthest < 1e-6, "{unit}: gradients differ by {furthest}");
    }
}
