//! What an expression of a body can be.

use proc_macro2::Span;

use super::bodies::{Operand, TensorType, ValueRef};
use crate::error::line;

/// The value of an expression.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Tensor(Tensor),
    /// A loss that is a weighted mean over the batch, or a sum with such.
    Loss(Vec<LossPart>),
    Tuple(Vec<Value>),
    List(Vec<Value>),
    /// `()`: of a block without a last expression, or a statement.
    Nothing,
}

#[derive(Debug, Clone)]
pub(crate) struct Tensor {
    pub(crate) operand: Operand,
    pub(crate) origin: Origin,
    /// A comparison: its elements are 1 and 0.
    pub(crate) condition: bool,
}

impl Tensor {
    pub(crate) fn ty(&self) -> &TensorType {
        &self.operand.ty
    }

    pub(crate) fn shape(&self) -> &[usize] {
        &self.operand.ty.shape
    }
}

/// Where a tensor comes from, for messages.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// `from `dense``, `declared`
    pub(crate) what: String,
    pub(crate) span: Span,
}

impl Origin {
    pub(crate) fn of(function: &str, span: Span) -> Self {
        Self { what: format!("from `{function}`"), span }
    }

    pub(crate) fn declared(span: Span) -> Self {
        Self { what: "declared so".into(), span }
    }

    pub(crate) fn is_of(&self, function: &str) -> bool {
        self.what == Self::of(function, self.span).what
    }

    pub(crate) fn text(&self) -> String {
        match line(self.span) {
            Some(line) => format!("{} in line {line}", self.what),
            None => self.what.clone(),
        }
    }
}

/// One summand of a loss with weighted means; see [`super::bodies::Term`].
#[derive(Debug, Clone)]
pub(crate) struct LossPart {
    pub(crate) value: Box<Value>,
    pub(crate) weight: Option<ValueRef>,
}

impl Value {
    /// As in "this is …".
    pub(crate) fn described(&self) -> String {
        match self {
            Self::Integer(value) => format!("the number {value}"),
            Self::Float(value) => format!("the number {value:?}"),
            Self::Boolean(value) => format!("`{value}`"),
            Self::Tensor(tensor) => format!("a tensor {}", tensor.ty()),
            Self::Loss(_) => "a loss with a weighted mean".into(),
            Self::Tuple(items) => {
                let items: Vec<String> = items.iter().map(Self::type_text).collect();
                format!("a tuple ({})", items.join(", "))
            }
            Self::List(items) => format!("a list of {} entries", items.len()),
            Self::Nothing => "nothing".into(),
        }
    }

    /// The number of entries of nested lists.
    pub(crate) fn entries(&self) -> usize {
        match self {
            Self::List(items) | Self::Tuple(items) => items.iter().map(Self::entries).fold(1, usize::saturating_add),
            _ => 1,
        }
    }

    /// The type alone: `[3]`, `([3], [4])`.
    pub(crate) fn type_text(&self) -> String {
        match self {
            Self::Tensor(tensor) => tensor.ty().to_string(),
            Self::Tuple(items) => {
                let items: Vec<String> = items.iter().map(Self::type_text).collect();
                format!("({})", items.join(", "))
            }
            other => other.described(),
        }
    }
}
