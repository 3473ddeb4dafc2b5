//! A network of large weights, whose gradients are computed from copies where a batch is large.

use backprop::Random;
use backprop::optimizers::Optimizer;
use backprop::prelude::*;

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

/// With room for all samples, gradients are copied; with room for a few, they are too small for that.
fn compare<O: Optimizer<Wide> + Clone>(optimizer: &O) {
    let mut random = Random::new(Seed(5));
    let inputs: Vec<[f32; 1024]> =
        (0..SAMPLES).map(|_| std::array::from_fn(|_| random.between(-1.0, 1.0) as f32)).collect();
    let targets: Vec<[f32; 1030]> =
        (0..SAMPLES).map(|_| std::array::from_fn(|_| random.between(-1.0, 1.0) as f32)).collect();
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
