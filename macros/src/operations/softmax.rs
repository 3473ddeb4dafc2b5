//! `softmax` and `log_softmax` along an axis, after subtracting the largest element, which changes nothing but the
//! range of the numbers.

use crate::check::{Call, Site, TensorType, display_shape};
use crate::error::{Checked, Diagnostic};
use crate::formula::Formula;
use crate::function::{Accepts, Argument, Default, Function, Kind, option, required};
use crate::graph::{Graph, Reduction, ValueId};
use crate::lower::Lowering;

const ARGUMENTS: &[Argument] = &[required("x", Accepts::Tensor), option("axis", Accepts::Axes, Default::Axis(-1))];

pub(crate) static SOFTMAX: Function = Function {
    name: "softmax",
    kind: Kind::Primitive,
    documentation: "e^x / sum e^x along `axis`",
    arguments: ARGUMENTS,
    check,
    lower: |lowering, call| {
        let (x, axis) = arguments(lowering, call);
        vec![softmax(&mut lowering.graph, x, axis)]
    },
};

pub(crate) static LOG_SOFTMAX: Function = Function {
    name: "log_softmax",
    kind: Kind::Primitive,
    documentation: "x - ln sum e^x along `axis`",
    arguments: ARGUMENTS,
    check,
    lower: |lowering, call| {
        let (x, axis) = arguments(lowering, call);
        vec![log_softmax(&mut lowering.graph, x, axis)]
    },
};

fn check(site: &mut Site<'_, '_>) -> Checked<Vec<TensorType>> {
    let shape = site.shape("x");
    let axes = site.axes("axis", &shape)?;
    if axes.len() != 1 {
        let (function, found, note) = (site.name(), display_shape(&shape), site.note(&["x"]));
        let expected = "one axis".into();
        return site.fail_here(Diagnostic::Rank { function, expected, found, note });
    }
    Ok(vec![TensorType::real(shape)])
}

fn arguments(lowering: &mut Lowering<'_>, call: &Call) -> (ValueId, usize) {
    (lowering.value(call.operand("x")), call.axes("axis")[0])
}

/// `x` less its largest element along the axis, which is taken for a constant.
fn shifted(graph: &mut Graph, x: ValueId, axis: usize) -> ValueId {
    let largest = graph.reduce(Reduction::Max, x, &[axis]);
    let largest = graph.stop_gradient(largest);
    let largest = graph.unsqueeze(largest, &[axis]);
    graph.map(Formula::argument(0) - Formula::argument(1), &[x, largest])
}

pub(crate) fn softmax(graph: &mut Graph, x: ValueId, axis: usize) -> ValueId {
    let shifted = shifted(graph, x, axis);
    let powers = graph.map(Formula::apply("exp", &[Formula::argument(0)]), &[shifted]);
    let sum = graph.reduce(Reduction::Sum, powers, &[axis]);
    let sum = graph.unsqueeze(sum, &[axis]);
    graph.map(Formula::argument(0) / Formula::argument(1), &[powers, sum])
}

pub(crate) fn log_softmax(graph: &mut Graph, x: ValueId, axis: usize) -> ValueId {
    let shifted = shifted(graph, x, axis);
    let powers = graph.map(Formula::apply("exp", &[Formula::argument(0)]), &[shifted]);
    let sum = graph.reduce(Reduction::Sum, powers, &[axis]);
    let sum = graph.unsqueeze(sum, &[axis]);
    let logarithm = Formula::apply("ln", &[Formula::argument(1)]);
    graph.map(Formula::argument(0) - logarithm, &[shifted, sum])
}
