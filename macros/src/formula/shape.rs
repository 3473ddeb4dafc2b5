//! What rules ask of a formula's form.

use super::normal::{content, sum};
use super::{Formula, Kind, Number};

impl Formula {
    /// A sum of nothing but negative multiples.
    pub(crate) fn negative(&self) -> bool {
        match self.kind() {
            Kind::Sum { constant, terms } => constant.0 <= 0.0 && terms.iter().all(|(_, number)| number.0 < 0.0),
            _ => false,
        }
    }

    /// A sum that its opposite comes before: its number is negative, or if it has none, its first coefficient.
    pub(crate) fn leads_with_minus(&self) -> bool {
        match self.kind() {
            Kind::Sum { constant, terms } => content(constant.0, terms) < 0.0,
            _ => false,
        }
    }

    /// A number, and what times it this is: `2*x - 2*y` is 2 times `x - y`.
    pub(crate) fn as_multiple(&self) -> (f64, Formula) {
        match self.kind() {
            Kind::Sum { constant, terms } => {
                let scale = content(constant.0, terms);
                let terms = terms.iter().map(|(term, number)| (term.clone(), number.0 / scale));
                (scale, sum(constant.0 / scale, terms.collect::<Vec<_>>()))
            }
            _ => (1.0, self.clone()),
        }
    }

    /// `c*x` with a number `c` other than 1.
    pub(crate) fn as_scaled(&self) -> Option<(f64, Formula)> {
        match self.kind() {
            Kind::Sum { constant: Number(0.0), terms } => match terms.as_slice() {
                [(term, coefficient)] => Some((coefficient.0, term.clone())),
                _ => None,
            },
            _ => None,
        }
    }

    /// `x^n` with a whole exponent other than 1.
    pub(crate) fn as_power(&self) -> Option<(Formula, i32)> {
        match self.as_factors() {
            Some([(base, exponent)]) => Some((base.clone(), *exponent)),
            _ => None,
        }
    }

    /// Arguments and their coefficients, if it is a sum of nothing but these.
    pub(crate) fn as_linear(&self) -> Option<Vec<(usize, f64)>> {
        match self.kind() {
            Kind::Sum { constant: Number(0.0), terms } => {
                terms.iter().map(|(term, coefficient)| Some((term.as_argument()?, coefficient.0))).collect()
            }
            _ => None,
        }
    }

    /// The number that it adds to its terms, and these with their coefficients; what is no sum is one term.
    pub(crate) fn as_terms(&self) -> (f64, Vec<(Formula, f64)>) {
        match self.kind() {
            Kind::Sum { constant, terms } => {
                (constant.0, terms.iter().map(|(term, coefficient)| (term.clone(), coefficient.0)).collect())
            }
            Kind::Constant(value) => (value.0, vec![]),
            _ => (0.0, vec![(self.clone(), 1.0)]),
        }
    }

    /// The powers that it is the product of, if it is a product.
    pub(crate) fn as_factors(&self) -> Option<&[(Formula, i32)]> {
        match self.kind() {
            Kind::Product(factors) => Some(factors),
            _ => None,
        }
    }

    /// The number that a sum adds to its terms.
    pub(crate) fn offset(&self) -> f64 {
        match self.kind() {
            Kind::Sum { constant, .. } => constant.0,
            _ => 0.0,
        }
    }

    /// The left and right side whose difference, times a number, it is: `c*x`, `c*(x - y)`, or `x - number`.
    pub(crate) fn as_difference(&self) -> Option<(f64, Formula, Formula)> {
        let Kind::Sum { constant, terms } = self.kind() else {
            return None;
        };
        match terms.as_slice() {
            [(term, scale)] if constant.0 == 0.0 || scale.0.abs() == 1.0 => {
                Some((scale.0, term.clone(), Formula::constant(-constant.0 / scale.0)))
            }
            [(left, scale), (right, other)] if constant.0 == 0.0 && scale.0 == -other.0 => {
                Some((scale.0, left.clone(), right.clone()))
            }
            _ => None,
        }
    }

    /// The conditions that must all hold, if it is a product of such.
    pub(crate) fn as_conjunction(&self) -> Option<Vec<Formula>> {
        match self.as_factors() {
            Some(factors) if self.is_condition() => Some(factors.iter().map(|(factor, _)| factor.clone()).collect()),
            _ => None,
        }
    }
}
