//! The checked bodies: a list of calls for each entry point, every user function inlined and every argument resolved.

use std::collections::HashMap;
use std::fmt;

use proc_macro2::Span;

use super::display_shape;
use crate::formula::Formula;
use crate::function::{Function, Kind, Setting};
use crate::graph::{Element, Shape};

/// A value of the checked bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ValueRef(pub(crate) usize);

/// Shape and element of a sample's tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TensorType {
    pub(crate) shape: Shape,
    pub(crate) element: Element,
}

impl TensorType {
    pub(crate) fn real(shape: Shape) -> Self {
        Self { shape, element: Element::Real }
    }
}

/// A value with its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operand {
    pub(crate) value: ValueRef,
    pub(crate) ty: TensorType,
}

/// One step of a body.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) callee: Callee,
    /// In the order of the function's arguments.
    pub(crate) settings: Vec<Setting>,
    /// Numbers of the parameters that a layer uses, in its order.
    pub(crate) parameters: Vec<usize>,
    pub(crate) results: Vec<Operand>,
    /// `block_1.dense_2`, where the layer has a name.
    pub(crate) label: Option<String>,
    /// Tells calls apart: the stream of random numbers.
    pub(crate) number: usize,
    /// The function's name in the call.
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) enum Callee {
    Function(&'static Function),
    /// A formula of the settings, element by element.
    Map(Formula),
    Parameter(usize),
    /// Every element the same.
    Constant(f64),
    /// A tensor written as a list.
    Literal(Vec<f64>),
    Scan(Box<Scan>),
}

/// A loop over time; the call's settings are the initial states and then the sequences.
#[derive(Debug)]
pub(crate) struct Scan {
    /// The state and the elements of the sequences in one step.
    pub(crate) states: Vec<Operand>,
    pub(crate) elements: Vec<Operand>,
    pub(crate) calls: Vec<Call>,
    /// The new states.
    pub(crate) next: Vec<ValueRef>,
    pub(crate) steps: usize,
    pub(crate) reverse: bool,
    pub(crate) length: Option<Operand>,
}

/// An entry point.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) inputs: Vec<Operand>,
    pub(crate) calls: Vec<Call>,
    pub(crate) outputs: Vec<Operand>,
}

/// The loss: its inputs are the outputs of `forward` and then the targets.
#[derive(Debug, Default)]
pub(crate) struct LossBody {
    pub(crate) inputs: Vec<Operand>,
    pub(crate) calls: Vec<Call>,
    pub(crate) terms: Vec<Term>,
}

/// A part of the loss: the batch's part is the total of the values over the total of the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) value: ValueRef,
    /// 1, if there is none.
    pub(crate) weight: Option<ValueRef>,
}

/// What `check` makes of all functions.
#[derive(Debug, Default)]
pub(crate) struct Bodies {
    pub(crate) forward: Body,
    pub(crate) loss: Option<LossBody>,
    pub(crate) methods: Vec<Body>,
    /// What users call values, where they have a name.
    pub(crate) names: HashMap<ValueRef, String>,
}

impl Call {
    fn setting(&self, argument: &str) -> &Setting {
        match &self.callee {
            Callee::Function(function) => &self.settings[function.position(argument)],
            _ => unreachable!("only built-in functions have named arguments"),
        }
    }

    /// All tensors that it is given.
    pub(crate) fn given(&self) -> impl Iterator<Item = &Operand> {
        self.settings.iter().flat_map(|setting| match setting {
            Setting::Tensor(operand) => std::slice::from_ref(operand),
            Setting::Tensors(operands) => operands,
            _ => &[],
        })
    }

    /// Numbers of the parameters that it reads, apart from those in a loop's steps.
    pub(crate) fn read(&self) -> impl Iterator<Item = usize> {
        let parameter = match self.callee {
            Callee::Parameter(number) => Some(number),
            _ => None,
        };
        self.parameters.iter().copied().chain(parameter)
    }

    pub(crate) fn operand(&self, argument: &str) -> &Operand {
        self.optional_operand(argument).unwrap_or_else(|| unreachable!("`{argument}` was checked to be a tensor"))
    }

    pub(crate) fn optional_operand(&self, argument: &str) -> Option<&Operand> {
        match self.setting(argument) {
            Setting::Tensor(operand) => Some(operand),
            _ => None,
        }
    }

    pub(crate) fn operands(&self, argument: &str) -> &[Operand] {
        match self.setting(argument) {
            Setting::Tensors(operands) => operands,
            _ => &[],
        }
    }

    pub(crate) fn number(&self, argument: &str) -> f64 {
        match self.setting(argument) {
            Setting::Number(number) => *number,
            other => unreachable!("`{argument}` was checked to be a number: {other}"),
        }
    }

    /// A place, checked not to be negative.
    pub(crate) fn integer(&self, argument: &str) -> usize {
        match self.setting(argument) {
            Setting::Integer(integer) => usize::try_from(*integer).unwrap_or(0),
            other => unreachable!("`{argument}` was checked to be a whole number: {other}"),
        }
    }

    pub(crate) fn boolean(&self, argument: &str) -> bool {
        matches!(self.setting(argument), Setting::Boolean(true))
    }

    pub(crate) fn numbers(&self, argument: &str) -> Option<&[f64]> {
        match self.setting(argument) {
            Setting::Numbers(numbers) => Some(numbers),
            _ => None,
        }
    }

    /// Axes as the shape rule left them: counted from 0, sorted where order means nothing.
    pub(crate) fn axes(&self, argument: &str) -> Vec<usize> {
        match self.setting(argument) {
            Setting::Axes(axes) => axes.iter().map(|&axis| axis as usize).collect(),
            _ => Vec::new(),
        }
    }

    /// Shape of the only result.
    pub(crate) fn result(&self) -> &Shape {
        &self.results[0].ty.shape
    }

    /// As the user would write it, without the receiver and what is at its default: `dense(128)`. Tensors have the `names` of the
    /// arguments, or `…`.
    pub(crate) fn text(&self, names: &[Option<String>]) -> String {
        let Callee::Function(function) = &self.callee else { return self.callee.to_string() };
        let mut parts = Vec::new();
        let rows = function.arguments.iter().zip(&self.settings).zip(names).skip(1);
        for ((argument, setting), name) in rows {
            if *setting == Setting::from(&argument.default) || argument.name == "name" {
                continue;
            }
            let text = match (argument.accepts.is_tensor(), name) {
                (true, Some(name)) => name.clone(),
                (true, None) => "…".into(),
                (false, _) => setting.to_string(),
            };
            parts.push(if argument.named { format!("{} = {text}", argument.name) } else { text });
        }
        format!("{}({})", function.name, parts.join(", "))
    }
}

impl fmt::Display for ValueRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "%{}", self.0)
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(formatter)
    }
}

impl fmt::Display for TensorType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes = display_shape(&self.shape);
        let (name, bound) = match self.element {
            Element::Real => return formatter.write_str(&sizes),
            Element::Class(bound) => ("Class", bound),
            Element::Length(bound) => ("Length", bound),
        };
        match self.shape.as_slice() {
            [] => write!(formatter, "{name}<{bound}>"),
            _ => write!(formatter, "[{name}<{bound}>; {}", &sizes[1..]),
        }
    }
}

impl fmt::Display for Callee {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function(function) => formatter.write_str(function.name),
            Self::Map(formula) => write!(formatter, "{formula}"),
            Self::Parameter(number) => write!(formatter, "parameter {number}"),
            Self::Constant(value) => write!(formatter, "{value:?}"),
            Self::Literal(values) => write!(formatter, "{values:?}"),
            Self::Scan(scan) => {
                write!(formatter, "scan of {} steps", scan.steps)?;
                if scan.reverse {
                    formatter.write_str(" from the last")?;
                }
                scan.length.iter().try_for_each(|length| write!(formatter, ", length {length}"))
            }
        }
    }
}

fn list(operands: &[Operand]) -> String {
    let typed = |operand: &Operand| format!("{operand}: {}", operand.ty);
    operands.iter().map(typed).collect::<Vec<_>>().join(", ")
}

impl Call {
    /// One line for the call, more for a scan.
    fn write(&self, formatter: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
        write!(formatter, "{:indent$}{} = ", "", list(&self.results))?;
        if let Some(label) = &self.label {
            write!(formatter, "{label}: ")?;
        }
        write!(formatter, "{}", self.callee)?;
        let settings: Vec<String> = match &self.callee {
            Callee::Function(function) => (function.arguments.iter().zip(&self.settings))
                .filter(|(_, setting)| !matches!(setting, Setting::Absent))
                .map(|(argument, setting)| match argument.accepts.is_tensor() {
                    true => setting.to_string(),
                    false => format!("{} = {setting}", argument.name),
                })
                .collect(),
            _ => self.settings.iter().map(Setting::to_string).collect(),
        };
        if !settings.is_empty() {
            write!(formatter, "({})", settings.join(", "))?;
        }
        if let (Callee::Function(Function { kind: Kind::Layer, .. }), [_, ..]) = (&self.callee, &self.parameters[..]) {
            write!(formatter, " with parameters {:?}", self.parameters)?;
        }
        writeln!(formatter)?;
        let Callee::Scan(scan) = &self.callee else { return Ok(()) };
        writeln!(formatter, "{:indent$}    step({}; {})", "", list(&scan.states), list(&scan.elements))?;
        for call in &scan.calls {
            call.write(formatter, indent + 4)?;
        }
        let next: Vec<String> = scan.next.iter().map(ValueRef::to_string).collect();
        writeln!(formatter, "{:indent$}    next {}", "", next.join(", "))
    }
}

pub(super) fn write_calls(formatter: &mut fmt::Formatter<'_>, calls: &[Call]) -> fmt::Result {
    calls.iter().try_for_each(|call| call.write(formatter, 4))
}

pub(super) fn write_body(formatter: &mut fmt::Formatter<'_>, name: &str, body: &Body) -> fmt::Result {
    writeln!(formatter, "{name}({})", list(&body.inputs))?;
    write_calls(formatter, &body.calls)?;
    let outputs: Vec<String> = body.outputs.iter().map(Operand::to_string).collect();
    writeln!(formatter, "    return {}", outputs.join(", "))
}

pub(super) fn write_loss(formatter: &mut fmt::Formatter<'_>, body: &LossBody) -> fmt::Result {
    writeln!(formatter, "loss({})", list(&body.inputs))?;
    write_calls(formatter, &body.calls)?;
    for term in &body.terms {
        write!(formatter, "    term {}", term.value)?;
        term.weight.iter().try_for_each(|weight| write!(formatter, " weighted by {weight}"))?;
        writeln!(formatter)?;
    }
    Ok(())
}
