//! Expressions to values, writing calls into the body on the way.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{BinOp, Expr, ExprField, Ident, Member, UnOp};

use super::value::{Origin, Tensor, Value};
use super::{Callee, Checker, DEPTH, TensorType, Variable};
use crate::error::{Checked, Diagnostic, Reported, suggestion};

/// Lists of constants, with all that is nested in them, have at most this many entries.
const LONGEST_LIST: usize = 1 << 16;

/// Whether a name is written as constants are.
pub(super) fn is_constant_name(name: &str) -> bool {
    name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_' || letter.is_ascii_digit())
}

impl<'a> Checker<'a> {
    pub(super) fn value(&mut self, expr: &'a Expr) -> Checked<Value> {
        if self.depth >= DEPTH {
            return self.fail(expr.span(), Diagnostic::Nesting { limit: DEPTH });
        }
        self.depth += 1;
        let value = self.chain(expr);
        self.depth -= 1;
        value
    }

    /// Chains such as `x.a().b().c()` and `a + b + c` are nested to the left, without limit: they are walked by a loop.
    fn chain(&mut self, expr: &'a Expr) -> Checked<Value> {
        let mut links = Vec::new();
        let mut inner = expr;
        loop {
            inner = match inner {
                Expr::MethodCall(call) if !is_self(&call.receiver) => {
                    links.push(inner);
                    &call.receiver
                }
                Expr::Binary(binary) if super::elementwise::assigned(&binary.op).is_none() => {
                    links.push(inner);
                    &binary.left
                }
                Expr::Index(index) => {
                    links.push(inner);
                    &index.expr
                }
                Expr::Paren(paren) => &paren.expr,
                Expr::Group(group) => &group.expr,
                _ => break,
            };
        }
        let mut value = self.simple(inner);
        while let Some(link) = links.pop() {
            value = match link {
                Expr::MethodCall(call) => match value {
                    Ok(value) => self.method(call, value),
                    Err(reported) => {
                        self.look_at(call);
                        Err(reported)
                    }
                },
                Expr::Index(index) => value.and_then(|value| self.index(index, value)),
                Expr::Binary(binary) => self.binary(binary, value),
                _ => value,
            };
        }
        value
    }

    fn binary(&mut self, binary: &'a syn::ExprBinary, left: Checked<Value>) -> Checked<Value> {
        if let (Ok(Value::Boolean(known)), BinOp::And(_) | BinOp::Or(_)) = (&left, &binary.op) {
            let decided = *known != matches!(binary.op, BinOp::And(_));
            if decided {
                return left;
            }
        }
        let right = self.value(&binary.right);
        let (left, right) = (left?, right?);
        if let Some(result) = self.number_operation(binary.op.span(), &binary.op, &left, &right) {
            return result;
        }
        self.operator(binary, left, right)
    }

    fn simple(&mut self, expr: &'a Expr) -> Checked<Value> {
        match expr {
            Expr::Lit(literal) => self.literal(literal.lit.span(), &literal.lit),
            Expr::Path(path) => match path.path.get_ident() {
                Some(name) => self.name(name),
                None => self.unsupported(
                    expr,
                    "a path",
                    "constants and functions of other modules are invisible to a macro: declare them inside `network!`",
                ),
            },
            Expr::Unary(unary) => {
                let value = self.value(&unary.expr)?;
                match unary.op {
                    UnOp::Neg(_) => self.negated(unary.op.span(), value),
                    UnOp::Not(_) => self.inverted(unary.op.span(), value),
                    _ => self.unsupported(expr, "`*`", "tensors are values: leave the `*` out; a power is `x.powi(2)`"),
                }
            }
            Expr::Call(call) => self.call(call),
            // The receiver is `self`: a layer of the struct, or a function.
            Expr::MethodCall(call) => self.method_of_self(call),
            Expr::Field(field) => self.field(field),
            Expr::Tuple(tuple) => {
                if tuple.elems.is_empty() {
                    return Ok(Value::Nothing);
                }
                self.all(&tuple.elems).map(Value::Tuple)
            }
            Expr::Array(array) => self.all(&array.elems).map(Value::List),
            Expr::Repeat(repeat) => {
                let item = self.value(&repeat.expr);
                let count = self.size(&repeat.len)?;
                let item = item?;
                let entries = item.entries().saturating_mul(count);
                if entries > LONGEST_LIST {
                    let diagnostic = Diagnostic::ListTooLong { count: entries, limit: LONGEST_LIST };
                    return self.fail(repeat.len.span(), diagnostic);
                }
                Ok(Value::List(vec![item; count]))
            }
            Expr::Block(block) => self.block(&block.block),
            Expr::If(conditional) => self.conditional(conditional),
            Expr::Cast(cast) => self.cast(cast),
            other => self.no_expression(other),
        }
    }

    /// All values, so that the mistakes in each are reported.
    fn all(&mut self, exprs: impl IntoIterator<Item = &'a Expr>) -> Checked<Vec<Value>> {
        let values: Vec<Checked<Value>> = exprs.into_iter().map(|expr| self.value(expr)).collect();
        values.into_iter().collect()
    }

    fn unsupported<T>(&mut self, expr: &Expr, what: &str, remedy: &str) -> Checked<T> {
        self.fail(expr.span(), Diagnostic::Unsupported { what: what.into(), remedy: remedy.into() })
    }

    fn no_expression(&mut self, expr: &Expr) -> Checked<Value> {
        let (what, remedy) = match expr {
            Expr::Reference(_) | Expr::RawAddr(_) => ("`&`", "tensors are values: leave the `&` out"),
            Expr::Closure(_) => ("a closure", "declare a function inside `network!`"),
            Expr::Match(_) => ("`match`", "use `if`, or `select(condition, a, b)`"),
            Expr::While(_) | Expr::Loop(_) => {
                ("this loop", "repeat with `for` over a constant range, or over time with `scan`")
            }
            Expr::Return(_) => ("`return`", "the last expression is the value of a function"),
            Expr::Break(_) | Expr::Continue(_) => ("this jump", "every turn of a loop is done: use a smaller range"),
            Expr::Macro(_) => {
                ("a macro", "declare a function inside `network!`, or make the whole `network!` by a macro")
            }
            Expr::Range(_) => ("a range", "ranges stand in `for i in 0..3` and in slices `x[0..3]`"),
            Expr::Assign(_) => (
                "`=`",
                "options are given in calls, `f(x, name = value)`; variables are assigned in statements of their own",
            ),
            Expr::Binary(_) => ("an assignment", "variables are assigned in statements of their own"),
            Expr::ForLoop(_) => ("`for`", "a loop is a statement; assign to a `let mut` inside"),
            Expr::Let(_) => ("`let` in a condition", "compare numbers and tensors"),
            Expr::Infer(_) => ("`_`", "give a value"),
            Expr::Struct(_) => ("a struct", "use tuples"),
            Expr::Try(_) => ("`?`", "nothing fails inside of a network: leave it out"),
            Expr::Unsafe(_) => ("`unsafe`", "leave it out"),
            Expr::Await(_) | Expr::Async(_) => ("asynchronous code", "leave it out"),
            _ => ("this expression", "use numbers, variables, operators and calls"),
        };
        self.unsupported(expr, what, remedy)
    }

    /// The variable of this name that is in scope.
    pub(super) fn variable(&self, name: &str) -> Option<&Variable> {
        self.frames.last().and_then(|frame| frame.blocks.iter().rev().find_map(|block| block.get(name)))
    }

    /// A variable or a constant.
    fn name(&mut self, name: &'a Ident) -> Checked<Value> {
        let written = name.to_string();
        if written == "self" {
            return self.fail(name.span(), Diagnostic::SelfAlone {});
        }
        if let Some(variable) = self.variable(&written) {
            return variable.value.clone().ok_or(Reported);
        }
        if let Some(constant) = self.constant(&written) {
            return constant;
        }
        if self.is_function(&written) {
            return self.fail(name.span(), Diagnostic::FunctionAsValue { name: written });
        }
        if is_constant_name(&written)
            && crate::error::closest(&written, self.constants.keys().map(String::as_str)).is_none()
        {
            return self.fail(name.span(), Diagnostic::OuterConstant { name: written });
        }
        let frame = self.frames.last();
        let mut known: Vec<&str> =
            frame.iter().flat_map(|frame| &frame.blocks).flat_map(|block| block.keys()).map(String::as_str).collect();
        known.extend(self.constants.keys().map(String::as_str));
        known.sort_unstable();
        let suggestion = if self.fields.contains_key(&written) {
            format!("parameters are fields of `self`: write `self.{written}`")
        } else {
            suggestion(&written, known.iter().copied(), || match known.is_empty() {
                true => "declare it with `let`, or as an argument".into(),
                false => format!("there are {}", crate::error::listed(known.iter().copied())),
            })
        };
        self.fail(name.span(), Diagnostic::UnknownName { name: written, suggestion })
    }

    /// `self.w`, or the component `t.0` of a tuple.
    fn field(&mut self, field: &'a ExprField) -> Checked<Value> {
        match &field.member {
            Member::Named(name) if is_self(&field.base) => self.parameter(name),
            Member::Named(name) => {
                let what = format!("the field `{name}` of something other than `self`");
                let remedy = if self.is_function(&name.to_string()) {
                    format!("functions are called: write `.{name}()`")
                } else {
                    "parameters are `self.name`; functions are called as `x.name()`".into()
                };
                self.fail(name.span(), Diagnostic::Unsupported { what, remedy })
            }
            Member::Unnamed(index) => match self.value(&field.base)? {
                Value::Tuple(items) if (index.index as usize) < items.len() => Ok(items[index.index as usize].clone()),
                other => self.fail(
                    index.span,
                    Diagnostic::TuplePattern { expected: index.index as usize + 1, found: other.described() },
                ),
            },
        }
    }

    fn parameter(&mut self, name: &'a Ident) -> Checked<Value> {
        let written = name.to_string();
        self.used_fields.insert(written.clone());
        match self.field_parameters.get(&written) {
            Some(Some(number)) => {
                let number = *number;
                let shape = self.parameters.get(number).shape.clone();
                let span = self.fields[&written].name.span();
                let operand =
                    self.push_one(name.span(), Callee::Parameter(number), Vec::new(), TensorType::real(shape))?;
                Ok(Value::Tensor(Tensor { operand, origin: Origin::declared(span), condition: false }))
            }
            Some(None) => Err(Reported),
            None if self.fields.contains_key(&written) => {
                self.fail(name.span(), Diagnostic::FieldIsLayer { name: written })
            }
            None if !self.complete => Err(Reported),
            None => {
                let suggestion = self.field_suggestion(&written, "[3] = zeros()");
                self.fail(name.span(), Diagnostic::UnknownField { name: written, suggestion })
            }
        }
    }

    /// A field of a similar name, or how to declare one such as this.
    pub(super) fn field_suggestion(&self, name: &str, declaration: &str) -> String {
        let mut known: Vec<&str> = self.fields.keys().map(String::as_str).collect();
        known.sort_unstable();
        let network = &self.header_name;
        suggestion(name, known.iter().copied(), || match known.is_empty() {
            true => format!("declare it: `struct {network} {{ {name}: {declaration} }}`"),
            false => format!("`{network}` has {}", crate::error::listed(known.iter().copied())),
        })
    }

    /// A tensor, also of a number or a list; anything else comes back.
    pub(super) fn tensor(&mut self, span: Span, value: Value) -> Checked<Result<Tensor, Value>> {
        let operand = match value {
            Value::Tensor(tensor) => return Ok(Ok(tensor)),
            value @ Value::List(_) => self.literal_tensor(span, &value)?,
            value => match super::constants::number(&value) {
                Some(number) => self.constant_tensor(span, number, Vec::new())?,
                None => return Ok(Err(value)),
            },
        };
        Ok(Ok(Tensor { operand, origin: Origin { what: "a constant".into(), span }, condition: false }))
    }

    /// `[1.0, 2.0]` as a tensor.
    fn literal_tensor(&mut self, span: Span, value: &Value) -> Checked<super::Operand> {
        const LONGEST: usize = 1024;
        let (shape, numbers) = self.list_numbers(span, value)?;
        if numbers.is_empty() {
            return self.fail(span, Diagnostic::Size { found: "an empty list".into() });
        }
        if numbers.len() > LONGEST {
            return self.fail(span, Diagnostic::ListTooLong { count: numbers.len(), limit: LONGEST });
        }
        self.push_one(span, Callee::Literal(numbers), Vec::new(), TensorType::real(shape))
    }
}

pub(super) fn is_self(expr: &Expr) -> bool {
    match expr {
        Expr::Path(path) => path.path.is_ident("self"),
        Expr::Paren(paren) => is_self(&paren.expr),
        Expr::Group(group) => is_self(&group.expr),
        _ => false,
    }
}
