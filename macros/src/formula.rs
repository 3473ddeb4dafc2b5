//! Scalar formulas: what an elementwise operation computes, as mathematics.
//!
//! A formula is immutable and canonical: equal terms are the same allocation, so that `==` and hashing cost nothing and
//! subterms are shared. It is simplified when it is made, into this normal form:
//!
//! - a *sum* `k + c1*t1 + c2*t2 + …` has number coefficients and sorted, distinct terms, none of them a sum or a number.
//!   A factor that all terms share is taken out: `y - y*y` is `y*(1 - y)`;
//! - a *product* `f1^n1 * f2^n2 * …` has whole exponents (a division is a negative one) and sorted, distinct factors,
//!   none of them a product. Its number coefficient stands in the sum around it;
//! - everything else is a *function* of [`elementwise`](crate::elementwise).
//!
//! Comparisons are 1 or 0. `select(c, a, 0)` is the product `c*a`, where a false `c` gives 0 whatever `a` is.
//!
//! Simplification assumes that values are finite: `x*0 -> 0`, `x - x -> 0`, `x/x -> 1`, `not (a < b) -> a >= b`.
//! Division by a number multiplies by its reciprocal. Terms may be summed in another order than they were written.

mod calculus;
mod display;
mod intern;
mod normal;
#[cfg(test)]
mod random;
mod shape;
#[cfg(test)]
mod tests;
mod tokens;

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::ops::{Add, Div, Mul, Neg, Sub};
use std::rc::Rc;

pub(crate) use intern::ByFormula;
use intern::Term;

use crate::elementwise::{self, Primitive};

/// A scalar expression of numbered arguments.
#[derive(Clone)]
pub(crate) struct Formula(Rc<Term>);

/// A finite number (or what constant folding made of it), compared by its bits; zero has one sign.
#[derive(Clone, Copy)]
struct Number(f64);

#[derive(PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Kind {
    Argument(usize),
    Apply(&'static Primitive, Vec<Formula>),
    Product(Vec<(Formula, i32)>),
    Sum { constant: Number, terms: Vec<(Formula, Number)> },
    Constant(Number),
}

impl Formula {
    /// The argument of this number.
    pub(crate) fn argument(index: usize) -> Self {
        Self::intern(Kind::Argument(index))
    }

    pub(crate) fn constant(value: f64) -> Self {
        Self::intern(Kind::Constant(Number(value)))
    }

    /// The function of this name. Options that are missing behind the arguments have their defaults.
    ///
    /// # Panics
    ///
    /// If there is no such function, or with another number of arguments: the caller has checked them.
    pub(crate) fn apply(name: &str, arguments: &[Formula]) -> Self {
        let function = elementwise::find(name).unwrap_or_else(|| panic!("unknown function `{name}`"));
        function.build(arguments)
    }

    /// 1 if the formula is not 0, else 0.
    pub(crate) fn condition(self) -> Self {
        if self.is_condition() { self } else { Self::apply("ne", &[self, Self::constant(0.0)]) }
    }

    /// `a` where the formula is not 0, else `b`.
    pub(crate) fn select(self, a: Self, b: Self) -> Self {
        Self::apply("select", &[self, a, b])
    }

    /// `coefficient * Π factor^exponent`.
    pub(crate) fn product(coefficient: f64, factors: impl IntoIterator<Item = (Formula, i32)>) -> Self {
        normal::product(coefficient, factors)
    }

    pub(crate) fn powi(self, exponent: i32) -> Self {
        normal::product(1.0, [(self, exponent)])
    }

    /// The number that it is, if it mentions no argument.
    pub(crate) fn as_constant(&self) -> Option<f64> {
        match self.kind() {
            Kind::Constant(value) => Some(value.0),
            _ => None,
        }
    }

    /// The argument that it is, if it is nothing else.
    pub(crate) fn as_argument(&self) -> Option<usize> {
        match self.kind() {
            Kind::Argument(index) => Some(*index),
            _ => None,
        }
    }

    /// The arguments that it mentions.
    pub(crate) fn arguments(&self) -> BTreeSet<usize> {
        self.mentioned().iter().copied().collect()
    }

    /// Its value in double precision.
    #[cfg(test)]
    pub(crate) fn evaluate(&self, arguments: &[f64]) -> f64 {
        self.fold(&mut ByFormula::default(), &mut |term, children: &[f64]| match term.kind() {
            Kind::Argument(index) => arguments[*index],
            Kind::Constant(value) => value.0,
            Kind::Apply(function, _) => (function.value)(children),
            Kind::Sum { constant, terms } => terms
                .iter()
                .zip(children)
                .fold(constant.0, |sum, ((_, coefficient), value)| sum + coefficient.0 * value),
            Kind::Product(factors) => {
                let hidden = |((factor, exponent), value): (&(Formula, i32), &f64)| {
                    *exponent > 0 && *value == 0.0 && factor.is_condition()
                };
                if factors.iter().zip(children).any(hidden) {
                    return 0.0;
                }
                factors.iter().zip(children).map(|((_, exponent), value)| value.powi(*exponent)).product()
            }
        })
    }

    /// The cost of the last operation alone.
    pub(crate) fn own_cost(&self) -> usize {
        match self.kind() {
            Kind::Argument(_) | Kind::Constant(_) => 0,
            Kind::Apply(function, _) => function.cost,
            Kind::Sum { constant, terms } => {
                let scaled = terms.iter().filter(|(_, coefficient)| coefficient.0.abs() != 1.0).count();
                let summands = terms.len() + usize::from(constant.0 != 0.0);
                (summands - 1).max(scaled.min(1)) + usize::from(scaled > 0 && scaled < terms.len())
            }
            Kind::Product(factors) => {
                let (above, below): (Vec<_>, Vec<_>) = factors.iter().partition(|(_, exponent)| *exponent > 0);
                let power = |exponent: u32| exponent.ilog2() + exponent.count_ones() - 1;
                let powers: u32 = factors.iter().map(|(_, exponent)| power(exponent.unsigned_abs())).sum();
                let division = if below.is_empty() { 0 } else { 4 };
                above.len().saturating_sub(1) + below.len().saturating_sub(1) + powers as usize + division
            }
        }
    }

    fn kind(&self) -> &Kind {
        &self.0.kind
    }

    /// Whether it is 1 or 0 by its nature.
    pub(crate) fn is_condition(&self) -> bool {
        match self.kind() {
            Kind::Apply(function, _) => function.condition,
            Kind::Product(factors) => factors.iter().all(|(factor, exponent)| *exponent == 1 && factor.is_condition()),
            _ => false,
        }
    }

    /// The function's name and its arguments, if it is a primitive function.
    pub(crate) fn as_function(&self) -> Option<(&'static str, &[Formula])> {
        match self.kind() {
            Kind::Apply(function, arguments) => Some((function.name, arguments)),
            _ => None,
        }
    }

    /// What it is made of.
    pub(crate) fn children(&self) -> Vec<&Formula> {
        match self.kind() {
            Kind::Argument(_) | Kind::Constant(_) => vec![],
            Kind::Apply(_, arguments) => arguments.iter().collect(),
            Kind::Product(factors) => factors.iter().map(|(factor, _)| factor).collect(),
            Kind::Sum { terms, .. } => terms.iter().map(|(term, _)| term).collect(),
        }
    }

    /// Every distinct subterm, children first.
    pub(crate) fn visit(&self, each: &mut impl FnMut(&Formula)) {
        self.fold(&mut ByFormula::default(), &mut |term, _: &[()]| each(term));
    }

    /// The value that `combine` makes for each subterm of its children's values.
    pub(crate) fn fold<V: Clone>(&self, known: &mut ByFormula<V>, combine: &mut impl FnMut(&Formula, &[V]) -> V) -> V {
        if let Some(value) = known.get(self) {
            return value.clone();
        }
        let children: Vec<V> = self.children().into_iter().map(|child| child.fold(known, combine)).collect();
        let value = combine(self, &children);
        known.insert(self.clone(), value.clone());
        value
    }

    /// The same node over other children, simplified.
    pub(crate) fn with_children(&self, children: &[Formula]) -> Self {
        match self.kind() {
            Kind::Argument(_) | Kind::Constant(_) => self.clone(),
            Kind::Apply(function, _) => Self::call(function, children.to_vec()),
            Kind::Product(factors) => {
                normal::product(1.0, children.iter().cloned().zip(factors.iter().map(|(_, exponent)| *exponent)))
            }
            Kind::Sum { constant, terms } => {
                let coefficients = terms.iter().map(|(_, coefficient)| coefficient.0);
                normal::sum(constant.0, children.iter().cloned().zip(coefficients))
            }
        }
    }

    /// A primitive function, folded and simplified by its own rules.
    pub(crate) fn call(function: &'static Primitive, arguments: Vec<Formula>) -> Self {
        if let Some(numbers) = arguments.iter().map(Self::as_constant).collect::<Option<Vec<_>>>() {
            return Self::constant((function.value)(&numbers));
        }
        match (function.simplify)(&arguments) {
            Some(simpler) => simpler,
            None => Self::intern(Kind::Apply(function, arguments)),
        }
    }
}

impl PartialOrd for Formula {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By structure, so that the order is the same in every run.
impl Ord for Formula {
    fn cmp(&self, other: &Self) -> Ordering {
        if self == other { Ordering::Equal } else { self.kind().cmp(other.kind()) }
    }
}

impl Number {
    /// Without the sign of zero.
    fn bits(self) -> u64 {
        if self.0 == 0.0 { 0 } else { self.0.to_bits() }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.bits() == other.bits()
    }
}

impl Eq for Number {}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bits().hash(state);
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        f64::from_bits(self.bits()).total_cmp(&f64::from_bits(other.bits()))
    }
}

impl Add for Formula {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        normal::sum(0.0, [(self, 1.0), (other, 1.0)])
    }
}

impl Sub for Formula {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        normal::sum(0.0, [(self, 1.0), (other, -1.0)])
    }
}

impl Mul for Formula {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        normal::product(1.0, [(self, 1), (other, 1)])
    }
}

impl Div for Formula {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        normal::product(1.0, [(self, 1), (other, -1)])
    }
}

impl Neg for Formula {
    type Output = Self;

    fn neg(self) -> Self {
        normal::sum(0.0, [(self, -1.0)])
    }
}

impl std::fmt::Debug for Formula {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "`{self}`")
    }
}
