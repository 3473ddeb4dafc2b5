//! From a graph to kernel calls: which operations share a kernel, where every value lies, and which memory is used again.

mod assemble;
mod display;
mod group;
mod lent;
mod location;
mod memory;
mod rows;
mod schedule;
mod view;

use std::collections::HashMap;

pub(crate) use schedule::{Destination, Extent, Kernel, Operand, Schedule};
pub(crate) use view::{Source, View};

use crate::graph::{Graph, Op, ValueId};
use location::Locations;

/// What one entry point asks of its graph.
pub(crate) struct Request<'a> {
    pub(crate) graph: &'a Graph,
    /// Values to be found in memory afterwards, each in a buffer of its own.
    pub(crate) results: &'a [ValueId],
    /// Whether the results are to differ from sample to sample, even where their values do not.
    pub(crate) batched_results: bool,
    /// Values to be written as the gradients of parameters, by number.
    pub(crate) gradients: &'a [(usize, ValueId)],
    /// Arguments that are one number for all samples.
    pub(crate) per_step: &'a [bool],
    /// Arguments from this number on arrive only with the second half of the call.
    pub(crate) late_inputs: Option<usize>,
}

/// Plans the kernels and the memory of one entry point.
pub(crate) fn plan(request: &Request) -> Schedule {
    let graph = request.graph;
    let mut planner = Planner { schedule: Schedule::default(), loops: 0, enclosing: Vec::new() };
    let inputs = graph
        .nodes()
        .filter_map(|(_, node)| match node.op {
            Op::Input(index) => {
                let per_step = request.per_step.get(index).copied().unwrap_or(false);
                let view = if per_step {
                    View::uniform(Source::PerStep(index), &node.ty.shape)
                } else {
                    View::dense(Source::Input(index), node.ty.element, &node.ty.shape, node.ty.batched)
                };
                Some((index, view))
            }
            _ => None,
        })
        .collect();
    let roots: Vec<ValueId> =
        request.results.iter().copied().chain(request.gradients.iter().map(|&(_, value)| value)).collect();
    let mut desired = Vec::new();
    let mut results = Vec::new();
    for &value in request.results {
        let view = planner.buffer_of(graph.shape(value), request.batched_results);
        results.push(view.clone());
        desired.push((value, view));
    }
    for &(parameter, value) in request.gradients {
        let ty = graph.ty(value);
        desired.push((value, View::dense(Source::Gradient(parameter), ty.element, &ty.shape, false)));
    }
    // A loss is known before work begins on its gradient: one that is not finite has none.
    let first = if request.batched_results { &[] } else { request.results };
    let body = Body { graph, inputs, roots, desired, first, late_inputs: request.late_inputs };
    let mut kernels = Vec::new();
    let (_, first_half) = planner.body(&body, &mut kernels);
    planner.schedule.results = results;
    planner.schedule.first_half = first_half;
    planner.schedule.kernels = kernels;
    memory::place(&mut planner.schedule);
    planner.schedule
}

/// A graph to be planned: an entry point's or a loop body's.
struct Body<'a> {
    graph: &'a Graph,
    /// Where the inputs lie.
    inputs: HashMap<usize, View>,
    roots: Vec<ValueId>,
    /// Where some of the roots are to be written.
    desired: Vec<(ValueId, View)>,
    /// Values to be computed before all others.
    first: &'a [ValueId],
    late_inputs: Option<usize>,
}

struct Planner {
    schedule: Schedule,
    loops: usize,
    /// Numbers of the loops whose bodies are being planned, outermost first.
    enclosing: Vec<usize>,
}

impl Planner {
    /// Appends the kernels of a body; yields where its values lie, and how many kernels come before the late ones.
    fn body<'a>(&mut self, body: &Body<'a>, kernels: &mut Vec<Kernel>) -> (Locations<'a>, usize) {
        let needed = body.graph.needed(&body.roots);
        let groups = group::group(body.graph, &needed, &body.roots, body.late_inputs);
        let mut locations = Locations::new(self, body, &needed);
        let order = groups.ordered(body.graph, body.first);
        let early = groups.early(&order);
        let mut settled = vec![false; body.desired.len()];
        let mut first_half = kernels.len();
        for (position, &index) in order.iter().enumerate() {
            if position == early {
                self.settle(body, &mut locations, &mut settled, true, kernels);
                first_half = kernels.len();
            }
            assemble::group(self, &mut locations, &groups, index, &needed, kernels);
        }
        if early == order.len() {
            self.settle(body, &mut locations, &mut settled, true, kernels);
            first_half = kernels.len();
        }
        self.settle(body, &mut locations, &mut settled, false, kernels);
        for &root in &body.roots {
            locations.view(self, root, kernels);
        }
        (locations, first_half)
    }

    /// Copies values to where they are wanted, if they lie elsewhere. The first half of a call settles what it has made,
    /// but for gradients, which arrive with the second.
    fn settle(
        &mut self,
        body: &Body,
        locations: &mut Locations,
        settled: &mut [bool],
        first_half: bool,
        kernels: &mut Vec<Kernel>,
    ) {
        for ((value, wanted), settled) in body.desired.iter().zip(settled) {
            let early = locations.is_made(*value) && !matches!(wanted.source, Source::Gradient(_));
            if *settled || first_half && !early {
                continue;
            }
            *settled = true;
            let found = locations.view(self, *value, kernels);
            if found != *wanted {
                kernels.push(assemble::copy(&found, wanted, wanted.sample_stride != 0));
            }
        }
    }

    /// A new buffer for a value of this shape.
    fn buffer(&mut self, ty: &crate::graph::Type) -> View {
        self.buffer_of(&ty.shape, ty.batched)
    }

    fn buffer_of(&mut self, shape: &[usize], batched: bool) -> View {
        let size = shape.iter().product();
        self.schedule.buffers.push(schedule::Buffer { size, batched, offset: 0 });
        let source = Source::Buffer(self.schedule.buffers.len() - 1);
        View::dense(source, crate::graph::Element::Real, shape, batched)
    }

    fn loop_number(&mut self) -> usize {
        self.loops += 1;
        self.loops - 1
    }
}
