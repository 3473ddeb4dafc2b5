//! Takes maps apart for differentiation: a derivative by a function's own value (of a `tanh`, a `sigmoid`, an `exp`) is far
//! cheaper than computing it again, so such functions become values of their own. What then has one use is merged
//! again.

use std::collections::HashSet;

use super::map_of_mentioned;
use crate::formula::{ByFormula, Formula};
use crate::graph::rebuild::{copy, rebuild, rebuild_bodies};
use crate::graph::{Graph, Node, Op, ValueId, broadcast_shapes};

/// Functions of this cost or more are worth being kept.
const EXPENSIVE: usize = 10;

pub(super) fn separate(graph: &Graph, roots: &[ValueId]) -> (Graph, Vec<ValueId>) {
    let inside = rebuild_bodies(graph, roots, separate);
    let rebuilt = rebuild(&inside.graph, &inside.roots, |new, _, node, inputs| match &node.op {
        Op::Map(formula) => separated(new, formula, inputs, node),
        _ => copy(new, node, inputs),
    });
    (rebuilt.graph, rebuilt.roots)
}

fn is_expensive(term: &Formula) -> bool {
    term.as_function().is_some() && term.own_cost() >= EXPENSIVE
}

/// map(f(g(x), y), x, y) -> map(f, map(g, x), y) for expensive functions `g`, and for an argument of such a function that mixes several
/// values, so that its derivative is not taken for each of these anew.
fn separated(graph: &mut Graph, formula: &Formula, inputs: &[ValueId], node: &Node) -> ValueId {
    let mut parts: HashSet<Formula> = HashSet::new();
    if formula.cost() < EXPENSIVE {
        return graph.map_to(formula.clone(), inputs, node.ty.shape.clone());
    }
    formula.visit(&mut |term| {
        if !is_expensive(term) {
            return;
        }
        if term != formula {
            parts.insert(term.clone());
        }
        for argument in term.children() {
            let (_, inner) = argument.as_multiple();
            if mixes(&inner) {
                parts.extend([argument.clone(), inner]);
            }
        }
    });
    let mut inputs = inputs.to_vec();
    let separated = formula.fold(&mut ByFormula::default(), &mut |term, children: &[Formula]| {
        let term_of_values = term.with_children(children);
        if !parts.contains(term) {
            return term_of_values;
        }
        let (scale, term_of_values) = term_of_values.as_multiple();
        let mentioned: Vec<ValueId> = term_of_values.arguments().into_iter().map(|index| inputs[index]).collect();
        let shape = mentioned
            .iter()
            .fold(vec![], |shape, &input| broadcast_shapes(&shape, graph.shape(input)).expect("inputs of one map"));
        let value = map_of_mentioned(graph, &term_of_values, |_, index| inputs[index], shape);
        inputs.push(value);
        Formula::constant(scale) * Formula::argument(inputs.len() - 1)
    });
    graph.map_to(separated, &inputs, node.ty.shape.clone())
}

/// Whether its derivatives by its arguments are not just numbers.
fn mixes(term: &Formula) -> bool {
    let arguments = term.arguments();
    let output = arguments.last().map_or(0, |last| last + 1);
    arguments.len() > 1 && arguments.iter().any(|&argument| term.derivative(argument, output).as_constant().is_none())
}
