//! Softmaxes whose logarithm is known: with `e = exp(z)`, `s = sum(e)` and `l = ln(s)`, the map `c * e / s` becomes
//! `c * exp(z - l)`. The derivative of a cross-entropy is so found from what its loss needs; `e` need not be kept.

use std::collections::HashMap;

use super::fuse::{producer, uses};
use super::{elements, map_of_mentioned};
use crate::formula::Formula;
use crate::graph::rebuild::{Rebuilt, copy, rebuild};
use crate::graph::{Graph, Node, Op, Reduction, Shape, ValueId};

/// Uses logarithms of sums in later maps, where that leaves the exponentials without another use.
pub(super) fn reuse_logarithms(given: Rebuilt) -> Rebuilt {
    let Rebuilt { graph, roots } = &given;
    if !graph.nodes().any(|(_, node)| is_logarithm(node)) {
        return given;
    }
    let uses = uses(graph, roots);
    // By the sums.
    let mut logarithms: HashMap<ValueId, ValueId> = HashMap::new();
    rebuild(graph, roots, |new, _, node, inputs| {
        let Op::Map(formula) = &node.op else { return copy(new, node, inputs) };
        if is_logarithm(node) {
            let value = copy(new, node, inputs);
            if elements(new.shape(value)) == elements(new.shape(inputs[0])) {
                logarithms.insert(unreshaped(new, inputs[0]), value);
            }
            return value;
        }
        (0..inputs.len())
            .filter(|&exponential| uses[node.inputs[exponential].0] == 2)
            .find_map(|exponential| by_logarithm(new, formula, inputs, exponential, &logarithms, &node.ty.shape))
            .unwrap_or_else(|| copy(new, node, inputs))
    })
}

/// The map, if one of its inputs is an exponential and another a quotient by the sum of it, without either.
fn by_logarithm(
    graph: &mut Graph,
    formula: &Formula,
    inputs: &[ValueId],
    exponential: usize,
    logarithms: &HashMap<ValueId, ValueId>,
    shape: &Shape,
) -> Option<ValueId> {
    let argument = |value: &ValueId| Formula::argument(value.0);
    let node = graph.node(inputs[exponential]).clone();
    let Op::Map(function) = &node.op else { return None };
    let Some(("exp", [exponent])) = function.as_function() else { return None };
    let exponent = exponent.substitute(&node.inputs.iter().map(argument).collect::<Vec<_>>());
    for quotient in (0..inputs.len()).filter(|&other| other != exponential) {
        let Some((inner, sources)) = producer(graph, inputs[quotient]) else { continue };
        let inner = inner.substitute(&sources.iter().map(argument).collect::<Vec<_>>());
        for sum in sources {
            let Some(&logarithm) = logarithms.get(&unreshaped(graph, sum)) else { continue };
            if !is_sum_of(graph, unreshaped(graph, sum), inputs[exponential]) {
                continue;
            }
            let logarithm = graph.reshape(logarithm, graph.shape(sum).to_vec());
            let softmax = Formula::apply("exp", &[exponent.clone() - argument(&logarithm)]);
            let mut arguments: Vec<Formula> = inputs.iter().map(argument).collect();
            arguments[quotient] = inner.clone();
            arguments[exponential] = softmax * argument(&sum);
            let without = formula.substitute(&arguments);
            // The exponential is computed once more, but not what it is taken of.
            let most = formula.cost() + Formula::apply("exp", &[Formula::argument(0) - Formula::argument(1)]).cost();
            if !without.mentioned().contains(&sum.0) && without.cost() <= most {
                return Some(map_of_mentioned(graph, &without, |_, index| ValueId(index), shape.clone()));
            }
        }
    }
    None
}

fn is_logarithm(node: &Node) -> bool {
    let Op::Map(formula) = &node.op else { return false };
    matches!(formula.as_function(), Some(("ln", [argument])) if argument.as_argument() == Some(0))
}

fn unreshaped(graph: &Graph, value: ValueId) -> ValueId {
    let node = graph.node(value);
    if matches!(node.op, Op::Reshape) { unreshaped(graph, node.inputs[0]) } else { value }
}

fn is_sum_of(graph: &Graph, sum: ValueId, summed: ValueId) -> bool {
    let node = graph.node(sum);
    matches!(node.op, Op::Reduce { reduction: Reduction::Sum, over_samples: false, .. }) && node.inputs == [summed]
}
