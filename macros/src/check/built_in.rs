//! Calls of built-in functions: arguments are read as their rows say, then the row's shape rule decides.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Expr, Ident, Lit};

use super::call::Given;
use super::expression::is_constant_name;
use super::site::{Known, Site};
use super::value::{LossPart, Origin, Tensor, Value};
use super::{Callee, Checker, Entry, is_real};
use crate::error::{Checked, Diagnostic, Reported};
use crate::function::{Accepts, Argument, Default, Function, Kind, Setting};
use crate::graph::Element;
use crate::network::LayerRow;
use crate::parse;

/// What to do where classes are no numbers.
pub(super) const CLASSES_AS_NUMBERS: &str =
    "turn classes into numbers first: `.one_hot()`, `.embedding(32)` or `.lookup(table)`";

/// Options of other libraries, and how the same is said here.
const OPTIONS_ELSEWHERE: &[(&str, &str)] = &[
    ("activation", "write the activation behind the layer, as in `x.dense(32).relu()`"),
    ("reduction", "losses are means over the batch; write others out, as in `(y - t).square().sum()`"),
    ("from_logits", "choose the loss: `binary_cross_entropy_with_logits`; `cross_entropy` always takes logits"),
];

impl<'a> Checker<'a> {
    /// A call of a built-in function; `field` is the name of the struct's field that it belongs to.
    pub(super) fn call_built_in(
        &mut self,
        span: Span,
        function: &'static Function,
        given: Given<'a>,
        field: Option<&'a parse::Field>,
    ) -> Checked<Value> {
        let bound = self.bind_arguments(span, function, given)?;
        let mut site = Site {
            checker: self,
            function,
            span,
            settings: Vec::new(),
            spans: Vec::new(),
            known: Vec::new(),
            names: Vec::new(),
            field: field.map(|field| field.name.to_string()),
            path: None,
            parameters: Vec::new(),
            multiply_adds: 0,
        };
        for argument in bound {
            site.settings.push(argument.setting);
            site.spans.push(argument.span);
            site.known.push(argument.known);
            site.names.push(argument.name);
        }
        let results = (function.check)(&mut site)?;
        let Site { settings, names, path, parameters, multiply_adds, .. } = site;
        let label = path.map(|path| path.join("."));
        let callee = Callee::Function(function);
        let results = self.push(span, callee, settings, parameters, results, label)?;
        if function.kind == Kind::Layer || multiply_adds > 0 {
            self.row(function, &names, multiply_adds);
        }
        let origin = Origin::of(function.name, span);
        let mut tensors =
            results.into_iter().map(|operand| Tensor { operand, origin: origin.clone(), condition: false });
        match (tensors.next(), tensors.next()) {
            (Some(value), None) => Ok(Value::Tensor(value)),
            // The weighted losses: a sum and its weight.
            (Some(value), Some(weight)) => {
                let weight = Some(weight.operand.value);
                Ok(Value::Loss(vec![LossPart { value: Box::new(Value::Tensor(value)), weight }]))
            }
            _ => Ok(Value::Nothing),
        }
    }

    /// A line of the summary for the call just made.
    fn row(&mut self, function: &Function, names: &[Option<String>], multiply_adds: usize) {
        let Some(call) = self.calls.last().and_then(|calls| calls.last()) else { return };
        if self.entry != Entry::Forward {
            return;
        }
        let count = |&number: &usize| self.parameters.get(number).shape.iter().product::<usize>();
        let name = call.label.clone().unwrap_or_else(|| {
            let same = self.rows.iter().filter(|row| row.name.starts_with(function.name)).count();
            format!("{}_{}", function.name, same + 1)
        });
        let text = call.text(names);
        self.rows.push(LayerRow {
            name,
            call: text,
            output: call.result().clone(),
            parameters: call.parameters.iter().map(count).sum(),
            multiply_adds: multiply_adds * self.steps,
        });
    }

    fn bind_arguments(&mut self, span: Span, function: &'static Function, given: Given<'a>) -> Checked<Vec<Bound>> {
        let rows = function.arguments;
        let mut slots: Vec<Option<(&'a Expr, Option<Value>)>> = (0..rows.len()).map(|_| None).collect();
        let count = given.count();
        let mut places = (0..rows.len()).filter(|&place| !rows[place].named);
        let receiver = given.receiver.map(|(expr, value)| (expr, Some(value)));
        for given in receiver.into_iter().chain(given.positional.iter().map(|expr| (*expr, None))) {
            match places.next() {
                Some(place) => slots[place] = Some(given),
                None => {
                    let diagnostic = self.one_too_many(function, given.0, count);
                    return self.fail(given.0.span(), diagnostic);
                }
            }
        }
        let (mut failed, mut unknown) = (None, false);
        for (name, expr) in given.named {
            match rows.iter().position(|row| name == row.name) {
                Some(place) if slots[place].is_none() => slots[place] = Some((expr, None)),
                Some(_) => {
                    let diagnostic =
                        Diagnostic::RepeatedOption { function: function.name.into(), name: name.to_string() };
                    failed = Some(self.report(name.span(), diagnostic));
                }
                None => (failed, unknown) = (Some(self.unknown_option(function, name)), true),
            }
        }
        let mut bound = Vec::new();
        for (row, slot) in rows.iter().zip(slots) {
            // The unknown option may have been meant to be this argument.
            if unknown && slot.is_none() && matches!(row.default, Default::Required) {
                continue;
            }
            match self.bound(span, function, row, slot) {
                Ok(argument) => bound.push(argument),
                Err(reported) => failed = Some(reported),
            }
        }
        failed.map_or(Ok(bound), Err)
    }

    /// An argument more than the function takes. Other libraries have the activation there, which may be misspelt, too, or
    /// take the width of the input first.
    fn one_too_many(&self, function: &'static Function, argument: &Expr, count: usize) -> Diagnostic {
        let called = function.name.into();
        let name = match argument {
            Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
            _ => None,
        };
        let is_constant =
            name.as_deref().is_some_and(|name| self.constants.contains_key(name) || is_constant_name(name));
        if let Some(name) = &name
            && !is_constant
            && self.variable(name).is_none()
            && let Some(name) = crate::error::closest(name, crate::elementwise::table().map(|row| row.name))
        {
            return Diagnostic::FunctionAsArgument { function: called, name: name.into() };
        }
        let takes_width = function.arguments.get(1).is_some_and(|row| row.name == "width" && !row.named);
        let is_number = matches!(argument, Expr::Lit(literal) if matches!(literal.lit, Lit::Int(_)));
        if takes_width && (is_number || is_constant) {
            return Diagnostic::InputWidthGiven { function: called };
        }
        Diagnostic::TooManyArguments { function: called, count, form: function.usage() }
    }

    pub(super) fn unknown_option(&mut self, function: &'static Function, name: &Ident) -> Reported {
        let written = name.to_string();
        let known = function.arguments.iter().map(|row| row.name);
        let elsewhere = OPTIONS_ELSEWHERE.iter().find(|(name, _)| *name == written).map(|&(_, help)| help.into());
        let suggestion = elsewhere
            .unwrap_or_else(|| crate::error::suggestion(&written, known, || format!("write `{}`", function.form())));
        let diagnostic = Diagnostic::UnknownOption { function: function.name.into(), name: written, suggestion };
        self.report(name.span(), diagnostic)
    }

    fn bound(
        &mut self,
        span: Span,
        function: &'static Function,
        row: &'static Argument,
        slot: Option<(&'a Expr, Option<Value>)>,
    ) -> Checked<Bound> {
        let Some((expr, value)) = slot else {
            if matches!(row.default, Default::Required) {
                let argument = format!("`{}`, {}", row.name, row.accepts.described());
                let (function, form) = (function.name.into(), function.usage());
                return self.fail(span, Diagnostic::MissingArgument { function, argument, form });
            }
            return Ok(Bound { setting: Setting::from(&row.default), span, known: Known::default(), name: None });
        };
        let (setting, known) = self.setting(function, row, expr, value)?;
        Ok(Bound { setting, span: expr.span(), known, name: super::short(expr) })
    }

    fn setting(
        &mut self,
        function: &'static Function,
        row: &'static Argument,
        expr: &'a Expr,
        value: Option<Value>,
    ) -> Checked<(Setting, Known)> {
        if row.accepts == Accepts::Initializer && value.is_none() {
            return Ok((Setting::Initializer(self.initializer(expr)?), Known::default()));
        }
        if row.accepts == Accepts::Name && value.is_none() {
            if let Expr::Path(path) = expr
                && let Some(name) = path.path.get_ident()
                && !["self", "Self", "super", "crate"].iter().any(|keyword| name == keyword)
            {
                return Ok((Setting::Name(name.to_string()), Known::default()));
            }
            return self.wrong_kind(function, row, expr, "an expression".into());
        }
        let value = match value {
            Some(value) => value,
            None => self.value(expr)?,
        };
        let note = Self::note(&[(expr, &value)]);
        let origin = match &value {
            Value::Tensor(tensor) => Some(tensor.origin.clone()),
            _ => None,
        };
        if let (true, Value::Loss(_)) = (row.accepts.is_tensor(), &value) {
            return self.fail(expr.span(), Diagnostic::MaskedLoss { operation: function.name.into() });
        }
        let found = value.described();
        let setting = match (row.accepts, value) {
            (Accepts::Size, Value::Integer(size)) if size >= 1 => {
                Setting::Size(usize::try_from(size).unwrap_or(usize::MAX))
            }
            (Accepts::Integer, Value::Integer(value)) => Setting::Integer(value),
            (Accepts::Boolean, Value::Boolean(value)) => Setting::Boolean(value),
            (Accepts::Number, value) => match super::constants::number(&value) {
                Some(number) => Setting::Number(number),
                None => return self.wrong_kind(function, row, expr, found),
            },
            (Accepts::Sizes, Value::Integer(size)) if size >= 1 => {
                Setting::Sizes(vec![usize::try_from(size).unwrap_or(usize::MAX)])
            }
            (Accepts::Sizes, Value::List(items)) => Setting::Sizes(self.list_sizes(expr.span(), &items)?),
            (Accepts::Axes, Value::Integer(axis)) => Setting::Axes(vec![axis]),
            (Accepts::Axes, Value::List(items)) => match items.iter().map(whole).collect::<Option<Vec<i64>>>() {
                Some(axes) => Setting::Axes(axes),
                None => return self.wrong_kind(function, row, expr, found),
            },
            (Accepts::Numbers, value @ Value::List(_)) => match self.list_numbers(expr.span(), &value)? {
                (shape, numbers) if shape.len() == 1 => Setting::Numbers(numbers),
                _ => return self.wrong_kind(function, row, expr, found),
            },
            (Accepts::Tensors, Value::Tuple(items) | Value::List(items)) => {
                let mut operands = Vec::new();
                for item in items {
                    let tensor = self.real_tensor(function, row, expr, item)?;
                    operands.push(tensor.operand);
                }
                Setting::Tensors(operands)
            }
            (Accepts::Tensor, value) => Setting::Tensor(self.real_tensor(function, row, expr, value)?.operand),
            (Accepts::AnyTensor, value) => match self.tensor(expr.span(), value)? {
                Ok(tensor) => Setting::Tensor(tensor.operand),
                Err(_) => return self.wrong_kind(function, row, expr, found),
            },
            (Accepts::Classes, Value::Tensor(tensor)) => match tensor.ty().element {
                Element::Class(_) => Setting::Tensor(tensor.operand),
                _ => {
                    let found = tensor.ty().to_string();
                    return self
                        .fail(expr.span(), Diagnostic::NeedsClass { function: function.name.into(), found, note });
                }
            },
            (Accepts::Length, Value::Tensor(tensor)) => Setting::Tensor(tensor.operand),
            _ => return self.wrong_kind(function, row, expr, found),
        };
        Ok((setting, Known { note, origin }))
    }

    fn wrong_kind<T>(&mut self, function: &'static Function, row: &Argument, expr: &Expr, found: String) -> Checked<T> {
        let (argument, expected) = (row.name.into(), row.accepts.described().into());
        let diagnostic = match row.accepts.is_tensor() && !row.named {
            true => Diagnostic::NumberMethod { function: function.name.into(), found },
            false => Diagnostic::ArgumentKind { function: function.name.into(), argument, expected, found },
        };
        self.fail(expr.span(), diagnostic)
    }

    /// A tensor of real numbers.
    fn real_tensor(&mut self, function: &Function, row: &Argument, expr: &Expr, value: Value) -> Checked<Tensor> {
        let name = function.name;
        match self.tensor(expr.span(), value)? {
            Ok(tensor) if is_real(tensor.ty()) => Ok(tensor),
            Ok(tensor) => {
                let note = Self::described(expr, &tensor);
                let found = tensor.ty().to_string();
                let remedy = match (row.name, function.kind) {
                    ("logits", _) => format!("write the logits first, and then the class: `{name}(logits, class)`"),
                    (_, Kind::Loss) => {
                        "give numbers: `[1]` for 0 or 1, or `.one_hot()` of a class; `cross_entropy` takes classes \
                        as they are"
                            .into()
                    }
                    _ => CLASSES_AS_NUMBERS.into(),
                };
                self.fail(expr.span(), Diagnostic::NeedsReal { function: name.into(), found, note, remedy })
            }
            Err(value) => {
                let found = value.described();
                self.fail(expr.span(), Diagnostic::NumberMethod { function: name.into(), found })
            }
        }
    }

    fn list_sizes(&mut self, span: Span, items: &[Value]) -> Checked<Vec<usize>> {
        let mut sizes = Vec::new();
        for item in items {
            match item {
                Value::Integer(size) if *size >= 1 => sizes.push(usize::try_from(*size).unwrap_or(usize::MAX)),
                other => return self.fail(span, Diagnostic::Size { found: other.described() }),
            }
        }
        Ok(sizes)
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(value) => Some(*value),
        _ => None,
    }
}

struct Bound {
    setting: Setting,
    span: Span,
    known: Known,
    name: Option<String>,
}
