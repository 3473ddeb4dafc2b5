//! Layers that no training would reach.

use std::collections::HashSet;

use proc_macro2::Span;

use super::{Body, Call, Callee, Checker, LossBody, Operand, ValueRef};
use crate::error::Diagnostic;
use crate::function::Setting;

/// A layer that has made parameters.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) layer: &'static str,
    pub(super) span: Span,
    /// Its parameters' numbers.
    pub(super) parameters: Vec<usize>,
}

impl Checker<'_> {
    /// Reports layers whose parameters are to be trained, but have a part neither in the outputs of `forward` nor in the loss.
    pub(super) fn idle(&mut self, forward: &Body, loss: Option<&LossBody>) {
        let mut trained = HashSet::new();
        parameters_of(&forward.calls, forward.outputs.iter().map(|output| output.value), &mut trained);
        if let Some(loss) = loss {
            let values = loss.terms.iter().flat_map(|term| [Some(term.value), term.weight]).flatten();
            parameters_of(&loss.calls, values, &mut trained);
        }
        for Made { layer, span, parameters } in std::mem::take(&mut self.made) {
            let is_idle = |&number: &usize| !trained.contains(&number) && !self.parameters.get(number).frozen;
            if parameters.iter().all(is_idle) {
                self.report(span, Diagnostic::IdleLayer { layer: layer.into() });
            }
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
