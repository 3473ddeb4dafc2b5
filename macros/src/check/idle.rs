//! Layers and parameters whose values come neither to the outputs nor to the loss, so that no training would reach them.

use std::collections::HashSet;

use super::entry::Points;
use super::{Call, Callee, Checker, ValueRef};
use crate::error::Diagnostic;

impl Checker<'_> {
    /// Reports what is to be trained, but has a part neither in the outputs of `forward` nor in the loss.
    pub(super) fn idle(&mut self, points: &Points) {
        let mut trained = HashSet::new();
        let forward = &points.forward.body;
        parameters_of(&forward.calls, forward.outputs.iter().map(|output| output.value), &mut trained);
        let mut bodies = vec![&forward.calls];
        if let Some((_, loss)) = &points.loss {
            let values = loss.terms.iter().flat_map(|term| [Some(term.value), term.weight]).flatten();
            parameters_of(&loss.calls, values, &mut trained);
            bodies.push(&loss.calls);
        }
        bodies.extend(points.methods.iter().map(|(_, body)| &body.calls));
        for calls in bodies {
            self.idle_layers(calls, &trained);
        }
        for field in self.fields_in_order() {
            let name = field.name.to_string();
            let number = self.field_parameters.get(&name).copied().flatten();
            if !name.starts_with('_') && number.is_some_and(|number| self.is_idle(number, &trained)) {
                self.report(field.name.span(), Diagnostic::IdleParameter { name });
            }
        }
    }

    fn is_idle(&self, number: usize, trained: &HashSet<usize>) -> bool {
        !trained.contains(&number) && !self.parameters.get(number).frozen
    }

    fn idle_layers(&mut self, calls: &[Call], trained: &HashSet<usize>) {
        for call in calls {
            if let Callee::Scan(scan) = &call.callee {
                self.idle_layers(&scan.calls, trained);
            }
            let idle = !call.parameters.is_empty() && call.parameters.iter().all(|&one| self.is_idle(one, trained));
            if let (true, Callee::Function(function)) = (idle, &call.callee) {
                let field = call.label.as_ref().filter(|label| self.fields.contains_key(*label));
                let layer = field.map_or_else(|| function.name.into(), |field| format!("self.{field}"));
                self.report(call.span, Diagnostic::IdleLayer { layer });
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
        needed.extend(call.given().map(|operand| operand.value));
        found.extend(call.read());
        if let Callee::Scan(scan) = &call.callee {
            parameters_of(&scan.calls, scan.next.iter().copied(), found);
            needed.extend(scan.length.iter().map(|length| length.value));
        }
    }
}
