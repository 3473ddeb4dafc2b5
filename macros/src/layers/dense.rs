//! `x.dense(width)`: `x · weight + bias` on the last axis.

use crate::check::{Call, Site, TensorType, display_shape};
use crate::error::{Checked, Diagnostic};
use crate::formula::Formula;
use crate::function::{Accepts, Default, FROZEN, Function, Kind, NAME, option, required};
use crate::graph::ValueId;
use crate::lower::Lowering;
use crate::network::{Initializer, Role};

pub(crate) static DENSE: Function = Function {
    name: "dense",
    kind: Kind::Layer,
    documentation: "x · weight + bias on the last axis; weight [in, width]",
    arguments: &[
        required("x", Accepts::Tensor),
        required("width", Accepts::Size),
        option("bias", Accepts::Boolean, Default::Boolean(true)),
        option("weight", Accepts::Initializer, Default::Initializer(Initializer::GlorotUniform)),
        option("bias_start", Accepts::Initializer, Default::Initializer(Initializer::Zeros)),
        FROZEN,
        NAME,
    ],
    check,
    lower,
};

fn check(site: &mut Site<'_, '_>) -> Checked<Vec<TensorType>> {
    let (mut shape, width) = (site.shape("x"), site.size("width"));
    let Some(last) = shape.last_mut() else {
        let (function, expected, note) = (site.name(), "at least one axis".into(), site.note(&["x"]));
        return site.fail_here(Diagnostic::Rank { function, expected, found: display_shape(&shape), note });
    };
    let inputs = std::mem::replace(last, width);
    let (weight, bias) = (site.initializer("weight"), site.initializer("bias_start"));
    site.parameter("weight", vec![inputs, width], Role::Weight, weight)?;
    if site.boolean("bias") {
        site.parameter("bias", vec![width], Role::Bias, bias)?;
    }
    let rows: usize = shape.iter().product();
    site.multiply_adds(rows.saturating_mul(inputs));
    Ok(vec![TensorType::real(shape)])
}

fn lower(lowering: &mut Lowering<'_>, call: &Call) -> Vec<ValueId> {
    let x = lowering.value(call.operand("x"));
    let weight = lowering.parameter(call.parameters[0]);
    let product = crate::operations::matmul(lowering, x, weight);
    let mut value = lowering.graph.reshape(product, call.result().clone());
    if let Some(&bias) = call.parameters.get(1) {
        let bias = lowering.parameter(bias);
        value = lowering.graph.map(Formula::argument(0) + Formula::argument(1), &[value, bias]);
    }
    vec![value]
}
