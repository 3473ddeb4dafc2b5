//! The elementwise functions: one row each, from which the parser, the derivatives, the emitted code, the documentation and
//! the tests are made.
//!
//! A *primitive* has a value, derivatives and a vector instruction or kernel of the runtime; everything else is a
//! *composition* of primitives, which formulas expand at once.
//!
//! Where a function has a kink, its derivative is one-sided: `max` and `min` give it to the first argument when
//! both are equal, and `relu` and the other clipped functions are written so that it is 0 at the kink, as in
//! PyTorch; `abs` has the derivative 0 at 0.

mod compositions;
mod primitives;
mod rules;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use crate::formula::Formula;

/// A row of the table: a function that a user can call.
#[derive(Debug)]
pub(crate) struct Elementwise {
    pub(crate) name: &'static str,
    /// The number of arguments before the options.
    pub(crate) arguments: usize,
    /// Named options with defaults, `leaky_relu(slope = 0.01)`; positional ones come in this order.
    pub(crate) options: &'static [FunctionOption],
    /// What it computes, for documentation.
    pub(crate) mathematics: &'static str,
    pub(crate) definition: Definition,
}

/// A named option, which may be a number or any other formula.
#[derive(Debug)]
pub(crate) struct FunctionOption {
    pub(crate) name: &'static str,
    /// A flag is 0 or 1.
    pub(crate) default: f64,
    /// Written `true` or `false`; its value chooses between formulas and must be known at compile time.
    pub(crate) flag: bool,
}

#[derive(Debug)]
pub(crate) enum Definition {
    Primitive(Primitive),
    /// The formula of the arguments, then the options.
    Composition(fn(&[Formula]) -> Formula),
}

/// A function that formulas hold and the runtime computes.
#[derive(Debug)]
pub(crate) struct Primitive {
    /// The row's name.
    pub(crate) name: &'static str,
    /// The method of the runtime's vectors, and the name in readable formulas.
    pub(crate) method: &'static str,
    /// About how many additions it takes.
    pub(crate) cost: usize,
    /// Its values are 1 and 0; in emitted code, masks.
    pub(crate) condition: bool,
    pub(crate) value: fn(&[f64]) -> f64,
    /// The derivative by each argument, as formulas of the arguments and of the function's own value.
    pub(crate) derivative: fn(&[Formula], &Formula) -> Vec<Formula>,
    /// A simpler formula of the same value, if the arguments allow one.
    pub(crate) simplify: fn(&[Formula]) -> Option<Formula>,
}

/// The row of this name.
pub(crate) fn find(name: &str) -> Option<&'static Elementwise> {
    table().find(|row| row.name == name)
}

/// All rows: primitives, then compositions.
pub(crate) fn table() -> impl Iterator<Item = &'static Elementwise> {
    primitives::ROWS.iter().chain(compositions::ROWS)
}

impl Elementwise {
    /// Its formula of these arguments and options; options that are missing at the end have their defaults.
    pub(crate) fn build(&'static self, arguments: &[Formula]) -> Formula {
        let most = self.arguments + self.options.len();
        assert!((self.arguments..=most).contains(&arguments.len()), "`{}` of {} arguments", self.name, arguments.len());
        let given = arguments.len() - self.arguments;
        let defaults = self.options[given..].iter().map(|option| Formula::constant(option.default));
        let arguments: Vec<Formula> = arguments.iter().cloned().chain(defaults).collect();
        match &self.definition {
            Definition::Primitive(primitive) => Formula::call(primitive, arguments),
            Definition::Composition(compose) => compose(&arguments),
        }
    }
}

impl PartialEq for Primitive {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Primitive {}

impl Hash for Primitive {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::ptr::hash(self, state);
    }
}

impl PartialOrd for Primitive {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Primitive {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name.cmp(other.name)
    }
}

/// The primitive function of this name applied; for the rules, which know the names.
fn call<const N: usize>(name: &str, arguments: [Formula; N]) -> Formula {
    Formula::apply(name, &arguments)
}

fn number(value: f64) -> Formula {
    Formula::constant(value)
}
