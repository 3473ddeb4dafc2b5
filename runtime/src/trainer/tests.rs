use alloc::boxed::Box;
use alloc::vec::Vec;

use super::*;
use crate::dataset::Dataset;
use crate::fit::Fit;
use crate::line::{Line, samples};
use crate::memory::Flat;
use crate::optimizers::{Adam, Momentum, Sgd};
use crate::schedules::{Constant, Cosine, Schedule};

type Data = Dataset<Vec<[f64; 2]>, (Vec<[f64; 1]>, Vec<f64>)>;

fn data(count: usize) -> Data {
    let (inputs, targets, weights) = samples(count);
    Dataset::new(inputs, (targets, weights)).unwrap()
}

fn trainer() -> Box<Trainer<Line, Adam, 8>> {
    Trainer::new(Adam::new(0.05), Seed(3))
}

#[test]
fn a_line_is_found() {
    let (train, test) = data(60).split(0.8, Seed(1));
    let mut trainer = trainer();
    let history = trainer.fit(&train, Fit::epochs(120).validate(&test).schedule(Cosine::over(720))).unwrap();
    assert_eq!((history.epochs().len(), trainer.steps()), (120, 720));
    assert!(history.last().unwrap().validation.unwrap().loss < 1e-9);
    assert!(history.epochs()[0].loss > 0.1);
    let evaluation = trainer.evaluate(&test).unwrap();
    assert!(evaluation.regression().unwrap().mse() < 1e-9);
    assert!((evaluation.loss() - evaluation.regression().unwrap().mse()).abs() < 1e-15);
    assert!((trainer.predict(&[0.1, 0.2])[0] - 0.5).abs() < 1e-4);
    assert_eq!(trainer.network().gain, 1.5, "frozen");
    assert!(trainer.network().weight.iter().all(|weight| weight.abs() <= 2.0), "bounded");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let mut trainer = Trainer::<Line, _, 4>::new(Momentum::new(0.05, 0.9), Seed(seed));
        let history = trainer.fit(&data(30), Fit::epochs(3).batch(7).shuffle(Seed(seed))).unwrap();
        (history, *trainer.network())
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn a_step_is_gradient_and_update() {
    let (inputs, targets, weights) = samples(6);
    let mut trainer = Trainer::<Line, _, 8>::new(Sgd::new(0.1), Seed(3));
    let mut network = Line::boxed(Seed(3));
    assert_eq!(&*network, trainer.network());
    let mut gradient = network.zeros_like();
    let mut workspace = Workspace::<Line, 8>::boxed();
    let mut updater = Sgd::new(0.1).boxed_for(&network);
    for _ in 0..5 {
        let loss = network.loss_and_gradient(&inputs, (&targets, &weights), &mut workspace, &mut gradient).unwrap();
        gradient.clip_norm(0.5);
        updater.step(&mut network, &gradient, 0.5).unwrap();
        trainer.set_rate(0.5).unwrap();
        trainer.set_clip_norm(0.5).unwrap();
        assert_eq!(trainer.step(&inputs, (&targets, &weights)), Ok(loss));
        assert_eq!((&*network, Some(&*gradient)), (trainer.network(), trainer.gradient()));
    }
    assert_eq!(updater.steps(), trainer.steps());
}

/// With room for few samples, epochs of a tiny network are compiled as a whole.
#[test]
fn epochs_are_steps_in_turn() {
    fn check<const CAPACITY: usize>(clip: f64) {
        const SAMPLES: usize = 30;
        const BATCH: usize = 7;
        let ((inputs, targets, weights), schedule) = (samples(SAMPLES), Cosine::over(10));
        for unit in Instructions::available() {
            let new = || {
                let mut trainer = Trainer::<Line, _, CAPACITY>::new(Adam::new(0.05), Seed(3));
                trainer.workspace.instructions = unit;
                trainer
            };
            let (mut fitted, mut stepped) = (new(), new());
            let fit = Fit::epochs(2).in_order().batch(BATCH).schedule(schedule).clip_norm(clip);
            let history = fitted.fit(&data(SAMPLES), fit).unwrap();
            stepped.set_clip_norm(clip).unwrap();
            let mut losses = [0.0; 2];
            for loss in &mut losses {
                for first in (0..SAMPLES).step_by(BATCH) {
                    let batch = first..SAMPLES.min(first + BATCH);
                    stepped.set_rate(schedule.rate(stepped.steps() as usize)).unwrap();
                    let (inputs, targets) =
                        (&inputs[batch.clone()], (&targets[batch.clone()], &weights[batch.clone()]));
                    *loss += stepped.step(inputs, targets).unwrap() * batch.len() as f64;
                }
            }
            assert_eq!((fitted.network(), fitted.steps()), (stepped.network(), stepped.steps()), "{unit}");
            let means = losses.map(|loss| loss / SAMPLES as f64);
            assert_eq!(history.epochs().iter().map(|epoch| epoch.loss).collect::<Vec<_>>(), means);
            assert_eq!(fitted.limits(), (1.0, f64::INFINITY), "limits are those from before");
        }
    }
    for clip in [f64::INFINITY, 0.1] {
        check::<1>(clip);
        check::<4>(clip);
        check::<8>(clip);
    }
}

/// Tiny networks with room for few samples take a way of their own.
#[test]
fn pieces_of_any_length_give_the_same_steps() {
    fn steps<const CAPACITY: usize>(clip: f64) -> (Vec<f64>, Line, Line) {
        let (inputs, targets, weights) = samples(7);
        let mut trainer = Trainer::<Line, _, CAPACITY>::new(Adam::new(0.05), Seed(3));
        trainer.set_clip_norm(clip).unwrap();
        let losses = (0..5).map(|_| trainer.step(&inputs, (&targets, &weights)).unwrap()).collect();
        (losses, *trainer.network(), trainer.gradient().copied().unwrap())
    }
    for clip in [f64::INFINITY, 0.1] {
        let (losses, network, gradient) = steps::<8>(clip);
        assert!(gradient.as_flat().iter().any(|&part| part != 0.0));
        for (other_losses, other, other_gradient) in
            [steps::<1>(clip), steps::<2>(clip), steps::<4>(clip), steps::<5>(clip)]
        {
            let got = other_losses.iter().chain(other.as_flat()).chain(other_gradient.as_flat());
            let expected = losses.iter().chain(network.as_flat()).chain(gradient.as_flat());
            assert!(got.zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-12));
        }
    }
}

#[test]
fn what_fails_leaves_the_trainer_as_it_was() {
    let (inputs, targets, weights) = samples(6);
    let mut trainer = trainer();
    trainer.step(&inputs, (&targets, &weights)).unwrap();
    let before = (*trainer.network(), trainer.optimizer_state().clone(), trainer.steps());
    let huge = [[1e200]; 6];
    for (inputs, targets, weights, error) in [
        (&inputs[..0], &targets[..0], &weights[..0], Error::EmptyBatch),
        (&inputs[..5], &targets[..], &weights[..], Error::UnequalLengths { expected: 5, found: 6 }),
        (&[[f64::NAN; 2]; 6][..], &targets[..], &weights[..], Error::NonFiniteInput),
        (&inputs[..], &targets[..], &[f64::INFINITY; 6][..], Error::NonFiniteTarget),
        (&inputs[..], &targets[..], &[0.0; 6][..], Error::NoWeight),
        (&inputs[..], &huge[..], &weights[..], Error::NonFiniteLoss),
    ] {
        assert_eq!(trainer.step(inputs, (targets, weights)), Err(error));
        let after = (*trainer.network(), trainer.optimizer_state().clone(), trainer.steps());
        assert_eq!(before.0, after.0);
        assert_eq!(before.1.as_flat(), after.1.as_flat());
        assert_eq!(before.2, after.2);
    }
    assert!(trainer.set_rate(f64::NAN).is_err());
    assert!(trainer.set_clip_norm(0.0).is_err());
}

struct Wild;

impl Schedule for Wild {
    fn rate(&self, step: usize) -> f64 {
        if step < 2 { 1.0 } else { f64::NAN }
    }
}

#[test]
fn settings_without_meaning_are_refused() {
    // Also in the middle of the epochs of a tiny network.
    let mut tiny = Trainer::<Line, _, 4>::new(Adam::new(0.05), Seed(3));
    let wild = Fit::epochs(1).batch(8).schedule(Wild).clip_norm(0.1);
    assert!(matches!(tiny.fit(&data(40), wild), Err(Error::Setting(_))));
    assert_eq!((tiny.steps(), tiny.limits()), (2, (1.0, f64::INFINITY)));
    let mut trainer = trainer();
    assert!(matches!(trainer.fit(&data(8), Fit::epochs(1).batch(0)), Err(Error::Setting(_))));
    assert!(matches!(trainer.fit(&data(8), Fit::epochs(1).clip_norm(-1.0)), Err(Error::Setting(_))));
    assert_eq!(trainer.steps(), 0);
    assert!(matches!(trainer.fit(&data(40), Fit::epochs(1).schedule(Wild)), Err(Error::Setting(_))));
    assert_eq!(trainer.steps(), 2);
    let (_, nothing) = data(8).split(1.0, Seed(0));
    assert_eq!(trainer.fit(&nothing, Fit::epochs(1).schedule(Constant)), Err(Error::EmptyBatch));
}

#[test]
fn a_static_trainer_is_made_once() {
    static TRAINER: StaticTrainer<Line<f32>, Sgd, 1> = StaticTrainer::new();
    const _: () = assert!(StaticTrainer::<Line<f32>, Sgd, 1>::BYTES < 1024);
    let trainer = TRAINER.init(Sgd::new(0.05), Seed(1));
    assert!(TRAINER.try_init(Sgd::new(0.05), Seed(1)).is_none());
    assert_eq!(*trainer.network(), *Line::<f32>::boxed(Seed(1)));
    let first = trainer.step(&[[1.0, 0.5]], (&[[2.0]], &[1.0])).unwrap();
    let second = trainer.step(&[[1.0, 0.5]], (&[[2.0]], &[1.0])).unwrap();
    assert!(second < first);
}

#[test]
fn a_trainer_in_memory_of_the_callers() {
    let mut place = MaybeUninit::uninit();
    let trainer = Trainer::<Line, _, 2>::init_in(&mut place, Adam::new(0.1), Seed(1));
    let (inputs, targets, weights) = samples(5);
    let mut boxed = Trainer::<Line, _, 2>::new(Adam::new(0.1), Seed(1));
    for _ in 0..3 {
        let loss = trainer.step(&inputs, (&targets, &weights));
        assert_eq!(loss, boxed.step(&inputs, (&targets, &weights)));
    }
}
