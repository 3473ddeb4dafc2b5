//! Copying a graph through its builders, which simplify: the frame of every pass.

use std::collections::HashMap;

use super::{Graph, Node, Op, Scan, ValueId};

/// What became of a graph.
#[derive(Debug)]
pub(crate) struct Rebuilt {
    pub(crate) graph: Graph,
    /// The new values of the roots, in their order.
    pub(crate) roots: Vec<ValueId>,
}

/// Makes each value that the roots need anew: `each` is given the new graph, the old value and node, and the node's new inputs, and
/// says the new value; [`copy`] is the one that changes nothing. It must leave the numbering in the bodies of scans as
/// it is ([`rebuild_bodies`] changes that). Names go over to the new values.
pub(crate) fn rebuild(
    graph: &Graph,
    roots: &[ValueId],
    mut each: impl FnMut(&mut Graph, ValueId, &Node, &[ValueId]) -> ValueId,
) -> Rebuilt {
    let needed = graph.needed(roots);
    let mut new = Graph::new();
    let mut values: Vec<Option<ValueId>> = vec![None; graph.len()];
    for (value, node) in graph.nodes().filter(|(value, _)| needed[value.0]) {
        let inputs: Vec<_> = node.inputs.iter().map(|input| values[input.0].expect("inputs come first")).collect();
        let made = each(&mut new, value, node, &inputs);
        debug_assert_eq!(new.ty(made).shape, node.ty.shape, "{value:?} keeps its shape");
        if let Some(name) = graph.name(value) {
            new.set_name(made, name);
        }
        values[value.0] = Some(made);
    }
    let roots = roots.iter().map(|root| values[root.0].expect("roots are needed")).collect();
    Rebuilt { graph: new, roots }
}

/// The same operation on these inputs, through the builder that simplifies.
pub(crate) fn copy(graph: &mut Graph, node: &Node, inputs: &[ValueId]) -> ValueId {
    match &node.op {
        Op::Map(formula) => graph.map_to(formula.clone(), inputs, node.ty.shape.clone()),
        Op::Contract { lhs_transposed, rhs_transposed, over_samples } => {
            graph.contract(inputs[0], inputs[1], *lhs_transposed, *rhs_transposed, *over_samples)
        }
        Op::Reduce { reduction, axes, over_samples } => {
            graph.reduce_samples(*reduction, inputs[0], axes, *over_samples)
        }
        Op::Reshape => graph.reshape(inputs[0], node.ty.shape.clone()),
        Op::Transpose(permutation) => graph.transpose(inputs[0], permutation),
        Op::Slice { axis, start, end } => graph.slice(inputs[0], *axis, *start, *end),
        Op::Pad { axis, before, after } => graph.pad(inputs[0], *axis, *before, *after),
        Op::Concat { axis } => graph.concat(inputs, *axis),
        Op::Lookup => graph.lookup(inputs[0], inputs[1]),
        Op::LookupAdjoint { rows } => graph.lookup_adjoint(inputs[0], inputs[1], *rows),
        Op::StopGradient => graph.stop_gradient(inputs[0]),
        Op::Scan(scan) => graph.scan(Scan::clone(scan), inputs.to_vec()),
        Op::Stacked(value) => graph.stacked(inputs[0], *value),
        Op::Last(carry) => graph.last(inputs[0], *carry),
        Op::Input(_) | Op::Parameter(_) | Op::Constant(_) | Op::Position { .. } | Op::Random(_) => {
            graph.add(node.op.clone(), vec![], node.ty.clone())
        }
    }
}

/// Copies the graph with the bodies of its scans changed: `change` is given a scan's body and what is needed of it (the
/// next carries, then the stacked values), and gives the new body with the same values in it. The body's inputs keep their
/// numbers.
pub(crate) fn rebuild_bodies(
    graph: &Graph,
    roots: &[ValueId],
    mut change: impl FnMut(&Graph, &[ValueId]) -> (Graph, Vec<ValueId>),
) -> Rebuilt {
    let needed = graph.needed(roots);
    let stacked = |scan: ValueId| {
        graph.nodes().filter(|(value, _)| needed[value.0]).filter_map(move |(_, node)| match node.op {
            Op::Stacked(value) if node.inputs == [scan] => Some(value),
            _ => None,
        })
    };
    // By the old scan and the old value in its body.
    let mut moved: HashMap<(ValueId, ValueId), ValueId> = HashMap::new();
    rebuild(graph, roots, |new, value, node, inputs| match &node.op {
        Op::Scan(scan) => {
            let wanted: Vec<ValueId> = scan.next.iter().copied().chain(stacked(value)).collect();
            let (body, values) = change(&scan.body, &wanted);
            moved.extend(wanted.iter().zip(&values).map(|(old, new)| ((value, *old), *new)));
            let next = values[..scan.next.len()].to_vec();
            new.scan(Scan { body, next, ..Scan::clone(scan) }, inputs.to_vec())
        }
        Op::Stacked(old) => new.stacked(inputs[0], moved[&(node.inputs[0], *old)]),
        _ => copy(new, node, inputs),
    })
}
