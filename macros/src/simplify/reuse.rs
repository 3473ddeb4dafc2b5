//! Products of which a part is known already: with `y = a / b`, the map `a * c / b` becomes `y * c`. A softmax's
//! derivative is so found from its result.

use super::map_of_mentioned;
use crate::formula::{ByFormula, Formula};
use crate::graph::rebuild::{Rebuilt, copy, rebuild};
use crate::graph::{Graph, Op, ValueId};

/// A value that is a product, whose factors are formulas of values.
struct Known {
    value: ValueId,
    factors: Vec<(Formula, i32)>,
}

/// Uses earlier products in later maps of as many places where that is cheaper.
pub(super) fn reuse_products(graph: &Graph, roots: &[ValueId]) -> Rebuilt {
    // By their first factor.
    let mut known: ByFormula<Vec<Known>> = ByFormula::default();
    rebuild(graph, roots, |new, _, node, inputs| {
        let value = copy(new, node, inputs);
        let Op::Map(formula) = &new.node(value).op else {
            return value;
        };
        let is_product = |formula: &Formula| formula.as_factors().is_some_and(|factors| factors.len() > 1);
        let scaled = formula.as_scaled();
        if !is_product(scaled.as_ref().map_or(formula, |(_, term)| term)) {
            return value;
        }
        let places: Vec<Formula> = new.node(value).inputs.iter().map(|input| Formula::argument(input.0)).collect();
        let formula = formula.substitute(&places);
        if let Some(formula) = shorter(new, &formula, &known, &node.ty.shape) {
            return map_of_mentioned(new, &formula, |_, index| ValueId(index), node.ty.shape.clone());
        }
        if let Some(factors) = formula.as_factors() {
            let own = Known { value, factors: factors.to_vec() };
            known.entry(factors[0].0.clone()).or_default().push(own);
        }
        value
    })
}

fn shorter(graph: &Graph, formula: &Formula, known: &ByFormula<Vec<Known>>, shape: &[usize]) -> Option<Formula> {
    let (coefficient, term) = formula.as_scaled().unwrap_or((1.0, formula.clone()));
    let factors = term.as_factors()?;
    (factors.iter().filter_map(|(factor, _)| known.get(factor)).flatten())
        .filter(|known| graph.shape(known.value) == shape)
        .filter(|known| known.factors.iter().all(|factor| factors.contains(factor)))
        .map(|known| {
            let rest = factors.iter().filter(|factor| !known.factors.contains(factor)).cloned();
            let own = (Formula::argument(known.value.0), 1);
            Formula::product(coefficient, rest.chain([own]))
        })
        .filter(|shorter| shorter.cost() < formula.cost())
        .min_by_key(Formula::cost)
}
