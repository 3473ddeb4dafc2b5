//! Tensors of one number, and values taken for constants.

use crate::check::{Call, Site, TensorType};
use crate::error::Checked;
use crate::function::{Accepts, Function, Kind, required};
use crate::graph::ValueId;
use crate::lower::Lowering;

pub(crate) static STOP_GRADIENT: Function = Function {
    name: "stop_gradient",
    kind: Kind::Primitive,
    documentation: "`x`, taken for a constant in derivatives",
    arguments: &[required("x", Accepts::Tensor)],
    check: |site| Ok(vec![site.ty("x")]),
    lower: |lowering, call| {
        let x = lowering.value(call.operand("x"));
        vec![lowering.graph.stop_gradient(x)]
    },
};

pub(crate) static ZEROS: Function = Function {
    name: "zeros",
    kind: Kind::Primitive,
    documentation: "zeros of a shape",
    arguments: &[required("shape", Accepts::Sizes)],
    check: filled,
    lower: |lowering, call| fill(lowering, call, 0.0),
};

pub(crate) static ONES: Function = Function {
    name: "ones",
    kind: Kind::Primitive,
    documentation: "ones of a shape",
    arguments: &[required("shape", Accepts::Sizes)],
    check: filled,
    lower: |lowering, call| fill(lowering, call, 1.0),
};

pub(crate) static CONSTANT: Function = Function {
    name: "constant",
    kind: Kind::Primitive,
    documentation: "one number in every place of a shape",
    arguments: &[required("value", Accepts::Number), required("shape", Accepts::Sizes)],
    check: filled,
    lower: |lowering, call| fill(lowering, call, call.number("value")),
};

fn filled(site: &mut Site<'_, '_>) -> Checked<Vec<TensorType>> {
    Ok(vec![TensorType::real(site.sizes("shape"))])
}

fn fill(lowering: &mut Lowering<'_>, call: &Call, value: f64) -> Vec<ValueId> {
    vec![lowering.graph.constant(value, call.result().clone())]
}
