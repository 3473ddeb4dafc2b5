//! Rows of the functions that the runtime has.

use std::f64::consts::PI;

use super::{Definition, Elementwise, Primitive, call, number, rules};
use crate::formula::Formula;

type Value = fn(&[f64]) -> f64;
type Derivative = fn(&[Formula], &Formula) -> Vec<Formula>;
type Simplify = fn(&[Formula]) -> Option<Formula>;

const fn row(name: &'static str, arguments: usize, mathematics: &'static str, primitive: Primitive) -> Elementwise {
    Elementwise { name, arguments, options: &[], mathematics, definition: Definition::Primitive(primitive) }
}

const fn smooth(
    name: &'static str,
    mathematics: &'static str,
    cost: usize,
    value: Value,
    derivative: Derivative,
    simplify: Simplify,
) -> Elementwise {
    row(name, 1, mathematics, Primitive { name, method: name, cost, condition: false, value, derivative, simplify })
}

const fn comparison(name: &'static str, mathematics: &'static str, value: Value, simplify: Simplify) -> Elementwise {
    let derivative: Derivative = |x, _| x.iter().map(|_| number(0.0)).collect();
    row(name, 2, mathematics, Primitive { name, method: name, cost: 1, condition: true, value, derivative, simplify })
}

const fn choice(name: &'static str, mathematics: &'static str, value: Value, derivative: Derivative) -> Elementwise {
    let simplify: Simplify = |x| (x[0] == x[1]).then(|| x[0].clone());
    row(name, 2, mathematics, Primitive { name, method: name, cost: 1, condition: false, value, derivative, simplify })
}

/// What the first argument of `max` and `min` is compared with, to see whether the second one was taken: the result, if
/// the first argument is not computed anew (and perhaps rounded otherwise) for the derivative.
fn winner(x: &[Formula], y: &Formula) -> Formula {
    let exact = x[0].as_constant().is_some() || x[0].as_argument().is_some();
    if exact { y.clone() } else { x[1].clone() }
}

fn truth(value: bool) -> f64 {
    f64::from(u8::from(value))
}

pub(super) static ROWS: &[Elementwise] = &[
    smooth("abs", "|x|", 1, |x| x[0].abs(), |x, _| vec![call("sign", [x[0].clone()])], rules::abs),
    smooth(
        "sign",
        "1, 0 or -1 where x > 0, x = 0 or x < 0",
        2,
        |x| truth(x[0] > 0.0) - truth(x[0] < 0.0),
        |_, _| vec![number(0.0)],
        rules::sign,
    ),
    smooth("sqrt", "sqrt(x)", 4, |x| x[0].sqrt(), |_, y| vec![number(0.5) / y.clone()], rules::sqrt),
    smooth("exp", "e^x", 14, |x| x[0].exp(), |_, y| vec![y.clone()], rules::exp),
    smooth("exp_m1", "e^x - 1", 16, |x| x[0].exp_m1(), |_, y| vec![y.clone() + number(1.0)], |_| None),
    smooth("ln", "ln x", 14, |x| x[0].ln(), |x, _| vec![number(1.0) / x[0].clone()], rules::ln),
    smooth(
        "ln_1p",
        "ln(1 + x)",
        18,
        |x| x[0].ln_1p(),
        |x, _| vec![number(1.0) / (number(1.0) + x[0].clone())],
        rules::ln_1p,
    ),
    smooth("sin", "sin x", 16, |x| x[0].sin(), |x, _| vec![call("cos", [x[0].clone()])], |x| rules::odd("sin", x)),
    smooth("cos", "cos x", 16, |x| x[0].cos(), |x, _| vec![-call("sin", [x[0].clone()])], |x| rules::even("cos", x)),
    smooth(
        "tanh",
        "tanh x",
        16,
        |x| x[0].tanh(),
        |_, y| vec![number(1.0) - y.clone().powi(2)],
        |x| rules::odd("tanh", x),
    ),
    smooth(
        "sigmoid",
        "1 / (1 + e^-x)",
        16,
        |x| sigmoid(x[0]),
        |_, y| vec![y.clone() * (number(1.0) - y.clone())],
        |_| None,
    ),
    row(
        "log1pexp",
        1,
        "ln(1 + e^x)",
        Primitive {
            name: "log1pexp",
            method: "softplus",
            cost: 24,
            condition: false,
            value: |x| softplus(x[0]),
            derivative: |x, _| vec![call("sigmoid", [x[0].clone()])],
            simplify: |_| None,
        },
    ),
    smooth(
        "erf",
        "2/sqrt(pi) times the integral of e^(-t^2) for t from 0 to x",
        24,
        |x| erf(x[0]),
        |x, _| vec![number(2.0 / PI.sqrt()) * call("exp", [-x[0].clone().powi(2)])],
        |x| rules::odd("erf", x),
    ),
    row(
        "powf",
        2,
        "x^exponent",
        Primitive {
            name: "powf",
            method: "powf",
            cost: 30,
            condition: false,
            value: |x| x[0].powf(x[1]),
            // At the base 0 the derivative by the exponent is 0, as in PyTorch.
            derivative: |x, y| {
                let [base, exponent] = [x[0].clone(), x[1].clone()];
                let by_base = exponent.clone() * call("powf", [base.clone(), exponent - number(1.0)]);
                let by_exponent = call("gt", [base.clone(), number(0.0)]) * y.clone() * call("ln", [base]);
                vec![by_base, by_exponent]
            },
            simplify: rules::powf,
        },
    ),
    choice(
        "max",
        "the larger of x and y",
        |x| if x[1] > x[0] { x[1] } else { x[0] },
        |x, y| vec![call("ge", [x[0].clone(), x[1].clone()]), call("lt", [x[0].clone(), winner(x, y)])],
    ),
    choice(
        "min",
        "the smaller of x and y",
        |x| if x[1] < x[0] { x[1] } else { x[0] },
        |x, y| vec![call("le", [x[0].clone(), x[1].clone()]), call("gt", [x[0].clone(), winner(x, y)])],
    ),
    comparison("lt", "1 where x < y, else 0", |x| truth(x[0] < x[1]), |x| rules::comparison("lt", x)),
    comparison("le", "1 where x <= y, else 0", |x| truth(x[0] <= x[1]), |x| rules::comparison("le", x)),
    comparison("gt", "1 where x > y, else 0", |x| truth(x[0] > x[1]), |x| rules::comparison("gt", x)),
    comparison("ge", "1 where x >= y, else 0", |x| truth(x[0] >= x[1]), |x| rules::comparison("ge", x)),
    comparison("eq", "1 where x = y, else 0", |x| truth(x[0] == x[1]), |x| rules::comparison("eq", x)),
    comparison("ne", "1 where x != y, else 0", |x| truth(x[0] != x[1]), |x| rules::comparison("ne", x)),
    comparison("or", "1 where x or y is not 0, else 0", |x| truth(x[0] != 0.0 || x[1] != 0.0), rules::or),
    row(
        "select",
        3,
        "a where the condition is not 0, else b",
        Primitive {
            name: "select",
            method: "select",
            cost: 1,
            condition: false,
            value: |x| if x[0] == 0.0 { x[2] } else { x[1] },
            derivative: |x, _| vec![number(0.0), x[0].clone(), rules::not(&x[0])],
            simplify: rules::select,
        },
    ),
];

fn sigmoid(x: f64) -> f64 {
    let small = (-x.abs()).exp();
    if x >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) }
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// By the series `2/sqrt(pi) e^(-x^2) Σ 2^n x^(2n+1) / (2n+1)!!` (Abramowitz & Stegun 7.1.6), all of whose terms have one
/// sign. From 6 on, `erf` is 1 in double precision.
fn erf(x: f64) -> f64 {
    if x.abs() >= 6.0 {
        return x.signum();
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= 2.0 * x * x / f64::from(2 * n + 1);
        sum += term;
    }
    2.0 / PI.sqrt() * (-x * x).exp() * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erf_has_its_digits() {
        for (x, value) in
            [(0.1, 0.112_462_916_018_284_9), (1.0, 0.842_700_792_949_714_9), (3.0, 0.999_977_909_503_001_4)]
        {
            assert!((erf(x) - value).abs() < 1e-15, "{x}");
            assert_eq!(erf(-x), -erf(x));
        }
        assert_eq!(erf(0.0), 0.0);
        assert!((erf(5.9) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn saturated_functions_stay_finite() {
        assert_eq!((sigmoid(800.0), sigmoid(-800.0)), (1.0, 0.0));
        assert_eq!((softplus(800.0), softplus(-800.0)), (800.0, 0.0));
    }
}
