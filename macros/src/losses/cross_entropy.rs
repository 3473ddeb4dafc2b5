//! `cross_entropy(logits, target)`: the mean of `-ln of softmax(logits) at the target` over the places of the target.

use crate::check::{Call, Site, TensorType, display_shape};
use crate::error::{Checked, Diagnostic};
use crate::formula::Formula;
use crate::function::{Accepts, Default, Function, Kind, option, required};
use crate::graph::{Element, Reduction, ValueId};
use crate::lower::Lowering;

/// With classes as targets or, as in PyTorch, with probabilities of the logits' shape. `weights` (one for each class) make the
/// batch's loss a weighted mean, and `length` leaves out the places behind it: the loss is then a sum with a weight, and the batch's
/// loss the total of the sums over the total of the weights.
pub(crate) static CROSS_ENTROPY: Function = Function {
    name: "cross_entropy",
    kind: Kind::Loss,
    documentation: "-ln of softmax(logits) at the target on the last axis, mean over the others",
    arguments: &[
        required("logits", Accepts::Tensor),
        required("target", Accepts::AnyTensor),
        option("label_smoothing", Accepts::Number, Default::Number(0.0)),
        option("weights", Accepts::Numbers, Default::Absent),
        option("length", Accepts::Length, Default::Absent),
    ],
    check,
    lower,
};

fn check(site: &mut Site<'_, '_>) -> Checked<Vec<TensorType>> {
    let (logits, target) = (site.shape("logits"), site.ty("target"));
    let smoothing = site.number("label_smoothing");
    site.holds("label_smoothing", (0.0..=1.0).contains(&smoothing), "between 0 and 1")?;
    site.logits("logits")?;
    let note = site.note(&["logits", "target"]);
    let mismatch =
        Diagnostic::ClassTarget { logits: display_shape(&logits), target: target.to_string(), note: note.clone() };
    let Some((&classes, places)) = logits.split_last() else { return site.fail_here(mismatch) };
    match target.element {
        Element::Class(bound) if target.shape == places => {
            if bound != classes {
                let function = site.name();
                return site.fail_here(Diagnostic::Classes { function, classes: bound, rows: classes, note });
            }
        }
        Element::Real if target.shape == logits => {}
        _ => return site.fail_here(mismatch),
    }
    if let Some(weights) = site.numbers("weights") {
        if weights.len() != classes {
            let (function, rows, note) = (site.name(), weights.len(), "`weights` has one entry for each class".into());
            return site.fail("weights", Diagnostic::Classes { function, classes, rows, note });
        }
        site.holds("weights", weights.iter().all(|&weight| weight >= 0.0), "at least 0")?;
        if target.element == Element::Real {
            let argument = "target".into();
            let (expected, found) = ("classes where there are `weights`".into(), target.to_string());
            return site.fail("target", Diagnostic::ArgumentKind { function: site.name(), argument, expected, found });
        }
    }
    if site.is_given("length") {
        let Some(&steps) = places.first() else {
            let (function, expected) = (site.name(), "a sequence, if there is a `length`".into());
            return site.fail_here(Diagnostic::Rank { function, expected, found: display_shape(&logits), note });
        };
        site.length(steps)?;
    }
    let scalar = TensorType::real(Vec::new());
    let weighted = site.is_given("length") || site.is_given("weights");
    Ok(if weighted { vec![scalar.clone(), scalar] } else { vec![scalar] })
}

/// By `ln softmax = x - ln Σ e^x` after subtracting the largest logit.
fn lower(lowering: &mut Lowering<'_>, call: &Call) -> Vec<ValueId> {
    let logits = lowering.value(call.operand("logits"));
    let target = call.operand("target");
    let is_class = target.ty.element != Element::Real;
    let target = lowering.value(target);
    let length = call.optional_operand("length").map(|length| lowering.value(length));
    let shape = lowering.graph.shape(logits).to_vec();
    let axis = shape.len() - 1;
    let classes = shape[axis];
    let logarithms = crate::operations::log_softmax(&mut lowering.graph, logits, axis);
    let class_weights = call.numbers("weights").map(|weights| lowering.literal(weights, vec![classes]));
    let graph = &mut lowering.graph;
    // The share of each class in the target: 1 at the class or its probability, smoothed.
    let truth = if is_class { graph.one_hot(target, classes) } else { target };
    let smoothing = call.number("label_smoothing");
    let smoothed =
        Formula::constant(1.0 - smoothing) * Formula::argument(1) + Formula::constant(smoothing / classes as f64);
    let mut each = -(Formula::argument(0) * smoothed);
    let mut inputs = vec![logarithms, truth];
    if let Some(weights) = class_weights {
        each = each * Formula::argument(2);
        inputs.push(weights);
    }
    let each = graph.map(each, &inputs);
    let mut loss = graph.reduce(Reduction::Sum, each, &[axis]);
    let mut weight = class_weights.map(|weights| {
        let own = graph.map(Formula::argument(0) * Formula::argument(1), &[truth, weights]);
        graph.reduce(Reduction::Sum, own, &[axis])
    });
    let places: Vec<usize> = (0..axis).collect();
    if let Some(length) = length {
        let position = graph.position(shape[0], 0, axis);
        let inside = Formula::apply("lt", &[Formula::argument(0), Formula::argument(1)]);
        let zero = Formula::constant(0.0);
        let masked = Formula::apply("select", &[inside.clone(), Formula::argument(2), zero.clone()]);
        loss = graph.map(masked.clone(), &[position, length, loss]);
        weight = Some(match weight {
            Some(weight) => graph.map(masked, &[position, length, weight]),
            None => {
                let one = Formula::apply("select", &[inside, Formula::constant(1.0), zero]);
                graph.map_to(one, &[position, length], shape[..axis].to_vec())
            }
        });
    }
    match weight {
        Some(weight) => {
            let sums = [loss, weight].map(|value| graph.reduce(Reduction::Sum, value, &places));
            sums.to_vec()
        }
        None => vec![graph.mean(loss, &places)],
    }
}
