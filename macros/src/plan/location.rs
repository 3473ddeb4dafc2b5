//! Where the values of a body lie: views of inputs and buffers, decided ahead where a value is wanted in a certain place.

use std::collections::HashMap;

use super::group::is_view;
use super::schedule::Kernel;
use super::view::{Source, View, dense_strides};
use super::{Body, Planner, assemble};
use crate::graph::{Graph, Op, ValueId};

pub(super) struct Locations<'a> {
    pub(super) graph: &'a Graph,
    inputs: HashMap<usize, View>,
    /// Where values made by kernels lie, once they are made.
    made: HashMap<ValueId, View>,
    /// Where values are to be put when they are made.
    wanted: HashMap<ValueId, View>,
    late_inputs: Option<usize>,
}

impl<'a> Locations<'a> {
    pub(super) fn new(planner: &mut Planner, body: &Body<'a>, needed: &[bool]) -> Self {
        let mut locations = Locations {
            graph: body.graph,
            inputs: body.inputs.clone(),
            made: HashMap::new(),
            wanted: HashMap::new(),
            late_inputs: body.late_inputs,
        };
        let mut uses = vec![0_usize; body.graph.len()];
        for (_, node) in body.graph.nodes().filter(|(value, _)| needed[value.0]) {
            node.inputs.iter().for_each(|input| uses[input.0] += 1);
        }
        body.roots.iter().for_each(|root| uses[root.0] += 1);
        for (value, view) in &body.desired {
            // A gradient may be added to what is there: it is no place to read a value from.
            let only_written = uses[value.0] == 1;
            let alike = body.graph.ty(*value).batched == (view.sample_stride != 0);
            if alike && (only_written || !matches!(view.source, Source::Gradient(_))) {
                locations.want(*value, view.clone(), &uses);
            }
        }
        for (value, node) in body.graph.nodes().rev().filter(|(value, _)| needed[value.0]) {
            let Op::Concat { axis } = node.op else { continue };
            let whole = match locations.wanted.get(&value) {
                Some(view) => view.clone(),
                None => planner.buffer(&node.ty),
            };
            let mut start = 0;
            for &input in &node.inputs {
                let end = start + body.graph.shape(input)[axis];
                if body.graph.ty(input).batched == node.ty.batched {
                    locations.want(input, whole.slice(axis, start, end), &uses);
                }
                start = end;
            }
            locations.wanted.insert(value, whole);
        }
        locations
    }

    /// Asks for a value to be made in a place, unless it is wanted elsewhere or not made by a kernel.
    fn want(&mut self, value: ValueId, view: View, uses: &[usize]) {
        let node = self.graph.node(value);
        match &node.op {
            Op::Reshape => {
                let input = node.inputs[0];
                let free = !matches!(view.source, Source::Gradient(_)) || uses[input.0] == 1;
                if let (true, Some(view)) = (free, view.reshape(self.graph.shape(input))) {
                    self.want(input, view, uses);
                }
            }
            Op::Transpose(permutation) => {
                let mut inverse = vec![0; permutation.len()];
                permutation.iter().enumerate().for_each(|(output, &axis)| inverse[axis] = output);
                let input = node.inputs[0];
                if !matches!(view.source, Source::Gradient(_)) || uses[input.0] == 1 {
                    self.want(input, view.transpose(&inverse), uses);
                }
            }
            Op::LookupAdjoint { .. } if view.strides != dense_strides(&view.shape) => {}
            op if is_view(op) || matches!(op, Op::Scan(_) | Op::Random(_)) => {}
            _ => {
                self.wanted.entry(value).or_insert(view);
            }
        }
    }

    /// The place for a value that a kernel is about to make.
    pub(super) fn make(&mut self, planner: &mut Planner, value: ValueId) -> View {
        let view = match self.wanted.get(&value) {
            Some(view) => view.clone(),
            None => planner.buffer(self.graph.ty(value)),
        };
        self.made.insert(value, view.clone());
        view
    }

    pub(super) fn put(&mut self, value: ValueId, view: View) {
        self.made.insert(value, view);
    }

    /// Whether a value can be had from what has been made so far, without late inputs.
    pub(super) fn is_made(&self, value: ValueId) -> bool {
        if self.made.contains_key(&value) {
            return true;
        }
        let node = self.graph.node(value);
        match node.op {
            Op::Stacked(_) | Op::Last(_) => false,
            Op::Input(index) => self.late_inputs.is_none_or(|first| index < first),
            _ => is_view(&node.op) && node.inputs.iter().all(|&input| self.is_made(input)),
        }
    }

    /// Where a value lies that has been asked for before.
    pub(super) fn known(&self, value: ValueId) -> View {
        self.made[&value].clone()
    }

    /// Where a value lies. A shape that strides can't say is copied.
    pub(super) fn view(&mut self, planner: &mut Planner, value: ValueId, kernels: &mut Vec<Kernel>) -> View {
        if let Some(view) = self.made.get(&value) {
            return view.clone();
        }
        let node = self.graph.node(value);
        let ty = &node.ty;
        let view = match &node.op {
            Op::Input(index) => self.inputs[index].clone(),
            Op::Parameter(index) => View::dense(Source::Parameter(*index), ty.element, &ty.shape, false),
            Op::Constant(bits) => View::uniform(Source::Constant(*bits), &ty.shape),
            Op::Position { axis } => View::position(&ty.shape, *axis),
            Op::StopGradient => self.view(planner, node.inputs[0], kernels),
            Op::Transpose(permutation) => self.view(planner, node.inputs[0], kernels).transpose(permutation),
            Op::Slice { axis, start, end } => self.view(planner, node.inputs[0], kernels).slice(*axis, *start, *end),
            Op::Reshape => {
                let input = self.view(planner, node.inputs[0], kernels);
                input.reshape(&ty.shape).unwrap_or_else(|| {
                    let flat = planner.buffer(self.graph.ty(node.inputs[0]));
                    kernels.push(assemble::copy(&input, &flat, ty.batched));
                    flat.reshape(&ty.shape).expect("a dense view takes any shape")
                })
            }
            op => unreachable!("{op:?} is made by a kernel before it is used"),
        };
        self.made.insert(value, view.clone());
        view
    }
}
