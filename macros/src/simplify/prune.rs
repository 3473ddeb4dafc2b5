//! Removes from scans what nobody needs.

use std::collections::{BTreeSet, HashMap};

use crate::graph::rebuild::{Rebuilt, copy, rebuild};
use crate::graph::{Graph, Op, Scan, ValueId};

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

/// Drops carries that nothing depends on, and inputs of bodies that they do not use or that are the same number in all steps.
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
        let roots: Vec<ValueId> = wanted
            .stacked
            .iter()
            .copied()
            .chain(live.iter().map(|&carry| scan.next[carry]))
            .collect();
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
    let inputs = body
        .nodes()
        .filter(|(value, _)| needed[value.0])
        .filter_map(|(_, node)| match node.op {
            Op::Input(index) => Some(index),
            _ => None,
        });
    inputs.collect()
}

fn prune(graph: &Graph, scan: &Scan, inputs: &[ValueId], wanted: &Wanted) -> (Scan, Vec<ValueId>, Moved) {
    let live = live_carries(scan, wanted);
    let carries = scan.next.len();
    let next: Vec<ValueId> = live.iter().map(|&carry| scan.next[carry]).collect();
    let roots: Vec<ValueId> = next.iter().copied().chain(wanted.stacked.iter().copied()).collect();
    let used = used_inputs(&scan.body, &roots);
    let varies = |index: usize| index < carries || graph.constant_value(inputs[index]).is_none();
    let kept: Vec<usize> = (0..inputs.len())
        .filter(|index| {
            if *index < carries {
                live.contains(index)
            } else {
                used.contains(index) && varies(*index)
            }
        })
        .collect();
    let sequences = kept
        .iter()
        .filter(|&&index| (carries..carries + scan.sequences).contains(&index))
        .count();
    let body = rebuild(&scan.body, &roots, |new, _, node, arguments| match node.op {
        // The number of the step is the last input.
        Op::Input(index) if index == inputs.len() => new.input(kept.len(), node.ty.clone()),
        Op::Input(index) if varies(index) => {
            // The same value captured twice is one. Carries and sequences come first, and find themselves.
            let first = kept.iter().position(|&other| {
                other == index || (other >= carries + scan.sequences && inputs[other] == inputs[index])
            });
            new.input(first.expect("used inputs are kept"), node.ty.clone())
        }
        Op::Input(index) => {
            let number = graph
                .constant_value(inputs[index])
                .expect("what does not vary is a number");
            new.constant(number, node.ty.shape.clone())
        }
        _ => copy(new, node, arguments),
    });
    let pruned = Scan {
        next: body.roots[..next.len()].to_vec(),
        body: body.graph,
        sequences,
        steps: scan.steps,
        reverse: scan.reverse,
    };
    let values = roots.iter().copied().zip(body.roots.iter().copied()).collect();
    let carries = live.iter().enumerate().map(|(new, &old)| (old, new)).collect();
    (
        pruned,
        kept.iter().map(|&index| inputs[index]).collect(),
        Moved { values, carries },
    )
}
