//! Simplifications of primitive functions. Those of comparisons assume that nothing is NaN.

use super::{call, number};
use crate::formula::Formula;

/// `f(-x) -> -f(x)`
pub(super) fn odd(name: &str, x: &[Formula]) -> Option<Formula> {
    x[0].negative().then(|| -call(name, [-x[0].clone()]))
}

/// `f(-x) -> f(x)`
pub(super) fn even(name: &str, x: &[Formula]) -> Option<Formula> {
    x[0].leads_with_minus().then(|| call(name, [-x[0].clone()]))
}

/// `sign(y - x) -> -sign(x - y)`
pub(super) fn sign(x: &[Formula]) -> Option<Formula> {
    x[0].leads_with_minus().then(|| -call("sign", [-x[0].clone()]))
}

/// `|c*x| -> |c| * |x|`, `||x|| -> |x|`, `|y - x| -> |x - y|`
pub(super) fn abs(x: &[Formula]) -> Option<Formula> {
    if let Some((coefficient, term)) = x[0].as_scaled() {
        return Some(number(coefficient.abs()) * call("abs", [term]));
    }
    match x[0].as_function() {
        Some(("abs" | "exp" | "sqrt" | "sigmoid" | "log1pexp", _)) => Some(x[0].clone()),
        _ => even("abs", x),
    }
}

/// `sqrt(x^2) -> |x|`
pub(super) fn sqrt(x: &[Formula]) -> Option<Formula> {
    match x[0].as_power() {
        Some((base, 2)) => Some(call("abs", [base])),
        _ => None,
    }
}

/// `exp(ln x) -> x`
pub(super) fn exp(x: &[Formula]) -> Option<Formula> {
    match x[0].as_function() {
        Some(("ln", [inner])) => Some(inner.clone()),
        _ => None,
    }
}

/// `ln(exp x) -> x`, `ln(sigmoid x) -> -softplus(-x)`, `ln(1 + x) -> ln_1p(x)`, which keep their digits
pub(super) fn ln(x: &[Formula]) -> Option<Formula> {
    match x[0].as_function() {
        Some(("exp", [inner])) => Some(inner.clone()),
        Some(("sigmoid", [inner])) => Some(-call("log1pexp", [-inner.clone()])),
        _ if x[0].offset() == 1.0 => Some(call("ln_1p", [x[0].clone() - number(1.0)])),
        _ => None,
    }
}

/// `ln(1 + exp x) -> softplus(x)`, `ln(1 - sigmoid x) -> -softplus(x)`, `ln(1 + (x - 1)) -> ln x`
pub(super) fn ln_1p(x: &[Formula]) -> Option<Formula> {
    if x[0].offset() == -1.0 {
        return Some(call("ln", [x[0].clone() + number(1.0)]));
    }
    if let Some(("exp", [inner])) = x[0].as_function() {
        return Some(call("log1pexp", [inner.clone()]));
    }
    let (coefficient, term) = x[0].as_scaled()?;
    match term.as_function() {
        Some(("sigmoid", [inner])) if coefficient == -1.0 => Some(-call("log1pexp", [inner.clone()])),
        _ => None,
    }
}

/// Whole and half exponents are products and square roots.
pub(super) fn powf(x: &[Formula]) -> Option<Formula> {
    let doubled = 2.0 * x[1].as_constant()?;
    if doubled.fract() != 0.0 || doubled.abs() > 64.0 {
        return None;
    }
    let (whole, half) = (doubled as i32 / 2, doubled as i32 % 2);
    let root = if half == 0 { number(1.0) } else { call("sqrt", [x[0].clone()]).powi(half) };
    Some(x[0].clone().powi(whole) * root)
}

/// The comparison with its sides exchanged.
fn mirrored(name: &str) -> &str {
    match name {
        "lt" => "gt",
        "gt" => "lt",
        "le" => "ge",
        "ge" => "le",
        same => same,
    }
}

/// Numbers stand at the right, other sides in order; `c*x < 0 -> x < 0`, `x - y < 0 -> x < y`.
pub(super) fn comparison(name: &str, x: &[Formula]) -> Option<Formula> {
    let (left, right) = (&x[0], &x[1]);
    if left == right {
        return Some(number(f64::from(u8::from(matches!(name, "le" | "ge" | "eq")))));
    }
    let exchange = match (left.as_constant(), right.as_constant()) {
        (Some(_), None) => true,
        (None, Some(_)) => false,
        _ => left > right,
    };
    if exchange {
        return Some(call(mirrored(name), [right.clone(), left.clone()]));
    }
    if right.as_constant() != Some(0.0) {
        return None;
    }
    let (coefficient, left, right) = left.as_difference()?;
    let name = if coefficient < 0.0 { mirrored(name) } else { name };
    Some(call(name, [left, right]))
}

/// The condition that holds where this one does not.
pub(super) fn not(condition: &Formula) -> Formula {
    if let Some(number) = condition.as_constant() {
        return super::number(f64::from(u8::from(number == 0.0)));
    }
    if let Some(factors) = condition.as_conjunction() {
        let opposites = factors.iter().map(not);
        return opposites.reduce(|left, right| call("or", [left, right])).expect("a product has factors");
    }
    match condition.as_function() {
        Some(("or", [left, right])) => not(left) * not(right),
        Some((name @ ("lt" | "le" | "gt" | "ge" | "eq" | "ne"), [left, right])) => {
            call(opposite(name), [left.clone(), right.clone()])
        }
        _ => call("eq", [condition.clone(), number(0.0)]),
    }
}

fn opposite(name: &str) -> &str {
    match name {
        "lt" => "ge",
        "ge" => "lt",
        "gt" => "le",
        "le" => "gt",
        "eq" => "ne",
        _ => "eq",
    }
}

pub(super) fn or(x: &[Formula]) -> Option<Formula> {
    let conditions = [x[0].clone().condition(), x[1].clone().condition()];
    for (this, other) in [(0, 1), (1, 0)] {
        match conditions[this].as_constant() {
            Some(0.0) => return Some(conditions[other].clone()),
            Some(_) => return Some(number(1.0)),
            None => {}
        }
    }
    let [left, right] = conditions;
    if left == right {
        return Some(left);
    }
    if left > right {
        return Some(call("or", [right, left]));
    }
    (left != x[0] || right != x[1]).then(|| call("or", [left, right]))
}

/// `select(c, a, a) -> a`, `select(c, a, 0) -> c*a`, `select(c, 0, b) -> not(c)*b`; in the arms, `c` is known; `<=`, `>=`
/// and `!=` become their opposites with the arms exchanged.
pub(super) fn select(x: &[Formula]) -> Option<Formula> {
    if let Some(number) = x[0].as_constant() {
        return Some(x[if number == 0.0 { 2 } else { 1 }].clone());
    }
    let condition = x[0].clone().condition();
    let yes = x[1].replace(&condition, &number(1.0));
    let no = x[2].replace(&condition, &number(0.0));
    if yes == no {
        return Some(yes);
    }
    let zero = Some(0.0);
    if no.as_constant() == zero {
        return Some(condition * yes);
    }
    if yes.as_constant() == zero {
        return Some(not(&condition) * no);
    }
    if let Some(("le" | "ge" | "ne", _)) = condition.as_function() {
        return Some(call("select", [not(&condition), no, yes]));
    }
    let same = condition == x[0] && yes == x[1] && no == x[2];
    (!same).then(|| call("select", [condition, yes, no]))
}
