//! What stands for a network with mistakes.

use proc_macro2::TokenStream;
use quote::quote;

use crate::error::Errors;
use crate::parse::Declaration;

/// The mistakes, and a type of the network's name, so that nothing but the mistakes is reported.
///
/// The type is one that rustc knows to be wrong, and asks no more of: with an error for its length, an array has no items
/// whose type could be found. What the user's crate does with the network, its fields and its methods passes in silence;
/// mistakes in the rest of the crate are still found.
pub(crate) fn stub(declaration: &Declaration, errors: &Errors) -> TokenStream {
    let mut messages = errors.to_compile_errors();
    let Some(header) = &declaration.header else { return messages.into_iter().collect() };
    if messages.is_empty() {
        return TokenStream::new();
    }
    let (first, visibility, name) = (messages.remove(0), &header.visibility, &header.name);
    quote! {
        #[allow(dead_code, missing_docs, reason = "the network's mistakes come first")]
        #visibility type #name<T = ::core::primitive::f32> = <[T; #first] as ::core::iter::IntoIterator>::Item;
        #(#messages)*
    }
}
