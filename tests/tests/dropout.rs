//! Dropout draws by sample: however a batch is cut, each sample meets the same pattern.

use backprop::prelude::*;
use backprop::{Error, Random};

const SAMPLES: usize = 23;

network! {
    /// Dropout outside of a loop and in each of its steps.
    pub struct Dropping;

    fn cell(state: [6], x: [3]) -> [6] { 0.5 * state + x.dense(6).tanh().dropout(0.4) }

    fn forward(x: [4, 3]) -> [2] {
        x.dropout(0.2).scan(cell, initial = zeros([6])).last().dense(9).tanh().dropout(0.5).dense(2)
    }

    fn loss(y, t: [2]) { mse(y, t) }
}

fn steps<const CAPACITY: usize>(seed: u64) -> Result<(Vec<f64>, Vec<f64>), Error> {
    let mut random = Random::new(Seed(1));
    let inputs: [[[f64; 3]; 4]; SAMPLES] = [(); SAMPLES].map(|()| [(); 4].map(|()| [(); 3].map(|()| random.normal())));
    let targets = [(); SAMPLES].map(|()| [(); 2].map(|()| random.normal()));
    let mut trainer = Trainer::<Dropping<f64>, _, CAPACITY>::new(Adam::new(0.01), Seed(2));
    trainer.workspace().reseed(Seed(seed));
    let losses = (0..4).map(|_| trainer.step(&inputs, &targets)).collect::<Result<_, _>>()?;
    Ok((losses, trainer.network().as_flat().to_vec()))
}

fn differ((losses, parameters): &(Vec<f64>, Vec<f64>), (other, others): &(Vec<f64>, Vec<f64>)) -> bool {
    let pairs = losses.iter().zip(other).chain(parameters.iter().zip(others));
    pairs.into_iter().any(|(number, other)| (number - other).abs() > 1e-12)
}

#[test]
fn the_capacity_does_not_change_a_step() -> Result<(), Error> {
    let whole = steps::<SAMPLES>(1)?;
    for pieces in [steps::<1>(1)?, steps::<8>(1)?, steps::<64>(1)?] {
        assert!(!differ(&whole, &pieces), "{whole:?} against {pieces:?}");
    }
    assert!(differ(&whole, &steps::<SAMPLES>(2)?), "another seed, another pattern");
    Ok(())
}
