//! `reshape`, `flatten`, `transpose`, `concat`: the same elements in other places.

use crate::check::{Call, Site, TensorType, display_shape};
use crate::error::{Checked, Diagnostic};
use crate::function::{Accepts, Default, Function, Kind, Setting, option, optional, required};
use crate::graph::ValueId;
use crate::lower::Lowering;

pub(crate) static RESHAPE: Function = Function {
    name: "reshape",
    kind: Kind::Primitive,
    documentation: "the same elements, in the same order, with another shape",
    arguments: &[required("x", Accepts::AnyTensor), required("shape", Accepts::Sizes)],
    check: |site| {
        let (ty, shape) = (site.ty("x"), site.sizes("shape"));
        let (before, after) =
            (ty.shape.iter().product(), shape.iter().fold(1_usize, |count, &size| count.saturating_mul(size)));
        if before != after {
            let (from, to) = (display_shape(&ty.shape), display_shape(&shape));
            return site.fail("shape", Diagnostic::Reshape { from, to, before, after });
        }
        Ok(vec![TensorType { shape, ..ty }])
    },
    lower: reshaped,
};

pub(crate) static FLATTEN: Function = Function {
    name: "flatten",
    kind: Kind::Primitive,
    documentation: "all elements in one axis",
    arguments: &[required("x", Accepts::AnyTensor)],
    check: |site| {
        let ty = site.ty("x");
        Ok(vec![TensorType { shape: vec![ty.shape.iter().product()], ..ty }])
    },
    lower: reshaped,
};

fn reshaped(lowering: &mut Lowering<'_>, call: &Call) -> Vec<ValueId> {
    let x = lowering.value(call.operand("x"));
    vec![lowering.graph.reshape(x, call.result().clone())]
}

pub(crate) static TRANSPOSE: Function = Function {
    name: "transpose",
    kind: Kind::Primitive,
    documentation: "the axes in the order of `axes`; without, the last two change places",
    arguments: &[required("x", Accepts::Tensor), optional("axes", Accepts::Axes, Default::Absent)],
    check: check_transpose,
    lower: |lowering, call| {
        let x = lowering.value(call.operand("x"));
        vec![lowering.graph.transpose(x, &call.axes("axes"))]
    },
};

fn check_transpose(site: &mut Site<'_, '_>) -> Checked<Vec<TensorType>> {
    let shape = site.shape("x");
    let rank = shape.len();
    if !site.is_given("axes") {
        if rank < 2 {
            let (function, found, note) = (site.name(), display_shape(&shape), site.note(&["x"]));
            let expected = "at least two axes".into();
            return site.fail_here(Diagnostic::Rank { function, expected, found, note });
        }
        let mut axes: Vec<i64> = (0..rank as i64).collect();
        axes.swap(rank - 1, rank - 2);
        site.set("axes", Setting::Axes(axes));
    }
    let axes = site.ordered_axes("axes", &shape)?;
    if axes.len() != rank {
        return site.fail("axes", Diagnostic::Permutation { shape: display_shape(&shape), rank });
    }
    Ok(vec![TensorType::real(axes.iter().map(|&axis| shape[axis]).collect())])
}

pub(crate) static CONCAT: Function = Function {
    name: "concat",
    kind: Kind::Primitive,
    documentation: "tensors one behind the other along `axis`",
    arguments: &[required("tensors", Accepts::Tensors), option("axis", Accepts::Axes, Default::Axis(0))],
    check: check_concat,
    lower: |lowering, call| {
        let parts: Vec<ValueId> = call.operands("tensors").iter().map(|part| lowering.value(part)).collect();
        vec![lowering.graph.concat(&parts, call.axes("axis")[0])]
    },
};

fn check_concat(site: &mut Site<'_, '_>) -> Checked<Vec<TensorType>> {
    let shapes = site.shapes("tensors");
    let Some((first, others)) = shapes.split_first() else {
        let (function, form) = (site.name(), "`concat((a, b), axis = 0)`".into());
        return site
            .fail("tensors", Diagnostic::MissingArgument { function, argument: "tensors to join".into(), form });
    };
    let axes = site.axes("axis", first)?;
    let &[axis] = axes.as_slice() else {
        let (function, expected) = (site.name(), "one axis".into());
        let (found, note) = (display_shape(first), "a scalar has no axis to join along".into());
        return site.fail_here(Diagnostic::Rank { function, expected, found, note });
    };
    let mut shape = first.clone();
    for other in others {
        let fits = other.len() == first.len()
            && other.iter().zip(first).enumerate().all(|(place, (a, b))| place == axis || a == b);
        if !fits {
            let (first, other) = (display_shape(first), display_shape(other));
            return site.fail("tensors", Diagnostic::Concat { first, other, axis });
        }
        shape[axis] = shape[axis].saturating_add(other[axis]);
    }
    Ok(vec![TensorType::real(shape)])
}
