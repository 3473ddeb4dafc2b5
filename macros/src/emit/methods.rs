//! Further entry points: inherent methods that run forward only.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;

use super::kernels::Writer;
use super::{bind_inputs, result_slice, signature};
use crate::entries::{EntryPoint, EntryPoints};
use crate::network::{Argument, Method, Network, Signature};

/// `name`: what the network is called within the generated code.
pub(super) fn methods(
    network: &Network,
    name: &Ident,
    entries: &EntryPoints,
    writer: &mut Writer,
    sample_size: usize,
) -> TokenStream {
    let methods = network
        .methods
        .iter()
        .zip(&entries.methods)
        .map(|(declared, entry)| method(name, declared, entry, writer, sample_size));
    let methods: Vec<(TokenStream, TokenStream)> = methods.collect();
    if methods.is_empty() {
        return quote!();
    }
    let (public, passes): (Vec<_>, Vec<_>) = methods.into_iter().unzip();
    quote! {
        #(#passes)*
        impl<T: runtime::Scalar> #name<T> { #(#public)* }
    }
}

/// The method, and the type that carries its call to the vector unit that the workspace has chosen.
fn method(
    network_name: &Ident,
    declared: &Method,
    entry: &EntryPoint,
    writer: &mut Writer,
    sample_size: usize,
) -> (TokenStream, TokenStream) {
    let Method { name, visibility, attributes, .. } = declared;
    let signatures: Vec<Signature> = declared.inputs.iter().map(|input| input.signature.clone()).collect();
    let inputs = signature::slices(&signatures);
    let outputs = signature::slices(&declared.outputs);
    let pass = format_ident!("Pass_{}", name.unraw().to_string());
    let names: Vec<Ident> = declared.inputs.iter().enumerate().map(argument_name).collect();
    // Apart from an argument that the user calls so.
    let workspace = Ident::new("workspace", Span::mixed_site());
    let types: Vec<_> = signatures.iter().map(signature::argument).collect();
    let bind = bind_inputs(&declared.inputs, &quote!(inputs), 0);
    let body = writer.calls(&entry.schedule, &entry.schedule.kernels);
    let slices = entry.schedule.results.iter().map(|view| result_slice(&entry.schedule, view, sample_size));
    let results = signature::tuple(slices.collect());
    let all = signature::tuple(names.iter().map(|name| quote!(#name)).collect());
    let public = quote! {
        #attributes
        ///
        /// # Errors
        /// When the inputs are empty, of different lengths, more than the capacity, or not finite.
        #visibility fn #name<'a, const CAPACITY: usize>(
            &self, #(#names: #types,)* #workspace: &'a mut runtime::Workspace<Self, CAPACITY>,
        ) -> ::core::result::Result<#outputs, runtime::Error> {
            runtime::run_method::<Self, #pass, CAPACITY>(self, #all, #workspace)
        }
    };
    let pass = quote! {
        struct #pass;
        impl<T: runtime::Scalar> runtime::Method<#network_name<T>> for #pass {
            type Inputs<'a> = #inputs;
            type Outputs<'a> = #outputs;
            #[inline(always)]
            fn run<X: runtime::Machine, const CAPACITY: usize>(
                network: &#network_name<T>, machine: X, inputs: Self::Inputs<'_>, samples: usize,
                memory: &mut <#network_name<T> as runtime::Program>::Memory<CAPACITY>,
            ) {
                let parameters = runtime::Readable::from(runtime::Flat::as_flat(network));
                let memory = runtime::cells(memory);
                let accumulate = false;
                #bind
                #body
            }
            fn outputs<const CAPACITY: usize>(
                memory: &<#network_name<T> as runtime::Program>::Memory<CAPACITY>, samples: usize,
            ) -> Self::Outputs<'_> {
                let memory = runtime::Flat::as_flat(memory);
                #results
            }
        }
    };
    (public, pass)
}

/// An argument that the user calls `_`, or as constants and variants are called, is passed on all the same.
fn argument_name((index, argument): (usize, &Argument)) -> Ident {
    let name = argument.name.as_str();
    if name == "_" || name.starts_with(char::is_uppercase) {
        Ident::new(&format!("argument_{index}"), Span::mixed_site())
    } else {
        format_ident!("{name}")
    }
}
