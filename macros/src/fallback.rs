//! What is emitted where there were mistakes: them, and a type of the declared name.

use proc_macro2::TokenStream;

use crate::error::Errors;
use crate::parse::Declaration;

/// The mistakes as `compile_error!`s, and a stub.
pub(crate) fn stub(_declaration: &Declaration, errors: &Errors) -> TokenStream {
    errors.to_compile_errors()
}
