//! Formulas as one would write them by hand.

use std::fmt;

use super::{Formula, Kind, Number};

/// How strongly an expression holds together, from an `if` to a single name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Choice,
    Or,
    And,
    Comparison,
    Sum,
    Product,
    Power,
    Atom,
}

struct Text {
    text: String,
    binding: Binding,
}

impl Text {
    fn new(text: impl Into<String>, binding: Binding) -> Self {
        Self { text: text.into(), binding }
    }

    /// In parentheses, unless it holds together at least that strongly.
    fn at_least(self, binding: Binding) -> String {
        if self.binding >= binding { self.text } else { format!("({})", self.text) }
    }
}

impl fmt::Display for Formula {
    /// Arguments are `x0`, `x1`, ….
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&number(self, &|index| format!("x{index}")).text)
    }
}

impl Formula {
    /// With names for the arguments: `0.5 * (y - t)^2`.
    pub(crate) fn display_with(&self, names: &[String]) -> String {
        number(self, &|index| names.get(index).cloned().unwrap_or_else(|| format!("x{index}"))).text
    }
}

type Names<'a> = &'a dyn Fn(usize) -> String;

fn number(formula: &Formula, names: Names<'_>) -> Text {
    if formula.is_condition() {
        return Text::new(format!("if {} {{ 1 }} else {{ 0 }}", condition(formula, names).text), Binding::Choice);
    }
    match formula.kind() {
        Kind::Argument(index) => Text::new(names(*index), Binding::Atom),
        Kind::Constant(value) => constant(value.0),
        Kind::Sum { constant, terms } => sum(constant.0, terms, names),
        Kind::Product(factors) => product(1.0, factors, names),
        Kind::Apply(function, arguments) => call(function.method, arguments, names),
    }
}

fn call(name: &str, arguments: &[Formula], names: Names<'_>) -> Text {
    match (name, arguments) {
        ("abs", [inner]) => Text::new(format!("|{}|", number(inner, names).text), Binding::Atom),
        ("powf", [base, exponent]) => {
            let [base, exponent] = [base, exponent].map(|side| number(side, names).at_least(Binding::Atom));
            Text::new(format!("{base}^{exponent}"), Binding::Power)
        }
        ("select", [test, yes, no]) => choice(condition(test, names), number(yes, names), number(no, names)),
        _ => {
            let arguments: Vec<_> = arguments.iter().map(|argument| number(argument, names).text).collect();
            Text::new(format!("{name}({})", arguments.join(", ")), Binding::Atom)
        }
    }
}

fn choice(condition: Text, yes: Text, no: Text) -> Text {
    Text::new(format!("if {} {{ {} }} else {{ {} }}", condition.text, yes.text, no.text), Binding::Choice)
}

fn condition(formula: &Formula, names: Names<'_>) -> Text {
    if let Some(parts) = formula.as_conjunction() {
        let parts: Vec<_> = parts.iter().map(|part| condition(part, names).at_least(Binding::And)).collect();
        return Text::new(parts.join(" && "), Binding::And);
    }
    let Some((name, [left, right])) = formula.as_function() else {
        return number(formula, names);
    };
    if name == "or" {
        let [left, right] = [left, right].map(|side| condition(side, names).at_least(Binding::Or));
        return Text::new(format!("{left} || {right}"), Binding::Or);
    }
    let sign = match name {
        "lt" => "<",
        "le" => "<=",
        "gt" => ">",
        "ge" => ">=",
        "eq" => "==",
        _ => "!=",
    };
    let [left, right] = [left, right].map(|side| number(side, names).at_least(Binding::Sum));
    Text::new(format!("{left} {sign} {right}"), Binding::Comparison)
}

fn constant(value: f64) -> Text {
    let text = format!("{value:?}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    Text::new(text, if value < 0.0 { Binding::Sum } else { Binding::Atom })
}

/// What is added stands before what is subtracted, the number last if it can: `1 - y^2`, `x + 1`, `2 * (x + y)`.
fn sum(offset: f64, terms: &[(Formula, Number)], names: Names<'_>) -> Text {
    let mut items: Vec<(f64, Option<&Formula>)> = terms.iter().map(|(term, number)| (number.0, Some(term))).collect();
    if offset != 0.0 {
        items.push((offset, None));
    }
    let scale = items[0].0.abs();
    let alike = scale != 1.0 && items.len() > 1 && items.iter().all(|(number, _)| number.abs() == scale);
    if let Some(first) = items.iter().position(|(number, _)| *number > 0.0) {
        items[..=first].rotate_right(1);
    }
    let mut text = String::new();
    for (position, (coefficient, term)) in items.iter().enumerate() {
        text += match (position, *coefficient < 0.0) {
            (0, false) => "",
            (0, true) => "-",
            (_, false) => " + ",
            (_, true) => " - ",
        };
        let size = if alike { coefficient.abs() / scale } else { coefficient.abs() };
        text += &match term {
            None => constant(size).text,
            Some(term) => match term.as_factors() {
                _ if size == 1.0 => number(term, names).at_least(Binding::Product),
                Some(factors) if !has_conditions(factors) => product(size, factors, names).text,
                _ => format!("{} * {}", constant(size).text, number(term, names).at_least(Binding::Power)),
            },
        };
    }
    match (alike, items.as_slice()) {
        (true, _) => Text::new(format!("{} * ({text})", constant(scale).text), Binding::Product),
        (false, [(number, _)]) if *number > 0.0 => Text::new(text, Binding::Product),
        _ => Text::new(text, Binding::Sum),
    }
}

fn has_conditions(factors: &[(Formula, i32)]) -> bool {
    factors.iter().any(|(factor, exponent)| *exponent == 1 && factor.is_condition())
}

fn product(coefficient: f64, factors: &[(Formula, i32)], names: Names<'_>) -> Text {
    let (conditions, rest): (Vec<_>, Vec<_>) =
        factors.iter().cloned().partition(|(factor, exponent)| *exponent == 1 && factor.is_condition());
    if !conditions.is_empty() {
        let test = super::normal::product(1.0, conditions);
        return choice(condition(&test, names), product(coefficient, &rest, names), constant(0.0));
    }
    let power = |(factor, exponent): &(Formula, i32)| match exponent.abs() {
        1 => number(factor, names),
        size => Text::new(format!("{}^{size}", number(factor, names).at_least(Binding::Atom)), Binding::Power),
    };
    let mut above: Vec<Text> = rest.iter().filter(|(_, exponent)| *exponent > 0).map(power).collect();
    let mut below: Vec<Text> = rest.iter().filter(|(_, exponent)| *exponent < 0).map(power).collect();
    if coefficient != 1.0 || above.is_empty() {
        above.insert(0, constant(coefficient));
    }
    if above.len() == 1 && below.is_empty() {
        return above.remove(0);
    }
    let join =
        |parts: Vec<Text>| parts.into_iter().map(|part| part.at_least(Binding::Power)).collect::<Vec<_>>().join(" * ");
    let above = join(above);
    match below.len() {
        0 => Text::new(above, Binding::Product),
        1 => Text::new(format!("{above} / {}", below.remove(0).at_least(Binding::Power)), Binding::Product),
        _ => Text::new(format!("{above} / ({})", join(below)), Binding::Product),
    }
}
