//! Loops over time.
//!
//! A carry lies in a buffer of its own, or, if its values are wanted stacked, in one slot a step of a buffer
//! with one slot more than there are steps: the body reads one slot and writes the next.

use std::collections::{BTreeSet, HashMap};

use super::copy;
use crate::graph::{Graph, Op, Scan, Type, ValueId};
use crate::plan::location::Locations;
use crate::plan::schedule::Kernel;
use crate::plan::view::View;
use crate::plan::{Body, Planner};

/// Where a carry lies.
struct Carry {
    before: View,
    /// Where the step writes it; in a buffer of a single slot this is the same place, and written last.
    after: View,
    initial: View,
    last: View,
    /// `[steps, ..]` before and after each step, with history.
    stacked: Option<(View, View)>,
}

pub(super) fn scan(
    planner: &mut Planner,
    locations: &mut Locations,
    value: ValueId,
    inner: &Scan,
    kernels: &mut Vec<Kernel>,
) {
    let graph = locations.graph;
    let outer = graph.node(value).inputs.clone();
    let carries = inner.next.len();
    let number = planner.loop_number();
    let wanted = stacked_values(graph, value);
    let body = &inner.body;
    let inputs = body_inputs(body);
    let mut bound = HashMap::new();
    let mut places = Vec::new();
    for (carry, &next) in inner.next.iter().enumerate() {
        let history = wanted.contains(&next) || inputs.get(&carry).is_some_and(|input| wanted.contains(input));
        let place = place(planner, inner, body.ty(next), number, history);
        let initial = locations.view(planner, outer[carry], kernels);
        kernels.push(copy(&initial, &place.initial, body.ty(next).batched));
        bound.insert(carry, place.before.clone());
        places.push(place);
    }
    for index in carries..outer.len() {
        let view = locations.view(planner, outer[index], kernels);
        let sequence = index < carries + inner.sequences;
        bound.insert(index, if sequence { view.at_step(number) } else { view });
    }
    bound.insert(outer.len(), View::uniform(crate::plan::view::Source::Step(number), &[]));

    let (desired, mut results) = destinations(planner, inner, &inputs, &wanted, &places, number);
    let mut roots: Vec<ValueId> = inner.next.clone();
    roots.extend(desired.iter().map(|&(value, _)| value));
    let mut steps = Vec::new();
    let plan = Body { graph: body, inputs: bound, roots, desired, first: &[], late_inputs: None };
    planner.enclosing.push(number);
    let (inside, _) = planner.body(&plan, &mut steps);
    planner.enclosing.pop();
    write_back(planner, inner, &inside, &places, &mut steps);
    kernels.push(Kernel::Loop { number, steps: inner.steps, reverse: inner.reverse, kernels: steps });

    for (input, view) in sequences(&inputs, carries, &outer, inner.sequences) {
        let whole = locations.view(planner, view, kernels);
        results.insert(input, whole);
    }
    for (result, node) in graph.nodes().filter(|(_, node)| node.inputs == [value]) {
        match node.op {
            Op::Stacked(inside) => {
                if let Some(view) = results.get(&inside) {
                    locations.put(result, view.clone());
                }
            }
            Op::Last(carry) => locations.put(result, places[carry].last.clone()),
            _ => {}
        }
    }
}

/// Body values whose stacked form somebody uses.
fn stacked_values(graph: &Graph, scan: ValueId) -> BTreeSet<ValueId> {
    graph
        .nodes()
        .filter(|(_, node)| node.inputs == [scan])
        .filter_map(|(_, node)| match node.op {
            Op::Stacked(value) => Some(value),
            _ => None,
        })
        .collect()
}

fn body_inputs(body: &Graph) -> HashMap<usize, ValueId> {
    body.nodes()
        .filter_map(|(value, node)| match node.op {
            Op::Input(index) => Some((index, value)),
            _ => None,
        })
        .collect()
}

/// Inputs of the body that are elements of a sequence, with the sequence.
fn sequences(
    inputs: &HashMap<usize, ValueId>,
    carries: usize,
    outer: &[ValueId],
    count: usize,
) -> Vec<(ValueId, ValueId)> {
    (carries..carries + count).filter_map(|index| Some((*inputs.get(&index)?, outer[index]))).collect()
}

fn place(planner: &mut Planner, inner: &Scan, ty: &Type, number: usize, history: bool) -> Carry {
    if !history {
        let view = planner.buffer(ty);
        return Carry { before: view.clone(), after: view.clone(), initial: view.clone(), last: view, stacked: None };
    }
    let mut shape = ty.shape.clone();
    shape.insert(0, inner.steps + 1);
    let whole = planner.buffer_of(&shape, ty.batched);
    let (early, late) = (whole.slice(0, 0, inner.steps), whole.slice(0, 1, inner.steps + 1));
    let (before, after) = if inner.reverse { (late, early) } else { (early, late) };
    let slot = |index: usize| {
        let mut view = whole.slice(0, index, index + 1);
        view.shape.remove(0);
        view.strides.remove(0);
        view
    };
    let (first, last) = if inner.reverse { (inner.steps, 0) } else { (0, inner.steps) };
    Carry {
        before: before.at_step(number),
        after: after.at_step(number),
        initial: slot(first),
        last: slot(last),
        stacked: Some((before, after)),
    }
}

/// Where the body's values are to be written in a step, and where their stacked forms lie.
fn destinations(
    planner: &mut Planner,
    inner: &Scan,
    inputs: &HashMap<usize, ValueId>,
    wanted: &BTreeSet<ValueId>,
    places: &[Carry],
    number: usize,
) -> (Vec<(ValueId, View)>, HashMap<ValueId, View>) {
    let (mut desired, mut results) = (Vec::new(), HashMap::new());
    for (carry, place) in places.iter().enumerate() {
        let Some((before, after)) = &place.stacked else { continue };
        if let Some(&input) = inputs.get(&carry) {
            results.insert(input, before.clone());
        }
        desired.push((inner.next[carry], place.after.clone()));
        results.entry(inner.next[carry]).or_insert_with(|| after.clone());
    }
    let elements = places.len()..places.len() + inner.sequences;
    for &value in wanted {
        let is_element = matches!(inner.body.node(value).op, Op::Input(index) if elements.contains(&index));
        if results.contains_key(&value) || is_element {
            continue;
        }
        let ty = inner.body.ty(value);
        let mut shape = ty.shape.clone();
        shape.insert(0, inner.steps);
        let whole = planner.buffer_of(&shape, ty.batched);
        desired.push((value, whole.at_step(number)));
        results.insert(value, whole);
    }
    (desired, results)
}

/// Ends a step: carries of a single slot take their next values, all at once.
fn write_back(planner: &mut Planner, inner: &Scan, inside: &Locations, places: &[Carry], steps: &mut Vec<Kernel>) {
    let mut writes = Vec::new();
    for (carry, place) in places.iter().enumerate().filter(|(_, place)| place.stacked.is_none()) {
        let ty = inner.body.ty(inner.next[carry]);
        let mut next = inside.known(inner.next[carry]);
        if next == place.after {
            continue;
        }
        let other_carry = places
            .iter()
            .enumerate()
            .any(|(other, place)| other != carry && place.stacked.is_none() && place.before.source == next.source);
        if other_carry {
            let held = planner.buffer(ty);
            steps.push(copy(&next, &held, ty.batched));
            next = held;
        }
        writes.push(copy(&next, &place.after, ty.batched));
    }
    steps.append(&mut writes);
}
