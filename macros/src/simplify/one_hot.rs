//! Sums over the classes of what is only there for one of them.

use super::{map_of_mentioned, varies_along, without_axes};
use crate::formula::Formula;
use crate::graph::{Element, Graph, Node, Op, ValueId};

/// sum((class == position) * x + y) -> x + count * y, where `x` and `y` are the same for all classes
pub(super) fn sum(graph: &mut Graph, value: ValueId, axes: &[usize]) -> Option<ValueId> {
    let node = graph.node(value).clone();
    let (&[axis], Op::Map(formula)) = (axes, &node.op) else {
        return None;
    };
    let rank = node.ty.shape.len();
    let (offset, terms) = formula.as_terms();
    let count = node.ty.shape[axis] as f64;
    let mut total = Formula::constant(offset * count);
    for (term, coefficient) in terms {
        total = total + Formula::constant(coefficient) * sum_of_term(graph, &node, axis, &term, count)?;
    }
    let mut shape = node.ty.shape.clone();
    shape.remove(axis);
    Some(map_of_mentioned(graph, &total, |graph, index| without_axes(graph, node.inputs[index], rank, axes), shape))
}

fn sum_of_term(graph: &Graph, node: &Node, axis: usize, term: &Formula, count: f64) -> Option<Formula> {
    let rank = node.ty.shape.len();
    let same = |formula: &Formula| {
        !formula.mentioned().iter().any(|&index| varies_along(graph, node.inputs[index], rank, &[axis]))
    };
    if same(term) {
        return Some(Formula::constant(count) * term.clone());
    }
    let mut factors = term.as_factors().map_or_else(|| vec![(term.clone(), 1)], <[_]>::to_vec);
    let hit = factors.iter().position(|(factor, exponent)| {
        let places = match factor.as_function() {
            Some(("eq", [left, right])) => left.as_argument().zip(right.as_argument()),
            _ => None,
        };
        let is_hit = |(left, right): (usize, usize)| {
            let (left, right) = (node.inputs[left], node.inputs[right]);
            let size = node.ty.shape[axis];
            is_hit(graph, left, right, size, rank - axis) || is_hit(graph, right, left, size, rank - axis)
        };
        *exponent == 1 && places.is_some_and(is_hit)
    })?;
    factors.remove(hit);
    let rest = Formula::product(1.0, factors);
    same(&rest).then_some(rest)
}

/// Whether `class` is one of `size` classes, and `position` counts them along the axis which is that many from the end.
fn is_hit(graph: &Graph, class: ValueId, position: ValueId, size: usize, from_end: usize) -> bool {
    let counts = match graph.node(position).op {
        Op::Position { axis } => {
            let shape = graph.shape(position);
            shape.len() - axis == from_end && shape[axis] == size
        }
        _ => false,
    };
    let ty = graph.ty(class);
    let alike = ty.shape.len().checked_sub(from_end).is_none_or(|axis| ty.shape[axis] == 1);
    counts && alike && matches!(ty.element, Element::Class(bound) if bound <= size)
}
