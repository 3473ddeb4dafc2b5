//! Rewrites of the graph. The builders here apply those that look at one operation and its inputs, whenever a value is made, in any
//! pass; [`fuse`] applies those that depend on who else uses a value. An arrow says what becomes of what.
//!
//! As in formulas, values are taken to be finite.

mod broadcast;
mod fuse;
mod logarithms;
mod narrow;
mod one_hot;
mod prune;
mod reuse;
mod separate;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub(crate) use fuse::{fuse, prepare};
pub(crate) use narrow::narrow;

use crate::formula::Formula;
use crate::graph::{Element, Graph, Op, Reduction, Shape, Type, ValueId, broadcast_shapes};

/// The formula element by element, its inputs broadcast to the shape.
pub(crate) fn map(graph: &mut Graph, formula: Formula, inputs: &[ValueId], shape: Shape) -> ValueId {
    debug_assert!(
        inputs.iter().all(|&input| broadcast_shapes(graph.shape(input), &shape).as_ref() == Some(&shape)),
        "inputs of a map broadcast to {shape:?}"
    );
    let (formula, inputs) = canonical_inputs(graph, formula, inputs);
    // map(number) -> number
    if let Some(value) = formula.as_constant() {
        return graph.constant(value, shape);
    }
    if let (Some(0), &[input]) = (formula.as_argument(), inputs.as_slice()) {
        let ty = graph.ty(input);
        if ty.element == Element::Real && elements(&ty.shape) == elements(&shape) {
            // map(x) -> x
            return reshape(graph, input, shape);
        }
    }
    let batched = inputs.iter().any(|&input| graph.ty(input).batched);
    let ty = Type { shape, element: Element::Real, batched };
    graph.add(Op::Map(formula), inputs, ty)
}

/// Numbers stand in the formula, each input is there once, used, and in order of its number; what only broadcasts is left
/// to the map.
fn canonical_inputs(graph: &Graph, formula: Formula, inputs: &[ValueId]) -> (Formula, Vec<ValueId>) {
    let sources: Vec<ValueId> = inputs.iter().map(|&input| unbroadcast(graph, input)).collect();
    let is_number = |source: &ValueId| graph.constant_value(*source).is_some();
    let increasing = sources.is_sorted_by(|left, right| left < right);
    if increasing && formula.mentioned().len() == sources.len() && !sources.iter().any(is_number) {
        return (formula, sources);
    }
    let known: Vec<Formula> = (sources.iter().enumerate())
        .map(|(index, &source)| match graph.constant_value(source) {
            Some(value) => Formula::constant(value),
            None => Formula::argument(index),
        })
        .collect();
    let formula = formula.substitute(&known);
    let used: BTreeMap<ValueId, usize> = formula.mentioned().iter().map(|&index| (sources[index], index)).collect();
    let kept: Vec<ValueId> = used.into_keys().collect();
    let renumbered: Vec<Formula> =
        (sources.iter()).map(|source| Formula::argument(kept.binary_search(source).unwrap_or_default())).collect();
    let merged = formula.substitute(&renumbered);
    if merged.mentioned().len() < kept.len() {
        // Two arguments were one, and the formula does not depend on it after all.
        return canonical_inputs(graph, merged, &kept);
    }
    (merged, kept)
}

/// The value before it was only broadcast, or given leading axes of size 1: a map does the same.
fn unbroadcast(graph: &Graph, value: ValueId) -> ValueId {
    let node = graph.node(value);
    match &node.op {
        Op::Map(formula) if formula.as_argument() == Some(0) => unbroadcast(graph, node.inputs[0]),
        Op::Reshape => {
            let source = graph.shape(node.inputs[0]);
            let added = node.ty.shape.len().saturating_sub(source.len());
            let leading = node.ty.shape[..added].iter().all(|&size| size == 1) && node.ty.shape[added..] == *source;
            if leading { unbroadcast(graph, node.inputs[0]) } else { value }
        }
        _ => value,
    }
}

pub(crate) fn elements(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// Reduces the axes, and the samples if `over_samples` (a sum of what is the same for all samples is their number times it).
pub(crate) fn reduce(
    graph: &mut Graph,
    reduction: Reduction,
    input: ValueId,
    axes: &[usize],
    over_samples: bool,
) -> ValueId {
    let ty = graph.ty(input).clone();
    let mut axes = axes.to_vec();
    axes.sort_unstable();
    axes.dedup();
    debug_assert!(axes.iter().all(|&axis| axis < ty.shape.len()), "axes {axes:?} of {:?}", ty.shape);
    debug_assert!(!over_samples || reduction == Reduction::Sum, "samples are only summed");
    let count: usize = axes.iter().map(|&axis| ty.shape[axis]).product();
    let kept = (0..ty.shape.len()).filter(|axis| !axes.contains(axis));
    let shape: Shape = kept.map(|axis| ty.shape[axis]).collect();
    if !over_samples {
        // reduce(x) over axes of size 1 -> x
        if count == 1 && ty.element == Element::Real {
            return reshape(graph, input, shape);
        }
        // sum(number) -> count * number, max(number) -> number
        if let Some(value) = graph.constant_value(input) {
            let times = if reduction == Reduction::Sum { count as f64 } else { 1.0 };
            return graph.constant(value * times, shape);
        }
    }
    if !over_samples
        && reduction == Reduction::Sum
        && let Some(value) = one_hot::sum(graph, input, &axes)
    {
        return value;
    }
    // sum(0) -> 0
    if graph.constant_value(input) == Some(0.0) {
        return graph.constant(0.0, shape);
    }
    let ty = Type { shape, element: Element::Real, batched: ty.batched && !over_samples };
    graph.add(Op::Reduce { reduction, axes, over_samples }, vec![input], ty)
}

pub(crate) fn reshape(graph: &mut Graph, input: ValueId, shape: Shape) -> ValueId {
    let ty = graph.ty(input).clone();
    assert_eq!(elements(&ty.shape), elements(&shape), "reshape of {:?} to {shape:?}", ty.shape);
    // reshape(x) to its shape -> x
    if ty.shape == shape {
        return input;
    }
    let node = graph.node(input);
    match node.op {
        // reshape(reshape(x)) -> reshape(x)
        Op::Reshape => {
            let source = node.inputs[0];
            reshape(graph, source, shape)
        }
        Op::Constant(bits) => graph.constant(f64::from_bits(bits), shape),
        _ => graph.add(Op::Reshape, vec![input], Type { shape, ..ty }),
    }
}

pub(crate) fn transpose(graph: &mut Graph, input: ValueId, permutation: &[usize]) -> ValueId {
    let ty = graph.ty(input).clone();
    debug_assert_eq!(permutation.len(), ty.shape.len(), "a permutation of all axes");
    let shape: Shape = permutation.iter().map(|&axis| ty.shape[axis]).collect();
    // transpose(x) that moves only axes of size 1 -> reshape(x)
    let moved = permutation.iter().filter(|&&axis| ty.shape[axis] != 1);
    if moved.is_sorted() {
        return reshape(graph, input, shape);
    }
    let node = graph.node(input);
    match &node.op {
        // transpose(transpose(x)) -> transpose(x)
        Op::Transpose(inner) => {
            let source = node.inputs[0];
            let combined: Vec<usize> = permutation.iter().map(|&axis| inner[axis]).collect();
            transpose(graph, source, &combined)
        }
        Op::Constant(bits) => {
            let value = f64::from_bits(*bits);
            graph.constant(value, shape)
        }
        _ => graph.add(Op::Transpose(permutation.to_vec()), vec![input], Type { shape, ..ty }),
    }
}

/// The value, broadcast to that rank, without these axes, along which its size is 1.
fn without_axes(graph: &mut Graph, value: ValueId, rank: usize, axes: &[usize]) -> ValueId {
    let shape = graph.shape(value).to_vec();
    let missing = rank - shape.len();
    let kept = shape.iter().enumerate().filter(|(axis, _)| !axes.contains(&(axis + missing)));
    let shape: Shape = kept.map(|(_, &size)| size).collect();
    graph.reshape(value, shape)
}

/// Whether a value that is broadcast to that rank is not the same all along one of these axes.
fn varies_along(graph: &Graph, value: ValueId, rank: usize, axes: &[usize]) -> bool {
    let shape = graph.shape(value);
    let missing = rank - shape.len();
    axes.iter().any(|&axis| axis >= missing && shape[axis - missing] != 1)
}

/// The map of a formula, `value` saying for each argument that it mentions what that is.
fn map_of_mentioned(
    graph: &mut Graph,
    formula: &Formula,
    mut value: impl FnMut(&mut Graph, usize) -> ValueId,
    shape: Shape,
) -> ValueId {
    let mentioned = formula.mentioned();
    let inputs: Vec<ValueId> = mentioned.iter().map(|&index| value(graph, index)).collect();
    let count = mentioned.last().map_or(0, |last| last + 1);
    let places: Vec<Formula> =
        (0..count).map(|index| Formula::argument(mentioned.binary_search(&index).unwrap_or_default())).collect();
    graph.map_to(formula.substitute(&places), &inputs, shape)
}
