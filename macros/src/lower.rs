//! Network -> Graph: the checked calls replayed, each through the lowering of its row.

mod scan;

use std::collections::HashMap;

use crate::check::{Call, Callee, Operand, ValueRef};
use crate::formula::Formula;
use crate::function::Setting;
use crate::graph::{Element, Graph, Shape, Type, ValueId};
use crate::network::{Network, Signature};

/// Dropout is there in training only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Inference,
    Training,
}

/// Which functions of the declaration a graph computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Forward,
    /// `forward` and `loss`.
    Loss,
    /// A further public function, by its number.
    Method(usize),
}

/// The graph of an entry point. What `inputs` and `parameters` hold is there even where nothing uses it.
#[derive(Debug)]
pub(crate) struct Lowered {
    pub(crate) graph: Graph,
    /// The network's inputs and, for a loss, its targets; or those of the method.
    pub(crate) inputs: Vec<ValueId>,
    /// Of `forward` or the method.
    pub(crate) outputs: Vec<ValueId>,
    pub(crate) loss: Vec<LossTerm>,
    /// By number.
    pub(crate) parameters: Vec<ValueId>,
}

/// The batch's loss is the sum over terms of the total of `value` over the total of `weight`, both over samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LossTerm {
    /// `[]` per sample, or unbatched where it is the same for all.
    pub(crate) value: ValueId,
    /// 1, if there is none.
    pub(crate) weight: Option<ValueId>,
}

/// The graph under construction.
pub(crate) struct Lowering<'n> {
    network: &'n Network,
    pub(crate) mode: Mode,
    /// Of the innermost body: that of the network, or of a scan.
    pub(crate) graph: Graph,
    values: HashMap<ValueRef, ValueId>,
    /// Parameters of this body.
    parameters: HashMap<usize, ValueId>,
    /// Sequences of states that a scan made.
    states: HashMap<ValueId, scan::States>,
}

/// Builds the graph of an entry point.
pub(crate) fn lower(network: &Network, entry: Entry, mode: Mode) -> Lowered {
    let mut lowering = Lowering {
        network,
        mode,
        graph: Graph::new(),
        values: HashMap::new(),
        parameters: HashMap::new(),
        states: HashMap::new(),
    };
    let body = match entry {
        Entry::Forward | Entry::Loss => &network.bodies.forward,
        Entry::Method(index) => &network.bodies.methods[index],
    };
    let arguments = match entry {
        Entry::Forward | Entry::Loss => &network.inputs,
        Entry::Method(index) => &network.methods[index].inputs,
    };
    let mut inputs = Vec::new();
    for (operand, argument) in body.inputs.iter().zip(arguments) {
        inputs.push(lowering.input(inputs.len(), operand, &argument.signature, &argument.name));
    }
    let parameters = (0..network.parameters.len()).map(|number| lowering.parameter(number)).collect();
    lowering.calls(&body.calls);
    let outputs: Vec<ValueId> = body.outputs.iter().map(|output| lowering.value(output)).collect();
    let mut loss = Vec::new();
    if let (Entry::Loss, Some(body)) = (entry, &network.bodies.loss) {
        let (own, targets) = body.inputs.split_at(outputs.len());
        for (operand, &output) in own.iter().zip(&outputs) {
            lowering.bind(operand, output);
        }
        for (operand, argument) in targets.iter().zip(&network.targets) {
            inputs.push(lowering.input(inputs.len(), operand, &argument.signature, &argument.name));
        }
        lowering.calls(&body.calls);
        let known = |value: ValueRef| lowering.values[&value];
        loss.extend(
            body.terms.iter().map(|term| LossTerm { value: known(term.value), weight: term.weight.map(known) }),
        );
    }
    Lowered { graph: lowering.graph, inputs, outputs, loss, parameters }
}

impl Lowering<'_> {
    fn input(&mut self, index: usize, operand: &Operand, signature: &Signature, name: &str) -> ValueId {
        let ty = Type { shape: signature.shape.clone(), element: signature.element, batched: !signature.per_step };
        let value = self.graph.input(index, ty);
        self.graph.set_name(value, name);
        self.values.insert(operand.value, value);
        value
    }

    fn calls(&mut self, calls: &[Call]) {
        for call in calls {
            let results = self.call(call);
            debug_assert_eq!(results.len(), call.results.len(), "results of {}", call.callee);
            for (operand, result) in call.results.iter().zip(results) {
                debug_assert_eq!(self.graph.shape(result), operand.ty.shape, "result of {}", call.callee);
                if let (Some(label), Callee::Function(_)) = (&call.label, &call.callee) {
                    self.graph.set_name(result, label.as_str());
                }
                self.bind(operand, result);
            }
        }
    }

    /// Says what a checked value is in the graph, which takes over its name.
    fn bind(&mut self, operand: &Operand, value: ValueId) {
        if let Some(name) = self.network.bodies.names.get(&operand.value) {
            self.graph.set_name(value, name.as_str());
        }
        self.values.insert(operand.value, value);
    }

    fn call(&mut self, call: &Call) -> Vec<ValueId> {
        match &call.callee {
            Callee::Function(function) => (function.lower)(self, call),
            Callee::Map(formula) => vec![self.map(formula, call)],
            Callee::Parameter(number) => vec![self.parameter(*number)],
            Callee::Constant(value) => vec![self.graph.constant(*value, call.result().clone())],
            Callee::Literal(values) => vec![self.literal(values, call.result().clone())],
            Callee::Scan(scan) => self.scan(scan, call),
        }
    }

    fn map(&mut self, formula: &Formula, call: &Call) -> ValueId {
        let inputs: Vec<ValueId> = call
            .settings
            .iter()
            .filter_map(|setting| match setting {
                Setting::Tensor(operand) => Some(self.value(operand)),
                _ => None,
            })
            .collect();
        self.graph.map_to(formula.clone(), &inputs, call.result().clone())
    }

    pub(crate) fn value(&self, operand: &Operand) -> ValueId {
        match self.values.get(&operand.value) {
            Some(&value) => value,
            None => unreachable!("{operand} is made before it is used"),
        }
    }

    pub(crate) fn parameter(&mut self, number: usize) -> ValueId {
        if let Some(&value) = self.parameters.get(&number) {
            return value;
        }
        let parameter = &self.network.parameters[number];
        let value = self.graph.parameter(number, parameter.shape.clone());
        self.graph.set_name(value, parameter.path.join("."));
        self.parameters.insert(number, value);
        value
    }

    /// A tensor of these numbers.
    pub(crate) fn literal(&mut self, values: &[f64], shape: Shape) -> ValueId {
        let first = values.first().copied().unwrap_or(0.0);
        if values.iter().all(|value| value.to_bits() == first.to_bits()) {
            return self.graph.constant(first, shape);
        }
        let parts: Vec<ValueId> = values.iter().map(|&value| self.graph.constant(value, vec![1])).collect();
        let flat = self.graph.concat(&parts, 0);
        self.graph.reshape(flat, shape)
    }
}

/// The type of an input of a body.
fn body_type(operand: &Operand, batched: bool) -> Type {
    Type { shape: operand.ty.shape.clone(), element: operand.ty.element, batched }
}

/// The type of a scan's step number.
fn step_type() -> Type {
    Type { shape: Vec::new(), element: Element::Real, batched: false }
}
