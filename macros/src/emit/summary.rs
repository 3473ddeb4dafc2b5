//! What a user reads of the compilation: layers with their sizes, and formulas with their derivatives.

use std::fmt::Write;

use crate::entries::EntryPoints;
use crate::formula::Formula;
use crate::graph::Op;
use crate::network::Network;
use crate::plan::{Extent, Kernel, Schedule};

/// Multiply-adds of one sample.
pub(crate) fn multiply_adds(schedule: &Schedule) -> usize {
    count(&schedule.kernels)
}

fn count(kernels: &[Kernel]) -> usize {
    let size = |extents: &[Extent]| extents.iter().map(|extent| extent.count).product::<usize>();
    kernels
        .iter()
        .map(|kernel| match kernel {
            Kernel::Contract { outer, m, k, n, .. } => size(outer) * size(&[*m, *k, *n]),
            Kernel::Loop { steps, kernels, .. } => steps * count(kernels),
            _ => 0,
        })
        .sum()
}

/// Layers with output shape, parameters, multiply-adds and bytes (of `f32`), and their sums.
pub(crate) fn summary(network: &Network, entries: &EntryPoints) -> String {
    let header = ["layer", "output", "parameters", "multiply-adds", "bytes"].map(str::to_string);
    let mut rows = vec![header];
    for layer in &network.layers {
        rows.push([
            format!("{} = {}", layer.name, layer.call),
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

/// Each elementwise formula of the loss (or of the prediction) with its derivatives.
pub(crate) fn derivation(entries: &EntryPoints) -> String {
    let graph = entries.loss.as_ref().map_or(&entries.predict.lowered, |loss| &loss.training.lowered);
    let mut seen: Vec<Formula> = Vec::new();
    let mut text = String::new();
    describe(graph, &mut seen, &mut text);
    text
}

fn describe(graph: &crate::graph::Graph, seen: &mut Vec<Formula>, text: &mut String) {
    for (value, node) in graph.nodes() {
        match &node.op {
            Op::Scan(scan) => describe(&scan.body, seen, text),
            Op::Map(formula) if !seen.contains(formula) && formula.as_argument().is_none() => {
                seen.push(formula.clone());
                let count = node.inputs.len();
                let mut names: Vec<String> = match count {
                    1 => vec!["x".into()],
                    2 => vec!["a".into(), "b".into()],
                    _ => (0..count).map(|index| format!("x{index}")).collect(),
                };
                names.push("y".into());
                let origin = graph.name(value).map_or(String::new(), |name| format!("    ({name})"));
                let _ = writeln!(text, "y = {}{origin}", formula.display_with(&names));
                for argument in formula.arguments() {
                    let derivative = formula.derivative(argument, count);
                    let _ = writeln!(text, "  dy/d{} = {}", names[argument], derivative.display_with(&names));
                }
            }
            _ => {}
        }
    }
}
