//! Parts of tensors by constant places, by classes and by lengths.

use crate::check::{Call, Site, TensorType, display_shape};
use crate::error::{Checked, Diagnostic};
use crate::formula::Formula;
use crate::function::{Accepts, Default, Function, Kind, option, required};
use crate::graph::{Element, Reduction, ValueId};
use crate::lower::Lowering;

/// `x[a..b]`, from the checker's index syntax.
pub(crate) static SLICE: Function = Function {
    name: "slice",
    kind: Kind::Primitive,
    documentation: "`start..end` of `axis`",
    arguments: &[
        required("x", Accepts::AnyTensor),
        required("axis", Accepts::Axes),
        required("start", Accepts::Integer),
        required("end", Accepts::Integer),
    ],
    check: |_| unreachable!("slices are checked where they are indexed"),
    lower: |lowering, call| {
        let x = lowering.value(call.operand("x"));
        vec![lowering.graph.slice(x, call.axes("axis")[0], call.integer("start"), call.integer("end"))]
    },
};

/// `x[a]`, from the checker's index syntax.
pub(crate) static ELEMENT: Function = Function {
    name: "element",
    kind: Kind::Primitive,
    documentation: "the element at `place` of `axis`, which is dropped",
    arguments: &[
        required("x", Accepts::AnyTensor),
        required("axis", Accepts::Axes),
        required("place", Accepts::Integer),
    ],
    check: |_| unreachable!("elements are checked where they are indexed"),
    lower: |lowering, call| {
        let (x, place) = (lowering.value(call.operand("x")), call.integer("place"));
        let slice = lowering.graph.slice(x, call.axes("axis")[0], place, place + 1);
        vec![lowering.graph.reshape(slice, call.result().clone())]
    },
};

pub(crate) static LOOKUP: Function = Function {
    name: "lookup",
    kind: Kind::Primitive,
    documentation: "for each class its row of `table`",
    arguments: &[required("classes", Accepts::Classes), required("table", Accepts::Tensor)],
    check: check_lookup,
    lower: |lowering, call| {
        let (classes, table) = (lowering.value(call.operand("classes")), lowering.value(call.operand("table")));
        vec![lowering.graph.lookup(table, classes)]
    },
};

fn check_lookup(site: &mut Site<'_, '_>) -> Checked<Vec<TensorType>> {
    let (classes, table) = (site.ty("classes"), site.shape("table"));
    let note = site.note(&["classes", "table"]);
    if table.is_empty() {
        let (function, expected) = (site.name(), "a table with a row for each class".into());
        return site.fail("table", Diagnostic::Rank { function, expected, found: display_shape(&table), note });
    }
    if let Element::Class(bound) = classes.element
        && bound != table[0]
    {
        return site.fail_here(Diagnostic::Classes { function: site.name(), classes: bound, rows: table[0], note });
    }
    let mut shape = classes.shape;
    shape.extend_from_slice(&table[1..]);
    Ok(vec![TensorType::real(shape)])
}

pub(crate) static ONE_HOT: Function = Function {
    name: "one_hot",
    kind: Kind::Primitive,
    documentation: "for each class `Class<N>` N numbers, 1 at the class and 0 elsewhere",
    arguments: &[required("classes", Accepts::Classes)],
    check: |site| {
        let TensorType { mut shape, element } = site.ty("classes");
        if let Element::Class(bound) = element {
            shape.push(bound);
        }
        Ok(vec![TensorType::real(shape)])
    },
    lower: |lowering, call| {
        let classes = lowering.value(call.operand("classes"));
        let bound = call.result().last().copied().unwrap_or(1);
        vec![lowering.graph.one_hot(classes, bound)]
    },
};

pub(crate) static LAST: Function = Function {
    name: "last",
    kind: Kind::Primitive,
    documentation: "the last element of a sequence along its first axis; with `length`, the last within it",
    arguments: &[required("x", Accepts::Tensor), option("length", Accepts::Length, Default::Absent)],
    check: |site| {
        let shape = site.shape("x");
        let Some((&steps, rest)) = shape.split_first() else {
            let (function, expected, note) = (site.name(), "a sequence".into(), site.note(&["x"]));
            return site.fail_here(Diagnostic::Rank { function, expected, found: display_shape(&shape), note });
        };
        site.length(steps)?;
        Ok(vec![TensorType::real(rest.to_vec())])
    },
    lower: lower_last,
};

fn lower_last(lowering: &mut Lowering<'_>, call: &Call) -> Vec<ValueId> {
    let x = lowering.value(call.operand("x"));
    let length = call.optional_operand("length").map(|length| lowering.value(length));
    if let Some(carry) = lowering.last_state(x, length) {
        return vec![carry];
    }
    let graph = &mut lowering.graph;
    let shape = graph.shape(x).to_vec();
    let steps = shape[0];
    let Some(length) = length else {
        let slice = graph.slice(x, 0, steps - 1, steps);
        return vec![graph.reshape(slice, call.result().clone())];
    };
    // The sum of the sequence where the position is `length - 1`.
    let position = graph.position(steps, 0, shape.len());
    let hit = Formula::apply("eq", &[Formula::argument(0) + Formula::constant(1.0), Formula::argument(1)]);
    let picked = Formula::apply("select", &[hit, Formula::argument(2), Formula::constant(0.0)]);
    let picked = graph.map(picked, &[position, length, x]);
    vec![graph.reduce(Reduction::Sum, picked, &[0])]
}
