//! Rewrites that pay only where nothing else uses the values that they take apart.

use crate::formula::Formula;
use crate::graph::rebuild::{Rebuilt, copy, rebuild, rebuild_bodies};
use crate::graph::{Graph, Node, Op, Reduction, Shape, ValueId};

use super::{elements, prune::prune_scans};

/// More inputs than this make a map spill vector registers.
const MOST_INPUTS: usize = 12;

/// Rebuilds what the roots need, and gives their new values: maps merged into the map that uses them, sums taken into the
/// contractions that they sum, what does not vary taken out of sums, dead carries and inputs of scans removed; bodies
/// of scans likewise.
pub(crate) fn fuse(graph: &Graph, roots: &[ValueId]) -> (Graph, Vec<ValueId>) {
    let mut current = rebuild_bodies(graph, roots, fuse);
    loop {
        let pruned = prune_scans(&current.graph, &current.roots);
        let next = fuse_once(&pruned.graph, &pruned.roots);
        if next.graph == current.graph && next.roots == current.roots {
            return (next.graph, next.roots);
        }
        current = next;
    }
}

fn fuse_once(graph: &Graph, roots: &[ValueId]) -> Rebuilt {
    let uses = uses(graph, roots);
    rebuild(graph, roots, |new, _, node, inputs| {
        let single = |index: usize| uses[node.inputs[index].0] == 1;
        match &node.op {
            Op::Map(formula) => merge_producers(new, formula, inputs, &node.ty.shape, single),
            Op::Reduce {
                reduction,
                axes,
                over_samples,
            } if single(0) => fuse_reduction(new, *reduction, inputs[0], axes, *over_samples)
                .unwrap_or_else(|| copy(new, node, inputs)),
            Op::Transpose(permutation) if single(0) => {
                transposed_product(new, inputs[0], permutation).unwrap_or_else(|| copy(new, node, inputs))
            }
            Op::Contract { .. } => contraction(new, node, inputs),
            _ => copy(new, node, inputs),
        }
    })
}

/// How often each value is an input, or a root.
fn uses(graph: &Graph, roots: &[ValueId]) -> Vec<usize> {
    let needed = graph.needed(roots);
    let mut uses = vec![0; graph.len()];
    for (_, node) in graph.nodes().filter(|(value, _)| needed[value.0]) {
        for input in &node.inputs {
            uses[input.0] += 1;
        }
    }
    for root in roots {
        uses[root.0] += 1;
    }
    uses
}

/// map(f, map(g, x)) -> map(f(g), x), where shapes are equal: what is broadcast is not computed again for each place.
fn merge_producers(
    graph: &mut Graph,
    formula: &Formula,
    inputs: &[ValueId],
    shape: &Shape,
    single: impl Fn(usize) -> bool,
) -> ValueId {
    let mut all: Vec<ValueId> = inputs.to_vec();
    let mut arguments: Vec<Formula> = (0..inputs.len()).map(Formula::argument).collect();
    // Inputs that stay: those that have not been merged, and those of the merged ones.
    let mut kept: Vec<ValueId> = inputs.to_vec();
    for (index, &input) in inputs.iter().enumerate() {
        let node = graph.node(input);
        let Op::Map(inner) = &node.op else {
            continue;
        };
        if !single(index) || node.ty.shape != *shape {
            continue;
        }
        let mut after: Vec<ValueId> = kept.iter().copied().filter(|&value| value != input).collect();
        after.extend(&node.inputs);
        after.sort_unstable();
        after.dedup();
        if after.len() > MOST_INPUTS {
            continue;
        }
        let places: Vec<Formula> = (0..node.inputs.len())
            .map(|place| Formula::argument(all.len() + place))
            .collect();
        arguments[index] = inner.substitute(&places);
        all.extend(&node.inputs);
        kept = after;
    }
    graph.map_to(formula.substitute(&arguments), &all, shape.clone())
}

fn fuse_reduction(
    graph: &mut Graph,
    reduction: Reduction,
    input: ValueId,
    axes: &[usize],
    over_samples: bool,
) -> Option<ValueId> {
    match graph.node(input).op.clone() {
        Op::Reduce {
            reduction: inner,
            axes: first,
            over_samples: samples,
        } if inner == reduction => {
            // reduce(reduce(x)) -> reduce(x)
            let source = graph.node(input).inputs[0];
            let left: Vec<usize> = (0..graph.shape(source).len())
                .filter(|axis| !first.contains(axis))
                .collect();
            let all: Vec<usize> = first
                .iter()
                .copied()
                .chain(axes.iter().map(|&axis| left[axis]))
                .collect();
            Some(graph.reduce_samples(reduction, source, &all, over_samples || samples))
        }
        Op::Map(formula) if reduction == Reduction::Sum => take_out(graph, &formula, input, axes, over_samples),
        Op::Contract {
            lhs_transposed,
            rhs_transposed,
            over_samples: samples,
        } if reduction == Reduction::Sum => {
            let flags = [lhs_transposed, rhs_transposed, samples || over_samples];
            sum_of_products(graph, input, axes, flags, over_samples)
        }
        _ => None,
    }
}

/// sum(c*x) -> c*sum(x), where `c` does not vary along what is summed.
fn take_out(
    graph: &mut Graph,
    formula: &Formula,
    input: ValueId,
    axes: &[usize],
    over_samples: bool,
) -> Option<ValueId> {
    let node = graph.node(input).clone();
    let (coefficient, term) = formula.as_scaled().unwrap_or((1.0, formula.clone()));
    let varies = |index: usize| {
        let ty = graph.ty(node.inputs[index]);
        let missing = node.ty.shape.len() - ty.shape.len();
        let along = axes
            .iter()
            .any(|&axis| axis >= missing && ty.shape[axis - missing] != 1);
        along || (over_samples && ty.batched)
    };
    let factors = term.as_factors().map_or_else(|| vec![(term.clone(), 1)], <[_]>::to_vec);
    let (inside, outside): (Vec<_>, Vec<_>) = factors
        .into_iter()
        .partition(|(factor, _)| factor.arguments().into_iter().any(varies));
    if (outside.is_empty() && coefficient == 1.0) || inside.is_empty() {
        return None;
    }
    let inside = Formula::product(1.0, inside);
    let rest = graph.map_to(inside, &node.inputs, node.ty.shape.clone());
    let sum = graph.reduce_samples(Reduction::Sum, rest, axes, over_samples);
    let outside = Formula::product(coefficient, outside);
    let mut inputs = node.inputs.clone();
    for argument in outside.arguments() {
        inputs[argument] = without_axes(graph, inputs[argument], node.ty.shape.len(), axes);
    }
    // Inputs that the factor does not mention need not fit the smaller shape.
    let mentioned: Vec<usize> = outside.arguments().into_iter().collect();
    let places: Vec<Formula> = (0..inputs.len())
        .map(|index| Formula::argument(mentioned.binary_search(&index).unwrap_or_default()))
        .collect();
    let mut kept: Vec<ValueId> = mentioned.iter().map(|&index| inputs[index]).collect();
    let factor = outside.substitute(&places) * Formula::argument(kept.len());
    kept.push(sum);
    let shape = graph.shape(sum).to_vec();
    Some(graph.map_to(factor, &kept, shape))
}

/// The value, broadcast to that rank, without these axes, along which its size is 1.
fn without_axes(graph: &mut Graph, value: ValueId, rank: usize, axes: &[usize]) -> ValueId {
    let shape = graph.shape(value).to_vec();
    let missing = rank - shape.len();
    let kept = shape
        .iter()
        .enumerate()
        .filter(|(axis, _)| !axes.contains(&(axis + missing)));
    let shape: Shape = kept.map(|(_, &size)| size).collect();
    graph.reshape(value, shape)
}

/// sum(x^T y) -> (x stacked)^T (y stacked), over the last leading axes, and over samples.
fn sum_of_products(
    graph: &mut Graph,
    product: ValueId,
    axes: &[usize],
    [lhs_transposed, rhs_transposed, over_samples]: [bool; 3],
    newly_over_samples: bool,
) -> Option<ValueId> {
    let node = graph.node(product).clone();
    let lead = node.ty.shape.len() - 2;
    let first = lead.checked_sub(axes.len())?;
    let last_leading = axes.iter().copied().eq(first..lead);
    let stackable = axes.is_empty() || (lhs_transposed && !rhs_transposed);
    // With one operand the same for all samples, the sum of the other one is cheaper.
    let both = node.inputs.iter().all(|&operand| graph.ty(operand).batched);
    if !last_leading || !stackable || (newly_over_samples && !both) {
        return None;
    }
    let operands: Vec<ValueId> = (node.inputs.iter())
        .map(|&operand| {
            let shape = graph.shape(operand).to_vec();
            let mut merged = shape[..first].to_vec();
            merged.push(elements(&shape[first..=lead]));
            merged.push(shape[lead + 1]);
            graph.reshape(operand, merged)
        })
        .collect();
    Some(graph.contract(operands[0], operands[1], lhs_transposed, rhs_transposed, over_samples))
}

/// (x y)^T -> y^T x^T
fn transposed_product(graph: &mut Graph, product: ValueId, permutation: &[usize]) -> Option<ValueId> {
    let node = graph.node(product).clone();
    let Op::Contract {
        lhs_transposed,
        rhs_transposed,
        over_samples,
    } = node.op
    else {
        return None;
    };
    let &[lhs, rhs] = node.inputs.as_slice() else {
        return None;
    };
    swaps_last_two(permutation).then(|| graph.contract(rhs, lhs, !rhs_transposed, !lhs_transposed, over_samples))
}

fn swaps_last_two(permutation: &[usize]) -> bool {
    let Some(lead) = permutation.len().checked_sub(2) else {
        return false;
    };
    permutation[..lead].iter().copied().eq(0..lead) && permutation[lead..] == [lead + 1, lead]
}

/// Transpositions of operands become flags; 0 * x -> 0.
fn contraction(graph: &mut Graph, node: &Node, inputs: &[ValueId]) -> ValueId {
    let Op::Contract {
        lhs_transposed,
        rhs_transposed,
        over_samples,
    } = node.op
    else {
        return copy(graph, node, inputs);
    };
    if inputs.iter().any(|&input| graph.constant_value(input) == Some(0.0)) {
        return graph.constant(0.0, node.ty.shape.clone());
    }
    let mut flags = [lhs_transposed, rhs_transposed];
    let mut operands = [inputs[0], inputs[1]];
    for (operand, flag) in operands.iter_mut().zip(&mut flags) {
        let made = graph.node(*operand);
        if matches!(&made.op, Op::Transpose(permutation) if swaps_last_two(permutation)) {
            *operand = made.inputs[0];
            *flag = !*flag;
        }
    }
    if operands == inputs {
        // A product that is unbatched by now is no longer summed over samples by the same operation.
        return copy(graph, node, inputs);
    }
    graph.contract(operands[0], operands[1], flags[0], flags[1], over_samples)
}
