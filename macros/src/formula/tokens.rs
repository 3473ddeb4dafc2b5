//! Formulas as Rust code over the runtime's vectors.

use std::collections::HashMap;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};

use super::{Formula, Kind, Number};

impl Formula {
    /// Code of several formulas of the same arguments: `let`s of the subterms and numbers that are used more than once, and
    /// an expression for each formula. The arguments must be names or other expressions that may be repeated.
    pub(crate) fn tokens(
        formulas: &[Formula],
        arguments: &[TokenStream],
        simd: &TokenStream,
    ) -> (TokenStream, Vec<TokenStream>) {
        let mut uses: HashMap<Formula, usize> = HashMap::new();
        for formula in formulas {
            let known = uses.clone();
            *uses.entry(formula.clone()).or_default() += 1;
            formula.visit(&mut |term| {
                if !known.contains_key(term) {
                    for child in term.children() {
                        *uses.entry(child.clone()).or_default() += 1;
                    }
                }
            });
        }
        let mut writer =
            Writer { arguments, simd, uses, bound: HashMap::new(), numbers: vec![], lets: TokenStream::new() };
        let results = formulas.iter().map(|formula| writer.number(formula).tokens).collect();
        (writer.lets, results)
    }
}

/// The operands multiplied, from the left.
fn times(operands: &[TokenStream]) -> TokenStream {
    let mut operands = operands.iter().cloned();
    let first = operands.next().unwrap_or_default();
    operands.fold(first, |product, operand| quote!(#product * #operand))
}

struct Writer<'a> {
    arguments: &'a [TokenStream],
    simd: &'a TokenStream,
    uses: HashMap<Formula, usize>,
    /// Names of subterms; those of conditions are masks.
    bound: HashMap<Formula, Ident>,
    numbers: Vec<(Number, Ident)>,
    lets: TokenStream,
}

/// Code that may need parentheses before a method is called on it.
struct Expression {
    tokens: TokenStream,
    simple: bool,
}

impl Expression {
    fn simple(tokens: TokenStream) -> Self {
        Self { tokens, simple: true }
    }

    fn compound(tokens: TokenStream) -> Self {
        Self { tokens, simple: false }
    }

    fn operand(self) -> TokenStream {
        let tokens = self.tokens;
        if self.simple { tokens } else { quote!((#tokens)) }
    }
}

impl Writer<'_> {
    fn bind(&mut self, prefix: &str, tokens: TokenStream) -> Ident {
        let name = format_ident!("{prefix}_{}", self.bound.len() + self.numbers.len(), span = Span::call_site());
        self.lets.extend(quote!(let #name = #tokens;));
        name
    }

    fn constant(&mut self, value: f64) -> Expression {
        let known = self.numbers.iter().find(|(number, _)| *number == Number(value));
        let name = match known {
            Some((_, name)) => name.clone(),
            None => {
                let number = if value.is_finite() {
                    let literal = Literal::f64_suffixed(value.abs());
                    if value < 0.0 { quote!(-#literal) } else { quote!(#literal) }
                } else {
                    let bits = Literal::u64_suffixed(value.to_bits());
                    quote!(f64::from_bits(#bits))
                };
                let simd = self.simd;
                let name = self.bind("number", quote!(::backprop::__private::Lanes::constant(#simd, #number)));
                self.numbers.push((Number(value), name.clone()));
                name
            }
        };
        Expression::simple(quote!(#name))
    }

    /// Names what `write` gives if it is used more than once.
    fn shared(&mut self, formula: &Formula, prefix: &str, write: impl FnOnce(&mut Self) -> Expression) -> Expression {
        if let Some(name) = self.bound.get(formula) {
            return Expression::simple(quote!(#name));
        }
        let expression = write(self);
        if self.uses.get(formula).is_none_or(|uses| *uses < 2) {
            return expression;
        }
        let name = self.bind(prefix, expression.tokens);
        self.bound.insert(formula.clone(), name.clone());
        Expression::simple(quote!(#name))
    }

    fn number(&mut self, formula: &Formula) -> Expression {
        if formula.is_condition() {
            let mask = self.mask(formula).operand();
            let [one, zero] = [1.0, 0.0].map(|value| self.constant(value).operand());
            return Expression::simple(quote!(#mask.select(#one, #zero)));
        }
        match formula.kind() {
            Kind::Argument(index) => Expression::simple(self.arguments[*index].clone()),
            Kind::Constant(value) => self.constant(value.0),
            Kind::Sum { constant, terms } => self.shared(formula, "term", |writer| writer.sum(constant.0, terms)),
            Kind::Product(factors) => self.shared(formula, "term", |writer| writer.product(1.0, factors)),
            Kind::Apply(function, arguments) => {
                self.shared(formula, "term", |writer| writer.call(function.method, arguments))
            }
        }
    }

    fn call(&mut self, method: &str, arguments: &[Formula]) -> Expression {
        let receiver = if method == "select" { self.mask(&arguments[0]) } else { self.number(&arguments[0]) };
        let receiver = receiver.operand();
        let others: Vec<_> = arguments[1..].iter().map(|argument| self.number(argument).tokens).collect();
        let method = Ident::new(method, Span::call_site());
        Expression::simple(quote!(#receiver.#method(#(#others),*)))
    }

    fn mask(&mut self, condition: &Formula) -> Expression {
        self.shared(condition, "mask", |writer| {
            if let Some(parts) = condition.as_conjunction() {
                let parts: Vec<_> = parts.iter().map(|part| writer.mask(part).operand()).collect();
                return Expression::compound(quote!(#(#parts)&*));
            }
            match condition.as_function() {
                Some(("or", [left, right])) => {
                    let [left, right] = [left, right].map(|side| writer.mask(side).operand());
                    Expression::compound(quote!(#left | #right))
                }
                Some((name, arguments)) => writer.call(name, arguments),
                None => unreachable!("conditions are comparisons or made of such"),
            }
        })
    }

    fn power(&mut self, base: &Formula, exponent: u32) -> Expression {
        let base = self.number(base);
        match exponent {
            1 => base,
            2 if base.simple && base.tokens.clone().into_iter().count() == 1 => {
                let base = base.tokens;
                Expression::compound(quote!(#base * #base))
            }
            _ => {
                let (base, exponent) = (base.operand(), Literal::u32_unsuffixed(exponent));
                Expression::simple(quote!(#base.powi(#exponent)))
            }
        }
    }

    /// Factors with positive exponents, as operands; squares of single names are two.
    fn operands(&mut self, factors: &[(Formula, i32)]) -> Vec<TokenStream> {
        let mut operands = vec![];
        for (factor, exponent) in factors {
            let expression = self.power(factor, exponent.unsigned_abs());
            operands.push(expression.operand());
        }
        operands
    }

    fn product(&mut self, coefficient: f64, factors: &[(Formula, i32)]) -> Expression {
        let (conditions, rest): (Vec<_>, Vec<_>) =
            factors.iter().cloned().partition(|(factor, exponent)| *exponent == 1 && factor.is_condition());
        if !conditions.is_empty() {
            let mask = self.mask(&super::normal::product(1.0, conditions)).operand();
            let value = self.product(coefficient, &rest).tokens;
            let zero = self.constant(0.0).tokens;
            return Expression::simple(quote!(#mask.select(#value, #zero)));
        }
        let (above, below): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(_, exponent)| *exponent > 0);
        let mut above = self.operands(&above);
        let below = self.operands(&below);
        if coefficient.abs() != 1.0 || (above.is_empty() && (coefficient != 1.0 || below.is_empty())) {
            above.insert(0, self.constant(coefficient).operand());
        } else if coefficient == -1.0 {
            let first = &above[0];
            above[0] = quote!((-#first));
        }
        let divisor = (!below.is_empty()).then(|| Expression { simple: below.len() == 1, tokens: times(&below) });
        match (above.as_slice(), divisor) {
            ([], Some(divisor)) => {
                let divisor = divisor.operand();
                Expression::simple(quote!(#divisor.recip()))
            }
            (above, Some(divisor)) => {
                let divisor = divisor.operand();
                let above = times(above);
                Expression::compound(quote!(#above / #divisor))
            }
            ([only], None) => Expression::simple(only.clone()),
            (above, None) => Expression::compound(times(above)),
        }
    }

    /// Two factors of a product that nothing else uses, for a fused multiplication and addition.
    fn two_factors(&mut self, term: &Formula) -> Option<(TokenStream, TokenStream)> {
        let factors = term.as_factors()?;
        let plain = factors.iter().all(|(factor, exponent)| *exponent > 0 && !factor.is_condition());
        if !plain || self.uses.get(term).is_some_and(|uses| *uses > 1) {
            return None;
        }
        if let [(base, 2)] = factors {
            let base = self.named(base);
            return Some((base.clone(), base));
        }
        let (last, front) = factors.split_last()?;
        if front.is_empty() {
            return None;
        }
        let front = self.product(1.0, front).operand();
        Some((front, self.power(&last.0, last.1.unsigned_abs()).tokens))
    }

    /// The number as one token.
    fn named(&mut self, formula: &Formula) -> TokenStream {
        let expression = self.number(formula);
        if expression.simple && expression.tokens.clone().into_iter().count() == 1 {
            return expression.tokens;
        }
        let name = self.bind("term", expression.tokens);
        self.bound.insert(formula.clone(), name.clone());
        quote!(#name)
    }

    fn sum(&mut self, offset: f64, terms: &[(Formula, Number)]) -> Expression {
        let mut items: Vec<(f64, Option<&Formula>)> =
            terms.iter().map(|(term, number)| (number.0, Some(term))).collect();
        if offset != 0.0 {
            items.push((offset, None));
        }
        if let [(coefficient, Some(term))] = items[..] {
            return self.multiple(coefficient, term);
        }
        let scale = items[0].0.abs();
        if scale != 1.0 && items.iter().all(|(number, _)| number.abs() == scale) {
            items.iter_mut().for_each(|(number, _)| *number = number.signum());
            let (inner, scale) = (self.chain(items).operand(), self.constant(scale).operand());
            return Expression::compound(quote!(#scale * #inner));
        }
        self.chain(items)
    }

    fn multiple(&mut self, coefficient: f64, term: &Formula) -> Expression {
        match term.as_factors() {
            Some(factors) if self.uses.get(term).is_none_or(|uses| *uses < 2) && !term.is_condition() => {
                self.product(coefficient, factors)
            }
            _ => {
                let term = self.number(term).operand();
                if coefficient == -1.0 {
                    return Expression::compound(quote!(-#term));
                }
                let coefficient = self.constant(coefficient).operand();
                Expression::compound(quote!(#coefficient * #term))
            }
        }
    }

    /// Begins with the number, or else with a term that is no product, to which the products are added.
    fn chain(&mut self, mut items: Vec<(f64, Option<&Formula>)>) -> Expression {
        items.sort_by_key(|(coefficient, term)| match term {
            None => 0,
            Some(term) if *coefficient == 1.0 && term.as_factors().is_none() => 1,
            Some(_) if *coefficient > 0.0 => 2,
            Some(_) => 3,
        });
        let mut items = items.into_iter();
        let mut total = match items.next() {
            Some((offset, None)) => self.constant(offset),
            Some((1.0, Some(term))) => self.number(term),
            Some((coefficient, Some(term))) => self.multiple(coefficient, term),
            None => unreachable!("sums have terms"),
        };
        for (coefficient, term) in items {
            let term = term.expect("the number comes first");
            total = self.add(total, coefficient, term);
        }
        total
    }

    fn add(&mut self, total: Expression, coefficient: f64, term: &Formula) -> Expression {
        if let Some((left, right)) = self.two_factors(term) {
            let total = total.tokens;
            let left = match coefficient {
                1.0 => left,
                -1.0 => quote!((-#left)),
                _ => {
                    let coefficient = self.constant(coefficient).operand();
                    quote!((#coefficient * #left))
                }
            };
            return Expression::simple(quote!(#left.mul_add(#right, #total)));
        }
        let term = self.number(term);
        if coefficient.abs() != 1.0 {
            let (term, coefficient, total) = (term.operand(), self.constant(coefficient).tokens, total.tokens);
            return Expression::simple(quote!(#term.mul_add(#coefficient, #total)));
        }
        let (total, term) = (total.tokens, term.operand());
        Expression::compound(if coefficient > 0.0 { quote!(#total + #term) } else { quote!(#total - #term) })
    }
}
