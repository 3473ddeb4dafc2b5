//! Slices `x[0..3]`, `x[(.., 0)]` and elements `self.w[3]`.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Expr, ExprIndex, RangeLimits};

use super::value::{Origin, Tensor, Value};
use super::{Callee, Checker, TensorType, display_shape};
use crate::error::{Checked, Diagnostic};
use crate::function::Setting;
use crate::operations;

/// What is taken of an axis.
enum Part {
    Range {
        start: usize,
        end: usize,
    },
    /// One element; the axis goes.
    Element(usize),
}

impl<'a> Checker<'a> {
    pub(super) fn index(&mut self, index: &'a ExprIndex, value: Value) -> Checked<Value> {
        let tensor = match value {
            Value::Tensor(tensor) => tensor,
            Value::List(items) => return self.list_entry(index, items),
            other => return self.fail(index.expr.span(), Diagnostic::NotIndexable { found: other.described() }),
        };
        let mut inner = &*index.index;
        while let Expr::Group(group) = inner {
            inner = &group.expr;
        }
        let parts: Vec<&'a Expr> = match inner {
            Expr::Tuple(tuple) => tuple.elems.iter().collect(),
            single => vec![single],
        };
        if parts.len() > tensor.shape().len() {
            let diagnostic = Diagnostic::IndexCount { count: parts.len(), shape: display_shape(tensor.shape()) };
            return self.fail(index.index.span(), diagnostic);
        }
        let shape = tensor.shape().to_vec();
        let parts: Vec<Checked<Part>> =
            parts.into_iter().zip(&shape).map(|(part, &size)| self.part(part, size, &shape)).collect();
        let parts: Vec<Part> = parts.into_iter().collect::<Checked<_>>()?;
        let mut tensor = tensor;
        // From the last axis, so that the numbers of those in front stay.
        for (axis, part) in parts.into_iter().enumerate().rev() {
            tensor = self.take(index.bracket_token.span.join(), tensor, axis, part)?;
        }
        Ok(Value::Tensor(tensor))
    }

    fn take(&mut self, span: Span, tensor: Tensor, axis: usize, part: Part) -> Checked<Tensor> {
        let mut shape = tensor.shape().to_vec();
        let operand = Setting::Tensor(tensor.operand.clone());
        let axis_setting = Setting::Axes(vec![axis as i64]);
        let (function, settings) = match part {
            Part::Range { start, end } if end - start == shape[axis] => return Ok(tensor),
            Part::Range { start, end } => {
                shape[axis] = end - start;
                (
                    &operations::SLICE,
                    vec![operand, axis_setting, Setting::Integer(start as i64), Setting::Integer(end as i64)],
                )
            }
            Part::Element(place) => {
                shape.remove(axis);
                (&operations::ELEMENT, vec![operand, axis_setting, Setting::Integer(place as i64)])
            }
        };
        let ty = TensorType { shape, element: tensor.ty().element };
        let operand = self.push_one(span, Callee::Function(function), settings, ty)?;
        Ok(Tensor { operand, origin: Origin { what: "from an index".into(), span }, condition: tensor.condition })
    }

    fn part(&mut self, expr: &'a Expr, size: usize, shape: &[usize]) -> Checked<Part> {
        match expr {
            Expr::Group(group) => self.part(&group.expr, size, shape),
            Expr::Paren(paren) => self.part(&paren.expr, size, shape),
            Expr::Range(range) => {
                let start = match &range.start {
                    Some(start) => self.place(start),
                    None => Ok(0),
                };
                let end = match &range.end {
                    Some(end) => self.place(end),
                    None => Ok(size),
                };
                let (start, mut end) = (start?, end?);
                if matches!(range.limits, RangeLimits::Closed(_)) && range.end.is_some() {
                    end = end.saturating_add(1);
                }
                let range_text = format!("{start}..{end}");
                if end > size {
                    let diagnostic = Diagnostic::IndexRange { index: range_text, size, shape: display_shape(shape) };
                    return self.fail(range.span(), diagnostic);
                }
                if start >= end {
                    return self.fail(range.span(), Diagnostic::IndexEmpty { range: range_text });
                }
                Ok(Part::Range { start, end })
            }
            single => {
                let place = self.place(single)?;
                if place >= size {
                    let diagnostic =
                        Diagnostic::IndexRange { index: place.to_string(), size, shape: display_shape(shape) };
                    return self.fail(single.span(), diagnostic);
                }
                Ok(Part::Element(place))
            }
        }
    }

    fn place(&mut self, expr: &'a Expr) -> Checked<usize> {
        let value = self.value(expr)?;
        match value {
            Value::Integer(place) => match usize::try_from(place) {
                Ok(place) => Ok(place),
                Err(_) => self.fail(expr.span(), Diagnostic::IndexKind { found: value.described() }),
            },
            other => self.fail(expr.span(), Diagnostic::IndexKind { found: other.described() }),
        }
    }

    /// An entry of a constant list.
    fn list_entry(&mut self, index: &'a ExprIndex, items: Vec<Value>) -> Checked<Value> {
        let place = self.place(&index.index)?;
        match items.get(place) {
            Some(item) => Ok(item.clone()),
            None => {
                let (index_text, size) = (place.to_string(), items.len());
                let diagnostic = Diagnostic::IndexRange { index: index_text, size, shape: format!("[{size}]") };
                self.fail(index.index.span(), diagnostic)
            }
        }
    }
}
