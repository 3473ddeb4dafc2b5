//! The normal form of sums and products.

use super::{Formula, Kind, Number};

/// `constant + Σ coefficient * term`.
pub(super) fn sum(constant: f64, terms: impl IntoIterator<Item = (Formula, f64)>) -> Formula {
    let mut total = constant;
    let mut flat: Vec<(Formula, f64)> = vec![];
    for (term, coefficient) in terms {
        match term.kind() {
            Kind::Constant(value) => total += coefficient * value.0,
            Kind::Sum { constant, terms } => {
                total += coefficient * constant.0;
                flat.extend(terms.iter().map(|(inner, number)| (inner.clone(), coefficient * number.0)));
            }
            _ => flat.push((term, coefficient)),
        }
    }
    let terms = merge(flat, 0.0, |left, right| left + right);
    if let Some(simpler) = exponentials(total, &terms) {
        return simpler;
    }
    match terms.as_slice() {
        [] => Formula::constant(total),
        [(term, coefficient)] if total == 0.0 && *coefficient == 1.0 => term.clone(),
        [_, _, ..] if total == 0.0 => factor_out(&terms).unwrap_or_else(|| raw_sum(0.0, terms)),
        _ => raw_sum(total, terms),
    }
}

fn raw_sum(constant: f64, terms: Vec<(Formula, f64)>) -> Formula {
    let terms = terms.into_iter().map(|(term, coefficient)| (term, Number(coefficient))).collect();
    Formula::intern(Kind::Sum { constant: Number(constant), terms })
}

/// Sorted, equal ones combined, those that came to nothing left out.
fn merge<N: Copy + PartialEq>(
    mut items: Vec<(Formula, N)>,
    nothing: N,
    combine: impl Fn(N, N) -> N,
) -> Vec<(Formula, N)> {
    items.sort_by(|(left, _), (right, _)| left.cmp(right));
    let mut merged: Vec<(Formula, N)> = vec![];
    for (formula, number) in items {
        match merged.last_mut() {
            Some((last, count)) if *last == formula => *count = combine(*count, number),
            _ => merged.push((formula, number)),
        }
    }
    merged.retain(|(_, number)| *number != nothing);
    merged
}

/// `exp(x) - 1 -> exp_m1(x)` (which keeps its digits near 0) and `exp_m1(x) + 1 -> exp(x)`, both with any coefficient.
fn exponentials(constant: f64, terms: &[(Formula, f64)]) -> Option<Formula> {
    if constant == 0.0 {
        return None;
    }
    let (index, name, argument) =
        terms.iter().enumerate().find_map(|(index, (term, coefficient))| match term.as_function()? {
            ("exp", [argument]) if *coefficient == -constant => Some((index, "exp_m1", argument)),
            ("exp_m1", [argument]) if *coefficient == constant => Some((index, "exp", argument)),
            _ => None,
        })?;
    let mut terms = terms.to_vec();
    terms[index].0 = Formula::apply(name, std::slice::from_ref(argument));
    Some(sum(0.0, terms))
}

fn factors_of(term: &Formula) -> Vec<(Formula, i32)> {
    match term.kind() {
        Kind::Product(factors) => factors.clone(),
        _ => vec![(term.clone(), 1)],
    }
}

/// `a*b + a*c -> a*(b + c)`, if there is a factor in all terms.
fn factor_out(terms: &[(Formula, f64)]) -> Option<Formula> {
    let factors: Vec<_> = terms.iter().map(|(term, _)| factors_of(term)).collect();
    let mut common = factors[0].clone();
    for others in &factors[1..] {
        common.retain_mut(|(factor, exponent)| match others.iter().find(|(other, _)| other == factor) {
            Some((_, other)) if other.signum() == exponent.signum() => {
                *exponent = if other.abs() < exponent.abs() { *other } else { *exponent };
                true
            }
            _ => false,
        });
    }
    if common.is_empty() {
        return None;
    }
    let divided = terms.iter().zip(factors).map(|((_, coefficient), factors)| {
        let inverse = common.iter().map(|(factor, exponent)| (factor.clone(), -exponent));
        (product(1.0, merge(factors.into_iter().chain(inverse).collect(), 0, |left, right| left + right)), *coefficient)
    });
    let inner = sum(0.0, divided.collect::<Vec<_>>());
    common.push((inner, 1));
    Some(product(1.0, common))
}

/// A sum as a number times a sum whose coefficients are not all scaled alike: `2 - 2*y` is `2 * (1 - y)`. The constant of
/// what is left is positive, or if there is none, the first coefficient.
pub(super) fn content(constant: f64, terms: &[(Formula, Number)]) -> f64 {
    let lead = if constant == 0.0 { terms[0].1.0 } else { constant };
    // What folding an overflow made of numbers is left alone.
    if !lead.is_finite() {
        return 1.0;
    }
    let alike = terms.iter().all(|(_, coefficient)| coefficient.0.abs() == lead.abs());
    if alike { lead } else { lead.signum() }
}

/// `coefficient * Π factor^exponent`.
pub(super) fn product(coefficient: f64, factors: impl IntoIterator<Item = (Formula, i32)>) -> Formula {
    let mut coefficient = coefficient;
    let mut pending: Vec<(Formula, i32)> = factors.into_iter().collect();
    let mut flat: Vec<(Formula, i32)> = vec![];
    loop {
        while let Some((factor, exponent)) = pending.pop() {
            expand(&factor, exponent, &mut coefficient, &mut pending, &mut flat);
        }
        flat = merge(flat, 0, |left, right| left + right);
        match rewrite(&mut flat) {
            Some(replacement) => pending.push(replacement),
            None => break,
        }
    }
    if coefficient == 0.0 {
        return Formula::constant(0.0);
    }
    let base = match flat.as_slice() {
        [] => return Formula::constant(coefficient),
        [(factor, 1)] => factor.clone(),
        _ => Formula::intern(Kind::Product(flat)),
    };
    if coefficient == 1.0 {
        return base;
    }
    match base.kind() {
        Kind::Sum { constant, terms } => {
            let scaled = terms.iter().map(|(term, number)| (term.clone(), coefficient * number.0));
            sum(coefficient * constant.0, scaled.collect::<Vec<_>>())
        }
        _ => raw_sum(0.0, vec![(base, coefficient)]),
    }
}

/// Takes one power apart into a number and powers that are not products.
fn expand(
    factor: &Formula,
    exponent: i32,
    coefficient: &mut f64,
    pending: &mut Vec<(Formula, i32)>,
    flat: &mut Vec<(Formula, i32)>,
) {
    match factor.kind() {
        _ if exponent == 0 => {}
        Kind::Constant(value) => *coefficient *= value.0.powi(exponent),
        Kind::Product(inner) => pending.extend(inner.iter().map(|(base, power)| (base.clone(), power * exponent))),
        Kind::Sum { constant, terms } => {
            let scale = content(constant.0, terms);
            if scale == 1.0 {
                flat.push((factor.clone(), exponent));
            } else {
                *coefficient *= scale.powi(exponent);
                let rest = terms.iter().map(|(term, number)| (term.clone(), number.0 / scale));
                pending.push((sum(constant.0 / scale, rest.collect::<Vec<_>>()), exponent));
            }
        }
        _ => flat.push((factor.clone(), exponent)),
    }
}

/// Applies one rule to the factors: takes some away and gives the power that stands for them.
fn rewrite(factors: &mut Vec<(Formula, i32)>) -> Option<(Formula, i32)> {
    for index in 0..factors.len() {
        let (factor, exponent) = factors[index].clone();
        let replacement = match factor.as_function() {
            // |x|^2 -> x^2
            Some(("abs", [inner])) if exponent % 2 == 0 => (inner.clone(), exponent),
            Some(("sqrt", [inner])) => match square_root(factors, index, inner, exponent) {
                Some(power) => return Some(power),
                None => continue,
            },
            // exp(x) * sigmoid(-x) -> sigmoid(x)
            Some(("exp", [inner])) if exponent > 0 => {
                let opposite = Formula::apply("sigmoid", &[-inner.clone()]);
                let Some(other) = factors.iter().position(|(other, power)| *other == opposite && *power == exponent)
                else {
                    continue;
                };
                factors.remove(other.max(index));
                factors.remove(other.min(index));
                return Some((Formula::apply("sigmoid", std::slice::from_ref(inner)), exponent));
            }
            // A condition is 0 or 1: c*c -> c
            _ if exponent > 1 && factor.is_condition() => (factor, 1),
            // 1 / (1 + exp(-x)) -> sigmoid(x)
            _ if exponent < 0 => match one_plus_exponential(&factor) {
                Some(argument) => (Formula::apply("sigmoid", &[-argument]), -exponent),
                None => continue,
            },
            _ => continue,
        };
        factors.remove(index);
        return Some(replacement);
    }
    None
}

/// `sqrt(x)^2 -> x`, `x / sqrt(x) -> sqrt(x)`: at most one square root is left, with the sign of the whole power.
fn square_root(
    factors: &mut Vec<(Formula, i32)>,
    index: usize,
    inner: &Formula,
    exponent: i32,
) -> Option<(Formula, i32)> {
    let whole = factors.iter().position(|(factor, _)| factor == inner);
    let halves = exponent + whole.map_or(0, |whole| 2 * factors[whole].1);
    let (powers, rest) = (halves / 2, halves % 2);
    if rest == exponent && powers == whole.map_or(0, |whole| factors[whole].1) {
        return None;
    }
    let root = factors[index].0.clone();
    factors[index].1 = rest;
    match whole {
        Some(whole) => factors[whole].1 = powers,
        None => {
            factors.retain(|(_, exponent)| *exponent != 0);
            return Some((inner.clone(), powers));
        }
    }
    factors.retain(|(_, exponent)| *exponent != 0);
    // The root again with exponent 0, which is nothing: what changed stands in `factors`.
    Some((root, 0))
}

fn one_plus_exponential(formula: &Formula) -> Option<Formula> {
    let Kind::Sum { constant: Number(1.0), terms } = formula.kind() else {
        return None;
    };
    match terms.as_slice() {
        [(term, Number(1.0))] => match term.as_function()? {
            ("exp", [argument]) => Some(argument.clone()),
            _ => None,
        },
        _ => None,
    }
}
