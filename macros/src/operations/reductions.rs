//! `sum`, `mean`, `max`, `min`, `variance` over all or some axes, which are dropped.

use crate::check::{Call, Site, TensorType};
use crate::error::Checked;
use crate::formula::Formula;
use crate::function::{Accepts, Argument, Default, Function, Kind, option, required};
use crate::graph::{Graph, Reduction, ValueId};
use crate::lower::Lowering;

const ARGUMENTS: &[Argument] = &[
    required("x", Accepts::Tensor),
    option("axis", Accepts::Axes, Default::Absent),
    option("axes", Accepts::Axes, Default::Absent),
    option("keep", Accepts::Boolean, Default::Boolean(false)),
];

type Lower = fn(&mut Lowering<'_>, &Call) -> Vec<ValueId>;

const fn reduction(name: &'static str, documentation: &'static str, lower: Lower) -> Function {
    Function { name, kind: Kind::Primitive, documentation, arguments: ARGUMENTS, check, lower }
}

pub(crate) static SUM: Function =
    reduction("sum", "sum over `axis` or `axes`, or all; `keep` leaves them with size 1", |lowering, call| {
        reduced(lowering, call, |graph, x, axes| graph.reduce(Reduction::Sum, x, axes))
    });

pub(crate) static MEAN: Function =
    reduction("mean", "mean over `axis` or `axes`, or all", |lowering, call| reduced(lowering, call, Graph::mean));

pub(crate) static MAX: Function = reduction(
    "max",
    "largest element over `axis` or `axes`, or all; of equal ones each gets a share of the gradient",
    |lowering, call| reduced(lowering, call, |graph, x, axes| graph.reduce(Reduction::Max, x, axes)),
);

pub(crate) static MIN: Function = reduction(
    "min",
    "smallest element over `axis` or `axes`, or all; of equal ones each gets a share of the gradient",
    |lowering, call| reduced(lowering, call, |graph, x, axes| graph.reduce(Reduction::Min, x, axes)),
);

pub(crate) static VARIANCE: Function = reduction(
    "variance",
    "mean of the squared distances from the mean over `axis` or `axes`, or all",
    |lowering, call| {
        reduced(lowering, call, |graph, x, axes| {
            let centred = centred(graph, x, axes);
            let square = graph.map(Formula::argument(0).powi(2), &[centred]);
            graph.mean(square, axes)
        })
    },
);

fn check(site: &mut Site<'_, '_>) -> Checked<Vec<TensorType>> {
    let mut shape = site.shape("x");
    let rank = shape.clone();
    if site.is_given("axis") && site.is_given("axes") {
        return site
            .fail("axes", crate::error::Diagnostic::RepeatedOption { function: site.name(), name: "axes".into() });
    }
    let chosen = if site.is_given("axis") { "axis" } else { "axes" };
    let axes = site.axes(chosen, &rank)?;
    for &axis in axes.iter().rev() {
        if site.boolean("keep") {
            shape[axis] = 1;
        } else {
            shape.remove(axis);
        }
    }
    Ok(vec![TensorType::real(shape)])
}

fn reduced(
    lowering: &mut Lowering<'_>,
    call: &Call,
    reduce: impl FnOnce(&mut Graph, ValueId, &[usize]) -> ValueId,
) -> Vec<ValueId> {
    let x = lowering.value(call.operand("x"));
    let mut axes = call.axes("axis");
    axes.extend(call.axes("axes"));
    let value = reduce(&mut lowering.graph, x, &axes);
    vec![lowering.graph.reshape(value, call.result().clone())]
}

/// The distance of each element from the mean over these axes.
pub(crate) fn centred(graph: &mut Graph, x: ValueId, axes: &[usize]) -> ValueId {
    let mean = graph.mean(x, axes);
    let mean = graph.unsqueeze(mean, axes);
    graph.map(Formula::argument(0) - Formula::argument(1), &[x, mean])
}
