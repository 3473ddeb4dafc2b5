//! Products of which a part is known already: with `y = a / b`, the map `a * c / b` becomes `y * c`. A softmax's
//! derivative is so found from its result.

use crate::formula::Formula;
use crate::graph::rebuild::{Rebuilt, copy, rebuild};
use crate::graph::{Graph, Op, ValueId};

use super::map_of_mentioned;

/// A map that is a product of values: the powers of inputs and subformulas of inputs.
struct Known {
    value: ValueId,
    /// Arguments are numbers of values.
    factors: Vec<(Formula, i32)>,
}

/// Uses earlier products in later maps where that is cheaper.
pub(super) fn reuse_products(graph: &Graph, roots: &[ValueId]) -> Rebuilt {
    let mut known: Vec<Known> = vec![];
    rebuild(graph, roots, |new, _, node, inputs| {
        let value = copy(new, node, inputs);
        let Op::Map(formula) = &new.node(value).op else {
            return value;
        };
        let places: Vec<Formula> = new.node(value).inputs.iter().map(|input| Formula::argument(input.0)).collect();
        let formula = formula.substitute(&places);
        let shape = node.ty.shape.clone();
        let shorter = shorter(&formula, known.iter().filter(|known| fits(new, known.value, &shape)));
        if let Some(formula) = shorter {
            return map_of_mentioned(new, &formula, |_, index| ValueId(index), shape);
        }
        if let Some(factors) = formula.as_factors().filter(|factors| factors.len() > 1) {
            known.push(Known { value, factors: factors.to_vec() });
        }
        value
    })
}

/// Whether the value has all places of that shape: if it were broadcast to it, it might be merged there again.
fn fits(graph: &Graph, value: ValueId, shape: &[usize]) -> bool {
    graph.shape(value) == shape
}

fn shorter<'a>(formula: &Formula, known: impl Iterator<Item = &'a Known>) -> Option<Formula> {
    let (coefficient, term) = formula.as_scaled().unwrap_or((1.0, formula.clone()));
    let factors = term.as_factors()?;
    known
        .filter(|known| known.factors.iter().all(|factor| factors.contains(factor)))
        .map(|known| {
            let rest = factors.iter().filter(|factor| !known.factors.contains(factor)).cloned();
            let own = (Formula::argument(known.value.0), 1);
            Formula::product(coefficient, rest.chain([own]))
        })
        .filter(|shorter| shorter.cost() < formula.cost())
        .min_by_key(Formula::cost)
}
