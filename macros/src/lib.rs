//! The compiler behind `backprop::network!`.
//!
//! ```text
//! tokens --parse--> Declaration --check--> Network --lower--> Graph --differentiate--> Graph (with adjoints)
//!        --simplify--> Graph --plan--> Schedule --emit--> tokens
//! ```
//!
//! User errors are found in the first two stages, collected, and reported together; after them nothing can fail.

#[cfg(test)]
mod canonical;
#[cfg(test)]
mod cases;
mod check;
mod differentiate;
mod dump;
mod elementwise;
mod emit;
mod entries;
mod error;
mod fallback;
mod formula;
mod function;
mod graph;
mod hoist;
mod layers;
mod losses;
mod lower;
#[cfg(test)]
mod mutations;
mod network;
mod operations;
mod parse;
#[cfg(test)]
mod pipeline_tests;
mod plan;
#[cfg(test)]
mod reference;
mod simplify;

use proc_macro2::TokenStream;

/// Declares a network: see the `backprop` crate.
///
#[doc = include_str!("../functions.md")]
#[proc_macro]
pub fn network(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    compile(tokens.into()).into()
}

/// The whole compiler. A declaration with mistakes yields their messages and a stub, so that nothing else is reported.
fn compile(tokens: TokenStream) -> TokenStream {
    let mut errors = error::Errors::default();
    let (declaration, complete) = parse::parse(tokens, &mut errors);
    let network = check::check(&declaration, complete, &mut errors);
    match network {
        Some(network) if errors.is_empty() => {
            let entries = entries::entry_points(&network);
            let code = emit::emit(&network, &entries);
            dump::dump(&network, &entries, &code);
            code
        }
        _ => fallback::stub(&declaration, &errors),
    }
}
