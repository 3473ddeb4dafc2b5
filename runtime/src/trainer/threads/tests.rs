use alloc::boxed::Box;
use alloc::vec::Vec;
use std::format;

use super::*;
use crate::line::{Line, samples};
use crate::network::Network;
use crate::optimizers::{Adam, AdamW, Momentum, Sgd};
use crate::random::Seed;
use crate::tensor::Role;

/// Losses, then parameters, gradient and state after some steps, whose parts threads take or, while they rest, the caller's.
fn run<O: Optimizer<Line>, const CAPACITY: usize>(
    optimizer: &O,
    (threads, at_rest): (usize, bool),
    count: usize,
    clip: f64,
) -> (Box<Trainer<Line, O, CAPACITY>>, Vec<f64>) {
    let (inputs, targets, mut weights) = samples(count);
    for (index, weight) in weights.iter_mut().enumerate() {
        // Some are masked.
        *weight = [1.0, 0.0, 2.5, 0.5][index % 4];
    }
    let mut trainer = Trainer::<Line, O, CAPACITY>::new(optimizer.clone(), Seed(3)).threads(threads);
    trainer.set_clip_norm(clip).unwrap();
    if let Some(team) = &mut trainer.team {
        team.workers.set_at_rest(at_rest);
    }
    let mut numbers = Vec::new();
    for _ in 0..5 {
        let targets = (&targets[..], &weights[..]);
        numbers.push(if threads == 1 {
            trainer.step(&inputs, targets).unwrap()
        } else {
            trainer.step_in_parts(threads.min(count), &inputs, targets).unwrap()
        });
    }
    assert_eq!(trainer.network().gain, 1.5, "frozen");
    assert!(trainer.network().weight.iter().all(|weight| weight.abs() <= 2.0), "bounded");
    numbers.extend_from_slice(trainer.network().as_flat());
    numbers.extend_from_slice(trainer.gradient().unwrap().as_flat());
    numbers.extend_from_slice(trainer.optimizer_state().as_flat());
    (trainer, numbers)
}

fn check<O: Optimizer<Line>, const CAPACITY: usize>(name: &str, optimizer: &O) {
    for clip in [f64::INFINITY, 0.1] {
        for count in [1, 2, 7, 40] {
            let (alone, expected) = run::<O, CAPACITY>(optimizer, (1, false), count, clip);
            for threads in [2, 3, 5] {
                let context = format!("{name}, capacity {CAPACITY}, clip {clip}, {threads} threads, {count} samples");
                let (trainer, got) = run::<O, CAPACITY>(optimizer, (threads, false), count, clip);
                for (got, expected) in got.iter().zip(&expected) {
                    assert!((got - expected).abs() < 1e-12, "{context}: {got} against {expected}");
                }
                assert_eq!(trainer.steps(), alone.steps());
                for at_rest in [false, true] {
                    let (_, again) = run::<O, CAPACITY>(optimizer, (threads, at_rest), count, clip);
                    assert_eq!(got, again, "{context}: not reproducible, at rest: {at_rest}");
                }
            }
        }
    }
}

/// Also where pieces are many or one, and where there are more threads than samples.
#[test]
fn steps_are_those_of_one_thread() {
    check::<_, 3>("sgd", &Sgd::new(0.1).weight_decay(0.01).exclude(Role::Bias));
    check::<_, 64>("momentum", &Momentum::new(0.1, 0.9).nesterov(true).weight_decay(0.01));
    check::<_, 5>("adam", &Adam::new(0.05));
    check::<_, 16>("adam_w", &AdamW::new(0.05).exclude(Role::Bias));
}

#[test]
fn what_fails_leaves_the_trainer_as_it_was() {
    let (inputs, targets, weights) = samples(6);
    let mut trainer = Trainer::<Line, _, 8>::new(Adam::new(0.05), Seed(3)).threads(3);
    trainer.step_in_parts(3, &inputs, (&targets, &weights)).unwrap();
    trainer.network_mut().weight = [0.0; 2];
    let before = (*trainer.network(), trainer.optimizer_state().clone(), trainer.steps());
    let mut wrong = (inputs.clone(), targets.clone());
    (wrong.0[5][1], wrong.1[0][0]) = (f64::NAN, f64::NAN);
    let huge = [[1e200]; 6];
    // The loss is finite, but not the gradient.
    let (far, high) = ([[1e200, 0.0]; 6], [[1e150]; 6]);
    for (inputs, targets, weights, error) in [
        (&inputs[..0], &targets[..0], &weights[..0], Error::EmptyBatch),
        (&inputs[..5], &targets[..], &weights[..], Error::UnequalLengths { expected: 5, found: 6 }),
        (&wrong.0[..], &wrong.1[..], &weights[..], Error::NonFiniteInput),
        (&inputs[..], &wrong.1[..], &weights[..], Error::NonFiniteTarget),
        (&inputs[..], &targets[..], &[0.0; 6][..], Error::NoWeight),
        (&inputs[..], &huge[..], &weights[..], Error::NonFiniteLoss),
        (&far[..], &high[..], &weights[..], Error::NonFiniteGradient),
    ] {
        assert_eq!(trainer.step_in_parts(3, inputs, (targets, weights)), Err(error));
        let after = (*trainer.network(), trainer.optimizer_state().clone(), trainer.steps());
        assert_eq!((before.0, before.2), (after.0, after.2));
        assert_eq!(before.1.as_flat(), after.1.as_flat());
    }
    trainer.step_in_parts(3, &inputs, (&targets, &weights)).unwrap();
}

#[test]
fn a_number_of_threads_can_be_changed() {
    let (inputs, targets, weights) = samples(9);
    let mut trainer = Trainer::<Line, _, 2>::new(Sgd::new(0.1), Seed(3));
    for threads in [4, 2, 1, 3] {
        trainer.set_threads(threads).unwrap();
        assert!(matches!(trainer.set_threads(0), Err(Error::Setting(_))));
        assert_eq!(trainer.team.as_ref().map_or(1, |team| team.places.len()), threads);
        if threads > 1 {
            trainer.step_in_parts(threads, &inputs, (&targets, &weights)).unwrap();
        }
    }
    // With a network that is not tiny, but has little to do, all of this is one thread's.
    assert_eq!(trainer.plan(&inputs, (&targets, &weights)), None);
    let mut moved = std::thread::spawn(move || trainer).join().unwrap();
    moved.step_in_parts(3, &inputs, (&targets, &weights)).unwrap();
    let alone =
        Network::loss(moved.network(), &inputs, (&targets, &weights), &mut crate::Workspace::<Line, 2>::boxed());
    assert_eq!(moved.loss(&inputs, (&targets, &weights)), alone);
}

#[test]
fn threads_rest_in_trials() {
    let (inputs, targets, weights) = samples(9);
    let mut trainer = Trainer::<Line, _, 2>::new(Sgd::new(0.1), Seed(3)).threads(3);
    // Way of the next step, and whether the last one left the threads alone.
    let state = |trainer: &Trainer<Line, Sgd, 2>| {
        let team = trainer.team.as_ref().unwrap();
        (team.trials.way(9), team.workers.are_at_rest())
    };
    let step = |trainer: &mut Trainer<Line, Sgd, 2>, weights: &[f64]| {
        trainer.step_shared((Plan::Samples(3), 9), &inputs, (&targets, weights)).map(|_| ())
    };
    for again in [false, true] {
        let mut before = 0;
        while state(&trainer).0 == Way::Threads {
            step(&mut trainer, &weights).unwrap();
            assert!(!state(&trainer).1);
            before += 1;
            assert!(before < 1000, "no trial");
        }
        assert!(before > 100, "a trial after {before} steps, with threads set anew: {again}");
        step(&mut trainer, &weights).unwrap();
        assert!(state(&trainer).1);
        // What fails is no part of it.
        let trials = |trainer: &Trainer<Line, Sgd, 2>| format!("{:?}", trainer.team.as_ref().unwrap().trials);
        let before = trials(&trainer);
        assert_eq!(step(&mut trainer, &[0.0; 9]), Err(Error::NoWeight));
        assert_eq!(trials(&trainer), before);
        trainer.set_threads(3).unwrap();
        assert_eq!(state(&trainer), (Way::Threads, false));
    }
}

#[test]
fn steps_are_planned_by_their_work() {
    let digits = |samples, fits| plan(4, samples, fits, 101_632, 101_770);
    assert_eq!(digits(16, true), None, "too little for two");
    assert_eq!(digits(32, true), Some(Plan::Products(2)), "32 samples of 784-128-10");
    assert_eq!(digits(80, true), Some(Plan::Products(4)), "few multiply-adds for each parameter");
    assert_eq!(digits(80, false), Some(Plan::Samples(4)), "pieces, with products of their own");
    assert_eq!(digits(2000, true), Some(Plan::Samples(4)), "few parameters beside the work");
    assert_eq!(plan(2, 128, true, 668_672, 669_706), Some(Plan::Products(2)), "128 samples of 784-512-512-10");
    assert_eq!(plan(9, 10_000, false, 720, 720), Some(Plan::Samples(4)), "as many as are worth it");
    assert_eq!(plan(64, 128, true, 668_672, 669_706), Some(Plan::Products(8)), "as many as share a product");
    // A single sample.
    assert_eq!(plan(4, 1, true, 1 << 24, 1 << 24), Some(Plan::Products(4)));
    assert_eq!((plan(4, 1, false, usize::MAX, 6), plan(4, 3, false, usize::MAX, 6)), (None, Some(Plan::Samples(3))));
    assert_eq!((plan(4, 1000, true, 6, 6), plan(1, 1000, true, WORTH, 6)), (None, None));
}
