//! Calls: user functions are inlined, built-in ones get their arguments from their rows.

use proc_macro2::Span;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, ExprCall, ExprMethodCall, Ident, Token};

use super::expression::is_self;
use super::types::Expected;
use super::value::Value;
use super::{Checker, Frame, ValueRef};
use crate::error::{Checked, Diagnostic, Reported, closest};
use crate::function::{Accepts, Kind};
use crate::parse;

/// What other libraries have, which is no misspelling of `last` or `glu`.
const RECURRENT: [&str; 3] = ["lstm", "gru", "rnn"];

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

    pub(super) fn count(&self) -> usize {
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
                let remedy =
                    "call functions by their name: `f(x)` or `x.f()`, and layers of the struct as `self.layer(x)`";
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
                // What has no type may have been meant as a layer.
                parse::FieldKind::Tensor { .. } if self.field_parameters.get(&name) == Some(&None) => Err(Reported),
                parse::FieldKind::Tensor { .. } => self.fail(call.method.span(), Diagnostic::FieldIsParameter { name }),
            };
        }
        if self.functions.contains_key(&name) {
            return self.dispatch(&call.method, given);
        }
        if !self.complete {
            return Err(Reported);
        }
        let suggestion = match self.is_function(&name) {
            true => format!("call the built-in function without `self`: `{name}(…)`"),
            false => self.field_suggestion(&name, if name.contains("norm") { "layer_norm()" } else { "dense(8)" }),
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
        // A loss is one number already.
        if let ("sum" | "mean", [], [], Some((_, Value::Loss(parts)))) =
            (written.as_str(), &given.positional[..], &given.named[..], &given.receiver)
        {
            return Ok(Value::Loss(parts.clone()));
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
                // The arguments may have mistakes of their own.
                for expr in given.positional {
                    let _ = self.value(expr);
                }
                Err(self.unknown_function(name))
            }
        }
    }

    fn unknown_function(&mut self, name: &Ident) -> Reported {
        if !self.complete {
            return Reported;
        }
        let written = name.to_string();
        let suggestion = self.function_suggestion(&written);
        self.report(name.span(), Diagnostic::UnknownFunction { name: written, suggestion })
    }

    /// Looks for mistakes in a call whose receiver has one already.
    pub(super) fn look_at(&mut self, call: &'a ExprMethodCall) {
        let name = call.method.to_string();
        let given = Given::new(None, &call.args);
        if name == "scan" {
            return;
        }
        if !self.is_function(&name) {
            self.unknown_function(&call.method);
        }
        let built_in = crate::function::find(&name).filter(|_| !self.functions.contains_key(&name));
        if let Some(function) = built_in {
            for (option, expr) in given.named {
                match function.arguments.iter().find(|row| option == row.name) {
                    Some(row) if matches!(row.accepts, Accepts::Initializer | Accepts::Name) => {}
                    Some(_) => drop(self.value(expr)),
                    None => drop(self.unknown_option(function, option)),
                }
            }
        }
        let values =
            built_in.is_none_or(|function| function.arguments.iter().all(|row| row.accepts != Accepts::Tensors));
        for expr in given.positional.into_iter().filter(|_| values) {
            let _ = self.value(expr);
        }
    }

    fn function_suggestion(&self, name: &str) -> String {
        if self.fields.get(name).is_some_and(|field| matches!(field.kind, parse::FieldKind::Layer { .. })) {
            return format!("layers are fields of `self`: write `self.{name}(…)`");
        }
        if RECURRENT.contains(&name) {
            return "declare a cell, `fn cell(state, x) { … }`, and run it over the sequence by `scan`".into();
        }
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
            let place = function
                .arguments
                .iter()
                .position(|argument| argument_name(argument).as_deref() == Some(&option.to_string()));
            let value = self.value(expr);
            match place {
                Some(place) if values[place].is_none() => values[place] = Some((expr, value)),
                Some(_) => {
                    return self
                        .fail(option.span(), Diagnostic::RepeatedOption { function: name, name: option.to_string() });
                }
                None => {
                    let known: Vec<String> = function.arguments.iter().filter_map(argument_name).collect();
                    let written = option.to_string();
                    let suggestion = crate::error::suggestion(&written, known.iter().map(String::as_str), || {
                        format!("write {}", user_form(function))
                    });
                    return self
                        .fail(option.span(), Diagnostic::UnknownOption { function: name, name: written, suggestion });
                }
            }
        }
        let mut complete = Vec::new();
        for (argument, value) in function.arguments.iter().zip(values) {
            match value {
                Some((expr, value)) => complete.push((Some(expr), value?)),
                None => {
                    let argument =
                        argument_name(argument).map_or("another argument".into(), |name| format!("`{name}`"));
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
        self.turn(span)?;
        let frame = Frame { blocks: vec![std::collections::HashMap::new()], barrier: 0 };
        let body = function.body.as_ref().ok_or(crate::error::Reported)?;
        self.frames.push(frame);
        self.stack.push(name.clone());
        match (name.as_str(), function.is_public()) {
            ("forward", _) => self.parameters.enter_root(Vec::new()),
            // A public function has one set of parameters, for all its calls and as a method.
            (_, true) => self.parameters.enter_root(vec![name.clone()]),
            (_, false) => self.parameters.enter(&name),
        }
        let start = self.calls.last().map_or(0, Vec::len);
        let named: Vec<(String, ValueRef)> = (function.arguments.iter().zip(&arguments))
            .filter_map(|(argument, (_, value))| match value {
                Value::Tensor(tensor) => Some((argument_name(argument)?, tensor.operand.value)),
                _ => None,
            })
            .collect();
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
        if let Ok(Value::Tensor(tensor)) = &value {
            self.keep_formula(&name, &named, start, tensor.operand.value);
        }
        value
    }

    /// Holds an argument to the type that its function declares.
    fn argument(
        &mut self,
        function: &str,
        argument: &'a parse::Argument,
        expr: Option<&Expr>,
        value: Value,
    ) -> Checked<Value> {
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
            note: expr.map_or_else(
                || format!("the value is {}", value.described()),
                |expr| Self::note_or_value(expr, &value),
            ),
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
        let remedy = match (&expected, &value) {
            (Expected::Tensor(declared), Value::Tensor(tensor))
                if has_axis_before(&tensor.ty().shape, &declared.shape) =>
            {
                "an axis is left over: `.flatten()` before the last layer, or leave it out by `.last()` or `.mean(axis = 0)`"
            }
            _ => "correct the declared shape or the last expression",
        };
        let (declared, found) = (expected.to_string(), value.type_text());
        let span = last_expression(function).unwrap_or_else(|| syntax.span());
        let (function, remedy) = (function.name.to_string(), remedy.into());
        self.fail(span, Diagnostic::ResultShape { function, declared, found, note, remedy })
    }
}

/// Whether the shape is the other one with an axis before it.
fn has_axis_before(shape: &[usize], other: &[usize]) -> bool {
    !other.is_empty() && shape.get(1..) == Some(other)
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
    format!("`{}({})`", function.name, arguments.join(", "))
}

pub(super) fn last_expression(function: &parse::Function) -> Option<Span> {
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
