//! Operators, comparisons, `select` and the rows of the elementwise table, broadcast.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{BinOp, Expr, ExprBinary};

use super::value::{LossPart, Origin, Tensor, Value};
use super::{Callee, Checker, TensorType, display_shape};
use crate::elementwise::Elementwise;
use crate::error::{Checked, Diagnostic, suggestion};
use crate::formula::Formula;
use crate::function::Setting;
use crate::graph::broadcast_shapes;

/// The operator in front of `=`: `+` of `+=`.
pub(super) fn assigned(op: &BinOp) -> Option<BinOp> {
    let span = op.span();
    Some(match op {
        BinOp::AddAssign(_) => BinOp::Add(syn::token::Plus(span)),
        BinOp::SubAssign(_) => BinOp::Sub(syn::token::Minus(span)),
        BinOp::MulAssign(_) => BinOp::Mul(syn::token::Star(span)),
        BinOp::DivAssign(_) => BinOp::Div(syn::token::Slash(span)),
        BinOp::RemAssign(_) => BinOp::Rem(syn::token::Percent(span)),
        BinOp::ShlAssign(_) => BinOp::Shl(syn::token::Shl(span)),
        BinOp::ShrAssign(_) => BinOp::Shr(syn::token::Shr(span)),
        BinOp::BitAndAssign(_) => BinOp::BitAnd(syn::token::And(span)),
        BinOp::BitOrAssign(_) => BinOp::BitOr(syn::token::Or(span)),
        BinOp::BitXorAssign(_) => BinOp::BitXor(syn::token::Caret(span)),
        _ => return None,
    })
}

pub(super) fn symbol(op: &BinOp) -> &'static str {
    match op {
        BinOp::Add(_) | BinOp::AddAssign(_) => "+",
        BinOp::Sub(_) | BinOp::SubAssign(_) => "-",
        BinOp::Mul(_) | BinOp::MulAssign(_) => "*",
        BinOp::Div(_) | BinOp::DivAssign(_) => "/",
        BinOp::Rem(_) | BinOp::RemAssign(_) => "%",
        BinOp::And(_) => "&&",
        BinOp::Or(_) => "||",
        BinOp::Eq(_) => "==",
        BinOp::Ne(_) => "!=",
        BinOp::Lt(_) => "<",
        BinOp::Le(_) => "<=",
        BinOp::Gt(_) => ">",
        BinOp::Ge(_) => ">=",
        BinOp::Shl(_) | BinOp::ShlAssign(_) => "<<",
        BinOp::Shr(_) | BinOp::ShrAssign(_) => ">>",
        BinOp::BitXor(_) | BinOp::BitXorAssign(_) => "^",
        BinOp::BitAnd(_) | BinOp::BitAndAssign(_) => "&",
        BinOp::BitOr(_) | BinOp::BitOrAssign(_) => "|",
        _ => "this operator",
    }
}

/// The row of the table that an operator means, and whether it compares.
fn row(op: &BinOp) -> Option<(&'static str, bool)> {
    Some(match op {
        BinOp::Add(_) => ("add", false),
        BinOp::Sub(_) => ("sub", false),
        BinOp::Mul(_) => ("mul", false),
        BinOp::Div(_) => ("div", false),
        BinOp::Lt(_) => ("lt", true),
        BinOp::Le(_) => ("le", true),
        BinOp::Gt(_) => ("gt", true),
        BinOp::Ge(_) => ("ge", true),
        BinOp::Eq(_) => ("eq", true),
        BinOp::Ne(_) => ("ne", true),
        BinOp::And(_) => ("and", true),
        BinOp::Or(_) => ("or", true),
        _ => return None,
    })
}

/// An argument of a formula under construction.
pub(super) enum Item {
    Number(f64),
    Tensor(Tensor),
}

impl<'a> Checker<'a> {
    pub(super) fn operator(&mut self, binary: &'a ExprBinary, left: Value, right: Value) -> Checked<Value> {
        self.operator_of(binary, &binary.op, left, right)
    }

    pub(super) fn operator_of(&mut self, binary: &ExprBinary, op: &BinOp, left: Value, right: Value) -> Checked<Value> {
        let span = binary.op.span();
        let sign = symbol(op);
        if let BinOp::BitXor(_) = op {
            let remedy = "powers are `x.powi(2)`, or `x.powf(y)` for an exponent that is not whole".into();
            return self.fail(span, Diagnostic::Unsupported { what: "`^`".into(), remedy });
        }
        let Some((name, condition)) = row(op) else {
            let found = if matches!(left, Value::Tensor(_)) { left.described() } else { right.described() };
            return self.fail(span, Diagnostic::Operand { operation: sign.into(), found });
        };
        if matches!(left, Value::Loss(_)) || matches!(right, Value::Loss(_)) {
            return self.loss_operation(span, op, left, right);
        }
        let logical = matches!(op, BinOp::And(_) | BinOp::Or(_));
        let note = Self::note(&[(&binary.left, &left), (&binary.right, &right)]);
        let mut items = Vec::new();
        for value in [left, right] {
            match &value {
                Value::Tensor(tensor) if logical && !tensor.condition => {
                    return self.fail(span, Diagnostic::Condition { found: value.described() });
                }
                Value::Boolean(known) if logical => items.push(Item::Number(f64::from(u8::from(*known)))),
                _ if logical && !matches!(value, Value::Tensor(_)) => {
                    return self.fail(span, Diagnostic::Condition { found: value.described() });
                }
                _ => items.push(self.item(span, sign, value)?),
            }
        }
        let mut formula_of = |arguments: &[Formula]| Formula::apply(name, arguments);
        let mut tensor = self.map(span, sign, &items, note, &mut formula_of)?;
        tensor.condition = condition;
        Ok(Value::Tensor(tensor))
    }

    /// A number, tensor or list as an argument of a formula.
    fn item(&mut self, span: Span, operation: &str, value: Value) -> Checked<Item> {
        if let Some(number) = super::constants::number(&value) {
            return Ok(Item::Number(number));
        }
        if let Value::Loss(_) = value {
            return self.fail(span, Diagnostic::MaskedLoss { operation: operation.into() });
        }
        match self.tensor(span, value)? {
            Ok(tensor) => Ok(Item::Tensor(tensor)),
            Err(value) => {
                let found = value.described();
                self.fail(span, Diagnostic::Operand { operation: operation.into(), found })
            }
        }
    }

    /// Writes the formula of these items into the body.
    fn map(
        &mut self,
        span: Span,
        operation: &str,
        items: &[Item],
        note: String,
        formula: &mut dyn FnMut(&[Formula]) -> Formula,
    ) -> Checked<Tensor> {
        let mut shape = Vec::new();
        let mut settings = Vec::new();
        let mut arguments = Vec::new();
        for item in items {
            match item {
                Item::Number(number) => arguments.push(Formula::constant(*number)),
                Item::Tensor(tensor) => {
                    let Some(together) = broadcast_shapes(&shape, tensor.shape()) else {
                        let (left, right) = (display_shape(&shape), display_shape(tensor.shape()));
                        return self
                            .fail(span, Diagnostic::Broadcast { operation: operation.into(), left, right, note });
                    };
                    shape = together;
                    arguments.push(Formula::argument(settings.len()));
                    settings.push(Setting::Tensor(tensor.operand.clone()));
                }
            }
        }
        let formula = formula(&arguments);
        let operand = self.push_one(span, Callee::Map(formula), settings, TensorType::real(shape))?;
        Ok(Tensor { operand, origin: Origin::of(operation, span), condition: false })
    }

    pub(super) fn negated(&mut self, span: Span, value: Value) -> Checked<Value> {
        match value {
            Value::Integer(value) => Ok(Value::Integer(value.saturating_neg())),
            Value::Float(value) => Ok(Value::Float(-value)),
            Value::Loss(parts) => self.scaled(span, "neg", parts, None),
            other => {
                let item = self.item(span, "-", other)?;
                let tensor = self.map(span, "-", &[item], String::new(), &mut |x| -x[0].clone())?;
                Ok(Value::Tensor(tensor))
            }
        }
    }

    pub(super) fn inverted(&mut self, span: Span, value: Value) -> Checked<Value> {
        match value {
            Value::Boolean(value) => Ok(Value::Boolean(!value)),
            Value::Tensor(tensor) if tensor.condition => {
                let items = [Item::Tensor(tensor)];
                let mut tensor = self.map(span, "!", &items, String::new(), &mut |x| Formula::apply("not", x))?;
                tensor.condition = true;
                Ok(Value::Tensor(tensor))
            }
            other => self.fail(span, Diagnostic::Condition { found: other.described() }),
        }
    }

    /// `select(condition, yes, no)` of tensors, numbers or equal tuples of these.
    pub(super) fn selected(&mut self, span: Span, condition: &Tensor, yes: Value, no: Value) -> Checked<Value> {
        match (yes, no) {
            (Value::Tuple(yes), Value::Tuple(no)) if yes.len() == no.len() => {
                let parts = yes.into_iter().zip(no).map(|(yes, no)| self.selected(span, condition, yes, no));
                let parts: Vec<Checked<Value>> = parts.collect();
                parts.into_iter().collect::<Checked<Vec<Value>>>().map(Value::Tuple)
            }
            (yes, no) => {
                let both_conditions =
                    [&yes, &no].iter().all(|value| matches!(value, Value::Tensor(tensor) if tensor.condition));
                let (first, second) = (yes.type_text(), no.type_text());
                let fits = |value: &Value| match value {
                    Value::Tensor(tensor) => Some(tensor.shape().to_vec()),
                    Value::Integer(_) | Value::Float(_) => Some(Vec::new()),
                    _ => None,
                };
                let shapes = fits(&yes).zip(fits(&no));
                let together = shapes.and_then(|(yes, no)| broadcast_shapes(&yes, &no));
                if together.is_none_or(|shape| broadcast_shapes(&shape, condition.shape()).is_none()) {
                    return self.fail(span, Diagnostic::BranchMismatch { first, second });
                }
                let items = [Item::Tensor(condition.clone()), self.item(span, "if", yes)?, self.item(span, "if", no)?];
                let mut tensor = self.map(span, "if", &items, String::new(), &mut |x| Formula::apply("select", x))?;
                tensor.condition = both_conditions;
                Ok(Value::Tensor(tensor))
            }
        }
    }

    /// A call of a row of the elementwise table, `given` with the receiver in front.
    pub(super) fn elementwise(
        &mut self,
        span: Span,
        row: &'static Elementwise,
        mut given: Vec<(&'a Expr, Value)>,
        named: Vec<(&'a syn::Ident, &'a Expr)>,
    ) -> Checked<Value> {
        let most = row.arguments + row.options.len();
        if given.len() < row.arguments {
            let argument = match (row.arguments, given.len()) {
                (1, _) => "a tensor".to_string(),
                (wanted, found) => format!("{wanted} arguments, and is given {found}"),
            };
            let (function, form) = (row.name.into(), usage(row));
            return self.fail(span, Diagnostic::MissingArgument { function, argument, form });
        }
        if given.len() > most {
            let (function, count, form) = (row.name.into(), given.len(), usage(row));
            return self.fail(span, Diagnostic::TooManyArguments { function, count, form });
        }
        if let [(_, Value::Loss(_)), ..] = given.as_slice() {
            return self.fail(span, Diagnostic::MaskedLoss { operation: row.name.into() });
        }
        let mut options: Vec<Option<(&'a Expr, Value)>> = given.drain(row.arguments..).map(Some).collect();
        options.resize_with(row.options.len(), || None);
        for (name, expr) in named {
            let Some(place) = row.options.iter().position(|option| name == option.name) else {
                let written = name.to_string();
                let known = row.options.iter().map(|option| option.name);
                let suggestion = suggestion(&written, known, || format!("write `{}`", form(row)));
                let function = row.name.into();
                return self.fail(name.span(), Diagnostic::UnknownOption { function, name: written, suggestion });
            };
            if options[place].is_some() {
                let (function, name_text) = (row.name.into(), name.to_string());
                return self.fail(name.span(), Diagnostic::RepeatedOption { function, name: name_text });
            }
            let value = self.value(expr)?;
            options[place] = Some((expr, value));
        }
        let note = Self::note(&given.iter().map(|(expr, value)| (*expr, value)).collect::<Vec<_>>());
        let mut items = Vec::new();
        for (index, (expr, value)) in given.into_iter().enumerate() {
            items.push(self.elementwise_argument(row, index, expr, value)?);
        }
        for (option, value) in row.options.iter().zip(options) {
            items.push(match value {
                None => Item::Number(option.default),
                Some((_, Value::Boolean(flag))) if option.flag => Item::Number(f64::from(u8::from(flag))),
                Some((expr, value)) if option.flag => {
                    let (function, argument) = (row.name.into(), option.name.into());
                    let (expected, found) = ("`true` or `false`".into(), value.described());
                    return self.fail(expr.span(), Diagnostic::ArgumentKind { function, argument, expected, found });
                }
                Some((expr, value)) => self.item(expr.span(), row.name, value)?,
            });
        }
        // A function of constants is a constant.
        if let Some(numbers) = items.iter().map(as_number).collect::<Option<Vec<f64>>>() {
            let constants: Vec<Formula> = numbers.into_iter().map(Formula::constant).collect();
            return match row.build(&constants).as_constant() {
                Some(number) if number.is_finite() => Ok(Value::Float(number)),
                _ => {
                    let operation = format!("`{}` of these numbers", row.name);
                    self.fail(span, Diagnostic::ConstantOverflow { operation })
                }
            };
        }
        let mut tensor = self.map(span, row.name, &items, note, &mut |arguments| row.build(arguments))?;
        tensor.condition = matches!(row.name, "lt" | "le" | "gt" | "ge" | "eq" | "ne" | "and" | "or" | "not");
        Ok(Value::Tensor(tensor))
    }

    fn elementwise_argument(&mut self, row: &Elementwise, index: usize, expr: &Expr, value: Value) -> Checked<Item> {
        if row.name == "powi" && index == 1 {
            return match value {
                Value::Integer(exponent) => Ok(Item::Number(exponent as f64)),
                other => {
                    let (expected, found) =
                        ("a constant whole number (for others there is `powf`)".into(), other.described());
                    let (function, argument) = ("powi".into(), "the exponent".into());
                    self.fail(expr.span(), Diagnostic::ArgumentKind { function, argument, expected, found })
                }
            };
        }
        self.item(expr.span(), row.name, value)
    }

    /// Sums of losses that are weighted means, and products with a factor.
    fn loss_operation(&mut self, span: Span, op: &BinOp, left: Value, right: Value) -> Checked<Value> {
        match (op, left, right) {
            (BinOp::Add(_), left, right) => {
                let mut parts = self.parts(span, left)?;
                parts.extend(self.parts(span, right)?);
                Ok(Value::Loss(parts))
            }
            (BinOp::Sub(_), left, right) => {
                let mut parts = self.parts(span, left)?;
                let right = self.parts(span, right)?;
                match self.scaled(span, "neg", right, None)? {
                    Value::Loss(negative) => parts.extend(negative),
                    _ => unreachable!("a scaled loss is a loss"),
                }
                Ok(Value::Loss(parts))
            }
            (BinOp::Mul(_), Value::Loss(parts), factor) if !matches!(factor, Value::Loss(_)) => {
                self.scaled(span, "mul", parts, Some(factor))
            }
            (BinOp::Mul(_), factor, Value::Loss(parts)) if !matches!(factor, Value::Loss(_)) => {
                self.scaled(span, "mul", parts, Some(factor))
            }
            (BinOp::Div(_), Value::Loss(parts), factor) if !matches!(factor, Value::Loss(_)) => {
                self.scaled(span, "div", parts, Some(factor))
            }
            (op, ..) => self.fail(span, Diagnostic::MaskedLoss { operation: symbol(op).into() }),
        }
    }

    fn parts(&mut self, span: Span, value: Value) -> Checked<Vec<LossPart>> {
        match value {
            Value::Loss(parts) => Ok(parts),
            Value::Tensor(tensor) if tensor.shape().iter().product::<usize>() == 1 => {
                Ok(vec![LossPart { value: Box::new(Value::Tensor(tensor)), weight: None }])
            }
            Value::Tensor(tensor) => {
                let note = format!("it is added to a loss in {}", tensor.origin.text());
                self.fail(span, Diagnostic::LossNotScalar { found: tensor.ty().to_string(), note })
            }
            Value::Integer(_) | Value::Float(_) => match self.tensor(span, value)? {
                Ok(tensor) => self.parts(span, Value::Tensor(tensor)),
                Err(_) => unreachable!("numbers are tensors"),
            },
            other => self.fail(span, Diagnostic::Operand { operation: "+".into(), found: other.described() }),
        }
    }

    /// Applies `neg`, `mul` or `div` by a factor to each part.
    fn scaled(&mut self, span: Span, name: &str, parts: Vec<LossPart>, factor: Option<Value>) -> Checked<Value> {
        let mut scaled = Vec::new();
        for part in parts {
            let mut items = vec![self.item(span, name, *part.value)?];
            if let Some(factor) = factor.clone() {
                items.push(self.item(span, name, factor)?);
            }
            let note = String::new();
            let tensor = self.map(span, name, &items, note, &mut |arguments| Formula::apply(name, arguments))?;
            scaled.push(LossPart { value: Box::new(Value::Tensor(tensor)), weight: part.weight });
        }
        Ok(Value::Loss(scaled))
    }
}

fn as_number(item: &Item) -> Option<f64> {
    match item {
        Item::Number(number) => Some(*number),
        Item::Tensor(_) => None,
    }
}

/// `x.leaky_relu(slope = 0.01)`, `select(condition, a, b)`.
pub(crate) fn form(row: &Elementwise) -> String {
    let mut parts: Vec<String> = ["y", "z"].iter().take(row.arguments - 1).map(ToString::to_string).collect();
    match row.name {
        "select" => return "select(condition, a, b)".into(),
        "clamp" => parts = vec!["low".into(), "high".into()],
        "powi" | "powf" => parts = vec!["exponent".into()],
        _ => {}
    }
    parts.extend(row.options.iter().map(|option| match option.flag {
        true => format!("{} = {}", option.name, option.default != 0.0),
        false => format!("{} = {}", option.name, option.default),
    }));
    format!("x.{}({})", row.name, parts.join(", "))
}

/// How a call looks, and what it computes.
fn usage(row: &Elementwise) -> String {
    format!("`{}`: {}", form(row), row.mathematics)
}
