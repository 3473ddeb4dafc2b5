//! Maps and reductions over the same elements: one loop nest.

use std::collections::HashMap;

use super::{Dimensions, Operand, Operands};
use crate::formula::Formula;
use crate::graph::{Graph, Op, ValueId};
use crate::plan::Planner;
use crate::plan::group::{Groups, space};
use crate::plan::location::Locations;
use crate::plan::schedule::{Destination, Kernel};
use crate::plan::view::{Source, View};

pub(super) fn group(
    planner: &mut Planner,
    locations: &mut Locations,
    groups: &Groups,
    index: usize,
    needed: &[bool],
    kernels: &mut Vec<Kernel>,
) {
    let graph = locations.graph;
    let members = &groups.groups[index].members;
    let (shape, samples) = space(graph, members[0]);
    let shape = shape.to_vec();
    let mut operands = Operands::default();
    let mut formulas: HashMap<ValueId, Formula> = HashMap::new();
    for &member in members {
        let arguments: Vec<Formula> = graph
            .node(member)
            .inputs
            .iter()
            .map(|&input| match formulas.get(&input) {
                Some(formula) => formula.clone(),
                None => operands.formula(locations.view(planner, input, kernels).broadcast(&shape), 0),
            })
            .collect();
        let formula = match &graph.node(member).op {
            Op::Map(formula) => formula.substitute(&arguments),
            _ => arguments[0].clone(),
        };
        formulas.insert(member, formula);
    }
    let (mut outputs, mut results) = (Vec::new(), Vec::new());
    for &member in members.iter().filter(|&&member| is_stored(graph, groups, index, member, needed)) {
        let view = locations.make(planner, member);
        outputs.push(destination(graph, member, view, &shape));
        results.push(formulas[&member].clone());
    }
    let used = prune(&mut operands, &mut results);
    let views: Vec<&View> = used.iter().chain(outputs.iter().map(|(view, _)| view)).collect();
    let dimensions = Dimensions::new(samples, &shape, &views);
    let outputs = outputs
        .into_iter()
        .map(|(view, reduction)| Destination { operand: dimensions.operand(view), reduction })
        .collect();
    let inputs: Vec<Operand> = used.into_iter().map(|view| dimensions.operand(view)).collect();
    kernels.push(Kernel::Nest { extents: dimensions.extents, inputs, outputs, formulas: results });
}

/// Whether a member's value is wanted outside of its group.
pub(super) fn is_stored(graph: &Graph, groups: &Groups, index: usize, member: ValueId, needed: &[bool]) -> bool {
    if groups.roots.contains(&member) {
        return true;
    }
    let users = graph.nodes().filter(|(value, node)| needed[value.0] && node.inputs.contains(&member));
    users.into_iter().any(|(user, node)| match node.op {
        // Another shape of the value is at hand in an epilogue, too.
        Op::Reshape => is_stored(graph, groups, index, user, needed),
        _ => groups.of[user.0] != Some(index),
    })
}

/// A result's view over the group's shape: reduced axes have no stride.
fn destination(
    graph: &Graph,
    member: ValueId,
    mut view: View,
    shape: &[usize],
) -> (View, Option<crate::graph::Reduction>) {
    let Op::Reduce { reduction, axes, .. } = &graph.node(member).op else { return (view, None) };
    for &axis in axes {
        view.shape.insert(axis, 1);
        view.strides.insert(axis, 0);
    }
    (View { shape: shape.to_vec(), ..view }, Some(*reduction))
}

/// Drops operands that no result mentions any more, and numbers the rest anew.
pub(super) fn prune(operands: &mut Operands, results: &mut [Formula]) -> Vec<View> {
    prune_from(operands, results, 0)
}

/// As `prune`, where the first `fixed` arguments are no operands.
pub(super) fn prune_from(operands: &mut Operands, results: &mut [Formula], fixed: usize) -> Vec<View> {
    let mentioned: std::collections::BTreeSet<usize> = results.iter().flat_map(|formula| formula.arguments()).collect();
    let views = std::mem::take(&mut operands.views);
    let mut arguments: Vec<Formula> = (0..fixed).map(Formula::argument).collect();
    let mut used = Vec::new();
    for (index, view) in views.into_iter().enumerate() {
        arguments.push(Formula::argument(fixed + used.len()));
        if mentioned.contains(&(fixed + index)) {
            used.push(view);
        }
    }
    for formula in results {
        *formula = formula.substitute(&arguments);
    }
    debug_assert!(used.iter().all(|view| !matches!(view.source, Source::Constant(_))));
    used
}
