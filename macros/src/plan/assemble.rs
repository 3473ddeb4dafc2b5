//! The kernel calls of a group, with the strides of all operands over the kernel's loops.

mod contract;
mod nest;
mod scan;

use super::Planner;
use super::group::{Groups, Kind};
use super::location::Locations;
use super::schedule::{Destination, Extent, Kernel, Operand};
use super::view::{Source, View, dense_strides};
use crate::formula::Formula;
use crate::graph::{Element, Op, ValueId};

/// Appends the kernels of one group.
pub(super) fn group(
    planner: &mut Planner,
    locations: &mut Locations,
    groups: &Groups,
    index: usize,
    needed: &[bool],
    kernels: &mut Vec<Kernel>,
) {
    match groups.groups[index].kind {
        Kind::Nest => nest::group(planner, locations, groups, index, needed, kernels),
        Kind::Contract => contract::group(planner, locations, groups, index, needed, kernels),
        Kind::Single => single(planner, locations, groups.groups[index].members[0], kernels),
    }
}

/// An operation with a kernel of its own.
fn single(planner: &mut Planner, locations: &mut Locations, value: ValueId, kernels: &mut Vec<Kernel>) {
    let graph = locations.graph;
    let node = graph.node(value);
    match &node.op {
        Op::Scan(inner) => scan::scan(planner, locations, value, inner, kernels),
        Op::Random(stream) => {
            let output = planner.buffer(&node.ty);
            kernels.push(Kernel::Random { stream: *stream, loops: planner.enclosing.clone(), output: output.clone() });
            locations.put(value, output);
        }
        Op::Pad { axis, before, .. } => {
            let output = locations.make(planner, value);
            kernels.push(copy(&View::uniform(Source::Constant(0), &output.shape), &output, node.ty.batched));
            let input = locations.view(planner, node.inputs[0], kernels);
            let part = output.slice(*axis, *before, *before + input.shape[*axis]);
            kernels.push(copy(&input, &part, node.ty.batched));
        }
        Op::Concat { axis } => {
            let output = locations.make(planner, value);
            let mut start = 0;
            for &input in &node.inputs {
                let view = locations.view(planner, input, kernels);
                let end = start + view.shape[*axis];
                let part = output.slice(*axis, start, end);
                if view != part {
                    kernels.push(copy(&view, &part, node.ty.batched));
                }
                start = end;
            }
        }
        Op::Lookup => lookup(planner, locations, value, kernels),
        Op::LookupAdjoint { rows } => lookup_adjoint(planner, locations, value, *rows, kernels),
        op => unreachable!("{op:?} has no kernel of its own"),
    }
}

fn lookup(planner: &mut Planner, locations: &mut Locations, value: ValueId, kernels: &mut Vec<Kernel>) {
    let graph = locations.graph;
    let node = graph.node(value);
    let table = dense(planner, locations, node.inputs[0], kernels);
    let indices = locations.view(planner, node.inputs[1], kernels);
    let rank = indices.shape.len();
    let output = locations.make(planner, value);
    let width = output.shape[rank..].iter().product();
    let flat = View { shape: output.shape[..rank].to_vec(), strides: output.strides[..rank].to_vec(), ..output };
    let rows = table.shape[0];
    let dimensions = Dimensions::new(node.ty.batched, &indices.shape, &[&indices, &flat]);
    let [indices, output] = dimensions.operands([indices, flat]);
    kernels.push(Kernel::Lookup { extents: dimensions.extents, table, rows, width, indices, output });
}

fn lookup_adjoint(
    planner: &mut Planner,
    locations: &mut Locations,
    value: ValueId,
    rows: usize,
    kernels: &mut Vec<Kernel>,
) {
    let graph = locations.graph;
    let node = graph.node(value);
    let indices = locations.view(planner, node.inputs[0], kernels);
    let gradient = dense(planner, locations, node.inputs[1], kernels);
    let rank = indices.shape.len();
    let output = locations.make(planner, value);
    let width = output.shape[1..].iter().product();
    let batched = graph.ty(node.inputs[0]).batched || graph.ty(node.inputs[1]).batched;
    let flat = View { shape: indices.shape.clone(), strides: gradient.strides[..rank].to_vec(), ..gradient };
    let dimensions = Dimensions::new(batched, &indices.shape, &[&indices, &flat]);
    let [indices, gradient] = dimensions.operands([indices, flat]);
    kernels.push(Kernel::LookupAdjoint { extents: dimensions.extents, rows, width, indices, gradient, output });
}

/// A value that lies in memory as numbers.
fn stored(planner: &mut Planner, locations: &mut Locations, value: ValueId, kernels: &mut Vec<Kernel>) -> View {
    let view = locations.view(planner, value, kernels);
    if view.source.is_memory() && view.element == Element::Real {
        return view;
    }
    let output = planner.buffer(locations.graph.ty(value));
    kernels.push(copy(&view, &output, locations.graph.ty(value).batched));
    output
}

/// A value in row-major order, copied if it lies otherwise.
fn dense(planner: &mut Planner, locations: &mut Locations, value: ValueId, kernels: &mut Vec<Kernel>) -> View {
    let view = stored(planner, locations, value, kernels);
    if view.strides == dense_strides(&view.shape) {
        return view;
    }
    let output = planner.buffer(locations.graph.ty(value));
    kernels.push(copy(&view, &output, locations.graph.ty(value).batched));
    output
}

/// A loop nest that copies one place to another.
pub(super) fn copy(from: &View, to: &View, batched: bool) -> Kernel {
    let from = from.broadcast(&to.shape);
    let mut operands = Operands::default();
    let formula = operands.formula(from, 0);
    let views: Vec<&View> = operands.views.iter().chain([to]).collect();
    let dimensions = Dimensions::new(batched, &to.shape, &views);
    let inputs = operands.views.iter().map(|view| dimensions.operand(view.clone())).collect();
    let outputs = vec![Destination { operand: dimensions.operand(to.clone()), reduction: None }];
    Kernel::Nest { extents: dimensions.extents, inputs, outputs, formulas: vec![formula] }
}

/// The loops of a kernel: samples and axes, neighbours merged where all operands allow it.
struct Dimensions {
    extents: Vec<Extent>,
    /// For each dimension, outermost first: the merged axes, innermost last (`None`: the samples).
    axes: Vec<Vec<Option<usize>>>,
}

impl Dimensions {
    fn new(samples: bool, shape: &[usize], views: &[&View]) -> Self {
        let axes =
            samples.then_some(None).into_iter().chain((0..shape.len()).filter(|&axis| shape[axis] != 1).map(Some));
        let mut found = Dimensions { extents: Vec::new(), axes: Vec::new() };
        for axis in axes {
            let extent = match axis {
                None => Extent { count: 1, samples: true },
                Some(axis) => Extent { count: shape[axis], samples: false },
            };
            let merges = found.axes.last().is_some_and(|outer: &Vec<Option<usize>>| {
                let outer = *outer.last().expect("never empty");
                views.iter().all(|view| stride(view, outer) == extent.count * stride(view, axis))
            });
            if merges {
                let last = found.extents.last_mut().expect("one for each group of axes");
                last.count *= extent.count;
                found.axes.last_mut().expect("not empty").push(axis);
            } else {
                found.extents.push(extent);
                found.axes.push(vec![axis]);
            }
        }
        if found.extents.is_empty() {
            found.extents.push(Extent { count: 1, samples: false });
            found.axes.push(Vec::new());
        }
        found
    }

    /// Strides of a view over these dimensions.
    fn strides(&self, view: &View) -> Vec<usize> {
        self.axes.iter().map(|axes| axes.last().map_or(0, |&axis| stride(view, axis))).collect()
    }

    fn operand(&self, view: View) -> Operand {
        Operand { strides: self.strides(&view), view }
    }

    fn operands<const N: usize>(&self, views: [View; N]) -> [Operand; N] {
        views.map(|view| self.operand(view))
    }
}

fn stride(view: &View, axis: Option<usize>) -> usize {
    axis.map_or(view.sample_stride, |axis| view.strides[axis])
}

/// The formulas of a group's stored values over its operands.
#[derive(Default)]
struct Operands {
    /// Each with its shape being the group's.
    views: Vec<View>,
}

impl Operands {
    fn formula(&mut self, view: View, offset: usize) -> Formula {
        if let Source::Constant(bits) = view.source {
            return Formula::constant(f64::from_bits(bits));
        }
        let index = self.views.iter().position(|other| *other == view).unwrap_or_else(|| {
            self.views.push(view);
            self.views.len() - 1
        });
        Formula::argument(offset + index)
    }
}
