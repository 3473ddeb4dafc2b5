//! Mistakes of users: one enum, one row for each kind, collected and reported together.

use std::collections::HashSet;
use std::fmt;

use proc_macro2::{Span, TokenStream};

/// Says that a mistake has been reported already: whatever needed the value stays silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reported;

pub(crate) type Checked<T> = Result<T, Reported>;

/// Declares the enum from a table: code, variant with what its text mentions, message, help.
macro_rules! diagnostics {
    ($(
        $(#[$attribute:meta])*
        $code:literal $variant:ident { $($field:ident: $ty:ty),* $(,)? } $message:literal, $help:literal;
    )*) => {
        /// A mistake in a declaration. Each has a stable name, a message and a remedy.
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) enum Diagnostic {
            $($(#[$attribute])* $variant { $($field: $ty),* },)*
        }

        impl Diagnostic {
            /// The name of every kind of mistake; a test demands a case for each.
            #[cfg_attr(not(test), allow(dead_code, reason = "read by tests"))]
            pub(crate) const CODES: &'static [&'static str] = &[$($code),*];

            /// The name of this kind of mistake.
            pub(crate) fn code(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $code,)*
                }
            }

            /// What happened.
            pub(crate) fn message(&self) -> String {
                match self {
                    $(Self::$variant { $($field),* } => {
                        $(let _ = $field;)*
                        format!($message)
                    })*
                }
            }

            /// What to do about it.
            pub(crate) fn help(&self) -> String {
                match self {
                    $(Self::$variant { $($field),* } => {
                        $(let _ = $field;)*
                        format!($help)
                    })*
                }
            }
        }
    };
}

mod table;

use diagnostics;
pub(crate) use table::Diagnostic;

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}\nhelp: {}", self.message(), self.help())
    }
}

/// Everything wrong with a declaration, in the order of discovery; one mistake for a place and kind, since
/// a function is looked at wherever it is inlined.
#[derive(Debug, Default)]
pub(crate) struct Errors {
    mistakes: Vec<(Span, Diagnostic)>,
    seen: HashSet<(String, &'static str)>,
}

impl Errors {
    pub(crate) fn report(&mut self, span: Span, diagnostic: Diagnostic) -> Reported {
        if self.seen.insert((format!("{span:?}"), diagnostic.code())) || no_places(span) {
            self.mistakes.push((span, diagnostic));
        }
        Reported
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.mistakes.is_empty()
    }

    pub(crate) fn diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        self.mistakes.iter().map(|(_, diagnostic)| diagnostic)
    }

    /// `compile_error!`s, each at its place.
    pub(crate) fn to_compile_errors(&self) -> Vec<TokenStream> {
        self.mistakes.iter().map(|(span, diagnostic)| syn::Error::new(*span, diagnostic).to_compile_error()).collect()
    }
}

/// Outside of rustc (in tests) every span is the same: nothing can be told apart by it.
fn no_places(span: Span) -> bool {
    format!("{span:?}") == format!("{:?}", Span::call_site())
}

/// The line of a place in the user's file, where rustc tells it.
pub(crate) fn line(span: Span) -> Option<usize> {
    if no_places(span) || !proc_macro_is_running() {
        return None;
    }
    Some(span.unwrap().line())
}

fn proc_macro_is_running() -> bool {
    extern crate proc_macro;
    proc_macro::is_available()
}

/// What other libraries call what this one has, too.
const SYNONYMS: &[(&str, &str)] = &[
    ("xavier_uniform", "glorot_uniform"),
    ("xavier_normal", "glorot_normal"),
    ("kaiming_uniform", "he_uniform"),
    ("kaiming_normal", "he_normal"),
    ("linear", "dense"),
    ("fully_connected", "dense"),
    ("mean_squared_error", "mse"),
    ("mse_loss", "mse"),
    ("mean_absolute_error", "mae"),
    ("l1_loss", "mae"),
    ("smooth_l1_loss", "huber"),
    ("bce_loss", "binary_cross_entropy"),
    ("binary_crossentropy", "binary_cross_entropy"),
    ("bce_with_logits_loss", "binary_cross_entropy_with_logits"),
    ("nll_loss", "cross_entropy"),
    ("categorical_crossentropy", "cross_entropy"),
    ("sparse_categorical_crossentropy", "cross_entropy"),
];

/// The candidate that `name` was probably meant to be, whatever its capital letters.
pub(crate) fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let meant = SYNONYMS.iter().find(|(synonym, _)| *synonym == name).map(|&(_, meant)| meant);
    candidates
        .into_iter()
        .map(|candidate| match meant {
            Some(meant) if meant == candidate => (0, candidate),
            _ => (strsim::damerau_levenshtein(&name, &candidate.to_lowercase()), candidate),
        })
        .filter(|&(distance, candidate)| {
            distance <= 1 + name.len().min(candidate.len()) / 4 && distance + 1 < name.len()
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// "did you mean `x`?", or else a list of what there is.
pub(crate) fn suggestion<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    otherwise: impl FnOnce() -> String,
) -> String {
    match closest(name, candidates) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None => otherwise(),
    }
}

/// `a`, `b` and `c`, each in backquotes.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "nothing".into(),
        [only] => only.clone(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_letter_is_no_likeness() {
        assert_eq!(closest("l1", ["le", "ln"]), None);
        assert_eq!(closest("mes", ["mae", "mse"]), Some("mse"));
    }

    #[test]
    fn names_of_other_libraries_lead_to_what_there_is() {
        let starts: Vec<String> = crate::check::initializer_forms().collect();
        let starts = starts.iter().filter_map(|form| form.split('(').next());
        let known: Vec<&str> = crate::function::all().map(|function| function.name).chain(starts).collect();
        for &(synonym, meant) in SYNONYMS {
            assert!(!known.contains(&synonym), "{synonym} needs no synonym");
            assert_eq!(closest(synonym, known.iter().copied()), Some(meant));
        }
        assert_eq!(closest("Softmax", known.iter().copied()), Some("softmax"));
    }
}
