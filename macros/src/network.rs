//! The checked declaration: every name resolved, every shape known, every user function inlined.

use std::fmt;

use proc_macro2::{Ident, Span, TokenStream};

use crate::check::{TensorType, display_shape};
use crate::formula::Formula;
use crate::graph::{Element, Shape};

/// What `check` yields and `lower` and `emit` read.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) name: Ident,
    /// The user's attributes (doc comments among them) but our own.
    pub(crate) attributes: TokenStream,
    pub(crate) visibility: TokenStream,
    /// The folder of `#[dump("folder")]`.
    pub(crate) dump: Option<String>,
    /// In the order in which they lie in memory.
    pub(crate) parameters: Vec<Parameter>,
    /// The doc comments of the struct's fields, by name.
    pub(crate) field_attributes: Vec<(String, TokenStream)>,
    pub(crate) inputs: Vec<Argument>,
    /// The arguments of `loss` behind the outputs.
    pub(crate) targets: Vec<Argument>,
    pub(crate) outputs: Vec<Signature>,
    pub(crate) has_loss: bool,
    /// The doc comments of `forward` and `loss`.
    pub(crate) forward_attributes: TokenStream,
    pub(crate) loss_attributes: TokenStream,
    /// `pub fn`s of the body besides `forward` and `loss`.
    pub(crate) methods: Vec<Method>,
    /// One row for each layer call of `forward`, for `summary()`.
    pub(crate) layers: Vec<LayerRow>,
    /// The user's own functions that are formulas.
    pub(crate) formulas: Vec<HomeMade>,
    /// The bodies: statements with resolved calls.
    pub(crate) bodies: crate::check::Bodies,
}

#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    /// Fields from the outermost: `["block_2", "dense_1", "weight"]`.
    pub(crate) path: Vec<String>,
    pub(crate) shape: Shape,
    pub(crate) role: Role,
    pub(crate) initializer: Initializer,
    pub(crate) frozen: bool,
    pub(crate) clamp: Option<(f64, f64)>,
}

/// As the runtime's `Role`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Weight,
    Bias,
    Normalization,
    Embedding,
    Other,
}

/// As the runtime's `Initializer`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Initializer {
    Zeros,
    Constant(f64),
    Literal(Vec<f64>),
    Uniform(f64, f64),
    Normal(f64),
    GlorotUniform,
    GlorotNormal,
    HeUniform,
    HeNormal,
    LecunUniform,
    LecunNormal,
    Orthogonal,
}

/// Shape and element of a sample's tensor; a per-step `Scalar` is one number for all samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) shape: Shape,
    pub(crate) element: Element,
    pub(crate) per_step: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Argument {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) signature: Signature,
}

/// A further entry point.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) name: Ident,
    pub(crate) visibility: TokenStream,
    pub(crate) attributes: TokenStream,
    pub(crate) inputs: Vec<Argument>,
    pub(crate) outputs: Vec<Signature>,
}

/// A function of the user, as a formula of its arguments and of parameters.
#[derive(Debug, Clone)]
pub(crate) struct HomeMade {
    pub(crate) name: String,
    /// How many of the names are arguments of the function; the others are parameters.
    pub(crate) given: usize,
    /// Of the formula's arguments.
    pub(crate) names: Vec<String>,
    pub(crate) formula: Formula,
}

/// A line of the summary.
#[derive(Debug, Clone)]
pub(crate) struct LayerRow {
    /// `dense_1`
    pub(crate) name: String,
    /// `dense(128)`
    pub(crate) call: String,
    pub(crate) output: Shape,
    pub(crate) parameters: usize,
    pub(crate) multiply_adds: usize,
}

impl fmt::Display for Initializer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Zeros => "zeros()",
            Self::Constant(value) => return write!(formatter, "constant({value:?})"),
            Self::Literal(values) => return write!(formatter, "{values:?}"),
            Self::Uniform(low, high) => return write!(formatter, "uniform({low:?}, {high:?})"),
            Self::Normal(deviation) => return write!(formatter, "normal({deviation:?})"),
            Self::GlorotUniform => "glorot_uniform()",
            Self::GlorotNormal => "glorot_normal()",
            Self::HeUniform => "he_uniform()",
            Self::HeNormal => "he_normal()",
            Self::LecunUniform => "lecun_uniform()",
            Self::LecunNormal => "lecun_normal()",
            Self::Orthogonal => "orthogonal()",
        };
        formatter.write_str(name)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.per_step {
            return formatter.write_str("Scalar");
        }
        TensorType { shape: self.shape.clone(), element: self.element }.fmt(formatter)
    }
}

fn list(arguments: &[Argument]) -> String {
    let arguments = arguments.iter().map(|argument| format!("{}: {}", argument.name, argument.signature));
    arguments.collect::<Vec<_>>().join(", ")
}

/// The parameters, then the bodies, a call a line.
impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "network {}", self.name)?;
        for (number, parameter) in self.parameters.iter().enumerate() {
            let (path, shape) = (parameter.path.join("."), display_shape(&parameter.shape));
            write!(formatter, "parameter {number} {path}: {shape} = {}", parameter.initializer)?;
            if let Some((low, high)) = parameter.clamp {
                write!(formatter, " in {low:?}..{high:?}")?;
            }
            writeln!(formatter, "{}", if parameter.frozen { " frozen" } else { "" })?;
        }
        writeln!(formatter, "inputs ({})", list(&self.inputs))?;
        if self.has_loss {
            writeln!(formatter, "targets ({})", list(&self.targets))?;
        }
        for (number, method) in self.methods.iter().enumerate() {
            writeln!(formatter, "method {number} {}({})", method.name, list(&method.inputs))?;
        }
        self.bodies.fmt(formatter)
    }
}
