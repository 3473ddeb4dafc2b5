//! Functions of the user that are formulas, as formulas of their arguments.

use std::collections::HashMap;

use super::{Call, Callee, Checker, ValueRef};
use crate::formula::Formula;
use crate::function::Setting;
use crate::network::HomeMade;

impl Checker<'_> {
    /// Keeps what a function computes, if the calls of its body (from `start` on) are all elementwise.
    pub(super) fn keep_formula(
        &mut self,
        name: &str,
        arguments: &[(String, ValueRef)],
        start: usize,
        result: ValueRef,
    ) {
        let Some(calls) = self.calls.last().and_then(|calls| calls.get(start..)) else { return };
        let mut names: Vec<String> = arguments.iter().map(|(name, _)| name.clone()).collect();
        let mut known: HashMap<ValueRef, Formula> =
            arguments.iter().enumerate().map(|(index, (_, value))| (*value, Formula::argument(index))).collect();
        for call in calls {
            let formula = match &call.callee {
                Callee::Map(formula) => substituted(formula, call, &known),
                Callee::Constant(value) => Some(Formula::constant(*value)),
                Callee::Parameter(number) => {
                    names.push(format!("self.{}", self.parameters.get(*number).path.join(".")));
                    Some(Formula::argument(names.len() - 1))
                }
                _ => None,
            };
            known.extend(formula.map(|formula| (call.results[0].value, formula)));
        }
        let Some(formula) = known.remove(&result) else { return };
        let trivial = formula.as_argument().is_some() || formula.as_constant().is_some();
        let made = HomeMade { name: name.into(), given: arguments.len(), names, formula };
        if !trivial && !self.formulas.iter().any(|known| known.name == made.name && known.formula == made.formula) {
            self.formulas.push(made);
        }
    }
}

fn substituted(formula: &Formula, call: &Call, known: &HashMap<ValueRef, Formula>) -> Option<Formula> {
    let operands = call.settings.iter().map(|setting| match setting {
        Setting::Tensor(operand) => known.get(&operand.value).cloned(),
        _ => None,
    });
    Some(formula.substitute(&operands.collect::<Option<Vec<Formula>>>()?))
}
