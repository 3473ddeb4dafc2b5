//! Losses that are the mean of a formula of two tensors of equal shape.

use crate::check::{Call, Site, TensorType};
use crate::error::{Checked, Diagnostic};
use crate::formula::Formula;
use crate::function::{Accepts, Argument, Default, Function, Kind, optional, required};
use crate::graph::ValueId;
use crate::lower::Lowering;

pub(super) const PREDICTION: &str = "prediction";

const PAIR: &[Argument] = &[required(PREDICTION, Accepts::Tensor), required("target", Accepts::Tensor)];

type Lower = fn(&mut Lowering<'_>, &Call) -> Vec<ValueId>;

const fn pair(name: &'static str, documentation: &'static str, lower: Lower) -> Function {
    Function { name, kind: Kind::Loss, documentation, arguments: PAIR, check, lower }
}

fn difference() -> Formula {
    Formula::argument(0) - Formula::argument(1)
}

pub(crate) static MSE: Function =
    pair("mse", "mean of (prediction - target)²", |lowering, call| mean(lowering, call, difference().powi(2)));

pub(crate) static MAE: Function = pair("mae", "mean of |prediction - target|", |lowering, call| {
    mean(lowering, call, Formula::apply("abs", &[difference()]))
});

pub(crate) static HUBER: Function = Function {
    name: "huber",
    kind: Kind::Loss,
    documentation: "mean of d²/2 where |d| < delta, else delta · (|d| - delta/2), d = prediction - target",
    arguments: &[
        required(PREDICTION, Accepts::Tensor),
        required("target", Accepts::Tensor),
        optional("delta", Accepts::Number, Default::Number(1.0)),
    ],
    check: |site| {
        let delta = site.number("delta");
        site.holds("delta", delta > 0.0 && delta.is_finite(), "above 0")?;
        check(site)
    },
    lower: |lowering, call| {
        let delta = Formula::constant(call.number("delta"));
        let size = Formula::apply("abs", &[difference()]);
        let near = Formula::constant(0.5) * difference().powi(2);
        let far = delta.clone() * (size.clone() - Formula::constant(0.5) * delta.clone());
        let formula = Formula::apply("select", &[Formula::apply("lt", &[size, delta]), near, far]);
        mean(lowering, call, formula)
    },
};

/// Logarithms are held above -100, so that a certain mistake has a finite loss.
pub(crate) static BINARY_CROSS_ENTROPY: Function = pair(
    "binary_cross_entropy",
    "mean of -(target · ln p + (1 - target) · ln(1 - p)) for probabilities p; logarithms at least -100",
    |lowering, call| {
        let [p, target] = [Formula::argument(0), Formula::argument(1)];
        let one = || Formula::constant(1.0);
        let held = |x: Formula| Formula::apply("max", &[Formula::apply("ln", &[x]), Formula::constant(-100.0)]);
        let formula = target.clone() * held(p.clone()) + (one() - target) * held(one() - p);
        mean(lowering, call, -formula)
    },
);

/// `softplus(x) - target · x`, which equals the cross-entropy of `sigmoid(x)` and does not overflow.
pub(crate) static BINARY_CROSS_ENTROPY_WITH_LOGITS: Function = Function {
    check: |site| {
        site.logits(PREDICTION)?;
        check(site)
    },
    ..pair(
        "binary_cross_entropy_with_logits",
        "binary cross-entropy of sigmoid(prediction): mean of softplus(x) - target · x",
        |lowering, call| {
            let [x, target] = [Formula::argument(0), Formula::argument(1)];
            let linear = target * x.clone();
            mean(lowering, call, Formula::apply("softplus", &[x]) - linear)
        },
    )
};

fn check(site: &mut Site<'_, '_>) -> Checked<Vec<TensorType>> {
    let (left, right) = (site.ty(PREDICTION), site.ty("target"));
    if left != right {
        let (function, note) = (site.name(), site.note(&[PREDICTION, "target"]));
        let (left, right) = (left.to_string(), right.to_string());
        return site.fail_here(Diagnostic::SameShape { function, left, right, note });
    }
    Ok(vec![TensorType::real(Vec::new())])
}

fn mean(lowering: &mut Lowering<'_>, call: &Call, formula: Formula) -> Vec<ValueId> {
    let (prediction, target) = (lowering.value(call.operand(PREDICTION)), lowering.value(call.operand("target")));
    let graph = &mut lowering.graph;
    let each = graph.map(formula, &[prediction, target]);
    let axes: Vec<usize> = (0..graph.shape(each).len()).collect();
    vec![graph.mean(each, &axes)]
}
