//! A plan in print.

use std::fmt::{Display, Formatter, Result};

use super::schedule::{Destination, Extent, Kernel, Operand, Schedule};
use super::view::{Source, View};
use crate::graph::Reduction;

impl Display for Schedule {
    fn fmt(&self, f: &mut Formatter) -> Result {
        writeln!(f, "memory: {} per sample, {} shared", self.sample_size, self.shared_size)?;
        for (index, buffer) in self.buffers.iter().enumerate().filter(|(_, buffer)| buffer.size > 0) {
            let kind = if buffer.batched { "per sample" } else { "shared" };
            writeln!(f, "  b{index}: {} {kind} at {}", buffer.size, buffer.offset)?;
        }
        print(&self.kernels, 0, f)?;
        for (index, result) in self.results.iter().enumerate() {
            writeln!(f, "result {index}: {result}")?;
        }
        Ok(())
    }
}

fn print(kernels: &[Kernel], depth: usize, f: &mut Formatter) -> Result {
    let indent = "  ".repeat(depth);
    for kernel in kernels {
        match kernel {
            Kernel::Nest { extents, inputs, outputs, formulas } => {
                writeln!(f, "{indent}nest [{}]", list(extents))?;
                operands(inputs, outputs, formulas, 0, &indent, f)?;
            }
            Kernel::Rows { stages } => {
                writeln!(f, "{indent}rows")?;
                print(stages, depth + 1, f)?;
            }
            Kernel::Contract { outer, m, k, n, lhs, rhs, inputs, outputs, formulas, lent } => {
                let outer = if outer.is_empty() { String::new() } else { format!("[{}] ", list(outer)) };
                writeln!(f, "{indent}contract {outer}m = {m}, k = {k}, n = {n}: {lhs} x {rhs}")?;
                if let Some(lent) = lent {
                    writeln!(f, "{indent}  by way of {lent}")?;
                }
                operands(inputs, outputs, formulas, 1, &indent, f)?;
            }
            Kernel::Lookup { extents, table, width, indices, output, .. } => {
                writeln!(f, "{indent}lookup [{}] rows of {width}: {output} = {table}[{indices}]", list(extents))?;
            }
            Kernel::LookupAdjoint { extents, width, indices, gradient, output, .. } => {
                writeln!(
                    f,
                    "{indent}lookup_adjoint [{}] rows of {width}: {output}[{indices}] += {gradient}",
                    list(extents)
                )?;
            }
            Kernel::Random { stream, loops, output } => {
                let steps: String = loops.iter().map(|number| format!(", t{number}")).collect();
                writeln!(f, "{indent}random {stream}{steps}: {output}")?;
            }
            Kernel::Loop { number, steps, reverse, kernels } => {
                let order = if *reverse { ", backwards" } else { "" };
                writeln!(f, "{indent}loop t{number} in {steps} steps{order}")?;
                print(kernels, depth + 1, f)?;
            }
        }
    }
    Ok(())
}

fn operands(
    inputs: &[Operand],
    outputs: &[Destination],
    formulas: &[crate::formula::Formula],
    products: usize,
    indent: &str,
    f: &mut Formatter,
) -> Result {
    let mut names: Vec<String> = (0..products).map(|_| "product".to_string()).collect();
    names.extend(inputs.iter().map(ToString::to_string));
    for (output, formula) in outputs.iter().zip(formulas) {
        let sign = match output.reduction {
            None => "=",
            Some(Reduction::Sum) => "sum=",
            Some(Reduction::Max) => "max=",
            Some(Reduction::Min) => "min=",
        };
        writeln!(f, "{indent}  {} {sign} {}", output.operand, formula.display_with(&names))?;
    }
    Ok(())
}

fn list<T: Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Display for Extent {
    fn fmt(&self, f: &mut Formatter) -> Result {
        match (self.samples, self.count) {
            (true, 1) => f.write_str("samples"),
            (true, count) => write!(f, "samples*{count}"),
            (false, count) => write!(f, "{count}"),
        }
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut Formatter) -> Result {
        match self {
            Source::Buffer(index) => write!(f, "b{index}"),
            Source::Input(index) => write!(f, "input{index}"),
            Source::PerStep(index) => write!(f, "step_input{index}"),
            Source::Parameter(index) => write!(f, "parameter{index}"),
            Source::Gradient(index) => write!(f, "gradient{index}"),
            Source::Constant(bits) => write!(f, "{}", f64::from_bits(*bits)),
            Source::Position => f.write_str("position"),
            Source::Step(number) => write!(f, "t{number}"),
        }
    }
}

fn start(view: &View) -> String {
    let mut parts = Vec::new();
    if view.offset != 0 {
        parts.push(view.offset.to_string());
    }
    parts.extend(
        view.loops.iter().filter(|(_, stride)| *stride != 0).map(|(number, stride)| format!("{stride}*t{number}")),
    );
    if parts.is_empty() { String::new() } else { format!("+{}", parts.join("+")) }
}

impl Display for View {
    fn fmt(&self, f: &mut Formatter) -> Result {
        write!(f, "{}{}", self.source, start(self))
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter) -> Result {
        write!(f, "{}{}({})", self.view.source, start(&self.view), list(&self.strides))
    }
}
