//! The derivative of a loop over time: another loop, that walks the other way.
//!
//! Its carries are the gradients of the carries. Its body is the derivative of the body, which mentions values of the
//! forward body: these are stacked by the forward loop and enter as sequences.

use std::collections::HashMap;

use super::{Walk, differentiate};
use crate::graph::{Element, Graph, Op, Scan, Type, ValueId};

pub(super) fn pull_back(graph: &mut Graph, walk: &mut Walk, scan: ValueId) {
    let Op::Scan(forward) = graph.node(scan).op.clone() else { unreachable!("called for a scan") };
    let gradients = Gradients::collect(graph, walk, scan, &forward);
    if gradients.stacked.is_empty() && gradients.last.iter().all(Option::is_none) {
        return;
    }
    let outer = graph.node(scan).inputs.clone();
    let adjoint = Adjoint::build(graph, walk, &forward, &outer, &gradients);
    adjoint.connect(graph, walk, scan, &forward, &outer, &gradients);
}

/// What is known of the gradients of a scan's results.
struct Gradients {
    /// Body value, gradient `[steps, ..]`.
    stacked: Vec<(ValueId, ValueId)>,
    /// By carry.
    last: Vec<Option<ValueId>>,
}

impl Gradients {
    fn collect(graph: &mut Graph, walk: &mut Walk, scan: ValueId, forward: &Scan) -> Self {
        let results: Vec<(ValueId, Op)> = graph
            .nodes()
            .filter(|(_, node)| matches!(node.op, Op::Stacked(_) | Op::Last(_)) && node.inputs == [scan])
            .map(|(value, node)| (value, node.op.clone()))
            .collect();
        let mut found = Gradients { stacked: Vec::new(), last: vec![None; forward.next.len()] };
        for (value, op) in results {
            let Some(gradient) = walk.adjoint(graph, value) else { continue };
            match op {
                Op::Stacked(inner) => found.stacked.push((inner, gradient)),
                Op::Last(carry) => found.last[carry] = Some(gradient),
                _ => unreachable!("filtered above"),
            }
        }
        found
    }
}

/// The loop backwards while it is being built.
struct Adjoint {
    body: Graph,
    /// Gradients of the carries.
    next: Vec<ValueId>,
    /// Outer sequences: stacked gradients, then saved forward values (as body values of the forward loop).
    saved: Vec<ValueId>,
    /// Positions of the forward scan's inputs that enter unchanged.
    captured: Vec<usize>,
    /// Gradients of the forward scan's sequences and captures, by position among its inputs.
    wanted: Vec<(usize, ValueId)>,
}

/// The inputs of a graph that is a body, by number.
fn body_inputs(body: &Graph) -> HashMap<usize, ValueId> {
    body.nodes()
        .filter_map(|(value, node)| match node.op {
            Op::Input(index) => Some((index, value)),
            _ => None,
        })
        .collect()
}

impl Adjoint {
    fn build(graph: &Graph, walk: &Walk, forward: &Scan, outer: &[ValueId], gradients: &Gradients) -> Self {
        let carries = forward.next.len();
        // The derivative is found in a copy of the body, whose new inputs (beyond those of the body) are the seeds.
        let mut work = forward.body.clone();
        let inputs = body_inputs(&work);
        let first_seed = outer.len() + 1;
        let mut seeds = Vec::new();
        for (carry, &next) in forward.next.iter().enumerate() {
            let batched = inputs.get(&carry).map_or(work.ty(next).batched, |&input| work.ty(input).batched);
            let ty = Type { batched, ..work.ty(next).clone() };
            seeds.push((next, work.input(first_seed + carry, ty)));
        }
        for (index, &(value, gradient)) in gradients.stacked.iter().enumerate() {
            let ty = Type { batched: graph.ty(gradient).batched, ..work.ty(value).clone() };
            seeds.push((value, work.input(first_seed + carries + index, ty)));
        }
        let wanted: Vec<usize> = (0..outer.len())
            .filter(|&index| index < carries || walk.needs(outer[index]))
            .filter(|index| inputs.get(index).is_some_and(|&input| work.ty(input).element == Element::Real))
            .collect();
        let values: Vec<ValueId> = wanted.iter().map(|index| inputs[index]).collect();
        let found = differentiate(&mut work, &seeds, &values);
        let mut next = Vec::new();
        for (carry, &value) in forward.next.iter().enumerate() {
            let position = wanted.iter().position(|&index| index == carry);
            let gradient = position.and_then(|position| found[position]);
            let shape = work.shape(value).to_vec();
            next.push(gradient.unwrap_or_else(|| work.constant(0.0, shape)));
        }
        let others = wanted.iter().zip(&found).filter(|(index, _)| **index >= carries);
        let others: Vec<_> = others.filter_map(|(&index, &found)| Some((index, found?))).collect();
        cut(&work, forward, outer.len(), next, others, gradients.stacked.len())
    }

    /// Adds the loop to the outer graph and hands its results on.
    fn connect(
        self,
        graph: &mut Graph,
        walk: &mut Walk,
        scan: ValueId,
        forward: &Scan,
        outer: &[ValueId],
        gradients: &Gradients,
    ) {
        let carries = forward.next.len();
        let mut inputs = Vec::new();
        for (carry, gradient) in gradients.last.iter().enumerate() {
            let shape = forward.body.shape(forward.next[carry]).to_vec();
            inputs.push(gradient.unwrap_or_else(|| graph.constant(0.0, shape)));
        }
        inputs.extend(gradients.stacked.iter().map(|&(_, gradient)| gradient));
        for &value in &self.saved {
            let sequence = match forward.body.node(value).op {
                Op::Input(index) if index >= carries && index < carries + forward.sequences => outer[index],
                _ => graph.stacked(scan, value),
            };
            inputs.push(sequence);
        }
        inputs.extend(self.captured.iter().map(|&index| outer[index]));
        let backward = Scan {
            body: self.body,
            next: self.next,
            sequences: gradients.stacked.len() + self.saved.len(),
            steps: forward.steps,
            reverse: !forward.reverse,
        };
        let backward = graph.scan(backward, inputs);
        for carry in 0..carries {
            if walk.needs(outer[carry]) {
                let gradient = graph.last(backward, carry);
                let gradient = fit(graph, gradient, outer[carry]);
                walk.contribute(outer[carry], gradient);
            }
        }
        for &(index, value) in &self.wanted {
            let stacked = graph.stacked(backward, value);
            let sequence = index < carries + forward.sequences;
            let gradient = if sequence { stacked } else { graph.reduce(crate::graph::Reduction::Sum, stacked, &[0]) };
            let gradient = fit(graph, gradient, outer[index]);
            walk.contribute(outer[index], gradient);
        }
    }
}

/// Sums over samples where the gradient of what is the same for all samples still differs between them.
fn fit(graph: &mut Graph, gradient: ValueId, target: ValueId) -> ValueId {
    let over_samples = graph.ty(gradient).batched && !graph.ty(target).batched;
    graph.reduce_samples(crate::graph::Reduction::Sum, gradient, &[], over_samples)
}

/// Cuts the derivative out of the work graph: forward values that it mentions become inputs.
fn cut(
    work: &Graph,
    forward: &Scan,
    outer: usize,
    next: Vec<ValueId>,
    wanted: Vec<(usize, ValueId)>,
    stacked: usize,
) -> Adjoint {
    let carries = forward.next.len();
    let boundary = forward.body.len();
    let roots: Vec<ValueId> = next.iter().copied().chain(wanted.iter().map(|&(_, value)| value)).collect();
    let (saved, captured) = frontier(work, forward, outer, &roots);
    let number = |index: usize| {
        // Seeds first, as carries and sequences; the step is the last input.
        index.checked_sub(outer + 1).expect("forward inputs are cut off")
    };
    let step = carries + stacked + saved.len() + captured.len();
    let mut body = Graph::new();
    let mut made: HashMap<ValueId, ValueId> = HashMap::new();
    for (position, &value) in saved.iter().enumerate() {
        made.insert(value, body.input(carries + stacked + position, work.ty(value).clone()));
    }
    let inputs = body_inputs(&forward.body);
    for (position, &index) in captured.iter().enumerate() {
        let value = inputs[&index];
        made.insert(value, body.input(carries + stacked + saved.len() + position, work.ty(value).clone()));
    }
    let live = live_from(work, &roots, &made);
    for (value, node) in work.nodes().filter(|(value, _)| live[value.0]) {
        if made.contains_key(&value) {
            continue;
        }
        let new = match node.op {
            Op::Input(index) if index == outer => body.input(step, node.ty.clone()),
            Op::Input(index) if value.0 >= boundary => body.input(number(index), node.ty.clone()),
            _ => {
                let inputs = node.inputs.iter().map(|input| made[input]).collect();
                body.add(node.op.clone(), inputs, node.ty.clone())
            }
        };
        made.insert(value, new);
    }
    Adjoint {
        body,
        next: next.iter().map(|value| made[value]).collect(),
        saved,
        captured,
        wanted: wanted.iter().map(|&(index, value)| (index, made[&value])).collect(),
    }
}

/// Values that `roots` depend on, without looking behind those that are `made` already.
fn live_from(work: &Graph, roots: &[ValueId], made: &HashMap<ValueId, ValueId>) -> Vec<bool> {
    let mut live = vec![false; work.len()];
    for root in roots {
        live[root.0] = true;
    }
    for (value, node) in work.nodes().rev() {
        if live[value.0] && !made.contains_key(&value) {
            for input in &node.inputs {
                live[input.0] = true;
            }
        }
    }
    live
}

/// Where the derivative meets the forward body: values to be stacked, and captured inputs.
fn frontier(work: &Graph, forward: &Scan, outer: usize, roots: &[ValueId]) -> (Vec<ValueId>, Vec<usize>) {
    let carries = forward.next.len();
    let boundary = forward.body.len();
    let (mut saved, mut captured) = (Vec::new(), Vec::new());
    let needed = work.needed(roots);
    let mut mentioned = vec![false; work.len()];
    for root in roots {
        mentioned[root.0] = true;
    }
    for (value, node) in work.nodes().rev() {
        if !needed[value.0] || !mentioned[value.0] {
            continue;
        }
        if value.0 >= boundary {
            for input in &node.inputs {
                mentioned[input.0] = true;
            }
            continue;
        }
        match node.op {
            // Numbers and positions are made again where they are needed.
            Op::Constant(_) | Op::Position { .. } => {}
            Op::Input(index) if index == outer => {}
            Op::Input(index) if index >= carries + forward.sequences => captured.push(index),
            // A view costs nothing: look behind it. A loop within the loop is no value that could be saved: it is run
            // again, with the same random numbers.
            Op::Slice { .. } | Op::Reshape | Op::Transpose(_) | Op::Scan(_) => {
                for input in &node.inputs {
                    mentioned[input.0] = true;
                }
            }
            _ => saved.push(value),
        }
    }
    saved.reverse();
    captured.sort_unstable();
    (saved, captured)
}
