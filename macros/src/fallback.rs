//! The bodies of a declaration with mistakes: zeros of the declared shapes. What is emitted for them has the interface that the
//! user's crate refers to, so that only the mistakes themselves are reported.

use crate::check::{Bodies, Body, Call, Callee, LossBody, Operand, TensorType, Term, ValueRef};
use crate::network::{Argument, Signature};

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
