//! What a row of the registries of functions, layers and losses is: from a row come the parsing of arguments, the hints in errors,
//! the documentation and the lowering.

use std::fmt;

use crate::check::{Call, Operand, Site, TensorType};
use crate::error::Checked;
use crate::graph::ValueId;
use crate::lower::Lowering;
use crate::network::Initializer;

/// A built-in function. Elementwise functions are not among them: they are rows of `elementwise.rs`.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// One line for the tables of the documentation.
    pub(crate) documentation: &'static str,
    /// Positional ones first; the first is what a method is called on.
    pub(crate) arguments: &'static [Argument],
    /// The shape rule: looks at the arguments, makes parameters, says what comes out.
    pub(crate) check: fn(&mut Site<'_, '_>) -> Checked<Vec<TensorType>>,
    /// The same as a composition of primitives, one value for each result.
    pub(crate) lower: fn(&mut Lowering<'_>, &Call) -> Vec<ValueId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Without parameters of its own.
    Primitive,
    /// May have parameters, a name and a row in the summary.
    Layer,
    Loss,
}

/// An argument of a built-in function.
#[derive(Debug)]
pub(crate) struct Argument {
    pub(crate) name: &'static str,
    pub(crate) accepts: Accepts,
    pub(crate) default: Default,
    /// Given only as `name = value`.
    pub(crate) named: bool,
}

/// What an argument may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepts {
    /// A tensor of real numbers; constants become one.
    Tensor,
    /// A tensor of real numbers, classes or lengths.
    AnyTensor,
    /// A list or tuple of tensors of real numbers.
    Tensors,
    /// `Class<N>` or a tensor of these.
    Classes,
    /// A `Length<N>`.
    Length,
    /// A whole number of at least 1.
    Size,
    /// A whole number.
    Integer,
    Number,
    Boolean,
    /// `[4, 5]` or a single size.
    Sizes,
    /// `-1`, or several: `[0, 1]`.
    Axes,
    /// Constants: `[0.5, 1.0]`.
    Numbers,
    Initializer,
    /// A name for the parameters of a layer.
    Name,
}

impl Accepts {
    /// As in "must be …".
    pub(crate) fn described(self) -> &'static str {
        match self {
            Self::Tensor => "a tensor of real numbers",
            Self::AnyTensor => "a tensor",
            Self::Tensors => "a list of tensors",
            Self::Classes => "classes",
            Self::Length => "a `Length`",
            Self::Size => "a constant whole number of at least 1",
            Self::Integer => "a constant whole number",
            Self::Number => "a constant number",
            Self::Boolean => "`true` or `false`",
            Self::Sizes => "a list of constant sizes",
            Self::Axes => "a constant axis or a list of them",
            Self::Numbers => "a list of constant numbers",
            Self::Initializer => "an initialiser such as `glorot_uniform()`",
            Self::Name => "a name",
        }
    }
}

/// What holds for an argument that is not given.
#[derive(Debug, Clone)]
pub(crate) enum Default {
    Required,
    Absent,
    Boolean(bool),
    Number(f64),
    Axis(i64),
    Initializer(Initializer),
}

/// An argument that has to be given.
pub(crate) const fn required(name: &'static str, accepts: Accepts) -> Argument {
    Argument { name, accepts, default: Default::Required, named: false }
}

/// An argument that may be left out, given as `name = value`.
pub(crate) const fn option(name: &'static str, accepts: Accepts, default: Default) -> Argument {
    Argument { name, accepts, default, named: true }
}

/// An argument that may be left out, given in its place or as `name = value`.
pub(crate) const fn optional(name: &'static str, accepts: Accepts, default: Default) -> Argument {
    Argument { name, accepts, default, named: false }
}

/// The options that every layer with parameters has.
pub(crate) const FROZEN: Argument = option("frozen", Accepts::Boolean, Default::Boolean(false));
pub(crate) const NAME: Argument = option("name", Accepts::Name, Default::Absent);

/// The value of an argument, defaults put in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Setting {
    Absent,
    Tensor(Operand),
    Tensors(Vec<Operand>),
    Size(usize),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    Sizes(Vec<usize>),
    Axes(Vec<i64>),
    Numbers(Vec<f64>),
    Initializer(Initializer),
    Name(String),
}

impl From<&Default> for Setting {
    fn from(default: &Default) -> Self {
        match default {
            Default::Required | Default::Absent => Self::Absent,
            Default::Boolean(value) => Self::Boolean(*value),
            Default::Number(value) => Self::Number(*value),
            Default::Axis(axis) => Self::Axes(vec![*axis]),
            Default::Initializer(initializer) => Self::Initializer(initializer.clone()),
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => formatter.write_str("none"),
            Self::Tensor(operand) => write!(formatter, "{operand}"),
            Self::Tensors(operands) => {
                let operands: Vec<String> = operands.iter().map(Operand::to_string).collect();
                write!(formatter, "[{}]", operands.join(", "))
            }
            Self::Size(value) => write!(formatter, "{value}"),
            Self::Integer(value) => write!(formatter, "{value}"),
            Self::Number(value) => write!(formatter, "{value:?}"),
            Self::Boolean(value) => write!(formatter, "{value}"),
            Self::Sizes(sizes) => write!(formatter, "{sizes:?}"),
            Self::Axes(axes) => match axes.as_slice() {
                [axis] => write!(formatter, "{axis}"),
                axes => write!(formatter, "{axes:?}"),
            },
            Self::Numbers(numbers) => write!(formatter, "{numbers:?}"),
            Self::Initializer(initializer) => write!(formatter, "{initializer}"),
            Self::Name(name) => formatter.write_str(name),
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

impl Function {
    /// How a call looks: `x.dense(width, bias = true)`.
    pub(crate) fn form(&self) -> String {
        let mut parts = Vec::new();
        for argument in self.arguments {
            match (&argument.default, argument.name) {
                (_, "name") => {}
                (Default::Required, name) => parts.push(name.to_string()),
                (Default::Absent, name) => parts.push(format!("{name} = …")),
                (default, name) => parts.push(format!("{name} = {}", Setting::from(default))),
            }
        }
        if self.arguments.first().is_some_and(|first| first.accepts == Accepts::Tensors) {
            parts[0] = "(a, b)".into();
        } else if self.arguments.first().is_some_and(|first| first.accepts.is_tensor()) && self.kind != Kind::Loss {
            let receiver = parts.remove(0);
            return format!("{receiver}.{}({})", self.name, parts.join(", "));
        }
        format!("{}({})", self.name, parts.join(", "))
    }

    /// How a call looks, and what it computes.
    pub(crate) fn usage(&self) -> String {
        format!("`{}`: {}", self.form(), self.documentation)
    }

    pub(crate) fn position(&self, argument: &str) -> usize {
        let found = self.arguments.iter().position(|candidate| candidate.name == argument);
        found.unwrap_or_else(|| unreachable!("`{}` has a row for its argument `{argument}`", self.name))
    }
}

impl Accepts {
    pub(crate) fn is_tensor(self) -> bool {
        matches!(self, Self::Tensor | Self::AnyTensor | Self::Tensors | Self::Classes | Self::Length)
    }
}

/// Every built-in function.
pub(crate) fn all() -> impl Iterator<Item = &'static Function> {
    crate::operations::OPERATIONS.iter().chain(crate::layers::LAYERS).chain(crate::losses::LOSSES).copied()
}

pub(crate) fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name == name)
}
