//! `x.matmul(w)`: sums of products along the inner axis.

use crate::check::{Call, Site, TensorType, display_shape};
use crate::error::{Checked, Diagnostic};
use crate::function::{Accepts, Function, Kind, required};
use crate::graph::ValueId;
use crate::lower::Lowering;

pub(crate) static MATMUL: Function = Function {
    name: "matmul",
    kind: Kind::Primitive,
    documentation: "matrix product over the last axis of `x` and the last but one of `other`; leading axes are equal, or only `x` has some",
    arguments: &[required("x", Accepts::Tensor), required("other", Accepts::Tensor)],
    check,
    lower,
};

fn check(site: &mut Site<'_, '_>) -> Checked<Vec<TensorType>> {
    let (left, right) = (site.shape("x"), site.shape("other"));
    let note = site.note(&["x", "other"]);
    let texts = (display_shape(&left), display_shape(&right));
    let wrong_rank = Diagnostic::MatmulRank { left: texts.0.clone(), right: texts.1.clone(), note: note.clone() };
    let (Some(&inner), false) = (left.last(), right.is_empty()) else { return site.fail_here(wrong_rank) };
    let rows = right[right.len().saturating_sub(2)];
    let lead = match right.len() {
        0..=2 => true,
        rank => left.len() == rank && left[..rank - 2] == right[..rank - 2],
    };
    if !lead {
        return site.fail_here(wrong_rank);
    }
    if inner != rows {
        let mut wanted = right.clone();
        let place = wanted.len().saturating_sub(2);
        if right[right.len() - 1] == inner {
            // A weight with the outputs first, as PyTorch has it.
            wanted.swap(place, right.len() - 1);
        } else {
            wanted[place] = inner;
        }
        let wanted = display_shape(&wanted);
        let remedy = match (site.declared("other"), site.declared("x")) {
            (Some(name), _) => format!("declare `{name}: {wanted}`, or make the last axis of the left side {rows}"),
            (None, Some(name)) => {
                let mut declared = left.clone();
                declared[left.len() - 1] = rows;
                format!("declare `{name}: {}`, or make the right side {wanted}", display_shape(&declared))
            }
            (None, None) => format!("make the right side {wanted}, or the last axis of the left side {rows}"),
        };
        let (left, right) = texts;
        return site.fail_here(Diagnostic::MatmulInner { left, right, note, remedy });
    }
    let mut shape = left[..left.len() - 1].to_vec();
    let width = if right.len() >= 2 { right[right.len() - 1] } else { 1 };
    if right.len() >= 2 {
        shape.push(width);
    }
    site.multiply_adds(left.iter().product::<usize>().saturating_mul(width));
    Ok(vec![TensorType::real(shape)])
}

fn lower(lowering: &mut Lowering<'_>, call: &Call) -> Vec<ValueId> {
    let (left, right) = (lowering.value(call.operand("x")), lowering.value(call.operand("other")));
    let product = matmul(lowering, left, right);
    vec![lowering.graph.reshape(product, call.result().clone())]
}

/// The product, where vectors count as one row at the left and one column at the right.
pub(crate) fn matmul(lowering: &mut Lowering<'_>, left: ValueId, right: ValueId) -> ValueId {
    let graph = &mut lowering.graph;
    let left = if graph.shape(left).len() == 1 { graph.unsqueeze(left, &[0]) } else { left };
    let right = if graph.shape(right).len() == 1 { graph.unsqueeze(right, &[1]) } else { right };
    graph.matmul(left, right)
}
