//! Constants: items, arithmetic on numbers, sizes.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{BinOp, Expr, Ident, Lit};

use super::value::Value;
use super::{Checker, ConstantState};
use crate::error::{Checked, Diagnostic};
use crate::parse::CONSTANTS;

impl<'a> Checker<'a> {
    /// Evaluates every constant, used or not.
    pub(super) fn all_constants(&mut self) {
        let mut names: Vec<String> = self.constants.keys().cloned().collect();
        names.sort();
        for name in names {
            let _ = self.constant(&name);
        }
    }

    /// The value of a constant item, if there is one of the name.
    pub(super) fn constant(&mut self, name: &str) -> Option<Checked<Value>> {
        let (constant, state) = self.constants.get_mut(name)?;
        let constant = *constant;
        match state {
            ConstantState::Done(Some(value)) => return Some(Ok(value.clone())),
            ConstantState::Done(None) => return Some(Err(crate::error::Reported)),
            ConstantState::Running => {
                return Some(self.fail(constant.name.span(), Diagnostic::RecursiveConstant { name: name.into() }));
            }
            ConstantState::Waiting => *state = ConstantState::Running,
        }
        // Constants see no variables.
        let frames = std::mem::take(&mut self.frames);
        let value =
            self.value(&constant.value).and_then(|value| self.typed_constant(&constant.name, &constant.ty, value));
        self.frames = frames;
        if let Some((_, state)) = self.constants.get_mut(name) {
            *state = ConstantState::Done(value.as_ref().ok().cloned());
        }
        Some(value)
    }

    /// Holds a constant to its type.
    fn typed_constant(&mut self, name: &Ident, ty: &str, value: Value) -> Checked<Value> {
        let fits = match (ty, &value) {
            ("f32" | "f64", Value::Float(_)) | ("bool", Value::Boolean(_)) => true,
            ("f32" | "f64" | "bool", _) => false,
            (_, Value::Integer(number)) if is_whole(ty) => *number >= 0 || ty.starts_with('i'),
            (_, Value::List(_)) if ty.starts_with('[') || ty.starts_with("&[") => true,
            _ => false,
        };
        if fits {
            return Ok(value);
        }
        let (declared, found) = (ty.into(), value.described());
        self.fail(name.span(), Diagnostic::ConstantType { name: name.to_string(), declared, found })
    }

    pub(super) fn literal(&mut self, span: Span, literal: &Lit) -> Checked<Value> {
        let found = match literal {
            Lit::Bool(value) => return Ok(Value::Boolean(value.value)),
            Lit::Int(value) => match value.base10_parse::<i64>() {
                // `1f32` is a float to Rust as well.
                Ok(number) if value.suffix().starts_with('f') => return Ok(Value::Float(number as f64)),
                Ok(number) => return Ok(Value::Integer(number)),
                Err(_) => return self.fail(span, Diagnostic::ConstantOverflow { operation: value.to_string() }),
            },
            Lit::Float(value) => match value.base10_parse::<f64>() {
                Ok(number) if number.is_finite() => return Ok(Value::Float(number)),
                _ => return self.fail(span, Diagnostic::ConstantOverflow { operation: value.to_string() }),
            },
            Lit::Str(_) | Lit::ByteStr(_) | Lit::CStr(_) => "a string",
            Lit::Char(_) | Lit::Byte(_) => "a character",
            _ => "this literal",
        };
        self.fail(span, Diagnostic::Literal { found: found.into() })
    }

    /// Arithmetic and comparison of two numbers; nothing, if they are not both numbers.
    pub(super) fn number_operation(
        &mut self,
        span: Span,
        op: &BinOp,
        left: &Value,
        right: &Value,
    ) -> Option<Checked<Value>> {
        match (left, right) {
            (Value::Integer(left), Value::Integer(right)) => Some(self.integer_operation(span, op, *left, *right)),
            (Value::Boolean(left), Value::Boolean(right)) => match op {
                BinOp::And(_) => Some(Ok(Value::Boolean(*left && *right))),
                BinOp::Or(_) => Some(Ok(Value::Boolean(*left || *right))),
                BinOp::Eq(_) => Some(Ok(Value::Boolean(left == right))),
                BinOp::Ne(_) => Some(Ok(Value::Boolean(left != right))),
                _ => None,
            },
            _ => {
                let (left, right) = (number(left)?, number(right)?);
                let result = match op {
                    BinOp::Add(_) => left + right,
                    BinOp::Sub(_) => left - right,
                    BinOp::Mul(_) => left * right,
                    BinOp::Div(_) => left / right,
                    BinOp::Rem(_) => left % right,
                    _ => return compare(op, &left, &right).map(|result| Ok(Value::Boolean(result))),
                };
                if !result.is_finite() {
                    let operation = format!("{left:?} {} {right:?}", super::elementwise::symbol(op));
                    return Some(self.fail(span, Diagnostic::ConstantOverflow { operation }));
                }
                Some(Ok(Value::Float(result)))
            }
        }
    }

    fn integer_operation(&mut self, span: Span, op: &BinOp, left: i64, right: i64) -> Checked<Value> {
        if let Some(result) = compare(op, &left, &right) {
            return Ok(Value::Boolean(result));
        }
        let symbol = super::elementwise::symbol(op);
        let operation = format!("{left} {symbol} {right}");
        let result = match op {
            BinOp::Add(_) => left.checked_add(right),
            BinOp::Sub(_) => left.checked_sub(right),
            BinOp::Mul(_) => left.checked_mul(right),
            BinOp::Div(_) | BinOp::Rem(_) if right == 0 => {
                return self.fail(span, Diagnostic::DivisionByZero { operation });
            }
            BinOp::Div(_) => left.checked_div(right),
            BinOp::Rem(_) => left.checked_rem(right),
            BinOp::Shl(_) => {
                u32::try_from(right).ok().filter(|&bits| bits < 63).and_then(|bits| left.checked_mul(1 << bits))
            }
            BinOp::Shr(_) => u32::try_from(right).ok().and_then(|bits| left.checked_shr(bits)),
            _ => {
                return self
                    .fail(span, Diagnostic::Operand { operation: symbol.into(), found: format!("the number {left}") });
            }
        };
        match result {
            Some(result) => Ok(Value::Integer(result)),
            None => self.fail(span, Diagnostic::ConstantOverflow { operation }),
        }
    }

    /// `N as f64`
    pub(super) fn cast(&mut self, cast: &'a syn::ExprCast) -> Checked<Value> {
        use quote::ToTokens;
        let value = self.value(&cast.expr)?;
        let ty = cast.ty.to_token_stream().to_string();
        let real = ty == "f32" || ty == "f64";
        let whole = is_whole(&ty);
        match value {
            Value::Integer(value) if real => Ok(Value::Float(value as f64)),
            Value::Float(value) if whole => Ok(Value::Integer(value as i64)),
            Value::Integer(_) if whole => Ok(value),
            Value::Float(_) if real => Ok(value),
            other => self.fail(
                cast.as_token.span(),
                Diagnostic::Unsupported {
                    what: format!("`as {ty}` of {}", other.described()),
                    remedy: "only constant numbers are cast, to `usize` or `f64`; tensors need no cast".into(),
                },
            ),
        }
    }

    /// A size of a shape.
    pub(super) fn size(&mut self, expr: &'a Expr) -> Checked<usize> {
        match self.value(expr)? {
            Value::Integer(size) if size >= 1 => Ok(usize::try_from(size).unwrap_or(usize::MAX)),
            other => self.fail(expr.span(), Diagnostic::Size { found: other.described() }),
        }
    }

    /// A constant number, whole or not.
    pub(super) fn number(&mut self, expr: &'a Expr, what: &str) -> Checked<f64> {
        let value = self.value(expr)?;
        match number(&value) {
            Some(number) => Ok(number),
            None => self.fail(expr.span(), Diagnostic::NotConstant { what: what.into(), found: value.described() }),
        }
    }

    /// A list of numbers, or of such lists, as shape and elements.
    pub(super) fn list_numbers(&mut self, span: Span, value: &Value) -> Checked<(Vec<usize>, Vec<f64>)> {
        let Value::List(items) = value else {
            return match number(value) {
                Some(number) => Ok((Vec::new(), vec![number])),
                None => self.fail(span, Diagnostic::ListEntry { found: value.described() }),
            };
        };
        let mut shape: Option<Vec<usize>> = None;
        let mut numbers = Vec::new();
        for item in items {
            let (inner, mut entries) = self.list_numbers(span, item)?;
            if shape.as_ref().is_some_and(|shape| *shape != inner) {
                return self.fail(span, Diagnostic::RaggedList {});
            }
            shape = Some(inner);
            numbers.append(&mut entries);
        }
        let mut shape = shape.unwrap_or_default();
        shape.insert(0, items.len());
        Ok((shape, numbers))
    }
}

/// Whether it is a type of whole numbers.
fn is_whole(ty: &str) -> bool {
    CONSTANTS.contains(&ty) && ty.starts_with(['u', 'i'])
}

/// Whole numbers count as reals where reals are asked for.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

fn compare<T: PartialOrd>(op: &BinOp, left: &T, right: &T) -> Option<bool> {
    Some(match op {
        BinOp::Eq(_) => left == right,
        BinOp::Ne(_) => left != right,
        BinOp::Lt(_) => left < right,
        BinOp::Le(_) => left <= right,
        BinOp::Gt(_) => left > right,
        BinOp::Ge(_) => left >= right,
        _ => return None,
    })
}
