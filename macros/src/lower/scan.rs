//! A user's cell over time, as the graph's `Scan`.

use std::collections::BTreeSet;

use super::{Lowering, body_type, step_type};
use crate::check::{Call, Callee, Operand, Scan, ValueRef};
use crate::formula::Formula;
use crate::function::Setting;
use crate::graph::{self, Graph, ValueId};

/// What is known of a sequence of states.
#[derive(Debug, Clone, Copy)]
pub(super) struct States {
    scan: ValueId,
    state: usize,
    reverse: bool,
    length: Option<ValueId>,
}

/// What a body takes from the graph around it.
#[derive(Debug, Default)]
struct Captures {
    values: Vec<Operand>,
    parameters: BTreeSet<usize>,
}

impl Lowering<'_> {
    pub(super) fn scan(&mut self, scan: &Scan, call: &Call) -> Vec<ValueId> {
        let inputs = call.settings.iter().filter_map(|setting| match setting {
            Setting::Tensor(operand) => Some(self.value(operand)),
            _ => None,
        });
        let mut inputs: Vec<ValueId> = inputs.collect();
        let mut captures = Captures::default();
        captures.find(scan, &mut BTreeSet::new());
        inputs.extend(captures.values.iter().map(|operand| self.value(operand)));
        inputs.extend(captures.parameters.iter().map(|&number| self.parameter(number)).collect::<Vec<_>>());
        // A state differs from sample to sample if it does so at first, or after any step.
        let mut batched: Vec<bool> = inputs.iter().map(|&input| self.graph.ty(input).batched).collect();
        let (body, next) = loop {
            let (body, next) = self.body(scan, &captures, &batched);
            let grown: Vec<bool> =
                next.iter().zip(&batched).map(|(&next, &was)| was || body.ty(next).batched).collect();
            if grown == batched[..grown.len()] {
                break (body, next);
            }
            batched[..grown.len()].copy_from_slice(&grown);
        };
        let count = next.len();
        let made = graph::Scan {
            body,
            next: next.clone(),
            sequences: scan.elements.len(),
            steps: scan.steps,
            reverse: scan.reverse,
        };
        let length = scan.length.as_ref().map(|length| self.value(length));
        let node = self.graph.scan(made, inputs);
        let sequences: Vec<ValueId> = next.iter().map(|&next| self.graph.stacked(node, next)).collect();
        for (state, &sequence) in (0..count).zip(&sequences) {
            self.states.insert(sequence, States { scan: node, state, reverse: scan.reverse, length });
        }
        sequences
    }

    /// The graph of one step, and the new states in it.
    fn body(&mut self, scan: &Scan, captures: &Captures, batched: &[bool]) -> (Graph, Vec<ValueId>) {
        let outer_graph = std::mem::take(&mut self.graph);
        let outer_values = std::mem::take(&mut self.values);
        let outer_parameters = std::mem::take(&mut self.parameters);
        let outer_states = std::mem::take(&mut self.states);
        let mut count = 0;
        for operand in scan.states.iter().chain(&scan.elements).chain(&captures.values) {
            let value = self.graph.input(count, body_type(operand, batched[count]));
            self.bind(operand, value);
            count += 1;
        }
        for &number in &captures.parameters {
            let parameter = &self.network.parameters[number];
            let ty = graph::Type { shape: parameter.shape.clone(), element: graph::Element::Real, batched: false };
            let value = self.graph.input(count, ty);
            self.graph.set_name(value, parameter.path.join("."));
            self.parameters.insert(number, value);
            count += 1;
        }
        let step = self.graph.input(count, step_type());
        self.calls(&scan.calls);
        let mut next: Vec<ValueId> = scan.next.iter().map(|next| self.values[next]).collect();
        for (next, state) in next.iter_mut().zip(&scan.states) {
            let old = self.values[&state.value];
            if let Some(length) = &scan.length {
                // Behind its length, a sequence leaves the state as it is.
                let length = self.values[&length.value];
                let inside = Formula::apply("lt", &[Formula::argument(0), Formula::argument(1)]);
                let kept = Formula::apply("select", &[inside, Formula::argument(2), Formula::argument(3)]);
                *next = self.graph.map(kept, &[step, length, *next, old]);
            }
        }
        self.values = outer_values;
        self.parameters = outer_parameters;
        self.states = outer_states;
        (std::mem::replace(&mut self.graph, outer_graph), next)
    }

    /// The state after all steps, where `sequence` is the sequence of states and its last one (within `length`) is that.
    pub(crate) fn last_state(&mut self, sequence: ValueId, length: Option<ValueId>) -> Option<ValueId> {
        let states = *self.states.get(&sequence)?;
        let same = length.is_none() || length == states.length;
        (same && !states.reverse).then(|| self.graph.last(states.scan, states.state))
    }
}

impl Captures {
    fn find(&mut self, scan: &Scan, inside: &mut BTreeSet<ValueRef>) {
        inside.extend(scan.states.iter().chain(&scan.elements).map(|operand| operand.value));
        if let Some(length) = &scan.length {
            self.take(length, inside);
        }
        for call in &scan.calls {
            call.given().for_each(|operand| self.take(operand, inside));
            self.parameters.extend(call.read());
            if let Callee::Scan(scan) = &call.callee {
                self.find(scan, inside);
            }
            inside.extend(call.results.iter().map(|result| result.value));
        }
    }

    fn take(&mut self, operand: &Operand, inside: &BTreeSet<ValueRef>) {
        if !inside.contains(&operand.value) && !self.values.contains(operand) {
            self.values.push(operand.clone());
        }
    }
}
