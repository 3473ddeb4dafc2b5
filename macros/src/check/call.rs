//! Calls: user functions are inlined, built-in ones get their arguments from their rows.

use proc_macro2::Span;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, ExprCall, ExprMethodCall, Ident, Token};

use super::expression::is_self;
use super::value::{LossPart, Origin, Tensor, Value};
use super::{Callee, Checker, Entry, Frame, TensorType, display_shape, is_real, parameters};
use crate::error::{Checked, Diagnostic, closest};
use crate::function::{Accepts, Argument, Default, Function, Kind, Setting};
use crate::graph::Element;
use crate::network::{Initializer, LayerRow, Role};
use crate::parse;

/// The arguments of a call as written, options apart.
pub(super) struct Given<'a> {
    pub(super) receiver: Option<(&'a Expr, Value)>,
    pub(super) positional: Vec<&'a Expr>,
    pub(super) named: Vec<(&'a Ident, &'a Expr)>,
}

impl<'a> Given<'a> {
    pub(super) fn new(receiver: Option<(&'a Expr, Value)>, arguments: &'a Punctuated<Expr, Token![,]>) -> Self {
        let mut given = Self { receiver, positional: Vec::new(), named: Vec::new() };
        for argument in arguments {
            match option(argument) {
                Some(named) => given.named.push(named),
                None => given.positional.push(argument),
            }
        }
        given
    }

    fn count(&self) -> usize {
        self.positional.len() + usize::from(self.receiver.is_some())
    }
}

/// `name = value`
fn option(expr: &Expr) -> Option<(&Ident, &Expr)> {
    match expr {
        Expr::Assign(assign) => match &*assign.left {
            Expr::Path(path) => Some((path.path.get_ident()?, &assign.right)),
            _ => None,
        },
        Expr::Group(group) => option(&group.expr),
        _ => None,
    }
}

impl<'a> Checker<'a> {
    pub(super) fn call(&mut self, call: &'a ExprCall) -> Checked<Value> {
        match &*call.func {
            Expr::Path(path) if path.path.get_ident().is_some() => {
                let name = path.path.get_ident().unwrap_or_else(|| unreachable!("just looked"));
                self.dispatch(name, Given::new(None, &call.args))
            }
            other => {
                let remedy = "call functions by their name: `f(x)` or `x.f()`, and layers of the struct as `self.layer(x)`";
                let what = "a call of something without a name";
                self.fail(other.span(), Diagnostic::Unsupported { what: what.into(), remedy: remedy.into() })
            }
        }
    }

    pub(super) fn method(&mut self, call: &'a ExprMethodCall, receiver: Value) -> Checked<Value> {
        self.dispatch(&call.method, Given::new(Some((&call.receiver, receiver)), &call.args))
    }

    /// `self.encoder(x)`, or `self.f(x)` for a function.
    pub(super) fn method_of_self(&mut self, call: &'a ExprMethodCall) -> Checked<Value> {
        let name = call.method.to_string();
        debug_assert!(is_self(&call.receiver));
        let given = Given::new(None, &call.args);
        if let Some(field) = self.fields.get(&name).copied() {
            self.used_fields.insert(name.clone());
            return match &field.kind {
                parse::FieldKind::Layer { call: layer } => self.layer_field(&call.method, field, layer, given),
                parse::FieldKind::Tensor { .. } => self.fail(call.method.span(), Diagnostic::FieldIsParameter { name }),
            };
        }
        if self.functions.contains_key(&name) {
            return self.dispatch(&call.method, given);
        }
        let suggestion = match self.is_function(&name) {
            true => format!("call the built-in function without `self`: `{name}(…)`"),
            false => self.field_suggestion(&name),
        };
        self.fail(call.method.span(), Diagnostic::UnknownField { name, suggestion })
    }

    pub(super) fn is_function(&self, name: &str) -> bool {
        self.functions.contains_key(name)
            || name == "scan"
            || crate::function::find(name).is_some()
            || crate::elementwise::find(name).is_some()
    }

    fn dispatch(&mut self, name: &'a Ident, given: Given<'a>) -> Checked<Value> {
        let written = name.to_string();
        if let Some(&function) = self.functions.get(&written) {
            return self.call_user(name.span(), function, given);
        }
        if written == "scan" {
            return self.scan(name, given);
        }
        let row = crate::elementwise::find(&written);
        let function = crate::function::find(&written);
        match (function, row) {
            // `max` and `min` of two are elementwise, of one they are reductions.
            (Some(function), row) if row.is_none() || given.count() < 2 => {
                let results = self.call_built_in(name.span(), function, given, None)?;
                Ok(results)
            }
            (_, Some(row)) => {
                let mut values: Vec<(&'a Expr, Checked<Value>)> = Vec::new();
                values.extend(given.receiver.map(|(expr, value)| (expr, Ok(value))));
                for expr in given.positional {
                    let value = self.value(expr);
                    values.push((expr, value));
                }
                let values: Checked<Vec<_>> = values.into_iter().map(|(expr, value)| Ok((expr, value?))).collect();
                self.elementwise(name.span(), row, values?, given.named)
            }
            _ => {
                let suggestion = self.function_suggestion(&written);
                // The arguments may have mistakes of their own.
                for expr in given.positional {
                    let _ = self.value(expr);
                }
                self.fail(name.span(), Diagnostic::UnknownFunction { name: written, suggestion })
            }
        }
    }

    fn function_suggestion(&self, name: &str) -> String {
        let mut known: Vec<&str> = self.functions.keys().map(String::as_str).collect();
        known.extend(crate::function::all().map(|function| function.name));
        known.extend(crate::elementwise::table().map(|row| row.name));
        known.push("scan");
        known.sort_unstable();
        if let Some(found) = closest(name, known) {
            return format!("did you mean `{found}`?");
        }
        let layers = crate::function::all().filter(|function| function.kind == Kind::Layer).map(|layer| layer.name);
        format!("declare `fn {name}(x) {{ … }}` inside `network!`; layers are {}", crate::error::listed(layers))
    }

    /// Inlines a function of the user.
    fn call_user(&mut self, span: Span, function: &'a parse::Function, given: Given<'a>) -> Checked<Value> {
        let name = function.name.to_string();
        let mut values: Vec<Option<(&'a Expr, Checked<Value>)>> = Vec::new();
        values.extend(given.receiver.map(|(expr, value)| Some((expr, Ok(value)))));
        for expr in given.positional {
            let value = self.value(expr);
            values.push(Some((expr, value)));
        }
        if values.len() > function.arguments.len() {
            let (count, form) = (values.len(), user_form(function));
            return self.fail(span, Diagnostic::TooManyArguments { function: name, count, form });
        }
        values.resize_with(function.arguments.len(), || None);
        for (option, expr) in given.named {
            let place = function.arguments.iter().position(|argument| argument_name(argument).as_deref() == Some(&option.to_string()));
            let value = self.value(expr);
            match place {
                Some(place) if values[place].is_none() => values[place] = Some((expr, value)),
                Some(_) => {
                    return self.fail(option.span(), Diagnostic::RepeatedOption { function: name, name: option.to_string() });
                }
                None => {
                    let known: Vec<String> = function.arguments.iter().filter_map(argument_name).collect();
                    let written = option.to_string();
                    let suggestion = crate::error::suggestion(&written, known.iter().map(String::as_str), || {
                        format!("write `{}`", user_form(function))
                    });
                    return self.fail(option.span(), Diagnostic::UnknownOption { function: name, name: written, suggestion });
                }
            }
        }
        let mut complete = Vec::new();
        for (argument, value) in function.arguments.iter().zip(values) {
            match value {
                Some((expr, value)) => complete.push((Some(expr), value?)),
                None => {
                    let argument = argument_name(argument).map_or("another argument".into(), |name| format!("`{name}`"));
                    let form = user_form(function);
                    return self.fail(span, Diagnostic::MissingArgument { function: name, argument, form });
                }
            }
        }
        self.inline(span, function, complete)
    }

    /// The value of a function's body for these arguments.
    pub(super) fn inline(
        &mut self,
        span: Span,
        function: &'a parse::Function,
        arguments: Vec<(Option<&'a Expr>, Value)>,
    ) -> Checked<Value> {
        let name = function.name.to_string();
        if self.stack.contains(&name) {
            let path = self.stack.iter().map(String::as_str).chain([name.as_str()]).collect::<Vec<_>>().join(" -> ");
            return self.fail(span, Diagnostic::Recursion { name, path });
        }
        let frame = Frame { blocks: vec![std::collections::HashMap::new()], barrier: 0 };
        let body = function.body.as_ref().ok_or(crate::error::Reported)?;
        self.frames.push(frame);
        self.stack.push(name.clone());
        match (name.as_str(), function.public) {
            ("forward", _) => self.parameters.enter_root(Vec::new()),
            // A public function has one set of parameters, for all its calls and as a method.
            (_, true) => self.parameters.enter_root(vec![name.clone()]),
            (_, false) => self.parameters.enter(&name),
        }
        let bound: Vec<Checked<()>> = function
            .arguments
            .iter()
            .zip(arguments)
            .map(|(argument, (expr, value))| {
                let value = self.argument(&name, argument, expr, value);
                self.bind(&argument.pattern, value)
            })
            .collect();
        let value = match bound.into_iter().collect::<Checked<()>>() {
            Ok(()) => self.block(body).and_then(|value| self.returned(function, value)),
            Err(reported) => Err(reported),
        };
        self.parameters.leave();
        self.stack.pop();
        self.frames.pop();
        value
    }

    /// Holds an argument to the type that its function declares.
    fn argument(&mut self, function: &str, argument: &'a parse::Argument, expr: Option<&Expr>, value: Value) -> Checked<Value> {
        let Some(syntax) = &argument.ty else { return Ok(value) };
        let expected = self.expected(syntax)?;
        if expected.fits(&value) {
            return Ok(value);
        }
        let diagnostic = Diagnostic::ArgumentShape {
            function: function.into(),
            argument: argument_name(argument).unwrap_or_else(|| "its argument".into()),
            declared: expected.to_string(),
            found: value.type_text(),
            note: expr.map_or_else(|| format!("the value is {}", value.described()), |expr| Self::note_or_value(expr, &value)),
        };
        let span = expr.map_or_else(|| argument.pattern.span(), Spanned::span);
        self.fail(span, diagnostic)
    }

    /// Holds the value of a function to the type that it declares.
    pub(super) fn returned(&mut self, function: &'a parse::Function, value: Value) -> Checked<Value> {
        if matches!(value, Value::Nothing) {
            let what = format!("`{}`", function.name);
            return self.fail(function.name.span(), Diagnostic::MissingValue { what });
        }
        let Some(syntax) = &function.output else { return Ok(value) };
        let expected = self.expected(syntax)?;
        if expected.fits(&value) {
            return Ok(value);
        }
        let note = match &value {
            Value::Tensor(tensor) => format!("the value comes {}", tensor.origin.text()),
            other => format!("the value is {}", other.described()),
        };
        let (declared, found) = (expected.to_string(), value.type_text());
        let span = last_expression(function).unwrap_or_else(|| syntax.span());
        self.fail(span, Diagnostic::ResultShape { function: function.name.to_string(), declared, found, note })
    }

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
            notes: Vec::new(),
            field: field.map(|field| field.name.to_string()),
            path: None,
            parameters: Vec::new(),
            multiply_adds: 0,
        };
        for argument in bound {
            site.settings.push(argument.setting);
            site.spans.push(argument.span);
            site.notes.push(argument.note);
        }
        let results = (function.check)(&mut site)?;
        let Site { settings, path, parameters, multiply_adds, .. } = site;
        let label = path.map(|path| path.join("."));
        let callee = Callee::Function(function);
        let results = self.push(span, callee, settings, parameters, results, label)?;
        if function.kind == Kind::Layer || multiply_adds > 0 {
            self.row(multiply_adds);
        }
        let origin = Origin::of(function.name, span);
        let mut tensors = results.into_iter().map(|operand| Tensor { operand, origin: origin.clone(), condition: false });
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
    fn row(&mut self, multiply_adds: usize) {
        let Some(call) = self.calls.last().and_then(|calls| calls.last()) else { return };
        if self.entry != Entry::Forward {
            return;
        }
        let count = |&number: &usize| self.parameters.get(number).shape.iter().product::<usize>();
        let text = call.text();
        self.rows.push(LayerRow {
            name: call.label.clone().unwrap_or_default(),
            call: text,
            output: call.result().clone(),
            parameters: call.parameters.iter().map(count).sum(),
            multiply_adds: multiply_adds * self.steps,
        });
    }

    fn bind_arguments(&mut self, span: Span, function: &'static Function, given: Given<'a>) -> Checked<Vec<Bound>> {
        let rows = function.arguments;
        let mut slots: Vec<Option<(&'a Expr, Option<Value>)>> = (0..rows.len()).map(|_| None).collect();
        let (count, form) = (given.count(), function.form());
        let mut places = (0..rows.len()).filter(|&place| !rows[place].named);
        let receiver = given.receiver.map(|(expr, value)| (expr, Some(value)));
        for given in receiver.into_iter().chain(given.positional.iter().map(|expr| (*expr, None))) {
            match places.next() {
                Some(place) => slots[place] = Some(given),
                None => {
                    let function = function.name.into();
                    return self.fail(given.0.span(), Diagnostic::TooManyArguments { function, count, form });
                }
            }
        }
        let mut failed = None;
        for (name, expr) in given.named {
            match rows.iter().position(|row| name == row.name) {
                Some(place) if slots[place].is_none() => slots[place] = Some((expr, None)),
                Some(_) => {
                    let diagnostic = Diagnostic::RepeatedOption { function: function.name.into(), name: name.to_string() };
                    failed = Some(self.report(name.span(), diagnostic));
                }
                None => {
                    let written = name.to_string();
                    let suggestion = crate::error::suggestion(&written, rows.iter().map(|row| row.name), || format!("write `{form}`"));
                    let diagnostic = Diagnostic::UnknownOption { function: function.name.into(), name: written, suggestion };
                    failed = Some(self.report(name.span(), diagnostic));
                }
            }
        }
        let mut bound = Vec::new();
        for (row, slot) in rows.iter().zip(slots) {
            match self.bound(span, function, row, slot) {
                Ok(argument) => bound.push(argument),
                Err(reported) => failed = Some(reported),
            }
        }
        failed.map_or(Ok(bound), Err)
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
                let (function, form) = (function.name.into(), function.form());
                return self.fail(span, Diagnostic::MissingArgument { function, argument, form });
            }
            return Ok(Bound { setting: Setting::from(&row.default), span, note: String::new() });
        };
        let (setting, note) = self.setting(function, row, expr, value)?;
        Ok(Bound { setting, span: expr.span(), note })
    }

    fn setting(
        &mut self,
        function: &'static Function,
        row: &'static Argument,
        expr: &'a Expr,
        value: Option<Value>,
    ) -> Checked<(Setting, String)> {
        if row.accepts == Accepts::Initializer && value.is_none() {
            return Ok((Setting::Initializer(self.initializer(expr)?), String::new()));
        }
        if row.accepts == Accepts::Name && value.is_none() {
            if let Expr::Path(path) = expr
                && let Some(name) = path.path.get_ident()
                && name != "self"
            {
                return Ok((Setting::Name(name.to_string()), String::new()));
            }
            return self.wrong_kind(function, row, expr, "an expression".into());
        }
        let value = match value {
            Some(value) => value,
            None => self.value(expr)?,
        };
        let note = Self::note(&[(expr, &value)]);
        if let (true, Value::Loss(_)) = (row.accepts.is_tensor(), &value) {
            return self.fail(expr.span(), Diagnostic::MaskedLoss { operation: function.name.into() });
        }
        let found = value.described();
        let setting = match (row.accepts, value) {
            (Accepts::Size, Value::Integer(size)) if size >= 1 => Setting::Size(usize::try_from(size).unwrap_or(usize::MAX)),
            (Accepts::Integer, Value::Integer(value)) => Setting::Integer(value),
            (Accepts::Boolean, Value::Boolean(value)) => Setting::Boolean(value),
            (Accepts::Number, value) => match super::constants::number(&value) {
                Some(number) => Setting::Number(number),
                None => return self.wrong_kind(function, row, expr, found),
            },
            (Accepts::Sizes, Value::Integer(size)) if size >= 1 => Setting::Sizes(vec![usize::try_from(size).unwrap_or(usize::MAX)]),
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
                    let tensor = self.real_tensor(function.name, expr, item)?;
                    operands.push(tensor.operand);
                }
                Setting::Tensors(operands)
            }
            (Accepts::Tensor, value) => Setting::Tensor(self.real_tensor(function.name, expr, value)?.operand),
            (Accepts::AnyTensor, value) => match self.tensor(expr.span(), value) {
                Ok(tensor) => Setting::Tensor(tensor.operand),
                Err(_) => return self.wrong_kind(function, row, expr, found),
            },
            (Accepts::Classes, Value::Tensor(tensor)) => match tensor.ty().element {
                Element::Class(_) => Setting::Tensor(tensor.operand),
                _ => {
                    let found = tensor.ty().to_string();
                    return self.fail(expr.span(), Diagnostic::NeedsClass { function: function.name.into(), found, note });
                }
            },
            (Accepts::Length, Value::Tensor(tensor)) => Setting::Tensor(tensor.operand),
            _ => return self.wrong_kind(function, row, expr, found),
        };
        Ok((setting, note))
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
    pub(super) fn real_tensor(&mut self, function: &str, expr: &Expr, value: Value) -> Checked<Tensor> {
        match self.tensor(expr.span(), value) {
            Ok(tensor) if is_real(tensor.ty()) => Ok(tensor),
            Ok(tensor) => {
                let note = Self::described(expr, &tensor);
                let found = tensor.ty().to_string();
                self.fail(expr.span(), Diagnostic::NeedsReal { function: function.into(), found, note })
            }
            Err(value) => {
                let found = value.described();
                self.fail(expr.span(), Diagnostic::NumberMethod { function: function.into(), found })
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
    note: String,
}

pub(super) fn argument_name(argument: &parse::Argument) -> Option<String> {
    match &argument.pattern {
        syn::Pat::Ident(name) => Some(name.ident.to_string()),
        _ => None,
    }
}

fn user_form(function: &parse::Function) -> String {
    let name = |argument| argument_name(argument).unwrap_or_else(|| "(…)".into());
    let arguments: Vec<String> = function.arguments.iter().map(name).collect();
    format!("{}({})", function.name, arguments.join(", "))
}

fn last_expression(function: &parse::Function) -> Option<Span> {
    let mut expr = match function.body.as_ref()?.stmts.last()? {
        syn::Stmt::Expr(expr, None) => expr,
        _ => return None,
    };
    while let Expr::Group(group) = expr {
        expr = &group.expr;
    }
    Some(match expr {
        Expr::MethodCall(call) => call.method.span(),
        Expr::Binary(binary) => binary.op.span(),
        other => other.span(),
    })
}

/// A call while its row's shape rule looks at it.
pub(crate) struct Site<'c, 'a> {
    checker: &'c mut Checker<'a>,
    function: &'static Function,
    span: Span,
    settings: Vec<Setting>,
    spans: Vec<Span>,
    notes: Vec<String>,
    field: Option<String>,
    path: Option<Vec<String>>,
    parameters: Vec<usize>,
    multiply_adds: usize,
}

impl Site<'_, '_> {
    fn at(&self, argument: &str) -> usize {
        self.function.position(argument)
    }

    pub(crate) fn is_given(&self, argument: &str) -> bool {
        self.settings[self.at(argument)] != Setting::Absent
    }

    /// The type of a tensor that is given.
    pub(crate) fn ty(&self, argument: &str) -> TensorType {
        match &self.settings[self.at(argument)] {
            Setting::Tensor(operand) => operand.ty.clone(),
            other => unreachable!("`{argument}` was bound to a tensor: {other}"),
        }
    }

    pub(crate) fn shape(&self, argument: &str) -> Vec<usize> {
        self.ty(argument).shape
    }

    pub(crate) fn shapes(&self, argument: &str) -> Vec<Vec<usize>> {
        match &self.settings[self.at(argument)] {
            Setting::Tensors(operands) => operands.iter().map(|operand| operand.ty.shape.clone()).collect(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn size(&self, argument: &str) -> usize {
        match self.settings[self.at(argument)] {
            Setting::Size(size) => size,
            _ => 1,
        }
    }

    pub(crate) fn sizes(&self, argument: &str) -> Vec<usize> {
        match &self.settings[self.at(argument)] {
            Setting::Sizes(sizes) => sizes.clone(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn boolean(&self, argument: &str) -> bool {
        self.settings[self.at(argument)] == Setting::Boolean(true)
    }

    pub(crate) fn number(&self, argument: &str) -> f64 {
        match self.settings[self.at(argument)] {
            Setting::Number(number) => number,
            _ => 0.0,
        }
    }

    pub(crate) fn numbers(&self, argument: &str) -> Option<Vec<f64>> {
        match &self.settings[self.at(argument)] {
            Setting::Numbers(numbers) => Some(numbers.clone()),
            _ => None,
        }
    }

    pub(crate) fn initializer(&self, argument: &str) -> Initializer {
        match &self.settings[self.at(argument)] {
            Setting::Initializer(initializer) => initializer.clone(),
            _ => Initializer::Zeros,
        }
    }

    pub(crate) fn set(&mut self, argument: &str, setting: Setting) {
        let place = self.at(argument);
        self.settings[place] = setting;
    }

    /// The axes that are given, counted from 0, sorted; all of them, if none are given. They stay so in the call.
    pub(crate) fn axes(&mut self, argument: &str, shape: &[usize]) -> Checked<Vec<usize>> {
        let mut axes = self.ordered_axes(argument, shape)?;
        axes.sort_unstable();
        self.set(argument, Setting::Axes(axes.iter().map(|&axis| axis as i64).collect()));
        Ok(axes)
    }

    /// As `axes`, in the order as given.
    pub(crate) fn ordered_axes(&mut self, argument: &str, shape: &[usize]) -> Checked<Vec<usize>> {
        let rank = shape.len();
        let given = match &self.settings[self.at(argument)] {
            Setting::Axes(axes) => axes.clone(),
            _ => (0..rank as i64).collect(),
        };
        let mut axes = Vec::new();
        for axis in given {
            let counted = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
            let function = self.function.name.into();
            match usize::try_from(counted) {
                Ok(counted) if counted < rank => {
                    if axes.contains(&counted) {
                        return self.fail(argument, Diagnostic::RepeatedAxis { function, axis });
                    }
                    axes.push(counted);
                }
                _ => return self.fail(argument, Diagnostic::Axis { function, axis, shape: display_shape(shape) }),
            }
        }
        self.set(argument, Setting::Axes(axes.iter().map(|&axis| axis as i64).collect()));
        Ok(axes)
    }

    /// Reports a mistake at an argument.
    pub(crate) fn fail<T>(&mut self, argument: &str, diagnostic: Diagnostic) -> Checked<T> {
        let span = self.spans[self.at(argument)];
        self.checker.fail(span, diagnostic)
    }

    /// Reports a mistake at the function's name.
    pub(crate) fn fail_here<T>(&mut self, diagnostic: Diagnostic) -> Checked<T> {
        self.checker.fail(self.span, diagnostic)
    }

    /// Refuses a number outside of a range that is `allowed`, as in "must be …".
    pub(crate) fn holds(&mut self, argument: &str, allowed: bool, range: &str) -> Checked<()> {
        if allowed {
            return Ok(());
        }
        let value = self.settings[self.at(argument)].to_string();
        let (function, name) = (self.function.name.into(), argument.into());
        self.fail(argument, Diagnostic::ArgumentRange { function, argument: name, value, range: range.into() })
    }

    /// What is known about these arguments.
    pub(crate) fn note(&self, arguments: &[&str]) -> String {
        let notes = arguments.iter().map(|argument| self.notes[self.at(argument)].as_str());
        let notes: Vec<&str> = notes.filter(|note| !note.is_empty()).collect();
        if notes.is_empty() { "the values are constants".into() } else { notes.join("; ") }
    }

    /// The function's name.
    pub(crate) fn name(&self) -> String {
        self.function.name.into()
    }

    /// Holds `length` to be a length of up to `steps`.
    pub(crate) fn length(&mut self, steps: usize) -> Checked<()> {
        if !self.is_given("length") {
            return Ok(());
        }
        let ty = self.ty("length");
        if ty.element == Element::Length(steps) && ty.shape.is_empty() {
            return Ok(());
        }
        let found = ty.to_string();
        self.fail("length", Diagnostic::NeedsLength { function: self.name(), expected: steps, found })
    }

    pub(crate) fn multiply_adds(&mut self, count: usize) {
        self.multiply_adds = self.multiply_adds.saturating_add(count);
    }

    /// Makes a parameter of the layer (or takes the one that is there already), in the order of calls.
    pub(crate) fn parameter(&mut self, field: &str, shape: Vec<usize>, role: Role, initializer: Initializer) -> Checked<()> {
        let layer = self.function.name;
        if self.path.is_none() {
            let given = match &self.settings[self.at("name")] {
                Setting::Name(name) => Some(name.clone()),
                _ => None,
            };
            let path = match &self.field {
                Some(field) => vec![field.clone()],
                None => match self.checker.parameters.layer_path(layer, given.as_deref()) {
                    Ok(path) => path,
                    Err(diagnostic) => return self.fail("name", diagnostic),
                },
            };
            self.path = Some(path);
        }
        self.checker.allowed(self.span, &shape)?;
        let mut path = self.path.clone().unwrap_or_default();
        path.push(field.into());
        let before = self.checker.parameters.len();
        let frozen = self.boolean("frozen");
        let made = self.checker.parameters.get_or_make(parameters::parameter(path, shape, role, initializer, frozen));
        match made {
            Ok(number) => {
                if number == before && self.checker.entry == Entry::Loss && self.field.is_none() {
                    return self.fail_here(Diagnostic::LossLayer { layer: layer.into() });
                }
                self.checker.parameters.used.insert(number);
                self.parameters.push(number);
                Ok(())
            }
            Err(diagnostic) => self.fail_here(diagnostic),
        }
    }
}
