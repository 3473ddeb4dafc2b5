//! What stands for a network with mistakes.

use proc_macro2::TokenStream;
use quote::quote;

use crate::check::{Bodies, Body, Call, Callee, LossBody, Operand, TensorType, Term, ValueRef};
use crate::error::Errors;
use crate::network::{Argument, Signature};
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
        #visibility type #name<T = f32> = <[T; #first] as ::core::iter::IntoIterator>::Item;
        #(#messages)*
    }
}

/// Inputs and outputs of a public function.
type Interface<'a> = (&'a [Argument], &'a [Signature]);

/// Bodies for `forward`, for `loss` if there are targets, and for public functions.
pub(crate) fn bodies(
    inputs: &[Argument],
    outputs: &[Signature],
    targets: Option<&Vec<Argument>>,
    methods: Vec<Interface<'_>>,
) -> Bodies {
    let mut values = Values(0);
    let forward = values.body(inputs, outputs);
    let loss = targets.map(|targets| {
        let mut inputs: Vec<Operand> = outputs.iter().map(|output| values.operand(output)).collect();
        inputs.extend(targets.iter().map(|target| values.operand(&target.signature)));
        let scalar = Signature { shape: Vec::new(), element: crate::graph::Element::Real, per_step: false };
        let value = values.zeros(&scalar);
        let terms = vec![Term { value: value.results[0].value, weight: None }];
        LossBody { inputs, calls: vec![value], terms }
    });
    let methods = methods.into_iter().map(|(inputs, outputs)| values.body(inputs, outputs)).collect();
    Bodies { forward, loss, methods }
}

/// The number of values made.
struct Values(usize);

impl Values {
    fn operand(&mut self, signature: &Signature) -> Operand {
        self.0 += 1;
        let ty = TensorType { shape: signature.shape.clone(), element: signature.element };
        Operand { value: ValueRef(self.0 - 1), ty }
    }

    fn zeros(&mut self, signature: &Signature) -> Call {
        Call {
            callee: Callee::Constant(0.0),
            settings: Vec::new(),
            parameters: Vec::new(),
            results: vec![self.operand(signature)],
            label: None,
            number: 0,
        }
    }

    fn body(&mut self, inputs: &[Argument], outputs: &[Signature]) -> Body {
        let inputs = inputs.iter().map(|input| self.operand(&input.signature)).collect();
        let calls: Vec<Call> = outputs.iter().map(|output| self.zeros(output)).collect();
        let outputs = calls.iter().flat_map(|call| call.results.clone()).collect();
        Body { inputs, calls, outputs }
    }
}
