//! `x.glu()`: one half gates the other.

use crate::check::{TensorType, display_shape};
use crate::error::Diagnostic;
use crate::formula::Formula;
use crate::function::{Accepts, Function, Kind, required};

/// Dauphin et al. (2017): `a * sigmoid(b)` of the halves of the last axis.
pub(crate) static GLU: Function = Function {
    name: "glu",
    kind: Kind::Layer,
    documentation: "a · sigmoid(b) of the two halves of the last axis",
    arguments: &[required("x", Accepts::Tensor)],
    check: |site| {
        let mut shape = site.shape("x");
        match shape.last_mut() {
            Some(last) if *last % 2 == 0 => *last /= 2,
            _ => {
                let (function, note) = (site.name(), site.note(&["x"]));
                let (expected, found) = ("an even last axis".into(), display_shape(&shape));
                return site.fail_here(Diagnostic::Rank { function, expected, found, note });
            }
        }
        Ok(vec![TensorType::real(shape)])
    },
    lower: |lowering, call| {
        let x = lowering.value(call.operand("x"));
        let (axis, half) = (call.result().len() - 1, call.result()[call.result().len() - 1]);
        let value = lowering.graph.slice(x, axis, 0, half);
        let gate = lowering.graph.slice(x, axis, half, 2 * half);
        let formula = Formula::argument(0) * Formula::apply("sigmoid", &[Formula::argument(1)]);
        vec![lowering.graph.map(formula, &[value, gate])]
    },
};
