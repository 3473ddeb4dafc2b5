//! Maps of more inputs than a kernel takes become several.

use super::map_of_mentioned;
use crate::formula::Formula;
use crate::graph::rebuild::{copy, rebuild, rebuild_bodies};
use crate::graph::{Graph, Op, ValueId, broadcast_shapes};

/// Operands that one kernel may have.
pub(crate) const MOST_INPUTS: usize = 12;

/// map(f(g(x), y), x, y) -> map(f, map(g, x), y) where there are too many inputs: derivatives of a map have more than the map.
/// For graphs that are about to be planned; other passes merge maps again.
pub(crate) fn narrow(graph: &Graph, roots: &[ValueId]) -> (Graph, Vec<ValueId>) {
    let inside = rebuild_bodies(graph, roots, narrow);
    let rebuilt = rebuild(&inside.graph, &inside.roots, |new, _, node, inputs| match &node.op {
        Op::Map(formula) if inputs.len() > MOST_INPUTS => {
            let mut parts = Parts { graph: new, inputs: inputs.to_vec() };
            let formula = parts.narrowed(formula);
            let inputs = parts.inputs;
            new.map_to(formula, &inputs, node.ty.shape.clone())
        }
        _ => copy(new, node, inputs),
    });
    (rebuilt.graph, rebuilt.roots)
}

/// A map being taken apart.
struct Parts<'a> {
    graph: &'a mut Graph,
    /// Of the map, then the values made of parts of it.
    inputs: Vec<ValueId>,
}

fn is_narrow(formula: &Formula) -> bool {
    formula.mentioned().len() <= MOST_INPUTS
}

impl Parts<'_> {
    /// The formula with parts of it replaced by values, such that few are left.
    fn narrowed(&mut self, formula: &Formula) -> Formula {
        if is_narrow(formula) {
            return formula.clone();
        }
        let (constant, terms) = formula.as_terms();
        if terms.len() > 1 || constant != 0.0 || terms.iter().any(|(_, coefficient)| *coefficient != 1.0) {
            let terms =
                terms.into_iter().map(|(term, coefficient)| self.narrowed(&term) * Formula::constant(coefficient));
            let terms: Vec<Formula> = terms.collect();
            return self.joined(Formula::constant(constant), terms, |sum, term| sum + term);
        }
        if let Some(factors) = formula.as_factors() {
            // Conditions come last, so that what a false one hides is hidden to the end.
            let (conditions, others): (Vec<_>, Vec<_>) =
                factors.iter().cloned().partition(|(factor, _)| factor.is_condition());
            let factors = others.into_iter().chain(conditions);
            let factors: Vec<Formula> =
                factors.map(|(factor, exponent)| self.narrowed(&factor).powi(exponent)).collect();
            return self.joined(Formula::constant(1.0), factors, |product, factor| product * factor);
        }
        let mut children: Vec<Formula> = formula.children().into_iter().map(|child| self.narrowed(child)).collect();
        loop {
            let whole = formula.with_children(&children);
            if is_narrow(&whole) {
                return whole;
            }
            let widest = children.iter_mut().max_by_key(|child| child.mentioned().len()).expect("it has arguments");
            *widest = self.value(widest.clone());
        }
    }

    /// The sum or product of narrow parts.
    fn joined(&mut self, start: Formula, parts: Vec<Formula>, join: fn(Formula, Formula) -> Formula) -> Formula {
        parts.into_iter().fold(start, |total, part| {
            let whole = join(total.clone(), part.clone());
            if is_narrow(&whole) {
                return whole;
            }
            let total = self.value(total);
            let whole = join(total.clone(), part.clone());
            if is_narrow(&whole) { whole } else { join(total, self.value(part)) }
        })
    }

    /// The part as a value of its own.
    fn value(&mut self, part: Formula) -> Formula {
        if part.mentioned().len() < 2 {
            return part;
        }
        let shape = part.mentioned().iter().fold(vec![], |shape, &index| {
            broadcast_shapes(&shape, self.graph.shape(self.inputs[index])).expect("inputs of one map")
        });
        let inputs = self.inputs.clone();
        let value = map_of_mentioned(self.graph, &part, |_, index| inputs[index], shape);
        self.inputs.push(value);
        let argument = Formula::argument(self.inputs.len() - 1);
        if part.is_condition() { argument.condition() } else { argument }
    }
}
