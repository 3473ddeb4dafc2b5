//! Reverse-mode differentiation: a walk from the results to what is asked for. Derivatives are ordinary nodes of the
//! same graph; what a rule mentions is what stays alive, nothing else is saved.

mod combine;
mod pullback;
mod scan;

use std::collections::HashMap;

use crate::formula::Formula;
use crate::graph::{Graph, Op, Reduction, ValueId};

/// Adds to the graph the gradients of `sum(seed * value)` over all `(value, seed)` with respect to the `wanted`
/// values, and over the samples of a batch where a wanted value is the same for all. `None` where nothing depends on it.
pub(crate) fn differentiate(
    graph: &mut Graph,
    seeds: &[(ValueId, ValueId)],
    wanted: &[ValueId],
) -> Vec<Option<ValueId>> {
    let mut walk = Walk { needed: depends_on(graph, wanted), adjoints: HashMap::new() };
    for &(value, seed) in seeds {
        walk.contribute(value, seed);
    }
    for index in (0..walk.needed.len()).rev() {
        let value = ValueId(index);
        if walk.needed[index] {
            pullback::pull_back(graph, &mut walk, value);
        }
    }
    wanted.iter().map(|&value| walk.adjoint(graph, value)).collect()
}

/// The state of the walk.
struct Walk {
    /// Values that depend on a wanted one, by index: no other gradient is computed.
    needed: Vec<bool>,
    /// What has been found so far for each value: its gradient is the sum.
    adjoints: HashMap<ValueId, Vec<ValueId>>,
}

impl Walk {
    fn needs(&self, value: ValueId) -> bool {
        self.needed.get(value.0).copied().unwrap_or(false)
    }

    fn contribute(&mut self, value: ValueId, gradient: ValueId) {
        if self.needs(value) {
            self.adjoints.entry(value).or_default().push(gradient);
        }
    }

    /// The gradient of a value all of whose uses have been walked.
    fn adjoint(&mut self, graph: &mut Graph, value: ValueId) -> Option<ValueId> {
        let parts = self.adjoints.remove(&value)?;
        let sum = combine::sum(graph, parts);
        self.adjoints.insert(value, vec![sum]);
        Some(sum)
    }
}

/// Flags by index: whether a value depends on one of `sources` in a way that has a derivative.
fn depends_on(graph: &Graph, sources: &[ValueId]) -> Vec<bool> {
    let mut depends = vec![false; graph.len()];
    for source in sources {
        depends[source.0] = true;
    }
    for (value, node) in graph.nodes() {
        let blocked = matches!(node.op, Op::StopGradient);
        if !blocked && node.inputs.iter().any(|input| depends[input.0]) {
            depends[value.0] = true;
        }
    }
    depends
}

/// Sums a gradient of the shape that an operation's output has down to an input that was broadcast to it.
fn unbroadcast(graph: &mut Graph, gradient: ValueId, output: ValueId, input: ValueId) -> ValueId {
    let over_samples = graph.ty(output).batched && !graph.ty(input).batched;
    let (full, shape) = (graph.shape(output).to_vec(), graph.shape(input).to_vec());
    let missing = full.len() - shape.len();
    let axes: Vec<usize> =
        (0..full.len()).filter(|&axis| full[axis] != 1 && (axis < missing || shape[axis - missing] == 1)).collect();
    let gradient = broadcast(graph, gradient, full);
    let sum = graph.reduce_samples(Reduction::Sum, gradient, &axes, over_samples);
    graph.reshape(sum, shape)
}

/// Repeats a value to a shape that it broadcasts to.
fn broadcast(graph: &mut Graph, value: ValueId, shape: Vec<usize>) -> ValueId {
    graph.map_to(Formula::argument(0), &[value], shape)
}
