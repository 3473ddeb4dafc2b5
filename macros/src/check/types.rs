//! Types as written to types with sizes.

use std::fmt;

use proc_macro2::Span;

use super::value::Value;
use super::{Checker, TensorType};
use crate::error::{Checked, Diagnostic, suggestion};
use crate::graph::Element;
use crate::parse::{ElementSyntax, NAMES, TypeSyntax};

/// What takes the place of `f32` and `f64`.
pub(super) const REAL_NUMBERS: &str =
    "of the type that Rust chooses with `Name<f64>`; one number for a whole step is a `Scalar`";

/// What a signature or a `let` declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    Tensor(TensorType),
    /// One number for the whole step.
    Scalar,
    /// A constant of this Rust type.
    Constant(String),
    Tuple(Vec<Expected>),
}

impl<'a> Checker<'a> {
    pub(super) fn expected(&mut self, syntax: &'a TypeSyntax) -> Checked<Expected> {
        match syntax {
            TypeSyntax::Scalar(_) => Ok(Expected::Scalar),
            TypeSyntax::Unknown(name) => {
                let found = name.to_string();
                let suggestion = match found.as_str() {
                    "Class" | "Length" => format!("write its bound: `{found}<10>`"),
                    "f32" | "f64" => format!("leave it out: `[3]` has three numbers, `[]` one, {REAL_NUMBERS}"),
                    _ => suggestion(&found, NAMES, || {
                        "types are shapes such as `[28, 28]`, `Class<10>`, `[Class<65>; 64]`, `Length<64>`, `Scalar` and tuples".into()
                    }),
                };
                self.fail(name.span(), Diagnostic::UnknownType { found, suggestion })
            }
            TypeSyntax::Constant(name) => Ok(Expected::Constant(name.to_string())),
            TypeSyntax::Tuple(items, _) => {
                let items: Vec<Checked<Expected>> = items.iter().map(|item| self.expected(item)).collect();
                items.into_iter().collect::<Checked<Vec<_>>>().map(Expected::Tuple)
            }
            TypeSyntax::Tensor { element, sizes, span } => {
                let shape = self.sizes(sizes, *span);
                let element = match element {
                    ElementSyntax::Real => Ok(Element::Real),
                    ElementSyntax::Class(bound) => self.size(bound).map(Element::Class),
                    ElementSyntax::Length(bound) => self.size(bound).map(Element::Length),
                };
                Ok(Expected::Tensor(TensorType { shape: shape?, element: element? }))
            }
        }
    }

    pub(super) fn sizes(&mut self, sizes: &'a [syn::Expr], span: Span) -> Checked<Vec<usize>> {
        let sizes: Vec<Checked<usize>> = sizes.iter().map(|size| self.size(size)).collect();
        let shape: Vec<usize> = sizes.into_iter().collect::<Checked<_>>()?;
        self.allowed(span, &shape)?;
        Ok(shape)
    }
}

impl Expected {
    pub(super) fn fits(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Tensor(ty), Value::Tensor(tensor)) => ty == tensor.ty(),
            // Numbers become tensors where they are used.
            (Self::Tensor(ty), Value::Integer(_) | Value::Float(_)) => *ty == TensorType::real(Vec::new()),
            (Self::Scalar, Value::Tensor(tensor)) => *tensor.ty() == TensorType::real(Vec::new()),
            (Self::Scalar, Value::Integer(_) | Value::Float(_)) => true,
            (Self::Constant(name), Value::Integer(_)) => name.starts_with(['u', 'i']),
            (Self::Constant(name), Value::Float(_)) => name.starts_with('f'),
            (Self::Constant(name), Value::Boolean(_)) => name == "bool",
            (Self::Tuple(types), Value::Tuple(values)) => {
                types.len() == values.len() && types.iter().zip(values).all(|(ty, value)| ty.fits(value))
            }
            _ => false,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tensor(ty) => ty.fmt(formatter),
            Self::Scalar => formatter.write_str("Scalar"),
            Self::Constant(name) => formatter.write_str(name),
            Self::Tuple(items) => {
                let items: Vec<String> = items.iter().map(Self::to_string).collect();
                write!(formatter, "({})", items.join(", "))
            }
        }
    }
}
