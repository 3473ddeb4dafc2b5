//! `classes.embedding(width)`: a row of a table for each class.

use crate::check::TensorType;
use crate::function::{Accepts, Default, FROZEN, Function, Kind, NAME, option, required};
use crate::graph::Element;
use crate::network::{Initializer, Role};

/// Start values as in Keras, uniform in -0.05..0.05.
pub(crate) static EMBEDDING: Function = Function {
    name: "embedding",
    kind: Kind::Layer,
    documentation: "for each class its row of a table [classes, width]",
    arguments: &[
        required("classes", Accepts::Classes),
        required("width", Accepts::Size),
        option("weight", Accepts::Initializer, Default::Initializer(Initializer::Uniform(-0.05, 0.05))),
        FROZEN,
        NAME,
    ],
    check: |site| {
        let (TensorType { mut shape, element }, width) = (site.ty("classes"), site.size("width"));
        let start = site.initializer("weight");
        let classes = match element {
            Element::Class(bound) => bound,
            _ => unreachable!("the row accepts classes only"),
        };
        site.parameter("weight", vec![classes, width], Role::Embedding, start)?;
        shape.push(width);
        Ok(vec![TensorType::real(shape)])
    },
    lower: |lowering, call| {
        let classes = lowering.value(call.operand("classes"));
        let table = lowering.parameter(call.parameters[0]);
        vec![lowering.graph.lookup(table, classes)]
    },
};
