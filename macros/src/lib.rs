//! The compiler behind `backprop::network!`.
//!
//! ```text
//! tokens --parse--> Declaration --check--> Network --lower--> Graph --differentiate--> Graph (with adjoints)
//!        --simplify--> Graph --plan--> Schedule --emit--> tokens
//! ```
//!
//! User errors are found in the first two stages, collected, and reported together; after them nothing can fail.

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
mod network;
mod operations;
mod parse;
mod plan;
mod simplify;

use proc_macro2::TokenStream;

/// Declares a network: see the `backprop` crate.
#[proc_macro]
pub fn network(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    compile(tokens.into()).into()
}

/// The whole compiler. A declaration with mistakes yields its messages and, where it says enough, code of the same
/// interface, so that nothing but the mistakes is reported.
fn compile(tokens: TokenStream) -> TokenStream {
    let mut errors = error::Errors::default();
    let (declaration, complete) = parse::parse(tokens, &mut errors);
    let network = check::check(&declaration, complete, &mut errors);
    let mut code = errors.to_compile_errors();
    if let Some(network) = network {
        let entries = entries::entry_points(&network);
        let emitted = emit::emit(&network, &entries);
        if errors.is_empty() {
            dump::dump(&network, &entries, &emitted);
        }
        code.extend(emitted);
    }
    code
}
