use std::vec::Vec;

use super::*;
use crate::line::Line;
use crate::network::Network;
use crate::schedules::{Constant, Cosine, Schedule, StepDecay, Warmup};
use crate::tensor::Role::Bias;

/// PyTorch's course, written by `tests/data/optimizers.py`.
const REFERENCE: &str = include_str!("../../../tests/data/optimizers.csv");

const START: Line = Line { weight: [0.5, -0.4], gain: 1.0, bias: [0.3] };

/// Follows PyTorch's gradients and compares the parameters after each of the ten steps.
fn assert_agrees<O: Optimizer<Line>>(case: &str, optimizer: O, schedule: impl Schedule, clip: Option<f64>) {
    for unit in Instructions::available() {
        let mut network = START;
        let mut updater = optimizer.clone().boxed_for(&network);
        updater.instructions = unit;
        let rows: Vec<&str> = REFERENCE.lines().filter(|line| line.split(',').next() == Some(case)).collect();
        assert_eq!(rows.len(), 10, "{case}");
        for (step, row) in rows.iter().enumerate() {
            let numbers: Vec<f64> = row.split(',').skip(2).map(|number| number.parse().unwrap()).collect();
            let mut gradient = Line { weight: [numbers[0], numbers[1]], gain: 0.0, bias: [numbers[2]] };
            if let Some(maximum) = clip {
                gradient.clip_norm(maximum);
            }
            let found = [gradient.weight[0], gradient.weight[1], gradient.bias[0]];
            updater.step(&mut network, &gradient, schedule.rate(step)).unwrap();
            let found = [found, [network.weight[0], network.weight[1], network.bias[0]]].concat();
            for (found, expected) in found.iter().zip(&numbers[3..]) {
                assert!((found - expected).abs() < 1e-14, "{case}, {unit}, step {step}: {found} against {expected}");
            }
            assert_eq!(network.gain, 1.0, "frozen");
        }
    }
}

#[test]
fn gradient_descent_agrees_with_pytorch() {
    assert_agrees("sgd", Sgd::new(0.1), Constant, None);
    assert_agrees("sgd_decay", Sgd::new(0.1).weight_decay(0.2), Constant, None);
    assert_agrees("sgd_steps", Sgd::new(0.1), StepDecay::new(4, 0.5), None);
}

#[test]
fn momentum_agrees_with_pytorch() {
    let nesterov = Momentum::new(0.05, 0.8).nesterov(true).weight_decay(0.1);
    assert_agrees("momentum", Momentum::new(0.05, 0.9), Constant, None);
    assert_agrees("nesterov", nesterov, Constant, None);
    assert_agrees("dampening", Momentum::new(0.05, 0.9).dampening(0.3).weight_decay(0.1), Constant, None);
    assert_agrees("momentum_clip", Momentum::new(0.05, 0.9), Constant, Some(0.7));
}

#[test]
fn adam_agrees_with_pytorch() {
    let settings = Adam::new(0.02).betas(0.7, 0.95).epsilon(1e-3).weight_decay(0.3);
    assert_agrees("adam", Adam::new(0.05), Constant, None);
    assert_agrees("adam_settings", settings, Constant, None);
    assert_agrees("adam_cosine", Adam::new(0.05), Cosine::over(10), None);
}

#[test]
fn adamw_agrees_with_pytorch() {
    assert_agrees("adamw", AdamW::new(0.05), Constant, None);
    assert_agrees("adamw_exclude", AdamW::new(0.05).weight_decay(0.5).exclude(Bias), Constant, None);
    // PyTorch's factors are 1/4, 2/4, 3/4, 1, 1, …
    assert_agrees("adamw_warmup", AdamW::new(0.05), Warmup::over(4), None);
}

#[test]
fn bounds_are_kept() {
    let mut network = START;
    let mut updater = Sgd::new(1.0).boxed_for(&network);
    updater.step(&mut network, &Line { weight: [9.0, -9.0], gain: 1.0, bias: [9.0] }, 1.0).unwrap();
    assert_eq!(network, Line { weight: [-2.0, 2.0], gain: 1.0, bias: [-8.7] });
}

#[test]
fn what_is_not_finite_changes_nothing() {
    fn assert_refused<O: Optimizer<Line> + PartialEq + fmt::Debug>(optimizer: O, state: fn(&O::State) -> &[f64]) {
        for unit in Instructions::available() {
            let (mut network, gradient) = (START, Line { weight: [1.0, 1e200], gain: 0.0, bias: [-1.0] });
            let mut updater = optimizer.clone().boxed_for(&network);
            updater.instructions = unit;
            // Large, but finite.
            updater.step(&mut network, &gradient, 1.0).unwrap();
            let (before, remembered) = (network, state(&updater.state).to_vec());
            for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                let refused = updater.step(&mut network, &gradient, wrong);
                assert!(matches!(refused, Err(Error::Setting(_))), "{refused:?}");
                let refused = updater.step(&mut network, &Line { bias: [wrong], ..gradient }, 1.0);
                assert_eq!(refused, Err(Error::NonFiniteGradient));
            }
            assert_eq!((network, updater.steps()), (before, 1));
            assert_eq!(state(&updater.state), remembered);
        }
    }

    assert_refused(Sgd::new(0.1), |_| &[]);
    assert_refused(Momentum::new(0.1, 0.9), |velocity| velocity.as_flat());
    assert_refused(Adam::new(0.1), |moments| moments.as_flat());
    assert_refused(AdamW::new(0.1), |moments| moments.as_flat());
}

#[test]
fn a_course_may_be_taken_up_at_any_step() {
    let gradient = Line { weight: [0.5, -0.3], gain: 0.0, bias: [0.1] };
    let (mut whole, mut parts) = (START, START);
    let mut updater = Adam::new(0.01).boxed_for(&whole);
    let mut taken_up = Adam::new(0.01).boxed_for(&parts);
    for step in 0..2_000 {
        updater.step(&mut whole, &gradient, 1.0).unwrap();
        if step % 100 == 0 {
            // Forgets what was kept from the step before.
            taken_up.optimizer = Adam::new(0.01);
        }
        taken_up.step(&mut parts, &gradient, 1.0).unwrap();
    }
    for (whole, part) in whole.as_flat().iter().zip(parts.as_flat()) {
        assert!((whole - part).abs() < 1e-13);
    }
}

#[test]
fn what_fades_does_not_stay_denormal() {
    let (mut network, still) = (START, Line { weight: [0.0; 2], gain: 0.0, bias: [0.0] });
    let mut adam = Adam::new(0.01).betas(0.9, 0.9).boxed_for(&network);
    let mut momentum = Momentum::new(0.01, 0.9).boxed_for(&network);
    for step in 0..8_000 {
        let gradient = if step == 0 { &START } else { &still };
        adam.step(&mut network, gradient, 1.0).unwrap();
        momentum.step(&mut network, gradient, 1.0).unwrap();
    }
    assert_eq!(adam.state.as_flat(), [0.0; 8]);
    assert_eq!(momentum.state.as_flat(), [0.0; 4]);
}

/// Steps with gradients that shrink to nothing, or stay tiny, and whether a number of the state was denormal after any.
fn assert_dies_away<O: Optimizer<Line<f32>>>(name: &str, optimizer: O, state: fn(&O::State) -> &[f32]) {
    for unit in Instructions::available() {
        let mut network = Line { weight: [0.5_f32, -0.4], gain: 1.0, bias: [0.3] };
        let mut updater = optimizer.clone().boxed_for(&network);
        updater.instructions = unit;
        for step in 0..120_000 {
            let factor = 0.5_f32.powi(step / 100);
            let gradient = Line { weight: [factor, -factor], gain: 0.0, bias: [1e-20 * factor] };
            updater.step(&mut network, &gradient, 1.0).unwrap();
            let denormal = state(&updater.state).iter().find(|number| number.is_subnormal());
            assert!(denormal.is_none(), "{name}, {unit}, step {step}: {denormal:?}");
        }
        assert!(
            state(&updater.state).iter().all(|&number| number == 0.0),
            "{name}, {unit}: {:?}",
            state(&updater.state)
        );
    }
}

#[test]
fn means_of_vanishing_gradients_become_zero() {
    assert_dies_away("momentum", Momentum::new(0.1, 0.9), |velocity| velocity.as_flat());
    assert_dies_away("adam", Adam::new(0.1), |moments| moments.as_flat());
    assert_dies_away("adam_w", AdamW::new(0.1), |moments| moments.as_flat());
}
