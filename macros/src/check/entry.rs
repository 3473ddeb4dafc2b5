//! The entry points: `forward`, `loss` and public functions.

use std::collections::HashMap;

use proc_macro2::Span;
use quote::ToTokens;
use syn::Pat;
use syn::spanned::Spanned;

use super::types::{Expected, REAL_NUMBERS};
use super::value::{LossPart, Origin, Tensor, Value};
use super::{Bodies, Body, Call, Callee, Checker, Entry, Frame, LossBody, Operand, TensorType, Term, is_special};
use crate::error::{Checked, Diagnostic, Reported};
use crate::function::Setting;
use crate::graph::Element;
use crate::network::{Argument, Method, Network, Signature};
use crate::parse::{self, Function, Header};

/// The types of the outputs of an entry point, and where they come from.
type Outputs = Vec<(TensorType, Origin)>;

/// Inputs, targets or outputs pass through Rust as tuples, of which the runtime knows those up to this length.
const MOST: usize = 8;

/// A function that Rust calls.
pub(super) struct Point {
    arguments: Vec<Argument>,
    pub(super) body: Body,
    outputs: Outputs,
}

/// All of them.
pub(super) struct Points {
    pub(super) forward: Point,
    pub(super) loss: Option<(Vec<Argument>, LossBody)>,
    pub(super) methods: Vec<(Method, Body)>,
}

impl<'a> Checker<'a> {
    pub(super) fn entry_points(mut self, header: &'a Header) -> Option<Network> {
        let points = self.points(header);
        self.unused();
        let points = points.filter(|_| self.errors.is_empty())?;
        self.idle(&points);
        self.errors.is_empty().then(|| self.network(header, points))
    }

    /// Reads all functions that Rust calls, and those that they call.
    fn points(&mut self, header: &'a Header) -> Option<Points> {
        let Some(&forward) = self.functions.get("forward") else {
            if self.complete {
                self.report(header.name.span(), Diagnostic::MissingForward {});
            }
            return None;
        };
        let point = self.forward(forward);
        let outputs = match &point {
            Ok(point) => Some(point.outputs.clone()),
            // Of two shapes that differ, nobody knows which is meant.
            Err(_) if self.errors.diagnostics().any(|mistake| mistake.code() == "result-shape") => None,
            Err(_) => self.declared_outputs(forward),
        };
        let loss = self.functions.get("loss").copied().map(|function| self.loss(function, outputs));
        let mut methods: Vec<&'a Function> = self.functions.values().copied().collect();
        methods.retain(|function| function.is_public() && !is_special(&function.name));
        methods.sort_by_key(|function| self.parameters.place(&function.name.to_string()));
        let methods: Vec<Checked<_>> = methods.into_iter().map(|function| self.entry_method(function)).collect();
        Some(Points {
            forward: point.ok()?,
            loss: loss.transpose().ok()?,
            methods: methods.into_iter().collect::<Checked<_>>().ok()?,
        })
    }

    fn network(self, header: &'a Header, points: Points) -> Network {
        let attributes = |attributes: &[syn::Attribute]| attributes.iter().map(ToTokens::to_token_stream).collect();
        let of_function = |name: &str| self.functions.get(name).map(|function| attributes(&function.attributes));
        let (forward_attributes, loss_attributes) = (of_function("forward"), of_function("loss"));
        let field_attributes = self
            .fields_in_order()
            .iter()
            .map(|field| (field.name.to_string(), attributes(&field.attributes)))
            .collect();
        let (parameters, renumbered) = self.parameters.finish();
        let (targets, loss) = points.loss.unzip();
        let (methods, method_bodies) = points.methods.into_iter().unzip();
        let mut bodies = Bodies { forward: points.forward.body, loss, methods: method_bodies, names: self.value_names };
        let calls = [&mut bodies.forward.calls].into_iter().chain(bodies.loss.as_mut().map(|loss| &mut loss.calls));
        for calls in calls.chain(bodies.methods.iter_mut().map(|method| &mut method.calls)) {
            renumber(calls, &renumbered);
        }
        Network {
            name: header.name.clone(),
            attributes: attributes(&header.attributes),
            visibility: header.visibility.to_token_stream(),
            dump: header.dump.clone(),
            parameters,
            field_attributes,
            inputs: points.forward.arguments,
            targets: targets.unwrap_or_default(),
            outputs: points.forward.outputs.iter().map(|(ty, _)| signature(ty)).collect(),
            has_loss: bodies.loss.is_some(),
            forward_attributes: forward_attributes.unwrap_or_default(),
            loss_attributes: loss_attributes.unwrap_or_default(),
            methods,
            layers: self.rows,
            formulas: self.formulas,
            bodies,
        }
    }

    /// The arguments of an entry point, and the values that they are inside.
    fn arguments(
        &mut self,
        function: &str,
        arguments: &'a [parse::Argument],
    ) -> Checked<(Vec<Argument>, Vec<Value>, Vec<Operand>)> {
        let read: Vec<Checked<(Argument, Value, Operand)>> =
            arguments.iter().map(|argument| self.entry_argument(function, argument)).collect();
        let read: Vec<_> = read.into_iter().collect::<Checked<_>>()?;
        if let Some((ninth, ..)) = read.get(MOST) {
            let what = if function == "loss" { "targets" } else { "arguments" };
            return self.too_many(ninth.span, function, what, read.len());
        }
        let mut names: HashMap<&str, Span> = HashMap::new();
        let mut twice = None;
        for (argument, ..) in &read {
            if names.insert(&argument.name, argument.span).is_some() && argument.name != "_" {
                twice = Some((argument.span, argument.name.clone()));
            }
        }
        if let Some((span, name)) = twice {
            return self.fail(span, Diagnostic::DuplicateName { what: "argument".into(), name });
        }
        let mut lists = (Vec::new(), Vec::new(), Vec::new());
        for (argument, value, operand) in read {
            lists.0.push(argument);
            lists.1.push(value);
            lists.2.push(operand);
        }
        Ok(lists)
    }

    fn too_many<T>(&mut self, span: Span, function: &str, what: &str, found: usize) -> Checked<T> {
        let mistake = Diagnostic::EntryCount { function: function.into(), what: what.into(), found, limit: MOST };
        self.fail(span, mistake)
    }

    fn entry_argument(&mut self, function: &str, argument: &'a parse::Argument) -> Checked<(Argument, Value, Operand)> {
        let (name, span) = match &argument.pattern {
            Pat::Ident(name) if name.subpat.is_none() && name.by_ref.is_none() => {
                (name.ident.to_string(), name.ident.span())
            }
            Pat::Wild(wild) => ("_".to_string(), wild.span()),
            other => {
                let found = other.to_token_stream().to_string();
                return self.fail(other.span(), Diagnostic::EntryArgument { function: function.into(), found });
            }
        };
        let Some(syntax) = &argument.ty else {
            return self.fail(span, Diagnostic::EntryType { function: function.into(), name });
        };
        let (ty, per_step) = match self.expected(syntax)? {
            Expected::Tensor(ty) => (ty, false),
            Expected::Scalar => (TensorType::real(Vec::new()), true),
            Expected::Constant(found) => {
                let (function, remedy) = (function.into(), for_samples(&name, &found));
                return self.fail(syntax.span(), Diagnostic::EntryConstant { function, name, found, remedy });
            }
            other => {
                let found = format!("{name}: {other}");
                return self.fail(syntax.span(), Diagnostic::EntryArgument { function: function.into(), found });
            }
        };
        let operand = self.operand(ty.clone());
        let tensor = Tensor { operand: operand.clone(), origin: Origin::declared(span), condition: false };
        let signature = Signature { shape: ty.shape, element: ty.element, per_step };
        Ok((Argument { name, span, signature }, Value::Tensor(tensor), operand))
    }

    /// Reads a body with these arguments, in a list of calls of its own.
    fn body(&mut self, function: &'a Function, path: Vec<String>, values: Vec<Value>) -> (Checked<Value>, Vec<Call>) {
        self.calls.push(Vec::new());
        self.frames.push(Frame { blocks: vec![HashMap::new()], barrier: 0 });
        self.stack.push(function.name.to_string());
        self.parameters.enter_root(path);
        let bound: Vec<Checked<()>> = function
            .arguments
            .iter()
            .zip(values)
            .map(|(argument, value)| self.bind(&argument.pattern, Ok(value)))
            .collect();
        let value = match (bound.into_iter().collect::<Checked<()>>(), &function.body) {
            (Ok(()), Some(body)) => self.block(body).and_then(|value| self.returned(function, value)),
            _ => Err(Reported),
        };
        (value, self.calls.pop().unwrap_or_default())
    }

    fn end_body(&mut self) {
        self.parameters.leave();
        self.stack.pop();
        self.frames.pop();
    }

    fn forward(&mut self, function: &'a Function) -> Checked<Point> {
        self.entry = Entry::Forward;
        let point = self.point(function, Vec::new())?;
        if point.arguments.iter().all(|argument| argument.signature.per_step) {
            return self.fail(function.name.span(), Diagnostic::EntryWithoutInput { function: "forward".into() });
        }
        Ok(point)
    }

    fn point(&mut self, function: &'a Function, path: Vec<String>) -> Checked<Point> {
        let (arguments, values, inputs) = self.arguments(&function.name.to_string(), &function.arguments)?;
        let (value, calls) = self.body(function, path, values);
        self.calls.push(calls);
        let tensors = value.and_then(|value| self.outputs(function, value));
        let calls = self.calls.pop().unwrap_or_default();
        self.end_body();
        let tensors = tensors?;
        let outputs = tensors.iter().map(|tensor| (tensor.ty().clone(), tensor.origin.clone())).collect();
        let body = Body { inputs, calls, outputs: tensors.into_iter().map(|tensor| tensor.operand).collect() };
        Ok(Point { arguments, body, outputs })
    }

    /// The tensors that an entry point returns.
    fn outputs(&mut self, function: &'a Function, value: Value) -> Checked<Vec<Tensor>> {
        let span = function.output.as_ref().map_or_else(|| function.name.span(), |output| output.span());
        let name = function.name.to_string();
        let items = match value {
            Value::Tuple(items) => items,
            single => vec![single],
        };
        if items.len() > MOST {
            return self.too_many(span, &name, "outputs", items.len());
        }
        let mut tensors = Vec::new();
        for item in items {
            match item {
                Value::Tensor(tensor) if tensor.ty().element == Element::Real => tensors.push(tensor),
                Value::Loss(_) => return self.fail(span, Diagnostic::MaskedLossOutside { function: name }),
                Value::Tuple(_) | Value::Boolean(_) | Value::Nothing => {
                    let found = item.described();
                    return self.fail(span, Diagnostic::EntryOutput { function: name, found });
                }
                other => {
                    let found = other.described();
                    match self.tensor(span, other)? {
                        Ok(tensor) if tensor.ty().element == Element::Real => tensors.push(tensor),
                        _ => return self.fail(span, Diagnostic::EntryOutput { function: name, found }),
                    }
                }
            }
        }
        Ok(tensors)
    }

    /// What `forward` says that it returns, when its body had mistakes.
    fn declared_outputs(&mut self, forward: &'a Function) -> Option<Outputs> {
        let syntax = forward.output.as_ref()?;
        let flat = match self.expected(syntax).ok()? {
            Expected::Tuple(items) => items,
            single => vec![single],
        };
        let origin = Origin::declared(syntax.span());
        let typed = |item| match item {
            Expected::Tensor(ty) => Some((ty, origin.clone())),
            _ => None,
        };
        flat.into_iter().map(typed).collect()
    }

    fn loss(&mut self, function: &'a Function, outputs: Option<Outputs>) -> Checked<(Vec<Argument>, LossBody)> {
        self.entry = Entry::Loss;
        let outputs = outputs.ok_or(Reported)?;
        let count = outputs.len();
        if function.arguments.len() < count {
            let found = function.arguments.len();
            return self.fail(function.name.span(), Diagnostic::LossArguments { outputs: count, found });
        }
        let (own, targets) = function.arguments.split_at(count);
        let mut values = Vec::new();
        let mut inputs = Vec::new();
        let mut failed = None;
        for (argument, (ty, origin)) in own.iter().zip(outputs) {
            let operand = self.operand(ty);
            let value = Value::Tensor(Tensor { operand: operand.clone(), origin: origin.clone(), condition: false });
            if let Err(reported) = self.output_argument(argument, &value, &origin) {
                failed = Some(reported);
            }
            values.push(value);
            inputs.push(operand);
        }
        let (arguments, target_values, target_inputs) = self.arguments("loss", targets)?;
        if let Some(reported) = failed {
            return Err(reported);
        }
        values.extend(target_values);
        inputs.extend(target_inputs);
        let named = function.arguments.iter().filter_map(super::call::argument_name);
        let named: Vec<_> = named.zip(inputs.iter().map(|input| input.value)).collect();
        let (value, calls) = self.body(function, vec!["loss".into()], values);
        self.calls.push(calls);
        if let Ok(Value::Tensor(tensor)) = &value {
            self.keep_formula("loss", &named, 0, tensor.operand.value);
        }
        let terms = value.and_then(|value| self.terms(function, value));
        let calls = self.calls.pop().unwrap_or_default();
        self.end_body();
        Ok((arguments, LossBody { inputs, calls, terms: terms? }))
    }

    /// Holds an output of `forward` to the type that `loss` declares for it.
    fn output_argument(&mut self, argument: &'a parse::Argument, value: &Value, origin: &Origin) -> Checked<()> {
        let Some(syntax) = &argument.ty else { return Ok(()) };
        let expected = self.expected(syntax)?;
        if expected.fits(value) {
            return Ok(());
        }
        let diagnostic = Diagnostic::ArgumentShape {
            function: "loss".into(),
            argument: super::call::argument_name(argument).unwrap_or_else(|| "_".into()),
            declared: expected.to_string(),
            found: value.type_text(),
            note: format!("it is an output of `forward`, {}", origin.text()),
        };
        self.fail(syntax.span(), diagnostic)
    }

    /// The value of `loss` as terms, each one number per sample.
    fn terms(&mut self, function: &'a Function, value: Value) -> Checked<Vec<Term>> {
        let span = super::call::last_expression(function).unwrap_or_else(|| function.name.span());
        let parts = match value {
            Value::Loss(parts) => parts,
            other => vec![LossPart { value: Box::new(other), weight: None }],
        };
        let mut terms = Vec::new();
        for part in parts {
            let tensor = match self.tensor(span, *part.value)? {
                Ok(tensor) if tensor.ty().element == Element::Real => tensor,
                Ok(tensor) => {
                    let (found, note) = (tensor.ty().to_string(), tensor.origin.text());
                    return self.fail(span, Diagnostic::LossNotScalar { found, note });
                }
                Err(value) => {
                    let (found, note) = (value.type_text(), "a loss is a tensor".into());
                    return self.fail(span, Diagnostic::LossNotScalar { found, note });
                }
            };
            let operand = match tensor.shape() {
                [] => tensor.operand,
                shape if shape.iter().all(|&size| size == 1) => {
                    let settings = vec![Setting::Tensor(tensor.operand), Setting::Sizes(Vec::new())];
                    let callee = Callee::Function(&crate::operations::RESHAPE);
                    self.push_one(span, callee, settings, TensorType::real(Vec::new()))?
                }
                _ => {
                    let (found, note) = (tensor.ty().to_string(), format!("it comes {}", tensor.origin.text()));
                    return self.fail(span, Diagnostic::LossNotScalar { found, note });
                }
            };
            terms.push(Term { value: operand.value, weight: part.weight });
        }
        Ok(terms)
    }

    fn entry_method(&mut self, function: &'a Function) -> Checked<(Method, Body)> {
        self.entry = Entry::Method;
        let Point { arguments, body, outputs } = self.point(function, vec![function.name.to_string()])?;
        let method = Method {
            name: function.name.clone(),
            visibility: function.visibility.to_token_stream(),
            attributes: function.attributes.iter().map(ToTokens::to_token_stream).collect(),
            inputs: arguments,
            outputs: outputs.iter().map(|(ty, _)| signature(ty)).collect(),
        };
        Ok((method, body))
    }

    /// Reports fields that nothing uses; only where all bodies could be read, since the use may be in the others.
    fn unused(&mut self) {
        if !self.errors.is_empty() {
            return;
        }
        for field in self.fields_in_order() {
            let name = field.name.to_string();
            let layer = matches!(field.kind, parse::FieldKind::Layer { .. });
            if !self.used_fields.contains(&name) && (layer || !name.starts_with('_')) {
                self.report(field.name.span(), Diagnostic::UnusedParameter { name });
            }
        }
    }

    /// As they stand in the struct.
    pub(super) fn fields_in_order(&self) -> Vec<&'a parse::Field> {
        let mut fields: Vec<_> = self.fields.values().copied().collect();
        fields.sort_by_key(|field| self.parameters.place(&field.name.to_string()));
        fields
    }
}

fn signature(ty: &TensorType) -> Signature {
    Signature { shape: ty.shape.clone(), element: ty.element, per_step: false }
}

/// Puts the final numbers of the parameters into calls.
fn renumber(calls: &mut [Call], renumbered: &[usize]) {
    for call in calls {
        for number in &mut call.parameters {
            *number = renumbered[*number];
        }
        match &mut call.callee {
            Callee::Parameter(number) => *number = renumbered[*number],
            Callee::Scan(scan) => renumber(&mut scan.calls, renumbered),
            _ => {}
        }
    }
}

/// What to declare instead of a type of constants.
fn for_samples(name: &str, found: &str) -> String {
    match found {
        "f32" | "f64" => {
            format!("declare a shape, such as `{name}: [3]` or `{name}: []` for one number, {REAL_NUMBERS}")
        }
        "bool" => format!("declare a class, `{name}: Class<2>`, or a number that is 0 or 1, `{name}: []`"),
        _ => format!(
            "declare a class with the number of classes, such as `{name}: Class<10>`, a length with the longest, \
             `{name}: Length<64>`, or a real number, `{name}: []`"
        ),
    }
}
