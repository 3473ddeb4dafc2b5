//! `layer_norm` and `rms_norm`: elements of the last axis brought to a common scale.

use crate::check::{Call, Site, TensorType, display_shape};
use crate::error::{Checked, Diagnostic};
use crate::formula::Formula;
use crate::function::{Accepts, Default, FROZEN, Function, Kind, NAME, option, required};
use crate::graph::ValueId;
use crate::lower::Lowering;
use crate::network::{Initializer, Role};

/// Ba, Kiros & Hinton (2016); `epsilon` as in PyTorch.
pub(crate) static LAYER_NORM: Function = Function {
    name: "layer_norm",
    kind: Kind::Layer,
    documentation: "(x - mean) / sqrt(variance + epsilon) · weight + bias over the last axis",
    arguments: &[
        required("x", Accepts::Tensor),
        option("epsilon", Accepts::Number, Default::Number(1e-5)),
        option("weight", Accepts::Boolean, Default::Boolean(true)),
        option("bias", Accepts::Boolean, Default::Boolean(true)),
        FROZEN,
        NAME,
    ],
    check: |site| {
        let (shape, width) = scale(site)?;
        if site.boolean("bias") {
            site.parameter("bias", vec![width], Role::Normalization, Initializer::Zeros)?;
        }
        Ok(vec![TensorType::real(shape)])
    },
    lower: |lowering, call| {
        let x = lowering.value(call.operand("x"));
        let axis = call.result().len() - 1;
        let centred = crate::operations::centred(&mut lowering.graph, x, &[axis]);
        normalized(lowering, call, centred)
    },
};

/// Zhang & Sennrich (2019).
pub(crate) static RMS_NORM: Function = Function {
    name: "rms_norm",
    kind: Kind::Layer,
    documentation: "x / sqrt(mean of x² + epsilon) · weight over the last axis",
    arguments: &[
        required("x", Accepts::Tensor),
        option("epsilon", Accepts::Number, Default::Number(1e-5)),
        option("weight", Accepts::Boolean, Default::Boolean(true)),
        FROZEN,
        NAME,
    ],
    check: |site| Ok(vec![TensorType::real(scale(site)?.0)]),
    lower: |lowering, call| {
        let x = lowering.value(call.operand("x"));
        normalized(lowering, call, x)
    },
};

/// The shape and its last size; the weight, if there is one.
fn scale(site: &mut Site<'_, '_>) -> Checked<(Vec<usize>, usize)> {
    let (shape, epsilon) = (site.shape("x"), site.number("epsilon"));
    site.holds("epsilon", epsilon >= 0.0 && epsilon.is_finite(), "at least 0")?;
    let Some(&width) = shape.last() else {
        let (function, expected, note) = (site.name(), "at least one axis".into(), site.note(&["x"]));
        return site.fail_here(Diagnostic::Rank { function, expected, found: display_shape(&shape), note });
    };
    if site.boolean("weight") {
        site.parameter("weight", vec![width], Role::Normalization, Initializer::Constant(1.0))?;
    }
    Ok((shape, width))
}

/// `x / sqrt(mean of x² + epsilon)` over the last axis, times the first parameter, plus the second.
fn normalized(lowering: &mut Lowering<'_>, call: &Call, x: ValueId) -> Vec<ValueId> {
    let axis = call.result().len() - 1;
    let graph = &mut lowering.graph;
    let square = graph.map(Formula::argument(0).powi(2), &[x]);
    let mean = graph.mean(square, &[axis]);
    let mean = graph.unsqueeze(mean, &[axis]);
    let root = Formula::apply("sqrt", &[Formula::argument(0) + Formula::constant(call.number("epsilon"))]);
    let scale = graph.map(Formula::constant(1.0) / root, &[mean]);
    let mut value = graph.map(Formula::argument(0) * Formula::argument(1), &[x, scale]);
    let mut parameters = call.parameters.iter();
    if call.boolean("weight")
        && let Some(&weight) = parameters.next()
    {
        let weight = lowering.parameter(weight);
        value = lowering.graph.map(Formula::argument(0) * Formula::argument(1), &[value, weight]);
    }
    if let Some(&bias) = parameters.next() {
        let bias = lowering.parameter(bias);
        value = lowering.graph.map(Formula::argument(0) + Formula::argument(1), &[value, bias]);
    }
    vec![value]
}
