//! Small declarations through parse and check.

use quote::quote;

use crate::error::Errors;
use crate::network::Network;

fn read(tokens: proc_macro2::TokenStream) -> (Option<Network>, Errors) {
    let mut errors = Errors::default();
    let (declaration, complete) = crate::parse::parse(tokens, &mut errors);
    let network = super::check(&declaration, complete, &mut errors);
    (network, errors)
}

pub(crate) fn network(tokens: proc_macro2::TokenStream) -> Network {
    let (network, errors) = read(tokens);
    let messages: Vec<String> = errors.diagnostics().map(ToString::to_string).collect();
    assert!(messages.is_empty(), "{}", messages.join("\n"));
    network.unwrap()
}

fn codes(tokens: proc_macro2::TokenStream) -> Vec<&'static str> {
    read(tokens).1.diagnostics().map(|diagnostic| diagnostic.code()).collect()
}

#[test]
fn digits() {
    let network = network(quote! {
        /// Handwritten digits.
        pub struct Digits;
        fn forward(image: [64]) -> [10] { image.dense(128).relu().dense(10) }
        fn loss(logits, label: Class<10>) { cross_entropy(logits, label) }
    });
    println!("{network}");
    panic!();
}
