//! What a row of a registry sees of a call.

use proc_macro2::Span;

use super::value::Origin;
use super::{Checker, Entry, TensorType, display_shape, parameters};
use crate::error::{Checked, Diagnostic, line};
use crate::function::{Function, Setting};
use crate::graph::Element;
use crate::network::{Initializer, Role};

/// What is known of an argument.
#[derive(Default)]
pub(super) struct Known {
    /// For messages; empty for constants.
    pub(super) note: String,
    /// Where it comes from, if it is a tensor.
    pub(super) origin: Option<Origin>,
}

/// A call while its row's shape rule looks at it.
pub(crate) struct Site<'c, 'a> {
    pub(super) checker: &'c mut Checker<'a>,
    pub(super) function: &'static Function,
    /// The function's name in the call.
    pub(super) span: Span,
    pub(super) settings: Vec<Setting>,
    /// Where each argument stands, and what is known of it.
    pub(super) spans: Vec<Span>,
    pub(super) known: Vec<Known>,
    /// `h` or `self.w`, where an argument is no longer than that.
    pub(super) names: Vec<Option<String>>,
    /// The field that the layer belongs to.
    pub(super) field: Option<String>,
    /// The layer's name, once it has parameters.
    pub(super) path: Option<Vec<String>>,
    pub(super) parameters: Vec<usize>,
    pub(super) multiply_adds: usize,
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
        let notes = arguments.iter().map(|argument| self.known[self.at(argument)].note.as_str());
        let notes: Vec<&str> = notes.filter(|note| !note.is_empty()).collect();
        if notes.is_empty() { "the values are constants".into() } else { notes.join("; ") }
    }

    /// Refuses what comes straight from an activation that makes probabilities of logits.
    pub(crate) fn logits(&mut self, argument: &str) -> Checked<()> {
        let Some(origin) = &self.known[self.at(argument)].origin else { return Ok(()) };
        let Some(activation) = ["softmax", "sigmoid"].into_iter().find(|activation| origin.is_of(activation)) else {
            return Ok(());
        };
        let (span, name) = (origin.span, self.function.name);
        let function = line(self.span).map_or(format!("`{name}`"), |line| format!("`{name}` in line {line}"));
        self.checker.fail(span, Diagnostic::LogitsActivated { function, activation: activation.into() })
    }

    /// The name of the declared parameter that is given.
    pub(crate) fn declared(&self, argument: &str) -> Option<&str> {
        self.names[self.at(argument)].as_deref()?.strip_prefix("self.")
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
    pub(crate) fn parameter(
        &mut self,
        field: &str,
        shape: Vec<usize>,
        role: Role,
        initializer: Initializer,
    ) -> Checked<()> {
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
