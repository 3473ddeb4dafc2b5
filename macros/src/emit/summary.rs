//! What a user reads of the compilation: layers with their sizes, and formulas with their derivatives.

use std::fmt::Write;

use crate::entries::EntryPoints;
use crate::formula::Formula;
use crate::graph::{Element, Graph, Node, Op, ValueId};
use crate::network::{HomeMade, Network};
use crate::plan::{Extent, Kernel, Schedule};

/// Multiply-adds of one sample.
pub(crate) fn multiply_adds(schedule: &Schedule) -> usize {
    count(&schedule.kernels)
}

fn count(kernels: &[Kernel]) -> usize {
    kernels
        .iter()
        .map(|kernel| match kernel {
            Kernel::Contract { outer, m, k, n, .. } => size(outer) * size(&[*m, *k, *n]),
            Kernel::Loop { steps, kernels, .. } => steps * count(kernels),
            _ => 0,
        })
        .sum()
}

/// Indices of one sample.
fn size(extents: &[Extent]) -> usize {
    extents.iter().map(|extent| extent.count).product()
}

/// Up to this many multiply-adds and elements of other kernels, calls would cost more than the arithmetic.
const TINY: usize = 256;

/// Whether the kernels of a sample are to become part of one function.
pub(super) fn is_tiny(schedule: &Schedule) -> bool {
    work(&schedule.kernels) <= TINY
}

fn work(kernels: &[Kernel]) -> usize {
    let of = |kernel: &Kernel| match kernel {
        Kernel::Contract { outer, m, k, n, .. } => size(outer) * size(&[*m, *k, *n]),
        Kernel::Nest { extents, .. } => size(extents),
        Kernel::Rows { stages } => work(stages),
        Kernel::Lookup { extents, width, .. } | Kernel::LookupAdjoint { extents, width, .. } => size(extents) * width,
        Kernel::Random { output, .. } => output.shape.iter().product(),
        Kernel::Loop { steps, kernels, .. } => steps * work(kernels),
    };
    kernels.iter().map(of).sum()
}

/// Layers with output shape, parameters, multiply-adds and bytes (of `f32`), and their sums.
pub(crate) fn summary(network: &Network, entries: &EntryPoints) -> String {
    let header = ["layer", "output", "parameters", "multiply-adds", "bytes"].map(str::to_string);
    let mut rows = vec![header];
    for layer in &network.layers {
        rows.push([
            if layer.name.is_empty() { layer.call.clone() } else { format!("{} = {}", layer.name, layer.call) },
            format!("{:?}", layer.output),
            layer.parameters.to_string(),
            layer.multiply_adds.to_string(),
            (4 * layer.parameters).to_string(),
        ]);
    }
    let parameters: usize = network.parameters.iter().map(|parameter| parameter.shape.iter().product::<usize>()).sum();
    let total = multiply_adds(&entries.predict.schedule);
    rows.push(["total".into(), String::new(), parameters.to_string(), total.to_string(), (4 * parameters).to_string()]);
    let mut text = format!("{}\n", network.name);
    let widths: Vec<usize> =
        (0..5).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    for row in &rows {
        let cells: Vec<String> = (0..5)
            .map(|column| {
                let width = widths[column];
                if column < 2 { format!("{:<width$}", row[column]) } else { format!("{:>width$}", row[column]) }
            })
            .collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    let workspace = |name: &str, schedule: &Schedule| {
        format!("{name}: {} bytes a sample and {} besides\n", 4 * schedule.sample_size, 4 * schedule.shared_size)
    };
    text += &workspace("memory of a prediction", &entries.predict.schedule);
    if let Some(loss) = &entries.loss {
        text += &workspace("memory of a training step", &loss.training.schedule);
    }
    text
}

/// The user's own formulas, then each elementwise formula of a training step (of a prediction, without a loss) with its
/// derivatives. Values are called by the names of inputs, parameters and layers, or `v` with a number.
pub(crate) fn derivation(network: &Network, entries: &EntryPoints) -> String {
    let graph = entries.loss.as_ref().map_or(&entries.backward.simplified, |loss| &loss.training.simplified);
    let mut text = String::new();
    for made in &network.formulas {
        home_made(made, &mut text);
    }
    describe(graph, network.inputs.len(), &mut Vec::new(), &mut text);
    text
}

/// A function of the user with its derivatives: `swish(v) = v * sigmoid(v)`.
fn home_made(made: &HomeMade, text: &mut String) {
    let HomeMade { name, given, names, formula } = made;
    let _ = writeln!(text, "{name}({}) = {}", names[..*given].join(", "), formula.display_with(names));
    let with_result: Vec<String> = names.iter().chain([name]).cloned().collect();
    for argument in formula.arguments() {
        let derivative = formula.derivative(argument, names.len());
        let _ = writeln!(text, "    d {name} / d {} = {}", names[argument], derivative.display_with(&with_result));
    }
}

/// `inputs`: how many inputs there are before the targets.
fn describe(graph: &Graph, inputs: usize, seen: &mut Vec<Formula>, text: &mut String) {
    let names = |node: &Node| -> Vec<String> {
        node.inputs.iter().map(|&input| called(graph, behind_views(graph, input))).collect()
    };
    for (value, node) in graph.nodes() {
        let result = called(graph, value);
        match &node.op {
            Op::Scan(scan) => describe(&scan.body, usize::MAX, seen, text),
            Op::Map(formula) if !seen.contains(formula) && formula.as_argument().is_none() => {
                seen.push(formula.clone());
                map(graph, inputs, &result, node, formula, names(node), text);
            }
            Op::Contract { lhs_transposed, rhs_transposed, .. } => {
                let names = names(node);
                let side =
                    |name: &String, transposed: bool| if transposed { format!("{name}^T") } else { name.clone() };
                let (lhs, rhs) = (side(&names[0], *lhs_transposed), side(&names[1], *rhs_transposed));
                let _ = writeln!(text, "{result} = {lhs} matmul {rhs}");
            }
            Op::Reduce { reduction, .. } => {
                let reduction = format!("{reduction:?}").to_lowercase();
                let _ = writeln!(text, "{result} = {reduction}({})", names(node)[0]);
            }
            Op::Lookup => {
                let names = names(node);
                let _ = writeln!(text, "{result} = {}[{}]", names[0], names[1]);
            }
            _ => {}
        }
    }
}

/// A formula and its derivatives by what may have a gradient.
fn map(
    graph: &Graph,
    inputs: usize,
    result: &str,
    node: &Node,
    formula: &Formula,
    mut names: Vec<String>,
    text: &mut String,
) {
    let _ = writeln!(text, "{result} = {}", formula.display_with(&names));
    names.push(result.to_string());
    for argument in formula.arguments() {
        let input = graph.node(node.inputs[argument]);
        let is_target = matches!(input.op, Op::Input(index) if index >= inputs);
        if is_target || input.ty.element != Element::Real || matches!(input.op, Op::Position { .. }) {
            continue;
        }
        let derivative = formula.derivative(argument, node.inputs.len());
        let _ = writeln!(text, "    d {result} / d {} = {}", names[argument], derivative.display_with(&names));
    }
}

fn called(graph: &Graph, value: ValueId) -> String {
    match (graph.name(value), &graph.node(value).op) {
        (Some(name), _) => name.to_string(),
        (None, Op::Position { .. }) => "position".to_string(),
        (None, _) => format!("v{}", value.0),
    }
}

/// The named value that a value is a view of.
fn behind_views(graph: &Graph, value: ValueId) -> ValueId {
    let node = graph.node(value);
    match node.op {
        Op::Reshape | Op::StopGradient if graph.name(value).is_none() => behind_views(graph, node.inputs[0]),
        _ => value,
    }
}
