//! `x.dropout(rate)`: in training, zero with probability `rate`, else `x / (1 - rate)`; `x` otherwise.

use crate::formula::Formula;
use crate::function::{Accepts, Function, Kind, required};
use crate::lower::Mode;

/// Inverted dropout (Srivastava et al., 2014, as in Keras and PyTorch): nothing happens in inference.
pub(crate) static DROPOUT: Function = Function {
    name: "dropout",
    kind: Kind::Layer,
    documentation: "in training, 0 with probability `rate`, else x / (1 - rate)",
    arguments: &[required("x", Accepts::Tensor), required("rate", Accepts::Number)],
    check: |site| {
        let rate = site.number("rate");
        site.holds("rate", (0.0..1.0).contains(&rate), "at least 0 and below 1")?;
        Ok(vec![site.ty("x")])
    },
    lower: |lowering, call| {
        let (x, rate) = (lowering.value(call.operand("x")), call.number("rate"));
        if lowering.mode == Mode::Inference || rate == 0.0 {
            return vec![x];
        }
        let draw = lowering.graph.random(call.number, call.result().clone());
        let kept = Formula::apply("ge", &[Formula::argument(1), Formula::constant(rate)]);
        let scaled = Formula::argument(0) * Formula::constant(1.0 / (1.0 - rate));
        let formula = Formula::apply("select", &[kept, scaled, Formula::constant(0.0)]);
        vec![lowering.graph.map(formula, &[x, draw])]
    },
};
