//! Removes from scans what nobody needs.

use std::collections::{BTreeSet, HashMap};

use crate::formula::Formula;
use crate::graph::rebuild::{Rebuilt, copy, rebuild};
use crate::graph::{Graph, Op, Scan, Type, ValueId};

use super::{varies_along, without_axes};

/// What the rest of a graph takes from a scan.
#[derive(Default)]
struct Wanted {
    stacked: BTreeSet<ValueId>,
    carries: BTreeSet<usize>,
}

/// Where things of an old scan are in the new one.
struct Moved {
    values: HashMap<ValueId, ValueId>,
    carries: HashMap<usize, usize>,
}

/// Drops carries that nothing depends on, and inputs of bodies that they do not use; sequences of equal
/// elements become one, and numbers numbers.
pub(super) fn prune_scans(graph: &Graph, roots: &[ValueId]) -> Rebuilt {
    let needed = graph.needed(roots);
    let mut wanted: HashMap<ValueId, Wanted> = HashMap::new();
    for (_, node) in graph.nodes().filter(|(value, _)| needed[value.0]) {
        match node.op {
            Op::Stacked(value) => {
                wanted.entry(node.inputs[0]).or_default().stacked.insert(value);
            }
            Op::Last(carry) => {
                wanted.entry(node.inputs[0]).or_default().carries.insert(carry);
            }
            _ => {}
        }
    }
    let mut moved: HashMap<ValueId, Moved> = HashMap::new();
    rebuild(graph, roots, |new, value, node, inputs| match &node.op {
        Op::Scan(scan) => {
            let (scan, inputs, places) = prune(new, scan, inputs, &wanted.remove(&value).unwrap_or_default());
            moved.insert(value, places);
            new.scan(scan, inputs)
        }
        Op::Stacked(old) => new.stacked(inputs[0], moved[&node.inputs[0]].values[old]),
        Op::Last(carry) => new.last(inputs[0], moved[&node.inputs[0]].carries[carry]),
        _ => copy(new, node, inputs),
    })
}

/// Carries that are wanted, or that something wanted depends on.
fn live_carries(scan: &Scan, wanted: &Wanted) -> BTreeSet<usize> {
    let mut live = wanted.carries.clone();
    loop {
        let roots: Vec<ValueId> =
            wanted.stacked.iter().copied().chain(live.iter().map(|&carry| scan.next[carry])).collect();
        let used = used_inputs(&scan.body, &roots);
        let before = live.len();
        live.extend((0..scan.next.len()).filter(|carry| used.contains(carry)));
        if live.len() == before {
            return live;
        }
    }
}

fn used_inputs(body: &Graph, roots: &[ValueId]) -> BTreeSet<usize> {
    let needed = body.needed(roots);
    let inputs = body.nodes().filter(|(value, _)| needed[value.0]).filter_map(|(_, node)| match node.op {
        Op::Input(index) => Some(index),
        _ => None,
    });
    inputs.collect()
}

/// What an input of the old body is in the new one.
#[derive(Clone, Copy)]
enum Place {
    Carry,
    Sequence,
    /// The same in all steps.
    Captured(ValueId),
    Number(f64),
}

fn prune(graph: &mut Graph, scan: &Scan, inputs: &[ValueId], wanted: &Wanted) -> (Scan, Vec<ValueId>, Moved) {
    let live = live_carries(scan, wanted);
    let carries = scan.next.len();
    let next: Vec<ValueId> = live.iter().map(|&carry| scan.next[carry]).collect();
    let roots: Vec<ValueId> = next.iter().copied().chain(wanted.stacked.iter().copied()).collect();
    let used = used_inputs(&scan.body, &roots);
    let places: Vec<Place> = (inputs.iter().enumerate())
        .map(|(index, &input)| match graph.constant_value(input) {
            _ if index < carries => Place::Carry,
            Some(number) => Place::Number(number),
            None if index < carries + scan.sequences => repeated(graph, input).map_or(Place::Sequence, Place::Captured),
            None => Place::Captured(input),
        })
        .collect();
    let kept: Vec<usize> = live.iter().copied().chain(used.range(carries..inputs.len()).copied()).collect();
    let is_sequence = |index: &&usize| matches!(places[**index], Place::Sequence);
    let sequences: Vec<usize> = kept.iter().filter(is_sequence).copied().collect();
    let mut captured: Vec<ValueId> = vec![];
    for &index in &kept {
        match places[index] {
            Place::Captured(value) if !captured.contains(&value) => captured.push(value),
            _ => {}
        }
    }
    let (first_sequence, first_captured) = (live.len(), live.len() + sequences.len());
    let body = rebuild(&scan.body, &roots, |new, _, node, arguments| {
        let Op::Input(index) = node.op else {
            return copy(new, node, arguments);
        };
        let ty = node.ty.clone();
        match places.get(index) {
            // The number of the step is the last input.
            None => new.input(first_captured + captured.len(), ty),
            Some(Place::Carry) => new.input(live.range(..index).count(), ty),
            Some(Place::Sequence) => {
                let place = sequences.binary_search(&index).expect("used sequences are kept");
                new.input(first_sequence + place, ty)
            }
            Some(Place::Captured(value)) => {
                let place = captured.iter().position(|other| other == value).expect("used captures are kept");
                let ty = Type { shape: graph.shape(*value).to_vec(), ..ty };
                let input = new.input(first_captured + place, ty);
                if *new.shape(input) == node.ty.shape {
                    return input;
                }
                new.map_to(Formula::argument(0), &[input], node.ty.shape.clone())
            }
            Some(Place::Number(number)) => new.constant(*number, node.ty.shape.clone()),
        }
    });
    let pruned = Scan {
        next: body.roots[..next.len()].to_vec(),
        body: body.graph,
        sequences: sequences.len(),
        steps: scan.steps,
        reverse: scan.reverse,
    };
    let values = roots.iter().copied().zip(body.roots.iter().copied()).collect();
    let carries = live.iter().enumerate().map(|(new, &old)| (old, new)).collect();
    let inputs = live.iter().chain(&sequences).map(|&index| inputs[index]).chain(captured).collect();
    (pruned, inputs, Moved { values, carries })
}

/// The element of a sequence all of whose elements are the same.
fn repeated(graph: &mut Graph, sequence: ValueId) -> Option<ValueId> {
    let node = graph.node(sequence);
    let source = match &node.op {
        Op::Map(formula) if formula.as_argument() == Some(0) => node.inputs[0],
        _ => return None,
    };
    let rank = node.ty.shape.len();
    (!varies_along(graph, source, rank, &[0])).then(|| without_axes(graph, source, rank, &[0]))
}
