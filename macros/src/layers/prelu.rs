//! `x.prelu()`: a leaky ReLU whose slope is learnt.

use crate::formula::Formula;
use crate::function::{Accepts, Default, FROZEN, Function, Kind, NAME, option, required};
use crate::network::{Initializer, Role};

/// He et al. (2015): one slope for the layer, starting at 0.25, as in PyTorch.
pub(crate) static PRELU: Function = Function {
    name: "prelu",
    kind: Kind::Layer,
    documentation: "x where x > 0, else slope · x; the slope is learnt",
    arguments: &[
        required("x", Accepts::Tensor),
        option("slope", Accepts::Initializer, Default::Initializer(Initializer::Constant(0.25))),
        FROZEN,
        NAME,
    ],
    check: |site| {
        let start = site.initializer("slope");
        site.parameter("slope", Vec::new(), Role::Other, start)?;
        Ok(vec![site.ty("x")])
    },
    lower: |lowering, call| {
        let x = lowering.value(call.operand("x"));
        let slope = lowering.parameter(call.parameters[0]);
        let [value, factor] = [Formula::argument(0), Formula::argument(1)];
        let positive = Formula::apply("gt", &[value.clone(), Formula::constant(0.0)]);
        let formula = Formula::apply("select", &[positive, value.clone(), factor * value]);
        vec![lowering.graph.map(formula, &[x, slope])]
    },
};
