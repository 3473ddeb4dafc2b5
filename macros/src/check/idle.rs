//! Layers and parameters whose values come neither to the outputs nor to the loss, so that no training would reach them.

use std::collections::HashSet;

use proc_macro2::Span;

use super::{Body, Call, Callee, Checker, LossBody, Operand, ValueRef};
use crate::error::Diagnostic;
use crate::function::Setting;

/// A layer that has made parameters.
#[derive(Debug)]
pub(super) struct Made {
    /// As it is called.
    pub(super) layer: String,
    pub(super) span: Span,
    /// Its parameters' numbers.
    pub(super) parameters: Vec<usize>,
}

impl Checker<'_> {
    /// Reports what is to be trained, but has a part neither in the outputs of `forward` nor in the loss.
    pub(super) fn idle(&mut self, forward: &Body, loss: Option<&LossBody>) {
        let mut trained = HashSet::new();
        parameters_of(&forward.calls, forward.outputs.iter().map(|output| output.value), &mut trained);
        if let Some(loss) = loss {
            let values = loss.terms.iter().flat_map(|term| [Some(term.value), term.weight]).flatten();
            parameters_of(&loss.calls, values, &mut trained);
        }
        let is_idle = |number: &usize| !trained.contains(number) && !self.parameters.get(*number).frozen;
        let mut idle: Vec<(Span, Diagnostic)> = Vec::new();
        for Made { layer, span, parameters } in &self.made {
            if parameters.iter().all(is_idle) {
                idle.push((*span, Diagnostic::IdleLayer { layer: layer.clone() }));
            }
        }
        let mut fields: Vec<_> = self.fields.values().collect();
        fields.sort_by_key(|field| self.parameters.place(&field.name.to_string()));
        for field in fields {
            let name = field.name.to_string();
            let number = self.field_parameters.get(&name).copied().flatten();
            if !name.starts_with('_') && number.is_some_and(|number| is_idle(&number)) {
                idle.push((field.name.span(), Diagnostic::IdleParameter { name }));
            }
        }
        for (span, mistake) in idle {
            self.report(span, mistake);
        }
    }
}

/// Adds the parameters of which the values are made by these calls.
fn parameters_of(calls: &[Call], values: impl Iterator<Item = ValueRef>, found: &mut HashSet<usize>) {
    let mut needed: HashSet<ValueRef> = values.collect();
    for call in calls.iter().rev() {
        if !call.results.iter().any(|result| needed.contains(&result.value)) {
            continue;
        }
        needed.extend(call.settings.iter().flat_map(operands).map(|operand| operand.value));
        found.extend(&call.parameters);
        match &call.callee {
            Callee::Parameter(number) => {
                found.insert(*number);
            }
            Callee::Scan(scan) => {
                parameters_of(&scan.calls, scan.next.iter().copied(), found);
                needed.extend(scan.length.iter().map(|length| length.value));
            }
            Callee::Function(_) | Callee::Map(_) | Callee::Constant(_) | Callee::Literal(_) => {}
        }
    }
}

fn operands(setting: &Setting) -> &[Operand] {
    match setting {
        Setting::Tensor(operand) => std::slice::from_ref(operand),
        Setting::Tensors(operands) => operands,
        _ => &[],
    }
}
