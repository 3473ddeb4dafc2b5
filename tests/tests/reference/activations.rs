//! Every elementwise function of one argument.

use std::array::from_fn;

use backprop::Instructions;
use backprop::prelude::*;

use super::{agrees, documented};

/// PyTorch's values and derivatives, written by `tests/data/activations.py`.
const REFERENCE: &str = include_str!("../../data/activations.csv");

/// Points for each function.
const POINTS: usize = 16;
type PerPoint = [f64; POINTS];

/// A network whose outputs are those functions of its input, one behind the other; their calls; and their values and
/// derivatives at the points of each. Sample `n` holds the points of call `n`, of which only the derivative is asked for.
macro_rules! functions {
    (
        $network:ident, $count:literal, $calls:ident, $results:ident:
        $($function:ident($($argument:tt)*)),* $(,)?
    ) => {
        network! {
            struct $network;

            fn forward(x: [16]) -> [$count, 16] { concat(($(x.$function($($argument)*)),*)).reshape([$count, 16]) }
        }

        const $calls: [&str; $count] = [$(stringify!($function($($argument)*))),*];

        fn $results(unit: Instructions, points: &[PerPoint]) -> Vec<[PerPoint; 2]> {
            let network = $network::<f64>::boxed(Seed(0));
            let mut gradient = network.zeros_like();
            let mut workspace = Workspace::<$network<f64>, $count>::boxed();
            workspace.with_instructions(unit);
            let values = network.forward(points, &mut workspace).unwrap().to_vec();
            let one_hot: [[PerPoint; $count]; $count] =
                from_fn(|sample| from_fn(|call| [f64::from(u8::from(call == sample)); POINTS]));
            let derivatives = network.backward(points, &one_hot, &mut workspace, &mut gradient).unwrap();
            (0..$count).map(|call| [values[call][call], derivatives[call]]).collect()
        }
    };
}

functions! {
    OfNumbers, 49, OF_NUMBERS, of_numbers:
    relu(), relu6(), tanh(), sigmoid(), leaky_relu(), leaky_relu(slope = 0.2), elu(), elu(alpha = 1.7), selu(), celu(),
    celu(alpha = 0.6), gelu(), gelu(approximate = true), gelu_tanh(), silu(), swish(), mish(), softplus(),
    softplus(beta = 2.5), softsign(), log_sigmoid(), hard_sigmoid(), hard_swish(), hard_silu(), hard_tanh(),
    hard_tanh(low = -0.5, high = 2.0), tanhshrink(), softshrink(), softshrink(threshold = 1.0), hardshrink(),
    hardshrink(threshold = 1.0), threshold(), threshold(threshold = 1.0, value = -0.4), squareplus(),
    squareplus(b = 1.5), abs(), sign(), exp(), exp_m1(), sin(), cos(), log1pexp(), erf(), neg(), square(), powi(3),
    clamp(-0.5, 2.0), max(0.5), min(0.5),
}

functions! {
    OfPositive, 7, OF_POSITIVE, of_positive:
    sqrt(), rsqrt(), recip(), powi(-2), ln(), ln_1p(), powf(1.7),
}

/// Points, values and derivatives of a call.
fn reference(call: &str) -> [PerPoint; 3] {
    let squeezed = |text: &str| text.replace(char::is_whitespace, "");
    let lines = REFERENCE.lines().map(|line| line.splitn(4, ',').collect::<Vec<_>>());
    let lines: Vec<_> = lines.filter(|line| squeezed(line[3]) == squeezed(call)).collect();
    assert_eq!(lines.len(), POINTS, "{call}");
    from_fn(|column| from_fn(|line| lines[line][column].parse().unwrap()))
}

fn assert_agreement(calls: &[&str], results: fn(Instructions, &[PerPoint]) -> Vec<[PerPoint; 2]>) {
    let references: Vec<_> = calls.iter().map(|call| reference(call)).collect();
    let points: Vec<_> = references.iter().map(|[points, ..]| *points).collect();
    for unit in Instructions::available() {
        let found = results(unit, &points);
        for ((call, [points, expected @ ..]), found) in calls.iter().zip(&references).zip(&found) {
            for (what, found, expected) in [("value", found[0], expected[0]), ("derivative", found[1], expected[1])] {
                for ((point, found), expected) in points.iter().zip(found).zip(expected) {
                    assert!(agrees(found, expected), "{unit}, {what} of {call} at {point}: {found}, not {expected}");
                }
            }
        }
    }
}

#[test]
fn functions_of_numbers() {
    assert_agreement(&OF_NUMBERS, of_numbers);
}

#[test]
fn functions_of_positive_numbers() {
    assert_agreement(&OF_POSITIVE, of_positive);
}

/// A function that is added to the language needs a line here. Of several arguments, and without a derivative, are these.
#[test]
fn every_function_is_held_against_the_reference() {
    const OTHERS: [&str; 14] =
        ["lt", "le", "gt", "ge", "eq", "ne", "or", "and", "not", "select", "add", "sub", "mul", "div"];
    let known: Vec<&str> =
        OF_NUMBERS.iter().chain(&OF_POSITIVE).map(|call| call.split('(').next().unwrap().trim()).collect();
    for name in documented("Elementwise functions") {
        assert!(known.contains(&name) || OTHERS.contains(&name), "`{name}` is missing");
    }
}
