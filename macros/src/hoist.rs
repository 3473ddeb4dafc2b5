//! Work that leaves loops over time: what does not depend on the carries is computed before the loop, what no carry needs
//! after it, for all steps at once. An LSTM's input projections become one contraction, and so do its weight
//! gradients.

mod lift;

use std::collections::{BTreeSet, HashMap};

use crate::graph::rebuild::{copy, rebuild};
use crate::graph::{Graph, Op, Scan, ValueId};
use lift::{Lifted, is_liftable, lift};

/// Moves work out of all loops of the graph (not out of loops within loops).
pub(crate) fn hoist(graph: &Graph, roots: &[ValueId]) -> (Graph, Vec<ValueId>) {
    let needed = graph.needed(roots);
    let mut found: HashMap<(ValueId, ValueId), ValueId> = HashMap::new();
    let rebuilt = rebuild(graph, roots, |new, value, node, inputs| match &node.op {
        Op::Scan(scan) => {
            let wanted: BTreeSet<ValueId> = graph
                .nodes()
                .filter(|(user, node)| needed[user.0] && node.inputs == [value])
                .filter_map(|(_, node)| if let Op::Stacked(inner) = node.op { Some(inner) } else { None })
                .collect();
            let (moved, results) = split(new, scan, inputs, &wanted);
            found.extend(results.into_iter().map(|(inner, outer)| ((value, inner), outer)));
            moved
        }
        Op::Stacked(inner) => found[&(node.inputs[0], *inner)],
        _ => copy(new, node, inputs),
    });
    (rebuilt.graph, rebuilt.roots)
}

/// What is known of the values of a body, by index.
struct Analysis<'a> {
    scan: &'a Scan,
    /// Depends on a carry.
    carried: Vec<bool>,
    /// Differs from step to step.
    varies: Vec<bool>,
    /// A carry depends on it.
    needed: Vec<bool>,
    /// Can be computed before the loop.
    early: Vec<bool>,
    /// Is worth being computed before the loop.
    worth_early: Vec<bool>,
    /// Is worth being computed after the loop.
    worth_late: Vec<bool>,
}

impl<'a> Analysis<'a> {
    fn new(scan: &'a Scan, outer: usize) -> Self {
        let (body, carries) = (&scan.body, scan.next.len());
        let none = || vec![false; body.len()];
        let needed = body.needed(&scan.next);
        let mut found = Analysis {
            scan,
            carried: none(),
            varies: none(),
            needed,
            early: none(),
            worth_early: none(),
            worth_late: none(),
        };
        for (value, node) in body.nodes() {
            let index = value.0;
            let any = |flags: &[bool]| node.inputs.iter().any(|input| flags[input.0]);
            let all = |flags: &[bool]| node.inputs.iter().all(|input| flags[input.0]);
            let (is_carry, is_element, is_leaf) = match node.op {
                Op::Input(number) => {
                    (number < carries, (carries..carries + scan.sequences).contains(&number) || number == outer, true)
                }
                Op::Constant(_) | Op::Position { .. } => (false, false, true),
                _ => (false, false, false),
            };
            let random = matches!(node.op, Op::Random(_) | Op::Scan(_));
            found.carried[index] = is_carry || any(&found.carried);
            found.varies[index] = is_carry || is_element || random || any(&found.varies);
            let liftable = !random && is_liftable(body, node, &found.varies);
            found.early[index] = !found.carried[index] && (is_leaf || liftable && all(&found.early));
            let heavy = matches!(node.op, Op::Contract { .. } | Op::Lookup);
            let computes = !is_leaf && !matches!(node.op, Op::Reshape | Op::Transpose(_) | Op::Slice { .. });
            found.worth_early[index] =
                found.early[index] && (heavy || any(&found.worth_early) || computes && !found.varies[index]);
            let over_samples = matches!(node.op, Op::Reduce { over_samples: true, .. });
            found.worth_late[index] = !found.needed[index]
                && !found.early[index]
                && liftable
                && (heavy || over_samples || any(&found.worth_late));
        }
        found
    }

    /// Adds the body values that must be stacked so that `value` can be had outside.
    fn stacks(&self, value: ValueId, kept: &mut BTreeSet<ValueId>) {
        if self.early[value.0] {
            return;
        }
        let node = self.scan.body.node(value);
        // A view is made outside from what it is a view of.
        let is_view = matches!(node.op, Op::Reshape | Op::Transpose(_) | Op::Slice { .. });
        if !self.worth_late[value.0] && !is_view {
            kept.insert(value);
            return;
        }
        for &input in &node.inputs {
            self.stacks(input, kept);
        }
    }
}

/// Adds the loop without what can leave it to the outer graph; yields it, and the stacked form of each wanted value.
fn split(
    graph: &mut Graph,
    scan: &Scan,
    outer: &[ValueId],
    wanted: &BTreeSet<ValueId>,
) -> (ValueId, HashMap<ValueId, ValueId>) {
    let analysis = Analysis::new(scan, outer.len());
    let mut kept = BTreeSet::new();
    wanted.iter().for_each(|&value| analysis.stacks(value, &mut kept));
    let mut outside = Outside { graph, analysis: &analysis, outer, lifted: HashMap::new(), stacked: HashMap::new() };
    let mut inside = Inside::new(&analysis, outer);
    let roots: Vec<ValueId> = scan.next.iter().chain(&kept).copied().collect();
    let moved: Vec<ValueId> = roots.iter().map(|&root| inside.mention(root)).collect();
    let (body, order, sequences) = inside.finish(&mut outside);
    let (next, stacked) = moved.split_at(scan.next.len());
    let new = Scan {
        next: next.iter().map(|value| order.renumbered[value]).collect(),
        body,
        sequences,
        steps: scan.steps,
        reverse: scan.reverse,
    };
    let new = outside.graph.scan(new, order.inputs);
    for (&old, value) in kept.iter().zip(stacked) {
        let value = outside.graph.stacked(new, order.renumbered[value]);
        outside.stacked.insert(old, value);
    }
    let results = wanted.iter().map(|&value| (value, outside.sequence(value))).collect();
    (new, results)
}

/// Values of the body as they are outside of the loop.
struct Outside<'a> {
    graph: &'a mut Graph,
    analysis: &'a Analysis<'a>,
    outer: &'a [ValueId],
    lifted: HashMap<ValueId, Lifted>,
    stacked: HashMap<ValueId, ValueId>,
}

impl Outside<'_> {
    fn lifted(&mut self, value: ValueId) -> Lifted {
        if let Some(&stacked) = self.stacked.get(&value) {
            return Lifted::Sequence(stacked);
        }
        if let Some(&found) = self.lifted.get(&value) {
            return found;
        }
        let scan = self.analysis.scan;
        let node = scan.body.node(value);
        let carries = scan.next.len();
        let found = match node.op {
            Op::Input(number) if number == self.outer.len() => Lifted::Sequence(self.graph.position(scan.steps, 0, 1)),
            Op::Input(number) if number < carries + scan.sequences => Lifted::Sequence(self.outer[number]),
            Op::Input(number) => Lifted::Invariant(self.outer[number]),
            _ => {
                let inputs: Vec<Lifted> = node.inputs.iter().map(|&input| self.lifted(input)).collect();
                lift(self.graph, &scan.body, value, &inputs, scan.steps)
            }
        };
        self.lifted.insert(value, found);
        found
    }

    /// The stacked form, `[steps, ..]`.
    fn sequence(&mut self, value: ValueId) -> ValueId {
        let steps = self.analysis.scan.steps;
        let lifted = self.lifted(value);
        lifted.sequence(self.graph, self.analysis.scan.body.shape(value), steps)
    }
}

/// The body while it is being built anew, with its inputs not yet numbered.
struct Inside<'a> {
    analysis: &'a Analysis<'a>,
    outer: &'a [ValueId],
    /// Old values that come from outside, in the order in which they were met.
    entering: Vec<ValueId>,
    /// Old values that are computed inside.
    computed: BTreeSet<ValueId>,
}

/// How the new body's inputs are filled.
struct Order {
    inputs: Vec<ValueId>,
    /// New body values by old ones.
    renumbered: HashMap<ValueId, ValueId>,
}

impl<'a> Inside<'a> {
    fn new(analysis: &'a Analysis<'a>, outer: &'a [ValueId]) -> Self {
        Inside { analysis, outer, entering: Vec::new(), computed: BTreeSet::new() }
    }

    /// Notes what the body must compute or be given for `value`.
    fn mention(&mut self, value: ValueId) -> ValueId {
        let node = self.analysis.scan.body.node(value);
        let carries = self.analysis.scan.next.len();
        match node.op {
            Op::Input(number) if number < carries || number == self.outer.len() => {
                self.computed.insert(value);
            }
            Op::Input(_) => self.enter(value),
            _ if self.analysis.worth_early[value.0] => self.enter(value),
            _ => {
                if self.computed.insert(value) {
                    for &input in &node.inputs {
                        self.mention(input);
                    }
                }
            }
        }
        value
    }

    fn enter(&mut self, value: ValueId) {
        if !self.entering.contains(&value) {
            self.entering.push(value);
        }
    }

    /// The new body, what fills its inputs, and how many sequences there are.
    fn finish(self, outside: &mut Outside) -> (Graph, Order, usize) {
        let scan = self.analysis.scan;
        let carries = scan.next.len();
        let varies = |value: &ValueId| self.analysis.varies[value.0];
        let (sequences, captures): (Vec<ValueId>, Vec<ValueId>) = self.entering.into_iter().partition(varies);
        let mut inputs = self.outer[..carries].to_vec();
        inputs.extend(sequences.iter().map(|&value| outside.sequence(value)));
        inputs.extend(captures.iter().map(|&value| outside.lifted(value).value()));
        let mut body = Graph::new();
        let mut renumbered = HashMap::new();
        for (position, &value) in sequences.iter().chain(&captures).enumerate() {
            renumbered.insert(value, body.input(carries + position, scan.body.ty(value).clone()));
        }
        for (value, node) in scan.body.nodes().filter(|(value, _)| self.computed.contains(value)) {
            let new = match node.op {
                Op::Input(number) if number == self.outer.len() => body.input(inputs.len(), node.ty.clone()),
                Op::Input(number) => body.input(number, node.ty.clone()),
                _ => {
                    let operands: Vec<ValueId> = node.inputs.iter().map(|input| renumbered[input]).collect();
                    copy(&mut body, node, &operands)
                }
            };
            if let Some(name) = scan.body.name(value) {
                body.set_name(new, name);
            }
            renumbered.insert(value, new);
        }
        let count = sequences.len();
        (body, Order { inputs, renumbered }, count)
    }
}
