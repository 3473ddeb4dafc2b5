//! Substitution and derivatives.

use super::{ByFormula, Formula, Kind, normal};

impl Formula {
    /// Argument `i` becomes `arguments[i]`.
    pub(crate) fn substitute(&self, arguments: &[Formula]) -> Formula {
        let unchanged = |&index: &usize| arguments[index].as_argument() == Some(index);
        if self.mentioned().iter().all(unchanged) {
            return self.clone();
        }
        self.rebuild(&mut |term| Some(arguments[term.as_argument()?].clone()))
    }

    /// With `to` in the place of every `from` in it.
    pub(crate) fn replace(&self, from: &Formula, to: &Formula) -> Formula {
        self.rebuild(&mut |term| {
            if term == from {
                return Some(to.clone());
            }
            // A conjunction may stand among the factors of a product.
            let (Kind::Product(factors), Kind::Product(parts)) = (term.kind(), from.kind()) else {
                return None;
            };
            if !from.is_condition() || !parts.iter().all(|part| factors.contains(part)) {
                return None;
            }
            let rest = factors.iter().filter(|factor| !parts.contains(factor)).cloned();
            Some(normal::product(1.0, rest) * to.clone())
        })
    }

    /// Made anew from the bottom, with some terms exchanged.
    fn rebuild(&self, exchange: &mut impl FnMut(&Formula) -> Option<Formula>) -> Formula {
        fn walk(
            term: &Formula,
            known: &mut ByFormula<Formula>,
            exchange: &mut impl FnMut(&Formula) -> Option<Formula>,
        ) -> Formula {
            if let Some(made) = known.get(term) {
                return made.clone();
            }
            let made = exchange(term).unwrap_or_else(|| {
                let children = term.children();
                let new: Vec<Formula> = children.iter().map(|child| walk(child, known, exchange)).collect();
                let same = children.into_iter().eq(&new);
                if same { term.clone() } else { term.with_children(&new) }
            });
            known.insert(term.clone(), made.clone());
            made
        }
        walk(self, &mut ByFormula::default(), exchange)
    }

    /// The derivative by an argument. It may mention the argument `output`, which stands for this formula's own value, where
    /// that is not dearer: the derivative of `tanh(x)` is `1 - output^2`.
    pub(crate) fn derivative(&self, argument: usize, output: usize) -> Formula {
        let mut known = ByFormula::default();
        let direct = self.inner_derivative(argument, &mut known);
        let own = Formula::argument(output);
        let by_output = self.outer_derivative(argument, &own, &mut known).replace(self, &own);
        if by_output.cost() <= direct.cost() { by_output } else { direct }
    }

    /// In terms of the arguments alone.
    fn inner_derivative(&self, argument: usize, known: &mut ByFormula<Formula>) -> Formula {
        if let Some(derivative) = known.get(self) {
            return derivative.clone();
        }
        let inner: Vec<Formula> =
            self.children().into_iter().map(|child| child.inner_derivative(argument, known)).collect();
        let derivative = match self.kind() {
            Kind::Argument(index) => Formula::constant(if *index == argument { 1.0 } else { 0.0 }),
            Kind::Constant(_) => Formula::constant(0.0),
            Kind::Apply(function, arguments) => chain((function.derivative)(arguments, self), inner),
            Kind::Sum { terms, .. } => {
                normal::sum(0.0, inner.into_iter().zip(terms.iter().map(|(_, coefficient)| coefficient.0)))
            }
            Kind::Product(factors) => product_rule(factors, inner),
        };
        known.insert(self.clone(), derivative.clone());
        derivative
    }

    /// In terms of the arguments and of this formula's value `own`.
    fn outer_derivative(&self, argument: usize, own: &Formula, known: &mut ByFormula<Formula>) -> Formula {
        match self.kind() {
            Kind::Argument(_) | Kind::Constant(_) => self.inner_derivative(argument, known),
            // Where a condition lets an arm through, the arm's value is `own`.
            Kind::Apply(function, arguments) if function.name == "select" => {
                let [yes, no] = [1, 2].map(|arm| arguments[arm].outer_derivative(argument, own, known));
                arguments[0].clone().select(yes, no)
            }
            Kind::Apply(function, arguments) if matches!(function.name, "max" | "min") => {
                let inner = arguments.iter().map(|arm| arm.outer_derivative(argument, own, known)).collect();
                chain((function.derivative)(arguments, own), inner)
            }
            Kind::Apply(function, arguments) => {
                let inner = arguments.iter().map(|inner| inner.inner_derivative(argument, known)).collect();
                chain((function.derivative)(arguments, own), inner)
            }
            Kind::Sum { constant, terms } => match terms.as_slice() {
                // c*t: the value of t is own/c
                [(term, coefficient)] if constant.0 == 0.0 => {
                    let scale = Formula::constant(coefficient.0);
                    scale.clone() * term.outer_derivative(argument, &(own.clone() / scale), known)
                }
                _ => self.inner_derivative(argument, known),
            },
            Kind::Product(factors) => self.outer_product_rule(factors, argument, own, known),
        }
    }

    /// Quotients and exponentials come back in their own derivatives: `(a/b)' = a'/b - own*b'/b`.
    fn outer_product_rule(
        &self,
        factors: &[(Formula, i32)],
        argument: usize,
        own: &Formula,
        known: &mut ByFormula<Formula>,
    ) -> Formula {
        let (conditions, rest): (Vec<_>, Vec<_>) =
            factors.iter().cloned().partition(|(factor, exponent)| *exponent > 0 && factor.is_condition());
        if !conditions.is_empty() {
            let rest = normal::product(1.0, rest);
            return normal::product(1.0, conditions) * rest.outer_derivative(argument, own, known);
        }
        if let [(factor, -1)] = factors {
            return reciprocal(factor, argument, own, known);
        }
        let terms = factors.iter().enumerate().map(|(index, (factor, exponent))| {
            let inner = factor.inner_derivative(argument, known);
            let term = match factor.as_function() {
                Some(("exp", [power])) => own.clone() * power.inner_derivative(argument, known),
                _ if *exponent < 0 => own.clone() * factor.clone().powi(-1) * inner,
                _ => others(factors, index) * inner,
            };
            (term, f64::from(*exponent))
        });
        normal::sum(0.0, terms.collect::<Vec<_>>())
    }
}

/// `(1/x)' = -own^2 x'`, `(1/sqrt(x))' = -own^3 x' / 2`
fn reciprocal(factor: &Formula, argument: usize, own: &Formula, known: &mut ByFormula<Formula>) -> Formula {
    let (scale, power, inner) = match factor.as_function() {
        Some(("sqrt", [inner])) => (-0.5, 3, inner),
        _ => (-1.0, 2, factor),
    };
    normal::product(scale, [(own.clone(), power), (inner.inner_derivative(argument, known), 1)])
}

fn chain(outer: Vec<Formula>, inner: Vec<Formula>) -> Formula {
    normal::sum(0.0, outer.into_iter().zip(inner).map(|(outer, inner)| (outer * inner, 1.0)))
}

/// The product without one power of this factor.
fn others(factors: &[(Formula, i32)], index: usize) -> Formula {
    let mut rest = factors.to_vec();
    rest[index].1 -= 1;
    normal::product(1.0, rest)
}

fn product_rule(factors: &[(Formula, i32)], inner: Vec<Formula>) -> Formula {
    let terms = inner
        .into_iter()
        .enumerate()
        .map(|(index, inner)| (others(factors, index) * inner, f64::from(factors[index].1)));
    normal::sum(0.0, terms)
}
