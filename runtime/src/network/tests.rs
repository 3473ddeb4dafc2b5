use alloc::boxed::Box;
use alloc::vec::Vec;

use super::*;
use crate::line::{Line, samples};
use crate::memory::Flat;

fn network() -> Box<Line> {
    Line::boxed(Seed(3))
}

#[test]
fn start_values_come_from_the_seed() {
    assert_eq!(network(), network());
    assert_ne!(network(), Line::boxed(Seed(4)));
    let Line { weight, gain, bias } = *network();
    assert!(weight.iter().all(|weight| (-1.0..1.0).contains(weight)));
    assert_eq!((gain, bias), (1.5, [0.0]));
}

#[test]
fn single_and_double_precision_start_alike() {
    let (single, double) = (Line::<f32>::boxed(Seed(9)), Line::<f64>::boxed(Seed(9)));
    assert_eq!(single.weight, double.weight.map(|weight| weight as f32));
}

#[test]
fn pieces_of_a_batch_give_the_same_loss_and_gradient() {
    let (inputs, targets, mut weights) = samples(13);
    for (index, weight) in weights.iter_mut().enumerate() {
        *weight = (index % 3) as f64;
    }
    let network = network();
    let mut whole = network.zeros_like();
    let mut pieces = network.zeros_like();
    let batch = (&targets[..], &weights[..]);
    let mut workspace = Workspace::<Line, 16>::boxed();
    let loss = network.loss_and_gradient(&inputs, batch, &mut workspace, &mut whole).unwrap();
    assert!((network.loss(&inputs, batch, &mut workspace).unwrap() - loss).abs() < 1e-15);
    let mut small = Workspace::<Line, 4>::boxed();
    let same = network.loss_and_gradient(&inputs, batch, &mut small, &mut pieces).unwrap();
    assert!((loss - same).abs() < 1e-15);
    for (whole, piece) in whole.as_flat().iter().zip(pieces.as_flat()) {
        assert!((whole - piece).abs() < 1e-15);
    }
    assert!((network.loss(&inputs, batch, &mut small).unwrap() - loss).abs() < 1e-15);
}

#[test]
fn every_vector_unit_gives_the_same() {
    let (inputs, targets, weights) = samples(9);
    let network = network();
    let mut workspace = Workspace::<Line, 16>::boxed();
    for unit in Instructions::available() {
        workspace.with_instructions(unit);
        let mut gradient = network.zeros_like();
        network.loss_and_gradient(&inputs, (&targets, &weights), &mut workspace, &mut gradient).unwrap();
        let norm = gradient.as_flat().iter().map(|value| value * value).sum::<f64>().sqrt();
        assert!((gradient.norm() - norm).abs() < 1e-14);
        assert!((gradient.clip_norm(norm / 2.0) - norm).abs() < 1e-14);
        assert!((gradient.norm() - norm / 2.0).abs() < 1e-6);
        let before = gradient.clone();
        gradient.clip_norm(norm);
        assert_eq!(before, gradient);
    }
}

#[test]
fn predictions_one_by_one_and_together() {
    let (inputs, ..) = samples(5);
    let network = network();
    let mut workspace = Workspace::<Line, 5>::boxed();
    let single: Vec<[f64; 1]> = inputs.iter().map(|input| network.predict(input, &mut workspace)).collect();
    assert_eq!(network.predict_batch(&inputs, &mut workspace).unwrap(), single);
    assert_eq!(
        network.predict_batch(&samples(6).0, &mut workspace).unwrap_err(),
        Error::BatchTooLarge { capacity: 5, found: 6 }
    );
}

#[test]
fn bad_data_is_refused() {
    let (inputs, targets, weights) = samples(4);
    let network = network();
    let mut gradient = network.zeros_like();
    let mut workspace = Workspace::<Line, 4>::boxed();
    let mut run = |inputs: &[[f64; 2]], targets: &[[f64; 1]], weights: &[f64]| {
        let training = network.loss_and_gradient(inputs, (targets, weights), &mut workspace, &mut gradient);
        let inference = network.loss(inputs, (targets, weights), &mut workspace);
        assert_eq!(training.err(), inference.err());
        training.map(|_| ())
    };
    assert_eq!(run(&inputs, &targets, &weights), Ok(()));
    assert_eq!(run(&[], &[], &[]), Err(Error::EmptyBatch));
    assert_eq!(run(&inputs[..3], &targets, &weights), Err(Error::UnequalLengths { expected: 3, found: 4 }));
    assert_eq!(run(&inputs, &targets, &weights[..2]), Err(Error::UnequalLengths { expected: 4, found: 2 }));
    assert_eq!(run(&[[0.0, f64::NAN]; 4], &targets, &weights), Err(Error::NonFiniteInput));
    assert_eq!(run(&inputs, &[[f64::INFINITY]; 4], &weights), Err(Error::NonFiniteTarget));
    assert_eq!(run(&inputs, &targets, &[0.0; 4]), Err(Error::NoWeight));
    assert_eq!(run(&inputs, &[[1e200]; 4], &weights), Err(Error::NonFiniteLoss));
}

#[test]
fn backward_follows_forward() {
    let (inputs, targets, _) = samples(4);
    let network = network();
    let mut gradient = network.zeros_like();
    let mut workspace = Workspace::<Line, 4>::boxed();
    let early = network.backward(&inputs, &targets, &mut workspace, &mut gradient);
    assert_eq!(early.unwrap_err(), Error::NoForward);

    let outputs = network.forward(&inputs, &mut workspace).unwrap().to_vec();
    let errors: Vec<[f64; 1]> = outputs.iter().zip(&targets).map(|(y, t)| [0.5 * (y[0] - t[0])]).collect();
    let input_gradients = network.backward(&inputs, &errors, &mut workspace, &mut gradient).unwrap();
    assert_eq!(input_gradients[2], network.weight.map(|weight| 1.5 * weight * errors[2][0]));

    let mut expected = network.zeros_like();
    network.loss_and_gradient(&inputs, (&targets, &[1.0; 4]), &mut workspace, &mut expected).unwrap();
    for (expected, found) in expected.as_flat().iter().zip(gradient.as_flat()) {
        assert!((expected - found).abs() < 1e-15);
    }

    network.forward(&inputs, &mut workspace).unwrap();
    network.predict(&inputs[0], &mut workspace);
    let stale = network.backward(&inputs, &errors, &mut workspace, &mut gradient);
    assert_eq!(stale.unwrap_err(), Error::NoForward, "the prediction overwrote what forward kept");

    network.forward(&inputs, &mut workspace).unwrap();
    workspace.reseed(Seed(2));
    let other = network.backward(&inputs, &errors, &mut workspace, &mut gradient);
    assert_eq!(other.unwrap_err(), Error::NoForward, "dropout would have another pattern than in forward");
}

#[test]
fn gradients_are_right() {
    crate::check::gradients::<Line>(Seed(1)).assert_below(1e-9);
}

#[test]
fn a_report_above_its_tolerance_fails() {
    use crate::check::Check;
    let report = Check::<Line>::new(Seed(1)).inputs(-2.0, 2.0).run().unwrap();
    assert_eq!(report.rows().len(), 5, "weight and bias of the loss and of the outputs, and the input");
    assert!(report.largest_error() < 1e-9);
    let failure = std::panic::catch_unwind(|| report.assert_below(0.0)).unwrap_err();
    assert!(failure.downcast_ref::<std::string::String>().unwrap().contains("largest error"));
}

#[test]
fn bounds_hold_from_the_start() {
    let mut network = network();
    network.weight = [5.0, -7.0];
    network.gain = 100.0;
    network.apply_bounds();
    assert_eq!((network.weight, network.gain), ([2.0, -2.0], 100.0));
}
