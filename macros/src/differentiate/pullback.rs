//! The derivative of each primitive: given the gradient of its output, those of its inputs.

use super::{Walk, broadcast, scan, unbroadcast};
use crate::formula::Formula;
use crate::graph::{Graph, Op, Reduction, ValueId};

/// Hands the gradient of `value`, if it has one, to the inputs that need theirs.
pub(super) fn pull_back(graph: &mut Graph, walk: &mut Walk, value: ValueId) {
    let node = graph.node(value).clone();
    if let Op::Scan(_) = node.op {
        return scan::pull_back(graph, walk, value);
    }
    if !node.inputs.iter().any(|&input| walk.needs(input)) {
        return;
    }
    // The results of a scan keep their gradients until the walk comes to the scan itself.
    if let Op::Stacked(_) | Op::Last(_) | Op::StopGradient = node.op {
        return;
    }
    let Some(gradient) = walk.adjoint(graph, value) else { return };
    for (position, &input) in node.inputs.iter().enumerate() {
        if walk.needs(input) {
            let part = pull_back_to(graph, value, position, gradient);
            walk.contribute(input, part);
        }
    }
}

/// The part of the gradient of one input that comes by way of `value`.
fn pull_back_to(graph: &mut Graph, value: ValueId, position: usize, gradient: ValueId) -> ValueId {
    let node = graph.node(value).clone();
    let input = node.inputs[position];
    let shape = graph.shape(input).to_vec();
    match node.op {
        Op::Map(formula) => map(graph, &formula, value, position, gradient),
        Op::Contract { lhs_transposed, rhs_transposed, .. } => {
            let [lhs, rhs] = node.inputs[..] else { unreachable!("two operands") };
            let over = |graph: &Graph, other| {
                !graph.ty(input).batched && (graph.ty(gradient).batched || graph.ty(other).batched)
            };
            match (position, lhs_transposed, rhs_transposed) {
                (0, false, _) => {
                    let over = over(graph, rhs);
                    graph.contract(gradient, rhs, false, !rhs_transposed, over)
                }
                (0, true, _) => {
                    let over = over(graph, rhs);
                    graph.contract(rhs, gradient, rhs_transposed, true, over)
                }
                (_, _, false) => {
                    let over = over(graph, lhs);
                    graph.contract(lhs, gradient, !lhs_transposed, false, over)
                }
                (_, _, true) => {
                    let over = over(graph, lhs);
                    graph.contract(gradient, lhs, true, lhs_transposed, over)
                }
            }
        }
        Op::Reduce { reduction, axes, .. } => reduce(graph, value, input, reduction, &axes, gradient),
        Op::Reshape => graph.reshape(gradient, shape),
        Op::Transpose(permutation) => {
            let mut inverse = vec![0; permutation.len()];
            for (output, &axis) in permutation.iter().enumerate() {
                inverse[axis] = output;
            }
            graph.transpose(gradient, &inverse)
        }
        Op::Slice { axis, start, end } => graph.pad(gradient, axis, start, shape[axis] - end),
        Op::Pad { axis, before, .. } => graph.slice(gradient, axis, before, before + shape[axis]),
        Op::Concat { axis } => {
            let start = node.inputs[..position].iter().map(|&other| graph.shape(other)[axis]).sum();
            let part = graph.slice(gradient, axis, start, start + shape[axis]);
            let over_samples = graph.ty(value).batched && !graph.ty(input).batched;
            graph.reduce_samples(Reduction::Sum, part, &[], over_samples)
        }
        Op::Lookup => graph.lookup_adjoint(node.inputs[1], gradient, shape[0]),
        Op::Input(_)
        | Op::Parameter(_)
        | Op::Constant(_)
        | Op::Position { .. }
        | Op::Random(_)
        | Op::LookupAdjoint { .. }
        | Op::StopGradient
        | Op::Scan(_)
        | Op::Stacked(_)
        | Op::Last(_) => unreachable!("no derivative is asked for"),
    }
}

/// `gradient * d formula / d argument`, a formula itself.
fn map(graph: &mut Graph, formula: &Formula, value: ValueId, position: usize, gradient: ValueId) -> ValueId {
    let mut inputs = graph.node(value).inputs.clone();
    let input = inputs[position];
    let (output, incoming) = (inputs.len(), inputs.len() + 1);
    let derivative = formula.derivative(position, output) * Formula::argument(incoming);
    inputs.extend([value, gradient]);
    let shape = graph.shape(value).to_vec();
    let full = graph.map_to(derivative, &inputs, shape);
    unbroadcast(graph, full, value, input)
}

/// A sum hands its gradient to all; a maximum or minimum to the places that reach it, in equal shares.
fn reduce(
    graph: &mut Graph,
    value: ValueId,
    input: ValueId,
    reduction: Reduction,
    axes: &[usize],
    gradient: ValueId,
) -> ValueId {
    let shape = graph.shape(input).to_vec();
    let spread = graph.unsqueeze(gradient, axes);
    if reduction == Reduction::Sum {
        return broadcast(graph, spread, shape);
    }
    let extreme = graph.unsqueeze(value, axes);
    let reaches = Formula::apply("eq", &[Formula::argument(0), Formula::argument(1)]);
    let reaches = Formula::apply("select", &[reaches, Formula::constant(1.0), Formula::constant(0.0)]);
    let hits = graph.map(reaches, &[input, extreme]);
    let count = graph.reduce(Reduction::Sum, hits, axes);
    let count = graph.unsqueeze(count, axes);
    let share = Formula::argument(0) * Formula::argument(1) / Formula::argument(2);
    graph.map(share, &[spread, hits, count])
}
