//! What a map computes of inputs that are broadcast to it: once is enough for all places that it is broadcast to.

use super::fuse::{Stage, producer};
use super::{elements, map_of_mentioned};
use crate::formula::Formula;
use crate::graph::{Graph, Node, Shape, ValueId, broadcast_shapes};

/// Subterms of this cost or more become values of their own.
const DEAR: usize = 4;

/// f(g(y), x) -> f(z, x) with z = map(g, y), and x / y -> x * (1/y), where `y` is broadcast. Before
/// differentiation the reciprocal only if it makes another function of `y` and not a value more: it is better to keep a quotient,
/// since its derivative has its result in it.
pub(super) fn share_broadcast(
    graph: &mut Graph,
    formula: &Formula,
    inputs: &[ValueId],
    node: &Node,
    stage: Stage,
    single: impl Fn(usize) -> bool,
) -> (Formula, Vec<ValueId>) {
    let (mut formula, mut inputs) = (formula.clone(), inputs.to_vec());
    let size = elements(&node.ty.shape);
    let is_broadcast = |graph: &Graph, value: ValueId| {
        let ty = graph.ty(value);
        elements(&ty.shape) < size || (node.ty.batched && !ty.batched)
    };
    let small: Vec<bool> = inputs.iter().map(|&input| is_broadcast(graph, input)).collect();
    if formula.cost() < DEAR || !small.contains(&true) {
        return (formula, inputs);
    }
    while let Some(term) = dear_subterm(&formula, &small) {
        let sources = term.mentioned();
        let shape = sources.iter().fold(vec![], |shape: Shape, &index| {
            broadcast_shapes(&shape, graph.shape(inputs[index])).expect("inputs of one map")
        });
        let batched = sources.iter().any(|&index| graph.ty(inputs[index]).batched);
        if elements(&shape) == size && batched == node.ty.batched {
            break;
        }
        let value = map_of_mentioned(graph, &term, |_, index| inputs[index], shape);
        formula = formula.replace(&term, &Formula::argument(inputs.len()));
        inputs.push(value);
    }
    for index in 0..small.len() {
        let invertible = stage == Stage::Final || (single(index) && producer(graph, inputs[index]).is_some());
        if !small[index] || !invertible {
            continue;
        }
        let inverse: Vec<Formula> =
            (0..inputs.len()).map(|place| Formula::argument(place).powi(if place == index { -1 } else { 1 })).collect();
        let inverted = formula.substitute(&inverse);
        if inverted.cost() < formula.cost() {
            formula = inverted;
            inputs[index] = graph.map(Formula::argument(0).powi(-1), &[inputs[index]]);
        }
    }
    (formula, inputs)
}

/// A largest part of the formula that mentions only arguments with that flag.
fn dear_subterm(formula: &Formula, small: &[bool]) -> Option<Formula> {
    let among = |index: &usize| small.get(*index).copied().unwrap_or(false);
    if formula.cost() < DEAR || !formula.mentioned().iter().any(among) {
        return None;
    }
    if formula.mentioned().iter().all(among) {
        return Some(formula.clone());
    }
    formula.children().into_iter().find_map(|child| dear_subterm(child, small))
}
