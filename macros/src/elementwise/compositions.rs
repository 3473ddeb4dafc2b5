//! Rows of the functions that are formulas of others. Values, derivatives at kinks and defaults are PyTorch's; where
//! Keras names a function otherwise, both names stand here.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use super::{Definition, Elementwise, FunctionOption, call, number, rules};
use crate::formula::Formula;

type Compose = fn(&[Formula]) -> Formula;

const fn arithmetic(name: &'static str, arguments: usize, mathematics: &'static str, compose: Compose) -> Elementwise {
    Elementwise { name, arguments, options: &[], mathematics, definition: Definition::Composition(compose) }
}

const fn activation(
    name: &'static str,
    options: &'static [FunctionOption],
    mathematics: &'static str,
    compose: Compose,
) -> Elementwise {
    Elementwise { name, arguments: 1, options, mathematics, definition: Definition::Composition(compose) }
}

const fn option(name: &'static str, default: f64) -> FunctionOption {
    FunctionOption { name, default, flag: false }
}

/// PyTorch's constants, from Klambauer et al., "Self-Normalizing Neural Networks" (2017).
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;

pub(super) static ROWS: &[Elementwise] = &[
    arithmetic("neg", 1, "-x", |x| -x[0].clone()),
    arithmetic("add", 2, "x + y", |x| x[0].clone() + x[1].clone()),
    arithmetic("sub", 2, "x - y", |x| x[0].clone() - x[1].clone()),
    arithmetic("mul", 2, "x * y", |x| x[0].clone() * x[1].clone()),
    arithmetic("div", 2, "x / y", |x| x[0].clone() / x[1].clone()),
    arithmetic("powi", 2, "x^exponent for a whole number", |x| call("powf", [x[0].clone(), x[1].clone()])),
    arithmetic("recip", 1, "1 / x", |x| x[0].clone().powi(-1)),
    arithmetic("square", 1, "x^2", |x| x[0].clone().powi(2)),
    arithmetic("rsqrt", 1, "1 / sqrt(x)", |x| call("sqrt", [x[0].clone()]).powi(-1)),
    arithmetic("and", 2, "1 where x and y are not 0, else 0", |x| x[0].clone().condition() * x[1].clone().condition()),
    arithmetic("not", 1, "1 where x is 0, else 0", |x| rules::not(&x[0])),
    arithmetic("clamp", 3, "x, but at least low and at most high", |x| {
        call("min", [call("max", [x[0].clone(), x[1].clone()]), x[2].clone()])
    }),
    activation("relu", &[], "max(0, x)", |x| relu(&x[0])),
    activation("relu6", &[], "min(6, max(0, x))", |x| clip(&x[0], 0.0, 6.0)),
    activation("leaky_relu", &[option("slope", 0.01)], "x where x > 0, else slope * x", |x| {
        positive(&x[0]).select(x[0].clone(), x[1].clone() * x[0].clone())
    }),
    activation("elu", &[option("alpha", 1.0)], "x where x > 0, else alpha * (e^x - 1)", |x| {
        positive(&x[0]).select(x[0].clone(), x[1].clone() * call("exp_m1", [x[0].clone()]))
    }),
    activation("selu", &[], "1.0507 * x where x > 0, else 1.0507 * 1.6733 * (e^x - 1)", |x| {
        let below = number(SELU_SCALE * SELU_ALPHA) * call("exp_m1", [x[0].clone()]);
        positive(&x[0]).select(number(SELU_SCALE) * x[0].clone(), below)
    }),
    activation("celu", &[option("alpha", 1.0)], "x where x > 0, else alpha * (e^(x / alpha) - 1)", |x| {
        let below = x[1].clone() * call("exp_m1", [x[0].clone() / x[1].clone()]);
        positive(&x[0]).select(x[0].clone(), below)
    }),
    activation(
        "gelu",
        &[FunctionOption { name: "approximate", default: 0.0, flag: true }],
        "x/2 * (1 + erf(x / sqrt 2)); approximate: that of gelu_tanh",
        |x| {
            if x[1].as_constant() == Some(0.0) { gelu(&x[0]) } else { gelu_tanh(&x[0]) }
        },
    ),
    activation("gelu_tanh", &[], "x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 * x^3)))", |x| gelu_tanh(&x[0])),
    activation("silu", &[], "x * sigmoid(x)", |x| silu(&x[0])),
    activation("swish", &[], "x * sigmoid(x)", |x| silu(&x[0])),
    activation("mish", &[], "x * tanh(softplus(x))", |x| {
        x[0].clone() * call("tanh", [call("log1pexp", [x[0].clone()])])
    }),
    activation("softplus", &[option("beta", 1.0)], "ln(1 + e^(beta * x)) / beta", |x| {
        call("log1pexp", [x[1].clone() * x[0].clone()]) / x[1].clone()
    }),
    activation("softsign", &[], "x / (1 + |x|)", |x| x[0].clone() / (number(1.0) + call("abs", [x[0].clone()]))),
    activation("log_sigmoid", &[], "ln sigmoid(x)", |x| -call("log1pexp", [-x[0].clone()])),
    activation("hard_sigmoid", &[], "min(1, max(0, x/6 + 1/2))", |x| hard_sigmoid(&x[0])),
    activation("hard_swish", &[], "x * hard_sigmoid(x)", |x| x[0].clone() * hard_sigmoid(&x[0])),
    activation("hard_silu", &[], "x * hard_sigmoid(x)", |x| x[0].clone() * hard_sigmoid(&x[0])),
    activation("hard_tanh", &[option("low", -1.0), option("high", 1.0)], "min(high, max(low, x))", |x| {
        call("min", [x[2].clone(), call("max", [x[1].clone(), x[0].clone()])])
    }),
    activation("tanhshrink", &[], "x - tanh(x)", |x| x[0].clone() - call("tanh", [x[0].clone()])),
    activation(
        "softshrink",
        &[option("threshold", 0.5)],
        "x - threshold where x > threshold, x + threshold where x < -threshold, else 0",
        |x| {
            let above = call("max", [number(0.0), x[0].clone() - x[1].clone()]);
            above - call("max", [number(0.0), -x[0].clone() - x[1].clone()])
        },
    ),
    activation("hardshrink", &[option("threshold", 0.5)], "x where |x| > threshold, else 0", |x| {
        call("gt", [call("abs", [x[0].clone()]), x[1].clone()]) * x[0].clone()
    }),
    activation(
        "threshold",
        &[option("threshold", 0.0), option("value", 0.0)],
        "x where x > threshold, else value",
        |x| call("gt", [x[0].clone(), x[1].clone()]).select(x[0].clone(), x[2].clone()),
    ),
    activation("squareplus", &[option("b", 4.0)], "(x + sqrt(x^2 + b)) / 2", |x| {
        number(0.5) * (x[0].clone() + call("sqrt", [x[0].clone().powi(2) + x[1].clone()]))
    }),
];

fn positive(x: &Formula) -> Formula {
    call("gt", [x.clone(), number(0.0)])
}

fn relu(x: &Formula) -> Formula {
    call("max", [number(0.0), x.clone()])
}

/// With derivative 0 at both bounds.
fn clip(x: &Formula, low: f64, high: f64) -> Formula {
    call("min", [number(high), call("max", [number(low), x.clone()])])
}

fn hard_sigmoid(x: &Formula) -> Formula {
    clip(&(number(1.0 / 6.0) * x.clone() + number(0.5)), 0.0, 1.0)
}

fn silu(x: &Formula) -> Formula {
    x.clone() * call("sigmoid", [x.clone()])
}

/// Hendrycks & Gimpel, "Gaussian Error Linear Units" (2016).
fn gelu(x: &Formula) -> Formula {
    let scaled = number(FRAC_1_SQRT_2) * x.clone();
    number(0.5) * x.clone() * (number(1.0) + call("erf", [scaled]))
}

fn gelu_tanh(x: &Formula) -> Formula {
    let inner = number((2.0 / PI).sqrt()) * (x.clone() + number(0.044715) * x.clone().powi(3));
    number(0.5) * x.clone() * (number(1.0) + call("tanh", [inner]))
}
