//! Operations for all steps of a loop at once: the same ones, with the steps as a leading axis.

use crate::graph::{Graph, Node, Op, ValueId};

/// A body's value as it is outside.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lifted {
    /// `[steps, ..]`
    Sequence(ValueId),
    /// The same in all steps, and without an axis for them.
    Invariant(ValueId),
}

impl Lifted {
    pub(super) fn value(self) -> ValueId {
        match self {
            Lifted::Sequence(value) | Lifted::Invariant(value) => value,
        }
    }

    /// With the leading axis in any case.
    pub(super) fn sequence(self, graph: &mut Graph, shape: &[usize], steps: usize) -> ValueId {
        match self {
            Lifted::Sequence(value) => value,
            Lifted::Invariant(value) => {
                let mut full = vec![steps];
                full.extend_from_slice(shape);
                graph.map_to(crate::formula::Formula::argument(0), &[value], full)
            }
        }
    }
}

/// Whether [`lift`] can do it, given which values of the body vary from step to step.
pub(super) fn is_liftable(body: &Graph, node: &Node, varies: &[bool]) -> bool {
    let varying = |position: usize| varies[node.inputs[position].0];
    match node.op {
        Op::Map(_)
        | Op::Reshape
        | Op::Transpose(_)
        | Op::Slice { .. }
        | Op::Pad { .. }
        | Op::Concat { .. }
        | Op::Reduce { .. }
        | Op::StopGradient => true,
        Op::Contract { .. } => {
            let nothing = !varying(0) && !varying(1);
            nothing || varying(0) && (varying(1) || body.shape(node.inputs[1]).len() == 2)
        }
        Op::Lookup => !varying(0),
        _ => false,
    }
}

/// The value for all steps at once, from its inputs.
pub(super) fn lift(graph: &mut Graph, body: &Graph, value: ValueId, inputs: &[Lifted], steps: usize) -> Lifted {
    let node = body.node(value);
    let plain: Vec<ValueId> = inputs.iter().map(|input| input.value()).collect();
    if inputs.iter().all(|input| matches!(input, Lifted::Invariant(_))) {
        return Lifted::Invariant(crate::graph::rebuild::copy(graph, node, &plain));
    }
    let with_steps = |shape: &[usize]| {
        let mut full = vec![steps];
        full.extend_from_slice(shape);
        full
    };
    let shape = with_steps(&node.ty.shape);
    let made = match &node.op {
        Op::Map(formula) => {
            let aligned: Vec<ValueId> = (0..inputs.len())
                .map(|position| match inputs[position] {
                    Lifted::Invariant(value) => value,
                    Lifted::Sequence(value) => {
                        // Broadcasting aligns at the last axis, so that the steps must come before all of the map's.
                        let own = body.shape(node.inputs[position]);
                        let mut full = vec![1; node.ty.shape.len() - own.len()];
                        full.extend_from_slice(own);
                        graph.reshape(value, with_steps(&full))
                    }
                })
                .collect();
            graph.map_to(formula.clone(), &aligned, shape)
        }
        Op::Contract { lhs_transposed, rhs_transposed, over_samples } => {
            let (mut lhs, mut lhs_transposed) = (plain[0], *lhs_transposed);
            if lhs_transposed && matches!(inputs[1], Lifted::Invariant(_)) {
                let mut order: Vec<usize> = (0..graph.shape(lhs).len()).collect();
                let last = order.len() - 1;
                order.swap(last - 1, last);
                lhs = graph.transpose(lhs, &order);
                lhs_transposed = false;
            }
            graph.contract(lhs, plain[1], lhs_transposed, *rhs_transposed, *over_samples)
        }
        Op::Reduce { reduction, axes, over_samples } => {
            let axes: Vec<usize> = axes.iter().map(|axis| axis + 1).collect();
            graph.reduce_samples(*reduction, plain[0], &axes, *over_samples)
        }
        Op::Reshape => graph.reshape(plain[0], shape),
        Op::Transpose(permutation) => {
            let order: Vec<usize> = std::iter::once(0).chain(permutation.iter().map(|axis| axis + 1)).collect();
            graph.transpose(plain[0], &order)
        }
        Op::Slice { axis, start, end } => graph.slice(plain[0], axis + 1, *start, *end),
        Op::Pad { axis, before, after } => graph.pad(plain[0], axis + 1, *before, *after),
        Op::Concat { axis } => {
            let pieces: Vec<ValueId> = inputs
                .iter()
                .zip(&node.inputs)
                .map(|(input, &own)| input.sequence(graph, body.shape(own), steps))
                .collect();
            graph.concat(&pieces, axis + 1)
        }
        Op::Lookup => graph.lookup(plain[0], plain[1]),
        Op::StopGradient => graph.stop_gradient(plain[0]),
        op => unreachable!("{op:?} does not leave a loop"),
    };
    Lifted::Sequence(made)
}
