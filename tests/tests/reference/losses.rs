//! Every loss: its value, and its gradient for the predictions, which are parameters here.

use backprop::prelude::*;
use backprop::{Instructions, Program};

use super::documented;
use super::table::Case;

/// PyTorch's losses, written by `tests/data/losses.py`.
const REFERENCE: &str = include_str!("../../data/losses.csv");

network! {
    struct Regression { predictions: [3, 4] = zeros() }

    fn forward(sample: Class<3>) -> [4] { sample.lookup(self.predictions) }

    fn loss(y, t: [4], loss: Class<5>) {
        let chosen = loss.one_hot();
        chosen[0] * mse(y, t) + chosen[1] * mae(y, t) + chosen[2] * huber(y, t) + chosen[3] * huber(y, t, delta = 0.4)
            + chosen[4] * binary_cross_entropy_with_logits(y, t)
    }
}

network! {
    struct Probabilities { predictions: [3, 4] = zeros() }

    fn forward(sample: Class<3>) -> [4] { sample.lookup(self.predictions) }

    fn loss(y, t: [4]) { binary_cross_entropy(y, t) }
}

network! {
    struct Classes { predictions: [3, 5] = zeros() }

    fn forward(sample: Class<3>) -> [5] { sample.lookup(self.predictions) }

    fn loss(y, t: Class<5>, shares: [5], loss: Class<4>) {
        let chosen = loss.one_hot();
        chosen[0] * cross_entropy(y, t) + chosen[1] * cross_entropy(y, t, label_smoothing = 0.1)
            + chosen[2] * cross_entropy(y, shares) + chosen[3] * cross_entropy(y, shares, label_smoothing = 0.1)
    }
}

network! {
    struct Weighted { predictions: [3, 5] = zeros() }

    fn forward(sample: Class<3>) -> [5] { sample.lookup(self.predictions) }

    fn loss(y, t: Class<5>) { cross_entropy(y, t, weights = [0.5, 2.0, 1.0, 0.0, 3.0]) }
}

network! {
    struct Masked { predictions: [3, 20] = zeros() }

    fn forward(sample: Class<3>) -> [4, 5] { sample.lookup(self.predictions).reshape([4, 5]) }

    fn loss(y, t: [Class<5>; 4], length: Length<4>) { cross_entropy(y, t, length = length) }
}

network! {
    struct MaskedAndWeighted { predictions: [3, 20] = zeros() }

    fn forward(sample: Class<3>) -> [4, 5] { sample.lookup(self.predictions).reshape([4, 5]) }

    fn loss(y, t: [Class<5>; 4], length: Length<4>) {
        cross_entropy(y, t, label_smoothing = 0.2, weights = [0.5, 2.0, 1.0, 0.0, 3.0], length = length)
    }
}

fn samples() -> [Class<3>; 3] {
    [0, 1, 2].map(class)
}

fn class<const N: usize>(index: usize) -> Class<N> {
    Class::new(index).unwrap()
}

/// With room for two samples at a time, so that the batch of three is worked in pieces.
fn assert_agreement<N>(case: &Case, targets: N::Targets<'_>)
where
    N: for<'a> Program<Scalar = f64, Inputs<'a> = &'a [Class<3>]>,
{
    let mut network = N::boxed(Seed(0));
    network.as_flat_mut().copy_from_slice(&case.numbers("prediction"));
    let mut gradient = network.zeros_like();
    let mut workspace = Workspace::<N, 2>::boxed();
    for unit in Instructions::available() {
        workspace.with_instructions(unit);
        let value = network.loss_and_gradient(&samples(), targets, &mut workspace, &mut gradient).unwrap();
        case.assert_agrees(unit, "value", &[value]);
        case.assert_agrees(unit, "gradient", gradient.as_flat());
        case.assert_agrees(unit, "value", &[network.loss(&samples(), targets, &mut workspace).unwrap()]);
    }
}

#[test]
fn losses_of_numbers() {
    let names = ["mse", "mae", "huber", "huber(delta=0.4)", "binary_cross_entropy_with_logits"];
    for (index, name) in names.into_iter().enumerate() {
        let case = Case::find(REFERENCE, name);
        assert_agreement::<Regression<f64>>(&case, (&case.tensor("target"), &[class(index); 3]));
    }
}

#[test]
fn losses_of_probabilities() {
    let case = Case::find(REFERENCE, "binary_cross_entropy");
    assert_agreement::<Probabilities<f64>>(&case, &case.tensor("target"));
}

#[test]
fn losses_of_classes() {
    for (index, name) in ["cross_entropy", "cross_entropy(label_smoothing=0.1)"].into_iter().enumerate() {
        let case = Case::find(REFERENCE, name);
        assert_agreement::<Classes<f64>>(&case, (&classes(&case), &[[0.2; 5]; 3], &[class(index); 3]));
    }
    let names = ["cross_entropy of distributions", "cross_entropy(label_smoothing=0.1) of distributions"];
    for (index, name) in names.into_iter().enumerate() {
        let case = Case::find(REFERENCE, name);
        assert_agreement::<Classes<f64>>(&case, (&[class(0); 3], &case.tensor("target"), &[class(index + 2); 3]));
    }
    let case = Case::find(REFERENCE, "cross_entropy(weights)");
    assert_agreement::<Weighted<f64>>(&case, &classes(&case));
}

fn classes(case: &Case) -> Vec<Class<5>> {
    case.numbers("target").into_iter().map(|index| class(index as usize)).collect()
}

#[test]
fn losses_of_sequences() {
    let lengths = |steps: [usize; 3]| steps.map(|steps| Length::<4>::new(steps).unwrap());
    let sequences = |case| classes(case).as_chunks().0.to_vec();

    let case = Case::find(REFERENCE, "cross_entropy of sequences");
    assert_agreement::<Masked<f64>>(&case, (&sequences(&case), &lengths([4; 3])));
    let case = Case::find(REFERENCE, "cross_entropy(length)");
    assert_agreement::<Masked<f64>>(&case, (&sequences(&case), &lengths([3, 1, 4])));
    let case = Case::find(REFERENCE, "cross_entropy(label_smoothing=0.2,weights,length)");
    assert_agreement::<MaskedAndWeighted<f64>>(&case, (&sequences(&case), &lengths([3, 1, 4])));
}

#[test]
fn every_loss_is_held_against_the_reference() {
    let cases: Vec<&str> = REFERENCE.lines().map(|line| line.split([';', '(', ' ']).next().unwrap()).collect();
    for name in documented("Losses") {
        assert!(cases.contains(&name), "`{name}` is missing");
    }
}
