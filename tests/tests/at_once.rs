//! Updates within the backward pass, against those after it.

mod own;

use backprop::prelude::*;
use backprop::{Error, Instructions, Random};

use own::Own;

const BATCH: usize = 24;

network! {
    /// Weights of ragged sizes; one parameter is frozen, one bounded, one part of the loss.
    pub struct Mixed {
        #[clamp(-0.15, 0.15)]
        last: [37, 5] = glorot_uniform(),
        #[frozen]
        offset: [5] = constant(0.1),
        middle: [37, 37] = glorot_uniform(),
        column: [37, 1] = glorot_uniform(),
    }

    fn forward(x: [19]) -> [5] {
        let h = x.dense(37).tanh().matmul(self.middle).relu();
        h.matmul(self.last) + h.matmul(self.column) + self.offset
    }

    fn loss(y, t: [5]) { mse(y, t) + 0.01 * self.middle.powi(2).sum() }
}

network! {
    /// Its gradient may overflow while its loss does not.
    pub struct Steep {
        first: [16, 20] = ones(),
        last: [20, 4] = zeros(),
    }

    fn forward(x: [16]) -> [4] { x.matmul(self.first).matmul(self.last) }

    fn loss(y, t: [4]) { 1000.0 * (y - t).mean() }
}

network! {
    /// Only the gradient of what is no factor of a product can overflow: no kernel applies it at once.
    pub struct Scaled {
        scale: [16] = zeros(),
        last: [16, 4] = ones(),
    }

    fn forward(x: [16]) -> [4] { (x * self.scale).matmul(self.last) }

    fn loss(y, t: [4]) { 1000.0 * (y - t).mean() }
}

network! {
    /// The gradient of its first weight is summed up in several rounds for [`MANY`] samples.
    pub struct Long;

    fn forward(x: [16]) -> [5] { x.dense(160).relu().dense(5) }

    fn loss(y, t: [5]) { 100.0 * mse(y, t) }
}

const MANY: usize = 128;

fn rows<const WIDTH: usize>(random: &mut Random) -> Vec<[f32; WIDTH]> {
    some_rows(random, BATCH)
}

fn some_rows<const WIDTH: usize>(random: &mut Random, count: usize) -> Vec<[f32; WIDTH]> {
    (0..count).map(|_| [(); WIDTH].map(|()| random.between(-1.0, 1.0) as f32)).collect()
}

fn assert_same<O: Optimizer<Mixed> + Clone>(name: &str, optimizer: &O) {
    for unit in Instructions::available() {
        let mut random = Random::new(Seed(1));
        let mut at_once = Trainer::<Mixed, O, BATCH>::new(optimizer.clone(), Seed(2));
        let mut after = Trainer::<Mixed, O, BATCH>::new(optimizer.clone(), Seed(2));
        after.set_clip_norm(f64::MAX).unwrap();
        at_once.workspace().with_instructions(unit);
        after.workspace().with_instructions(unit);
        for step in 0..8 {
            let (inputs, targets) = (rows(&mut random), rows(&mut random));
            let loss = at_once.step(&inputs, &targets).unwrap();
            assert_eq!(loss, after.step(&inputs, &targets).unwrap(), "{name}, {unit}, step {step}");
            assert_eq!(at_once.network().as_flat(), after.network().as_flat(), "{name}, {unit}, step {step}");
            assert_eq!(at_once.optimizer_state().as_flat(), after.optimizer_state().as_flat(), "{name}, {unit}");
            assert!(at_once.gradient().is_none() && after.gradient().is_some());
        }
        assert_eq!(at_once.network().offset, [0.1; 5], "frozen");
        assert!(at_once.network().last.as_flat().iter().all(|weight| weight.abs() <= 0.15), "bounded");
    }
}

#[test]
fn every_optimizer_takes_the_same_steps_at_once() {
    assert_same("sgd", &Sgd::new(0.1));
    assert_same("sgd with decay", &Sgd::new(0.1).weight_decay(0.01));
    assert_same("momentum", &Momentum::new(0.1, 0.9).nesterov(true).weight_decay(0.01).exclude(Bias));
    assert_same("adam", &Adam::new(0.01));
    assert_same("adam_w", &AdamW::new(0.01).exclude(Bias));
}

#[test]
fn an_optimizer_of_ones_own_takes_the_same_steps() {
    let sgd = Sgd::new(0.1).weight_decay(0.01).exclude(Bias);
    assert_same("own", &Own::new(sgd, || (), || ()));
    let mut random = Random::new(Seed(1));
    let mut own = Trainer::<Mixed, _, BATCH>::new(Own::new(sgd, || (), || ()), Seed(2));
    let mut built_in = Trainer::<Mixed, _, BATCH>::new(sgd, Seed(2));
    for _ in 0..3 {
        let (inputs, targets) = (rows(&mut random), rows(&mut random));
        assert_eq!(own.step(&inputs, &targets), built_in.step(&inputs, &targets));
        assert_eq!(own.network().as_flat(), built_in.network().as_flat());
    }
}

#[test]
fn sums_over_many_samples_are_applied_whole() {
    for unit in Instructions::available() {
        let mut random = Random::new(Seed(1));
        let mut at_once = Trainer::<Long, _, MANY>::new(Sgd::new(1e-6), Seed(2));
        let mut after = Trainer::<Long, _, MANY>::new(Sgd::new(1e-6), Seed(2));
        after.set_clip_norm(f64::MAX).unwrap();
        at_once.workspace().with_instructions(unit);
        after.workspace().with_instructions(unit);
        for step in 0..4 {
            let (inputs, targets) = (some_rows(&mut random, MANY), some_rows(&mut random, MANY));
            let loss = at_once.step(&inputs, &targets).unwrap();
            assert_eq!(loss, after.step(&inputs, &targets).unwrap(), "{unit}, step {step}");
            assert_eq!(at_once.network().as_flat(), after.network().as_flat(), "{unit}, step {step}");
        }
    }
}

#[test]
fn a_batch_in_pieces_is_gathered_first() {
    let mut random = Random::new(Seed(1));
    let (inputs, targets) = (rows(&mut random), rows(&mut random));
    let mut pieces = Trainer::<Mixed, _, 10>::new(Adam::new(0.01), Seed(2));
    let mut whole = Trainer::<Mixed, _, BATCH>::new(Adam::new(0.01), Seed(2));
    for _ in 0..5 {
        pieces.step(&inputs, &targets).unwrap();
        whole.step(&inputs, &targets).unwrap();
        assert!(pieces.gradient().is_some());
    }
    for (piece, whole) in pieces.network().as_flat().iter().zip(whole.network().as_flat()) {
        assert!((piece - whole).abs() < 1e-4, "{piece} against {whole}");
    }
}

#[test]
fn a_loss_that_is_not_finite_changes_nothing() {
    let mut random = Random::new(Seed(1));
    let (inputs, mut targets) = (rows(&mut random), rows(&mut random));
    let mut trainer = Trainer::<Mixed, _, BATCH>::new(Adam::new(0.01), Seed(2));
    trainer.step(&inputs, &targets).unwrap();
    let (network, state) = (trainer.network().as_flat().to_vec(), trainer.optimizer_state().as_flat().to_vec());
    targets[7][2] = 1e30;
    assert_eq!(trainer.step(&inputs, &targets), Err(Error::NonFiniteLoss));
    assert_eq!((trainer.network().as_flat(), trainer.optimizer_state().as_flat()), (&network[..], &state[..]));
    assert_eq!(trainer.steps(), 1);
}

#[test]
fn a_gradient_that_is_not_finite_is_reported() {
    for unit in Instructions::available() {
        let (inputs, targets) = ([[1e37; 16]; 8], [[0.5; 4]; 8]);
        let mut trainer = Trainer::<Steep, _, 8>::new(Sgd::new(0.1), Seed(2));
        trainer.workspace().with_instructions(unit);
        trainer.set_clip_norm(f64::MAX).unwrap();
        assert_eq!(trainer.step(&inputs, &targets), Err(Error::NonFiniteGradient), "{unit}");
        assert_eq!(trainer.network().last, [[0.0; 4]; 20], "found before the update");
        trainer.set_clip_norm(f64::INFINITY).unwrap();
        assert_eq!(trainer.step(&inputs, &targets), Err(Error::NonFiniteGradient), "{unit}");
        assert!(!trainer.network().last[0][0].is_finite(), "found after the update");
    }
}

#[test]
fn a_gradient_that_comes_later_is_looked_at_too() {
    for unit in Instructions::available() {
        let (inputs, targets) = ([[1e37; 16]; 8], [[0.5; 4]; 8]);
        let mut trainer = Trainer::<Scaled, _, 8>::new(Adam::new(0.1), Seed(2));
        trainer.workspace().with_instructions(unit);
        trainer.set_clip_norm(f64::MAX).unwrap();
        assert_eq!(trainer.step(&inputs, &targets), Err(Error::NonFiniteGradient), "{unit}");
        assert_eq!((trainer.network().scale, trainer.network().last), ([0.0; 16], [[1.0; 4]; 16]));
        assert_eq!((trainer.steps(), trainer.gradient().is_none()), (0, true), "found before the update");
        assert!(trainer.optimizer_state().as_flat().iter().all(|&moment| moment == 0.0));
        trainer.set_clip_norm(f64::INFINITY).unwrap();
        assert_eq!(trainer.step(&inputs, &targets), Err(Error::NonFiniteGradient), "{unit}");
        assert_eq!(trainer.steps(), 1, "found after the update");
    }
}

/// The gradient's squares overflow, its norm does not.
#[test]
fn a_gradient_of_any_size_is_clipped() {
    for unit in Instructions::available() {
        let (inputs, targets) = ([[1e25; 16]; 8], [[0.5; 4]; 8]);
        let mut trainer = Trainer::<Scaled, _, 8>::new(Sgd::new(0.1), Seed(2));
        trainer.workspace().with_instructions(unit);
        trainer.set_clip_norm(2.0).unwrap();
        trainer.step(&inputs, &targets).unwrap();
        // Sixteen equal numbers whose norm is 2, times the rate.
        for scale in trainer.network().scale {
            assert!((scale + 0.05).abs() < 1e-6, "{unit}: {scale}");
        }
    }
}
