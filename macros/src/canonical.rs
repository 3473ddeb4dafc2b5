//! The declarations that every stage is tested on: those of the README and the documentation, as far as their layers are
//! there. They stand in `tests/panic_free`, whose steps and predictions cannot panic.

use std::path::Path;

use proc_macro2::{Literal, TokenStream, TokenTree};

use crate::cases;
use crate::check::check;
use crate::error::Errors;
use crate::network::Network;

/// How large the tensors are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sizes {
    /// As a user would have them.
    Declared,
    /// The same graphs, small enough to be evaluated over and over.
    Small,
}

/// A declaration, and its constants where it is small.
type Row = (&'static str, &'static [(&'static str, usize)]);

static ROWS: [Row; 11] = [
    ("Tutorial", &[]),
    ("ByHand", &[]),
    ("Digits", &[("PIXELS", 7), ("WIDTH", 5)]),
    ("LeakyIntegrator", &[("STEPS", 5), ("INPUTS", 2), ("WIDTH", 3)]),
    ("MyLstm", &[("STEPS", 4), ("INPUTS", 2), ("WIDTH", 3)]),
    ("LanguageModel", &[("LETTERS", 5), ("PLACES", 3), ("WIDTH", 4)]),
    ("Attention", &[("PLACES", 3), ("HEADS", 2), ("HEAD", 2)]),
    ("TwoHeads", &[("INPUTS", 4), ("WIDTH", 3)]),
    ("Autoencoder", &[("INPUTS", 4), ("WIDTH", 3)]),
    ("Regularized", &[("INPUTS", 4), ("WIDTH", 3)]),
    ("Policy", &[("INPUTS", 3), ("WIDTH", 4)]),
];

/// All declarations, by name.
pub(crate) fn declarations(sizes: Sizes) -> Vec<(&'static str, TokenStream)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/panic_free/src/networks.rs");
    let networks = cases::networks(&file);
    let sized = |&(name, small): &Row| {
        let is_it = |tokens: &&TokenStream| behind(tokens, "struct").is_some_and(|found| found == name);
        let tokens = networks.iter().find(is_it).unwrap_or_else(|| panic!("`{name}` is not declared"));
        let constants = if sizes == Sizes::Small { small } else { &[] };
        (name, constants.iter().fold(tokens.clone(), |tokens, &(constant, value)| set(tokens, constant, value)))
    };
    ROWS.iter().map(sized).collect()
}

/// One of them as a user would have it.
pub(crate) fn declared(name: &str) -> TokenStream {
    let found = declarations(Sizes::Declared).into_iter().find(|(other, _)| *other == name);
    found.unwrap_or_else(|| panic!("`{name}` is none of the declarations")).1
}

/// The token behind a keyword.
fn behind(tokens: &TokenStream, keyword: &str) -> Option<String> {
    let mut tokens = tokens.clone().into_iter().skip_while(|token| token.to_string() != keyword);
    tokens.nth(1).map(|token| token.to_string())
}

/// The declaration with another value in `const NAME: usize = 64;`.
fn set(tokens: TokenStream, constant: &str, value: usize) -> TokenStream {
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let declared = |pair: &[TokenTree]| pair[0].to_string() == "const" && pair[1].to_string() == constant;
    let place = tokens.windows(2).position(declared).unwrap_or_else(|| panic!("there is no constant `{constant}`"));
    // Behind `const`, name, `:`, type and `=`.
    tokens[place + 5] = Literal::usize_unsuffixed(value).into();
    tokens.into_iter().collect()
}

/// The checked form of a declaration without mistakes.
pub(crate) fn network(tokens: TokenStream) -> Network {
    let mut errors = Errors::default();
    let (declaration, complete) = crate::parse::parse(tokens, &mut errors);
    let network = check(&declaration, complete, &mut errors);
    let messages: Vec<String> = errors.diagnostics().map(ToString::to_string).collect();
    assert!(messages.is_empty(), "{}", messages.join("\n"));
    network.expect("a declaration without mistakes is a network")
}
