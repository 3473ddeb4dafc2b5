//! Walks all rows of the table.

use super::*;

/// Some places on both sides of zero, none of them at a kink of a function.
const POINTS: [f64; 12] = [-4.1, -3.05, -2.3, -1.37, -0.71, -0.213, 0.117, 0.389, 0.83, 1.49, 2.71, 3.93];

/// Every combination of points for that many arguments, but at most a few hundred.
fn points(arguments: usize) -> Vec<Vec<f64>> {
    let all = (0..POINTS.len().pow(arguments as u32)).map(|mut code| {
        let mut next = |shift: f64| {
            let point = POINTS[code % POINTS.len()];
            code /= POINTS.len();
            // Arguments differ, so that comparisons are decided.
            point + shift
        };
        (0..arguments).map(|index| next(0.0137 * index as f64)).collect()
    });
    let step = POINTS.len().pow(arguments as u32) / 300 + 1;
    all.step_by(step).collect()
}

fn close(left: f64, right: f64, tolerance: f64) -> bool {
    (left - right).abs() <= tolerance * (1.0 + left.abs().max(right.abs()))
}

/// The central difference, where the function is smooth and defined around the point.
fn difference(formula: &Formula, at: &[f64], argument: usize) -> Option<f64> {
    let moved = |step: f64| {
        let mut at = at.to_vec();
        at[argument] += step;
        formula.evaluate(&at)
    };
    let step = 1e-5;
    let [left, middle, right] = [-step, 0.0, step].map(moved);
    let smooth = close((right - middle) / step, (middle - left) / step, 2e-3) && middle.abs() < 1e4;
    (left.is_finite() && right.is_finite() && smooth).then(|| (right - left) / (2.0 * step))
}

/// The row's formula of its arguments and of those options that are numbers, which are arguments, too.
fn full(row: &'static Elementwise) -> (Formula, usize) {
    let numbers = row.options.iter().take_while(|option| !option.flag).count();
    let count = row.arguments + numbers;
    let arguments: Vec<Formula> = (0..count).map(Formula::argument).collect();
    if row.name == "powi" {
        return (row.build(&[Formula::argument(0), number(3.0)]), 1);
    }
    (row.build(&arguments), count)
}

#[test]
fn derivatives_agree_with_differences() {
    for row in table() {
        let (formula, count) = full(row);
        for argument in 0..count {
            let output = count;
            let derivative = formula.derivative(argument, output);
            let mut checked = 0;
            for at in points(count) {
                let Some(expected) = difference(&formula, &at, argument) else {
                    continue;
                };
                let mut arguments = at.clone();
                arguments.push(formula.evaluate(&at));
                let found = derivative.evaluate(&arguments);
                assert!(
                    close(found, expected, 1e-7),
                    "{}{at:?}: {found} by {derivative}, {expected} expected",
                    row.name
                );
                checked += 1;
            }
            assert!(checked >= 5, "{} of argument {argument}: only {checked} places", row.name);
        }
    }
}

#[test]
fn derivatives_may_be_given_by_the_output() {
    for row in table() {
        let Definition::Primitive(primitive) = &row.definition else {
            continue;
        };
        let arguments: Vec<Formula> = (0..row.arguments).map(Formula::argument).collect();
        let value = Formula::call(primitive, arguments.clone());
        let by_output = (primitive.derivative)(&arguments, &Formula::argument(row.arguments));
        let by_arguments = (primitive.derivative)(&arguments, &value);
        assert_eq!(by_output.len(), row.arguments, "{}", row.name);
        for at in points(row.arguments) {
            let mut with_output = at.clone();
            with_output.push(value.evaluate(&at));
            for (one, other) in by_output.iter().zip(&by_arguments) {
                let [one, other] = [one.evaluate(&with_output), other.evaluate(&with_output)];
                assert!(one == other || one.is_nan() || close(one, other, 1e-12), "{}{at:?}: {one}, {other}", row.name);
            }
        }
    }
}

#[test]
fn rows_are_told_apart_and_documented() {
    let names: Vec<_> = table().map(|row| row.name).collect();
    for (index, row) in table().enumerate() {
        assert!(!names[..index].contains(&row.name), "{} twice", row.name);
        assert!(!row.mathematics.is_empty());
        if let Definition::Primitive(primitive) = &row.definition {
            assert_eq!(primitive.name, row.name);
        }
    }
    assert!(find("relu").is_some() && find("rleu").is_none());
}

#[test]
fn simplified_functions_keep_their_value() {
    // Arguments of special forms, for which rules exist.
    let x = Formula::argument(0);
    let special = |name: &str| Formula::apply(name, std::slice::from_ref(&x));
    let forms = [
        -x.clone(),
        number(-2.5) * x.clone(),
        x.clone().powi(2),
        x.clone() + number(1.0),
        x.clone() - number(1.0),
        number(1.0) - special("sigmoid"),
        special("exp"),
        special("ln"),
        special("abs"),
        special("sigmoid"),
        special("sqrt"),
    ];
    for row in table().filter(|row| row.arguments == 1 && row.options.is_empty()) {
        for form in &forms {
            let simplified = row.build(std::slice::from_ref(form));
            for at in POINTS {
                let inner = form.evaluate(&[at]);
                let expected = row.build(&[number(inner)]).as_constant().expect("numbers are folded");
                let found = simplified.evaluate(&[at]);
                let undefined = expected.is_nan() || inner.is_nan() || expected.is_infinite();
                assert!(undefined || close(found, expected, 1e-12), "{} of {form} at {at}: {simplified}", row.name);
            }
        }
    }
}

#[track_caller]
fn slope_at(name: &str, at: f64, expected: f64) {
    let formula = find(name).expect("a row").build(&[Formula::argument(0)]);
    let found = formula.derivative(0, 1).evaluate(&[at, formula.evaluate(&[at])]);
    assert_eq!(found, expected, "{name} at {at}");
}

#[test]
fn kinks_have_the_derivatives_of_pytorch() {
    for name in ["relu", "abs", "relu6", "sign"] {
        slope_at(name, 0.0, 0.0);
    }
    slope_at("relu6", 6.0, 0.0);
    slope_at("hard_tanh", 1.0, 0.0);
    slope_at("hard_tanh", -1.0, 0.0);
    slope_at("leaky_relu", 0.0, 0.01);
    slope_at("elu", 0.0, 1.0);
    slope_at("hardshrink", 0.5, 0.0);
    slope_at("softshrink", 0.5, 0.0);
}

#[test]
fn ties_give_the_derivative_to_the_first_argument() {
    for name in ["max", "min"] {
        let formula = Formula::apply(name, &[Formula::argument(0), Formula::argument(1)]);
        let slopes = [0, 1].map(|argument| formula.derivative(argument, 2).evaluate(&[3.0, 3.0, 3.0]));
        assert_eq!(slopes, [1.0, 0.0], "{name}");
    }
    let clamp = Formula::apply("clamp", &[Formula::argument(0), number(-1.0), number(1.0)]);
    let slope = clamp.derivative(0, 1);
    assert_eq!(
        [-2.0, -1.0, 0.0, 1.0, 2.0].map(|x: f64| slope.evaluate(&[x, x.clamp(-1.0, 1.0)])),
        [0.0, 1.0, 1.0, 1.0, 0.0]
    );
}

/// Values of PyTorch's definitions, computed apart from this crate, at 0.7 and -1.3.
#[test]
fn activations_have_known_values() {
    let cases = [
        ("gelu", 0.530_625_443_443_848_9, -0.125_840_629_961_293_47),
        ("gelu_tanh", 0.530_570_134_705_116_7, -0.126_070_987_682_690_6),
        ("silu", 0.467_731_440_517_716_26, -0.278_414_522_044_673_8),
        ("mish", 0.561_148_377_643_851_8, -0.307_382_464_749_495_9),
        ("selu", 0.735_490_691_148_836_3, -1.278_961_375_154_325_6),
        ("elu", 0.7, -0.727_468_206_965_987_5),
        ("softplus", 1.103_186_048_885_458, 0.241_008_453_832_992_2),
        ("log_sigmoid", -0.403_186_048_885_457_9, -1.541_008_453_832_992_2),
        ("softsign", 0.411_764_705_882_352_9, -0.565_217_391_304_347_9),
        ("hard_swish", 0.431_666_666_666_666_64, -0.368_333_333_333_333_35),
        ("hard_sigmoid", 0.616_666_666_666_666_7, 0.283_333_333_333_333_3),
        ("leaky_relu", 0.7, -0.013_000_000_000_000_001),
        ("tanhshrink", 0.095_632_222_882_836_35, -0.438_276_840_686_693_7),
        ("softshrink", 0.199_999_999_999_999_96, -0.8),
        ("hardshrink", 0.7, -1.3),
    ];
    for (name, positive, negative) in cases {
        let formula = find(name).expect("a row").build(&[Formula::argument(0)]);
        for (at, expected) in [(0.7, positive), (-1.3, negative)] {
            let found = formula.evaluate(&[at]);
            assert!((found - expected).abs() < 1e-14, "{name} at {at}: {found}");
        }
    }
}
