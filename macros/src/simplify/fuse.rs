//! Rewrites that pay only where nothing else uses the values that they take apart.

use crate::formula::Formula;
use crate::graph::rebuild::{Rebuilt, copy, rebuild, rebuild_bodies};
use crate::graph::{Graph, Node, Op, Reduction, Shape, ValueId};

use super::broadcast::share_broadcast;
use super::logarithms::reuse_logarithms;
use super::prune::prune_scans;
use super::reuse::reuse_products;
use super::separate::separate;
use super::{elements, map_of_mentioned, varies_along, without_axes};

/// More inputs than this make a map spill vector registers.
const MOST_INPUTS: usize = 12;

/// More rounds than any network needs; the graph is legal after each.
const MOST_ROUNDS: usize = 50;

/// Whether derivatives are still to be taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Differentiable,
    Final,
}

/// Rebuilds what the roots need, and gives their new values: maps merged into the map that uses them, sums taken into the
/// contractions that they sum, what does not vary taken out of sums, dead carries and inputs of scans removed; bodies
/// of scans likewise. For graphs that are not to be differentiated any more.
pub(crate) fn fuse(graph: &Graph, roots: &[ValueId]) -> (Graph, Vec<ValueId>) {
    fuse_at(graph, roots, Stage::Final)
}

/// As [`fuse`], for a graph that is to be differentiated: expensive functions are values of their own.
pub(crate) fn prepare(graph: &Graph, roots: &[ValueId]) -> (Graph, Vec<ValueId>) {
    let (graph, roots) = fuse_at(graph, roots, Stage::Differentiable);
    separate(&graph, &roots)
}

fn fuse_at(graph: &Graph, roots: &[ValueId], stage: Stage) -> (Graph, Vec<ValueId>) {
    let loops = graph.nodes().any(|(_, node)| matches!(node.op, Op::Scan(_)));
    let (mut graph, mut roots) = if loops {
        let inside = rebuild_bodies(graph, roots, |body, wanted| fuse_at(body, wanted, stage));
        settle(&inside.graph, &inside.roots, stage, loops)
    } else {
        settle(graph, roots, stage, loops)
    };
    for _ in 0..MOST_ROUNDS {
        let mut reused = reuse_products(&graph, &roots);
        if stage == Stage::Final {
            reused = reuse_logarithms(reused);
        }
        if reused.graph == graph && reused.roots == roots {
            break;
        }
        let next = settle(&reused.graph, &reused.roots, stage, loops);
        if next.0 == graph && next.1 == roots {
            break;
        }
        (graph, roots) = next;
    }
    (graph, roots)
}

/// Fuses until nothing changes.
fn settle(graph: &Graph, roots: &[ValueId], stage: Stage, loops: bool) -> (Graph, Vec<ValueId>) {
    let mut current = fuse_once(graph, roots, stage);
    for _ in 0..MOST_ROUNDS {
        let next = if loops {
            let pruned = prune_scans(&current.graph, &current.roots);
            fuse_once(&pruned.graph, &pruned.roots, stage)
        } else {
            fuse_once(&current.graph, &current.roots, stage)
        };
        if next.graph == current.graph && next.roots == current.roots {
            break;
        }
        current = next;
    }
    (current.graph, current.roots)
}

fn fuse_once(graph: &Graph, roots: &[ValueId], stage: Stage) -> Rebuilt {
    let uses = uses(graph, roots);
    rebuild(graph, roots, |new, _, node, inputs| {
        let single = |index: usize| node.inputs.get(index).is_some_and(|&input| used_once(graph, &uses, input));
        match &node.op {
            Op::Map(formula) => sum_of_sums(new, formula, inputs, node, single)
                .unwrap_or_else(|| merge_producers(new, formula, inputs, node, stage, single)),
            Op::Reduce { reduction, axes, over_samples } if single(0) => {
                fuse_reduction(new, *reduction, inputs[0], axes, *over_samples)
                    .unwrap_or_else(|| copy(new, node, inputs))
            }
            Op::Transpose(permutation) if single(0) => {
                transposed_product(new, inputs[0], permutation).unwrap_or_else(|| copy(new, node, inputs))
            }
            Op::Contract { .. } => contraction(new, node, inputs),
            // stop_gradient(x) -> x, when all derivatives are taken
            Op::StopGradient if stage == Stage::Final => inputs[0],
            _ => copy(new, node, inputs),
        }
    })
}

/// Whether nothing else uses a value, nor what it is a reshaped form of.
fn used_once(graph: &Graph, uses: &[usize], value: ValueId) -> bool {
    let node = graph.node(value);
    uses[value.0] == 1 && (!matches!(node.op, Op::Reshape) || used_once(graph, uses, node.inputs[0]))
}

/// How often each value is an input, or a root.
pub(super) fn uses(graph: &Graph, roots: &[ValueId]) -> Vec<usize> {
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

/// map(f, map(g, x)) -> map(f(g), x), where both have the same places, so that nothing is computed twice, or where
/// the whole is no dearer than `f` alone.
fn merge_producers(
    graph: &mut Graph,
    formula: &Formula,
    inputs: &[ValueId],
    node: &Node,
    stage: Stage,
    single: impl Fn(usize) -> bool,
) -> ValueId {
    let batched = inputs.iter().any(|&input| graph.ty(input).batched);
    let (mut formula, inputs) = share_broadcast(graph, formula, inputs, node, stage, &single);
    let inputs = inputs.as_slice();
    let mut all: Vec<ValueId> = inputs.to_vec();
    // Inputs that stay: those that have not been merged, and those of the merged ones.
    let mut kept: Vec<ValueId> = inputs.to_vec();
    for (index, &input) in inputs.iter().enumerate() {
        if !single(index) {
            continue;
        }
        let Some((inner, sources)) = producer(graph, input) else {
            continue;
        };
        let mut after: Vec<ValueId> = kept.iter().copied().filter(|&value| value != input).collect();
        after.extend(&sources);
        after.sort_unstable();
        after.dedup();
        if after.len() > MOST_INPUTS {
            continue;
        }
        let places = sources.iter().map(|source| {
            let place = all.iter().position(|value| value == source && *value != input);
            Formula::argument(place.unwrap_or_else(|| {
                all.push(*source);
                all.len() - 1
            }))
        });
        let places: Vec<Formula> = places.collect();
        let mut arguments: Vec<Formula> = (0..all.len()).map(Formula::argument).collect();
        arguments[index] = inner.substitute(&places);
        let merged = formula.substitute(&arguments);
        let ty = graph.ty(input);
        let same_places = ty.shape == node.ty.shape && ty.batched == batched;
        if same_places || merged.cost() <= formula.cost() {
            (formula, kept) = (merged, after);
        }
    }
    graph.map_to(formula, &all, node.ty.shape.clone())
}

/// The map that makes a value, perhaps reshaped afterwards: reshape(map(f, x)) -> map(f, reshape(x)).
pub(super) fn producer(graph: &mut Graph, value: ValueId) -> Option<(Formula, Vec<ValueId>)> {
    let node = graph.node(value);
    let source = match &node.op {
        Op::Map(formula) => return Some((formula.clone(), node.inputs.clone())),
        Op::Reshape if matches!(graph.node(node.inputs[0]).op, Op::Map(_)) => graph.node(node.inputs[0]).clone(),
        _ => return None,
    };
    let to = node.ty.shape.clone();
    let Op::Map(formula) = source.op else {
        return None;
    };
    let from = source.ty.shape;
    let shapes = source.inputs.iter().map(|&input| reshaped_like(graph.shape(input), &from, &to));
    let shapes: Vec<Shape> = shapes.collect::<Option<_>>()?;
    let inputs = source.inputs.iter().zip(shapes).map(|(&input, shape)| graph.reshape(input, shape)).collect();
    Some((formula, inputs))
}

/// The shape of a tensor that is broadcast to `from` after the same reshaping to `to`: where only axes of size 1 come or
/// go, any; else one that is the same everywhere, or has all elements.
fn reshaped_like(shape: &[usize], from: &[usize], to: &[usize]) -> Option<Shape> {
    if elements(shape) == 1 {
        return Some(vec![]);
    }
    if shape == from {
        return Some(to.to_vec());
    }
    let wide = |shape: &[usize]| -> Vec<usize> { shape.iter().copied().filter(|&size| size != 1).collect() };
    if wide(from) != wide(to) {
        return None;
    }
    let missing = from.len() - shape.len();
    let mut sizes = (from.iter().enumerate().filter(|(_, size)| **size != 1))
        .map(|(axis, _)| if axis < missing { 1 } else { shape[axis - missing] });
    Some(to.iter().map(|&size| if size == 1 { 1 } else { sizes.next().expect("as many wide axes") }).collect())
}

fn fuse_reduction(
    graph: &mut Graph,
    reduction: Reduction,
    input: ValueId,
    axes: &[usize],
    over_samples: bool,
) -> Option<ValueId> {
    match graph.node(input).op.clone() {
        Op::Reduce { reduction: inner, axes: first, over_samples: samples } if inner == reduction => {
            // reduce(reduce(x)) -> reduce(x)
            let source = graph.node(input).inputs[0];
            let left: Vec<usize> = (0..graph.shape(source).len()).filter(|axis| !first.contains(axis)).collect();
            let all: Vec<usize> = first.iter().copied().chain(axes.iter().map(|&axis| left[axis])).collect();
            Some(graph.reduce_samples(reduction, source, &all, over_samples || samples))
        }
        Op::Map(formula) if reduction == Reduction::Sum => take_out(graph, &formula, input, axes, over_samples),
        Op::Contract { lhs_transposed, rhs_transposed, over_samples: samples } if reduction == Reduction::Sum => {
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
    let rank = node.ty.shape.len();
    let varies = |index: usize| {
        let input = node.inputs[index];
        varies_along(graph, input, rank, axes) || (over_samples && graph.ty(input).batched)
    };
    let factors = term.as_factors().map_or_else(|| vec![(term.clone(), 1)], <[_]>::to_vec);
    let (inside, outside): (Vec<_>, Vec<_>) =
        factors.into_iter().partition(|(factor, _)| factor.mentioned().iter().copied().any(varies));
    // A number is not worth another pass over a parameter's gradient.
    let smaller = !over_samples || axes.len() == rank;
    if (outside.is_empty() && (coefficient == 1.0 || !smaller)) || inside.is_empty() {
        return None;
    }
    let inside = Formula::product(1.0, inside);
    let rest = graph.map_to(inside, &node.inputs, node.ty.shape.clone());
    let sum = graph.reduce_samples(Reduction::Sum, rest, axes, over_samples);
    // The sum stands for one more argument.
    let count = node.inputs.len();
    let outside = Formula::product(coefficient, outside) * Formula::argument(count);
    let shape = graph.shape(sum).to_vec();
    let value = |graph: &mut Graph, index: usize| {
        if index == count { sum } else { without_axes(graph, node.inputs[index], rank, axes) }
    };
    Some(map_of_mentioned(graph, &outside, value, shape))
}

/// a*sum(x) + b*sum(y) -> sum(a*x + b*y)
fn sum_of_sums(
    graph: &mut Graph,
    formula: &Formula,
    inputs: &[ValueId],
    node: &Node,
    single: impl Fn(usize) -> bool,
) -> Option<ValueId> {
    formula.as_linear().filter(|terms| terms.len() > 1 && terms.len() == inputs.len())?;
    let first = graph.node(*inputs.first()?).clone();
    let Op::Reduce { reduction: Reduction::Sum, axes, over_samples } = &first.op else {
        return None;
    };
    let source = graph.ty(first.inputs[0]).clone();
    let alike = inputs.iter().enumerate().all(|(index, &input)| {
        let other = graph.node(input);
        let shape = other.inputs.first().map(|&input| graph.ty(input));
        single(index) && other.op == first.op && shape == Some(&source) && other.ty.shape == node.ty.shape
    });
    if !alike {
        return None;
    }
    let sources: Vec<ValueId> = inputs.iter().map(|&input| graph.node(input).inputs[0]).collect();
    let inner = graph.map(formula.clone(), &sources);
    Some(graph.reduce_samples(Reduction::Sum, inner, axes, *over_samples))
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
    let Op::Contract { lhs_transposed, rhs_transposed, over_samples } = node.op else {
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
    let Op::Contract { lhs_transposed, rhs_transposed, over_samples } = node.op else {
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
