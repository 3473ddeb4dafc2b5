//! `xs.scan(cell, initial = …, length = …, reverse = true)`: a user's cell over time.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Expr, Ident};

use super::built_in::CLASSES_AS_NUMBERS;
use super::call::Given;
use super::value::{Origin, Tensor, Value};
use super::{Callee, Checker, Operand, Scan, TensorType};
use crate::error::{Checked, Diagnostic, suggestion};
use crate::function::Setting;
use crate::graph::Element;
use crate::parse;

const FORM: &str = "`xs.scan(cell, initial = zeros([16]))`";

/// For the reference.
#[cfg(test)]
pub(crate) const MEANING: &str = "the sequence of states (for a tuple, a tuple of sequences) that `cell(state, x)` makes of the \
    initial one and each element of `xs`, or of several sequences `(xs, ys)`; with `length`, the state stays from there on; with \
    `reverse = true`, from the last element to the first";

/// The arguments of a scan.
struct Plan<'a> {
    sequences: Vec<Tensor>,
    cell: &'a parse::Function,
    cell_expr: &'a Expr,
    initial: Value,
    initial_span: Span,
    reverse: bool,
    length: Option<Operand>,
}

impl<'a> Checker<'a> {
    pub(super) fn scan(&mut self, name: &'a Ident, given: Given<'a>) -> Checked<Value> {
        let plan = self.scan_arguments(name, given)?;
        let span = name.span();
        let mut initial = Vec::new();
        let state_shape = self.flatten_state(plan.initial_span, plan.initial.clone(), &mut initial)?;
        let states: Vec<Operand> = initial.iter().map(|tensor| self.operand(tensor.ty().clone())).collect();
        let elements: Vec<Operand> = plan
            .sequences
            .iter()
            .map(|sequence| {
                let ty = TensorType { shape: sequence.shape()[1..].to_vec(), element: sequence.ty().element };
                self.operand(ty)
            })
            .collect();
        let steps = plan.sequences[0].shape()[0];
        let (calls, next) = self.step(span, &plan, &state_shape, &states, &elements, steps)?;
        let results: Vec<TensorType> = states
            .iter()
            .map(|state| {
                let mut shape = vec![steps];
                shape.extend_from_slice(&state.ty.shape);
                TensorType::real(shape)
            })
            .collect();
        let inputs =
            initial.iter().chain(&plan.sequences).map(|tensor| Setting::Tensor(tensor.operand.clone())).collect();
        let next = next.into_iter().map(|tensor| tensor.operand.value).collect();
        let scan = Scan { states, elements, calls, next, steps, reverse: plan.reverse, length: plan.length };
        let results = self.push(span, Callee::Scan(Box::new(scan)), inputs, Vec::new(), results, None)?;
        let mut results = results.into_iter();
        Ok(state_shape.rebuild(&mut || {
            let operand = results.next().unwrap_or_else(|| unreachable!("one sequence for each state"));
            Value::Tensor(Tensor { operand, origin: Origin::of("scan", span), condition: false })
        }))
    }

    /// Inlines the cell once; its calls and the new states.
    fn step(
        &mut self,
        span: Span,
        plan: &Plan<'a>,
        shape: &StateShape,
        states: &[Operand],
        elements: &[Operand],
        steps: usize,
    ) -> Checked<(Vec<super::Call>, Vec<Tensor>)> {
        let as_value = |operand: &Operand, what: &str| {
            let origin = Origin { what: what.into(), span };
            Value::Tensor(Tensor { operand: operand.clone(), origin, condition: false })
        };
        let mut each_state = states.iter();
        let state = shape.rebuild(&mut || {
            let state = each_state.next().unwrap_or_else(|| unreachable!("one value for each state"));
            as_value(state, "the state of a scan")
        });
        let element_values: Vec<Value> =
            elements.iter().map(|element| as_value(element, "an element of a sequence")).collect();
        let cell = plan.cell;
        let wanted = cell.arguments.len();
        let mut arguments = vec![(None, state)];
        match element_values.len() {
            count if wanted == count + 1 => arguments.extend(element_values.into_iter().map(|value| (None, value))),
            _ if wanted == 2 => arguments.push((None, Value::Tuple(element_values))),
            count => {
                let expected = if count == 1 { "2".into() } else { format!("2 or {}", count + 1) };
                let name = cell.name.to_string();
                let diagnostic = Diagnostic::ScanCellArguments { cell: name, expected, found: wanted };
                return self.fail(plan.cell_expr.span(), diagnostic);
            }
        }
        self.calls.push(Vec::new());
        let outer_steps = self.steps;
        self.steps = outer_steps.saturating_mul(steps);
        let returned = self.inline(plan.cell_expr.span(), cell, arguments);
        let next = returned.and_then(|value| self.next_states(plan, states, value));
        self.steps = outer_steps;
        let calls = self.calls.pop().unwrap_or_default();
        Ok((calls, next?))
    }

    fn next_states(&mut self, plan: &Plan<'a>, states: &[Operand], value: Value) -> Checked<Vec<Tensor>> {
        let found = value.type_text();
        let mut next = Vec::new();
        self.flatten_state(plan.cell_expr.span(), value, &mut next)?;
        let fits = next.len() == states.len() && next.iter().zip(states).all(|(next, state)| *next.ty() == state.ty);
        if fits {
            return Ok(next);
        }
        let diagnostic =
            Diagnostic::ScanState { cell: plan.cell.name.to_string(), initial: plan.initial.type_text(), next: found };
        self.fail(plan.cell_expr.span(), diagnostic)
    }

    /// The tensors of a state, and how they hang together.
    fn flatten_state(&mut self, span: Span, value: Value, tensors: &mut Vec<Tensor>) -> Checked<StateShape> {
        match value {
            Value::Tuple(items) => {
                let mut shapes = Vec::new();
                for item in items {
                    shapes.push(self.flatten_state(span, item, tensors)?);
                }
                Ok(StateShape::Tuple(shapes))
            }
            other => match self.tensor(span, other)? {
                Ok(tensor) if tensor.ty().element == Element::Real => {
                    tensors.push(tensor);
                    Ok(StateShape::Tensor)
                }
                Ok(tensor) => {
                    let (found, note) = (tensor.ty().to_string(), format!("it comes {}", tensor.origin.text()));
                    self.fail(
                        span,
                        Diagnostic::NeedsReal {
                            function: "scan".into(),
                            found,
                            note,
                            remedy: CLASSES_AS_NUMBERS.into(),
                        },
                    )
                }
                Err(value) => {
                    let found = value.described();
                    self.fail(span, Diagnostic::NumberMethod { function: "scan".into(), found })
                }
            },
        }
    }

    fn scan_arguments(&mut self, name: &'a Ident, given: Given<'a>) -> Checked<Plan<'a>> {
        let function = || "scan".to_string();
        let mut positional = given.positional.into_iter();
        let receiver = match given.receiver {
            Some(receiver) => Some(receiver),
            None => match positional.next() {
                Some(expr) => Some((expr, self.value(expr)?)),
                None => None,
            },
        };
        let Some((expr, value)) = receiver else {
            let argument = "a sequence".into();
            return self
                .fail(name.span(), Diagnostic::MissingArgument { function: function(), argument, form: FORM.into() });
        };
        let sequences = self.sequences(expr, value)?;
        let steps = sequences[0].shape()[0];
        let mut cell = positional.next();
        if let Some(extra) = positional.next() {
            let diagnostic = Diagnostic::TooManyArguments { function: function(), count: 3, form: FORM.into() };
            return self.fail(extra.span(), diagnostic);
        }
        let (mut initial, mut reverse, mut length) = (None, false, None);
        let mut seen: Vec<&Ident> = Vec::new();
        for (option, expr) in given.named {
            if seen.contains(&option) || option == "cell" && cell.is_some() {
                let name = option.to_string();
                return self.fail(option.span(), Diagnostic::RepeatedOption { function: function(), name });
            }
            seen.push(option);
            match option.to_string().as_str() {
                "cell" => cell = Some(expr),
                "initial" => initial = Some((self.value(expr)?, expr.span())),
                "reverse" => match self.value(expr)? {
                    Value::Boolean(value) => reverse = value,
                    other => {
                        let (expected, found) = ("`true` or `false`".into(), other.described());
                        let argument = "reverse".into();
                        let diagnostic = Diagnostic::ArgumentKind { function: function(), argument, expected, found };
                        return self.fail(expr.span(), diagnostic);
                    }
                },
                "length" => length = Some(self.scan_length(expr, steps)?),
                other => {
                    let known = ["initial", "reverse", "length", "cell"];
                    let suggestion = suggestion(other, known, || format!("write {FORM}"));
                    let name = other.to_string();
                    return self
                        .fail(option.span(), Diagnostic::UnknownOption { function: function(), name, suggestion });
                }
            }
        }
        let missing = |argument: &str| Diagnostic::MissingArgument {
            function: "scan".into(),
            argument: argument.into(),
            form: FORM.into(),
        };
        let Some(cell_expr) = cell else { return self.fail(name.span(), missing("a cell")) };
        let cell = self.cell(cell_expr)?;
        let Some((initial, initial_span)) = initial else {
            return self.fail(name.span(), missing("`initial`, the state before the first step"));
        };
        Ok(Plan { sequences, cell, cell_expr, initial, initial_span, reverse, length })
    }

    fn sequences(&mut self, expr: &Expr, value: Value) -> Checked<Vec<Tensor>> {
        let items = match value {
            Value::Tuple(items) if !items.is_empty() => items,
            single => vec![single],
        };
        let mut sequences: Vec<Tensor> = Vec::new();
        for item in items {
            match item {
                Value::Tensor(tensor) if !tensor.shape().is_empty() => {
                    let (first, other) =
                        (sequences.first().map_or(tensor.shape()[0], |first| first.shape()[0]), tensor.shape()[0]);
                    if first != other {
                        return self.fail(expr.span(), Diagnostic::ScanSteps { first, other });
                    }
                    sequences.push(tensor);
                }
                other => return self.fail(expr.span(), Diagnostic::ScanSequence { found: other.described() }),
            }
        }
        Ok(sequences)
    }

    fn cell(&mut self, expr: &'a Expr) -> Checked<&'a parse::Function> {
        let mut inner = expr;
        while let Expr::Group(group) = inner {
            inner = &group.expr;
        }
        let name = match inner {
            Expr::Path(path) => path.path.get_ident(),
            Expr::Field(field) if super::expression::is_self(&field.base) => match &field.member {
                syn::Member::Named(name) => Some(name),
                syn::Member::Unnamed(_) => None,
            },
            _ => None,
        };
        let Some(name) = name else {
            let found = match inner {
                Expr::Closure(_) => "a closure".to_string(),
                _ => "an expression".to_string(),
            };
            return self.fail(expr.span(), Diagnostic::ScanCell { found });
        };
        let written = name.to_string();
        match self.functions.get(&written) {
            Some(function) => Ok(function),
            None => {
                self.fail(expr.span(), Diagnostic::ScanCell { found: format!("`{written}`, which is none of them") })
            }
        }
    }

    fn scan_length(&mut self, expr: &'a Expr, steps: usize) -> Checked<Operand> {
        match self.value(expr)? {
            Value::Tensor(tensor) if tensor.ty().element == Element::Length(steps) && tensor.shape().is_empty() => {
                Ok(tensor.operand)
            }
            other => {
                let found = other.type_text();
                self.fail(expr.span(), Diagnostic::NeedsLength { function: "scan".into(), expected: steps, found })
            }
        }
    }
}

/// How the tensors of a state hang together.
#[derive(Debug, Clone, PartialEq, Eq)]
enum StateShape {
    Tensor,
    Tuple(Vec<StateShape>),
}

impl StateShape {
    fn rebuild(&self, next: &mut dyn FnMut() -> Value) -> Value {
        match self {
            Self::Tensor => next(),
            Self::Tuple(items) => Value::Tuple(items.iter().map(|item| item.rebuild(next)).collect()),
        }
    }
}
