//! Types of inputs, targets and outputs as the user's program sees them.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::parameters::array;
use crate::graph::Element;
use crate::network::Signature;

/// One as itself, several as a tuple, none as `()`.
pub(super) fn tuple(parts: Vec<TokenStream>) -> TokenStream {
    match &parts[..] {
        [only] => only.clone(),
        _ => quote!((#(#parts),*)),
    }
}

/// One sample's tensor: `[[T; 3]; 2]`, `Class<10>`.
pub(super) fn sample(signature: &Signature) -> TokenStream {
    let element = match signature.element {
        Element::Real => quote!(T),
        Element::Class(bound) => {
            let bound = Literal::usize_unsuffixed(bound);
            quote!(::backprop::Class<#bound>)
        }
        Element::Length(bound) => {
            let bound = Literal::usize_unsuffixed(bound);
            quote!(::backprop::Length<#bound>)
        }
    };
    array(element, &signature.shape)
}

fn slice(signature: &Signature) -> TokenStream {
    let sample = sample(signature);
    if signature.per_step { quote!(T) } else { quote!(&'a [#sample]) }
}

/// A batch as an argument of a method, which may live for a shorter time than the results.
pub(super) fn argument(signature: &Signature) -> TokenStream {
    let sample = sample(signature);
    if signature.per_step { quote!(T) } else { quote!(&[#sample]) }
}

fn reference(signature: &Signature) -> TokenStream {
    let sample = sample(signature);
    if signature.per_step { quote!(T) } else { quote!(&'a #sample) }
}

pub(super) fn slices(signatures: &[Signature]) -> TokenStream {
    tuple(signatures.iter().map(slice).collect())
}

pub(super) fn associated_types(
    inputs: &[Signature],
    targets: &[Signature],
    outputs: &[Signature],
    input_gradients: &[Signature],
) -> TokenStream {
    let [batch, targets, results, gradients] = [inputs, targets, outputs, input_gradients].map(slices);
    let one = tuple(inputs.iter().map(reference).collect());
    let output = tuple(outputs.iter().map(sample).collect());
    quote! {
        type Inputs<'a> = #batch;
        type Sample<'a> = #one;
        type Targets<'a> = #targets;
        type Output = #output;
        type Outputs<'a> = #results;
        type InputGradients<'a> = #gradients;
    }
}

/// `Program::batch_of_one`.
pub(super) fn batch_of_one(inputs: &[Signature]) -> TokenStream {
    let names: Vec<_> = (0..inputs.len()).map(|index| format_ident!("input_{index}")).collect();
    let pattern = tuple(names.iter().map(|name| quote!(#name)).collect());
    let batches = names
        .iter()
        .zip(inputs)
        .map(|(name, input)| if input.per_step { quote!(#name) } else { quote!(::core::slice::from_ref(#name)) });
    let batches = tuple(batches.collect());
    quote! {
        #[inline(always)]
        fn batch_of_one<'a>(sample: Self::Sample<'a>) -> Self::Inputs<'a> {
            let #pattern = sample;
            #batches
        }
    }
}

/// `Program::first_output`.
pub(super) fn first_output(outputs: usize) -> TokenStream {
    let names: Vec<_> = (0..outputs).map(|index| format_ident!("output_{index}")).collect();
    let pattern = tuple(names.iter().map(|name| quote!(#name)).collect());
    let first = tuple(names.iter().map(|name| quote!(*#name.first()?)).collect());
    quote! {
        #[inline(always)]
        fn first_output(outputs: Self::Outputs<'_>) -> ::core::option::Option<Self::Output> {
            let #pattern = outputs;
            ::core::option::Option::Some(#first)
        }
    }
}
