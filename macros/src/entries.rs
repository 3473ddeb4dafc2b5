//! The entry points of a network, each lowered, differentiated where it trains, simplified and planned.

use crate::differentiate::differentiate;
use crate::graph::{Element, Graph, Op, Reduction, Type, ValueId};
use crate::hoist::hoist;
use crate::lower::{Entry, LossTerm, Lowered, Mode, lower};
use crate::network::{Argument, Network, Signature};
use crate::plan::{Request, Schedule, plan};
use crate::simplify::{fuse, narrow, prepare};

type Pass = fn(&Graph, &[ValueId]) -> (Graph, Vec<ValueId>);

/// What becomes of a graph between its derivatives and its plan: merging, work out of loops, what that leaves to be merged, and
/// maps that no kernel takes.
pub(crate) const PASSES: [(&str, Pass); 4] =
    [("fuse", fuse), ("hoist", hoist), ("fuse again", fuse), ("narrow", narrow)];

/// One function to be generated: its graph when all passes are through, and its plan.
#[derive(Debug)]
pub(crate) struct EntryPoint {
    pub(crate) name: String,
    /// The graph as lowered, for dumps.
    pub(crate) lowered: Graph,
    /// The graph simplified, before differentiation: what is derived.
    pub(crate) simplified: Graph,
    /// The graph with its derivatives, before the passes.
    pub(crate) differentiated: Graph,
    /// Its results, then the gradients of parameters.
    #[cfg(test)]
    pub(crate) roots: Vec<ValueId>,
    /// Numbers of the parameters that have a gradient.
    #[cfg(test)]
    pub(crate) gradients: Vec<usize>,
    pub(crate) graph: Graph,
    pub(crate) schedule: Schedule,
}

/// All functions to be generated.
#[derive(Debug)]
pub(crate) struct EntryPoints {
    pub(crate) predict: EntryPoint,
    /// Outputs, then input gradients; the second half takes the output gradients.
    pub(crate) backward: EntryPoint,
    pub(crate) loss: Option<LossEntryPoints>,
    pub(crate) methods: Vec<EntryPoint>,
}

#[derive(Debug)]
pub(crate) struct LossEntryPoints {
    /// Whether each term's weight is found in memory; else it is the number of samples.
    pub(crate) weighted: Vec<bool>,
    pub(crate) weights: EntryPoint,
    pub(crate) loss: EntryPoint,
    pub(crate) training: EntryPoint,
}

impl EntryPoints {
    pub(crate) fn all(&self) -> impl Iterator<Item = &EntryPoint> {
        let loss = self.loss.iter().flat_map(|loss| [&loss.weights, &loss.loss, &loss.training]);
        [&self.predict, &self.backward].into_iter().chain(loss).chain(&self.methods)
    }
}

/// Builds all entry points of a network.
pub(crate) fn entry_points(network: &Network) -> EntryPoints {
    let methods = network.methods.iter().enumerate().map(|(index, method)| {
        let lowered = lower(network, Entry::Method(index), Mode::Inference);
        inference(method.name.to_string(), lowered, &method.inputs)
    });
    EntryPoints {
        predict: inference("predict".into(), lower(network, Entry::Forward, Mode::Inference), &network.inputs),
        backward: backward(network),
        loss: network.has_loss.then(|| loss(network)),
        methods: methods.collect(),
    }
}

fn per_step(arguments: &[Argument]) -> Vec<bool> {
    arguments.iter().map(|argument| argument.signature.per_step).collect()
}

/// A graph being taken through the passes.
struct Work {
    name: String,
    lowered: Graph,
    simplified: Graph,
    graph: Graph,
    results: Vec<ValueId>,
    gradients: Vec<(usize, ValueId)>,
    per_step: Vec<bool>,
    late_inputs: Option<usize>,
    /// Whether the results are outputs, one a sample, and not totals.
    outputs: bool,
}

impl Work {
    /// Runs the passes, and plans.
    fn finish(self) -> EntryPoint {
        let (trained, found): (Vec<usize>, Vec<ValueId>) = self.gradients.into_iter().unzip();
        let roots = [self.results.as_slice(), found.as_slice()].concat();
        let start = (self.graph.clone(), roots.clone());
        let (graph, final_roots) = PASSES.iter().fold(start, |(graph, roots), (_, pass)| pass(&graph, &roots));
        let (results, gradients) = final_roots.split_at(self.results.len());
        let gradients: Vec<_> = trained.iter().copied().zip(gradients.iter().copied()).collect();
        let schedule = plan(&Request {
            graph: &graph,
            results,
            batched_results: self.outputs,
            gradients: &gradients,
            per_step: &self.per_step,
            late_inputs: self.late_inputs,
        });
        EntryPoint {
            name: self.name,
            lowered: self.lowered,
            simplified: self.simplified,
            differentiated: self.graph,
            #[cfg(test)]
            roots,
            #[cfg(test)]
            gradients: trained,
            graph,
            schedule,
        }
    }
}

fn inference(name: String, lowered: Lowered, arguments: &[Argument]) -> EntryPoint {
    Work {
        name,
        lowered: lowered.graph.clone(),
        simplified: lowered.graph.clone(),
        graph: lowered.graph,
        results: lowered.outputs,
        gradients: Vec::new(),
        per_step: per_step(arguments),
        late_inputs: None,
        outputs: true,
    }
    .finish()
}

/// Simplifies before differentiating: the graph, the `kept` values, called `name`, and all inputs and parameters.
fn prepared(lowered: &Lowered, kept: &[ValueId], name: &str) -> (Graph, Vec<ValueId>, Vec<ValueId>) {
    let roots: Vec<ValueId> = kept.iter().chain(&lowered.inputs).chain(&lowered.parameters).copied().collect();
    let (mut graph, roots) = prepare(&lowered.graph, &roots);
    for &root in &roots[..kept.len()] {
        let mut value = root;
        while let (None, Op::Reshape) = (graph.name(value), &graph.node(value).op) {
            value = graph.node(value).inputs[0];
        }
        graph.set_name(value, name);
    }
    (graph, roots[..kept.len()].to_vec(), roots[kept.len()..].to_vec())
}

/// Numbers of the parameters that are trained.
fn trained(network: &Network) -> Vec<usize> {
    (0..network.parameters.len()).filter(|&index| !network.parameters[index].frozen).collect()
}

/// The loss terms' values and weights, where they have one, and whether they do.
fn terms(loss: &[LossTerm]) -> (Vec<ValueId>, Vec<ValueId>, Vec<bool>) {
    let values = loss.iter().map(|term| term.value).collect();
    let weights = loss.iter().filter_map(|term| term.weight).collect();
    (values, weights, loss.iter().map(|term| term.weight.is_some()).collect())
}

fn total(graph: &mut Graph, value: ValueId) -> ValueId {
    let value = graph.reshape(value, vec![]);
    graph.reduce_samples(Reduction::Sum, value, &[], true)
}

fn loss(network: &Network) -> LossEntryPoints {
    let mut arguments = per_step(&network.inputs);
    arguments.extend(per_step(&network.targets));
    let inference = lower(network, Entry::Loss, Mode::Inference);
    let (values, weights, weighted) = terms(&inference.loss);
    let summed = |name: &str, values: &[ValueId]| {
        let mut graph = inference.graph.clone();
        let results = values.iter().map(|&value| total(&mut graph, value)).collect();
        Work {
            name: name.into(),
            lowered: inference.graph.clone(),
            simplified: inference.graph.clone(),
            graph,
            results,
            gradients: Vec::new(),
            per_step: arguments.clone(),
            late_inputs: None,
            outputs: false,
        }
        .finish()
    };
    LossEntryPoints {
        weights: summed("loss_weights", &weights),
        loss: summed("loss", &values),
        training: training(network, arguments.clone()),
        weighted,
    }
}

/// The loss terms' totals, and the gradient of their sum, each scaled by a further argument.
fn training(network: &Network, mut per_step: Vec<bool>) -> EntryPoint {
    let lowered = lower(network, Entry::Loss, Mode::Training);
    let (values, _, _) = terms(&lowered.loss);
    let (mut graph, values, leaves) = prepared(&lowered, &values, "loss");
    let simplified = graph.clone();
    let parameters = &leaves[lowered.inputs.len()..];
    let mut seeds = Vec::new();
    for &value in &values {
        let ty = Type { shape: vec![], element: Element::Real, batched: false };
        let scale = graph.input(per_step.len(), ty);
        per_step.push(true);
        let batched = graph.ty(value).batched;
        let seed = if batched { scale } else { total(&mut graph, scale) };
        let shape = graph.shape(value).to_vec();
        let seed = graph.reshape(seed, shape);
        seeds.push((value, seed));
    }
    let trained = trained(network);
    let wanted: Vec<ValueId> = trained.iter().map(|&index| parameters[index]).collect();
    let found = differentiate(&mut graph, &seeds, &wanted);
    let gradients = trained.iter().zip(found).filter_map(|(&index, gradient)| Some((index, gradient?))).collect();
    let results = values.iter().map(|&value| total(&mut graph, value)).collect();
    Work {
        name: "loss_and_gradient".into(),
        lowered: lowered.graph,
        simplified,
        graph,
        results,
        gradients,
        per_step,
        late_inputs: None,
        outputs: false,
    }
    .finish()
}

/// Whether an input has a gradient.
pub(crate) fn is_differentiable(signature: &Signature) -> bool {
    signature.element == Element::Real && !signature.per_step
}

/// The outputs, and in the second half the gradients of parameters and inputs for given gradients of the outputs.
fn backward(network: &Network) -> EntryPoint {
    let lowered = lower(network, Entry::Forward, Mode::Training);
    let (mut graph, outputs, leaves) = prepared(&lowered, &lowered.outputs, "output");
    let simplified = graph.clone();
    let (inputs, parameters) = leaves.split_at(lowered.inputs.len());
    let mut seeds = Vec::new();
    for (index, &output) in outputs.iter().enumerate() {
        let ty = Type { batched: true, ..graph.ty(output).clone() };
        let mut seed = graph.input(inputs.len() + index, ty);
        if !graph.ty(output).batched {
            seed = graph.reduce_samples(Reduction::Sum, seed, &[], true);
        }
        seeds.push((output, seed));
    }
    let trained = trained(network);
    let mut wanted: Vec<ValueId> = trained.iter().map(|&index| parameters[index]).collect();
    let differentiable: Vec<ValueId> = (network.inputs.iter().zip(inputs))
        .filter(|(argument, _)| is_differentiable(&argument.signature))
        .map(|(_, &input)| input)
        .collect();
    wanted.extend(&differentiable);
    let found = differentiate(&mut graph, &seeds, &wanted);
    let (of_parameters, of_inputs) = found.split_at(trained.len());
    let gradients =
        trained.iter().zip(of_parameters).filter_map(|(&index, gradient)| Some((index, (*gradient)?))).collect();
    let mut results = outputs;
    for (&input, gradient) in differentiable.iter().zip(of_inputs) {
        let shape = graph.shape(input).to_vec();
        results.push(gradient.unwrap_or_else(|| graph.constant(0.0, shape)));
    }
    Work {
        name: "backward".into(),
        lowered: lowered.graph,
        simplified,
        graph,
        results,
        gradients,
        per_step: per_step(&network.inputs),
        late_inputs: Some(inputs.len()),
        outputs: true,
    }
    .finish()
}
