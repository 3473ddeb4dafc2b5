//! The graph as text, a line a node.

use std::fmt::{self, Display, Formatter};

use super::{Element, Graph, Node, Op, Reduction, Scan, Type, ValueId};

impl Display for ValueId {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "%{}", self.0)
    }
}

impl Display for Type {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.shape)?;
        match self.element {
            Element::Real => {}
            Element::Class(bound) => write!(formatter, " class<{bound}>")?,
            Element::Length(bound) => write!(formatter, " length<{bound}>")?,
        }
        formatter.write_str(if self.batched { " batched" } else { "" })
    }
}

/// `%3 = contract %1 %2 : [32, 128] batched  // dense_1`; the body of a scan follows it, indented.
impl Display for Graph {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.write(formatter, "")
    }
}

impl Graph {
    fn write(&self, formatter: &mut Formatter<'_>, indent: &str) -> fmt::Result {
        for (value, node) in self.nodes() {
            write!(formatter, "{indent}{value} = ")?;
            operation(formatter, node)?;
            write!(formatter, " : {}", node.ty)?;
            match self.name(value) {
                Some(name) => writeln!(formatter, "  // {name}")?,
                None => writeln!(formatter)?,
            }
            if let Op::Scan(scan) = &node.op {
                let inner = format!("{indent}    ");
                scan.body.write(formatter, &inner)?;
                writeln!(formatter, "{inner}next ({})", list(&scan.next))?;
            }
        }
        Ok(())
    }
}

fn operation(formatter: &mut Formatter<'_>, node: &Node) -> fmt::Result {
    let inputs = node.inputs.as_slice();
    match &node.op {
        Op::Input(index) => write!(formatter, "input {index}"),
        Op::Parameter(index) => write!(formatter, "parameter {index}"),
        Op::Constant(bits) => write!(formatter, "constant {:?}", f64::from_bits(*bits)),
        Op::Position { axis } => write!(formatter, "position axis {axis}"),
        Op::Random(stream) => write!(formatter, "random {stream}"),
        Op::Map(formula) => {
            let names: Vec<String> = inputs.iter().map(ToString::to_string).collect();
            write!(formatter, "map {}", formula.display_with(&names))
        }
        Op::Contract { lhs_transposed, rhs_transposed, over_samples } => {
            let sign = |transposed: &bool| if *transposed { "^T" } else { "" };
            let (left, right) = (sign(lhs_transposed), sign(rhs_transposed));
            write!(formatter, "contract {}{left} {}{right}{}", inputs[0], inputs[1], samples(*over_samples))
        }
        Op::Reduce { reduction, axes, over_samples } => {
            let name = match reduction {
                Reduction::Sum => "sum",
                Reduction::Max => "max",
                Reduction::Min => "min",
            };
            write!(formatter, "{name} {} axes {axes:?}{}", inputs[0], samples(*over_samples))
        }
        Op::Reshape => write!(formatter, "reshape {}", inputs[0]),
        Op::Transpose(permutation) => write!(formatter, "transpose {} {permutation:?}", inputs[0]),
        Op::Slice { axis, start, end } => write!(formatter, "slice {} axis {axis} {start}..{end}", inputs[0]),
        Op::Pad { axis, before, after } => write!(formatter, "pad {} axis {axis} by {before}, {after}", inputs[0]),
        Op::Concat { axis } => write!(formatter, "concat ({}) axis {axis}", list(inputs)),
        Op::Lookup => write!(formatter, "lookup {} at {}", inputs[0], inputs[1]),
        Op::LookupAdjoint { rows } => {
            write!(formatter, "lookup_adjoint at {} of {}, {rows} rows", inputs[0], inputs[1])
        }
        Op::StopGradient => write!(formatter, "stop_gradient {}", inputs[0]),
        Op::Scan(scan) => scan_header(formatter, scan, inputs),
        Op::Stacked(value) => write!(formatter, "stacked {value} of {}", inputs[0]),
        Op::Last(carry) => write!(formatter, "last carry {carry} of {}", inputs[0]),
    }
}

fn scan_header(formatter: &mut Formatter<'_>, scan: &Scan, inputs: &[ValueId]) -> fmt::Result {
    let (carries, rest) = inputs.split_at(scan.next.len());
    let (sequences, captured) = rest.split_at(scan.sequences);
    let direction = if scan.reverse { " in reverse" } else { "" };
    write!(formatter, "scan {} steps{direction} from ({}) over ({})", scan.steps, list(carries), list(sequences))?;
    if captured.is_empty() { Ok(()) } else { write!(formatter, " with ({})", list(captured)) }
}

fn samples(over_samples: bool) -> &'static str {
    if over_samples { " over samples" } else { "" }
}

fn list(values: &[ValueId]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
