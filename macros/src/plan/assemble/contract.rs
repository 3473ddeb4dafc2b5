//! A contraction with the maps that follow it as its epilogue.

use std::collections::HashMap;

use super::nest::{is_stored, prune_from};
use super::{Dimensions, Operands, copy, stored};
use crate::formula::Formula;
use crate::graph::{Op, ValueId};
use crate::plan::Planner;
use crate::plan::group::{Groups, behind_reshapes};
use crate::plan::lent;
use crate::plan::location::Locations;
use crate::plan::schedule::{Destination, Extent, Kernel, Operand};
use crate::plan::view::View;

pub(super) fn group(
    planner: &mut Planner,
    locations: &mut Locations,
    groups: &Groups,
    index: usize,
    needed: &[bool],
    kernels: &mut Vec<Kernel>,
) {
    let graph = locations.graph;
    let members = &groups.groups[index].members;
    let product = members[0];
    let shape = graph.shape(product).to_vec();
    let mut operands = Operands::default();
    let mut formulas: HashMap<ValueId, Formula> = HashMap::from([(product, Formula::argument(0))]);
    for &member in &members[1..] {
        let Op::Map(formula) = &graph.node(member).op else { unreachable!("epilogues are maps") };
        let own = graph.shape(member).to_vec();
        let mut arguments = Vec::new();
        for &input in &graph.node(member).inputs {
            arguments.push(match formulas.get(&behind_reshapes(graph, input)) {
                Some(formula) if graph.shape(input) == own => formula.clone(),
                _ => {
                    let view = locations.view(planner, input, kernels).broadcast(&own);
                    let view = view.reshape(&shape).unwrap_or_else(|| {
                        let flat = planner.buffer_of(&own, view.sample_stride != 0);
                        kernels.push(copy(&view, &flat, view.sample_stride != 0));
                        flat.reshape(&shape).expect("a dense view takes any shape")
                    });
                    operands.formula(view, 1)
                }
            });
        }
        formulas.insert(member, formula.substitute(&arguments));
    }
    let (mut outputs, mut results, mut later) = (Vec::new(), Vec::new(), Vec::new());
    for &member in members.iter().filter(|&&member| is_stored(graph, groups, index, member, needed)) {
        let place = locations.make(planner, member);
        let view = place.reshape(&shape).unwrap_or_else(|| {
            let flat = planner.buffer_of(&shape, graph.ty(member).batched);
            later.push(copy(&flat.reshape(&place.shape).expect("dense"), &place, graph.ty(member).batched));
            flat
        });
        outputs.push(view);
        results.push(formulas[&member].clone());
    }
    let inputs = prune_from(&mut operands, &mut results, 1);
    let kernel = contraction(planner, locations, product, inputs, outputs, results, kernels);
    kernels.push(kernel);
    kernels.append(&mut later);
}

/// The operands of a product, of which steps along the last axis of one meet those along the last but one of the other.
struct Factors {
    lhs: View,
    rhs: View,
    /// The steps,
    k: Extent,
    /// and from one to the next in each of them.
    lhs_k: usize,
    rhs_k: usize,
}

/// The operands of a product, or of its transpose if it is `turned`.
fn factors(
    planner: &mut Planner,
    locations: &mut Locations,
    product: ValueId,
    turned: bool,
    kernels: &mut Vec<Kernel>,
) -> Factors {
    let node = locations.graph.node(product);
    let &Op::Contract { lhs_transposed, rhs_transposed, over_samples } = &node.op else {
        unreachable!("the first member of the group")
    };
    let rank = node.ty.shape.len();
    let mut lhs = oriented(stored(planner, locations, node.inputs[0], kernels), lhs_transposed);
    let mut rhs = oriented(stored(planner, locations, node.inputs[1], kernels), rhs_transposed);
    if turned {
        (lhs, rhs) = (oriented(rhs, true), oriented(lhs, true));
    }
    let inner = lhs.shape[rank - 1];
    if over_samples && inner != 1 {
        lhs = samples_before(planner, lhs, rank - 1, kernels);
        rhs = samples_before(planner, rhs, rank - 2, kernels);
    }
    let k_stride = |view: &View, axis: usize| {
        if over_samples && inner == 1 { view.sample_stride } else { view.strides[axis] }
    };
    let (lhs_k, rhs_k) = (k_stride(&lhs, rank - 1), k_stride(&rhs, rank - 2));
    if over_samples {
        (lhs.sample_stride, rhs.sample_stride) = (0, 0);
    }
    Factors { lhs, rhs, k: Extent { count: inner, samples: over_samples }, lhs_k, rhs_k }
}

/// Finds the dimensions of the product and of its operands.
fn contraction(
    planner: &mut Planner,
    locations: &mut Locations,
    product: ValueId,
    mut inputs: Vec<View>,
    mut outputs: Vec<View>,
    formulas: Vec<Formula>,
    kernels: &mut Vec<Kernel>,
) -> Kernel {
    let node = locations.graph.node(product);
    let (rank, mut shape) = (node.ty.shape.len(), node.ty.shape.clone());
    // A single column, as in the gradient of a weight with one output, is a row as well, which has more elements side by side.
    let turned = matches!(node.op, Op::Contract { over_samples: true, .. }) && shape[rank - 1] == 1;
    if turned {
        shape.swap(rank - 2, rank - 1);
        for view in inputs.iter_mut().chain(&mut outputs) {
            *view = view.transpose_last(rank);
        }
    }
    let Factors { lhs, rhs, k, lhs_k, rhs_k } = factors(planner, locations, product, turned, kernels);
    // Over the product's dimensions, the left operand does not move along n, nor the right one along m.
    let over_m = fix(&lhs, rank - 1);
    let over_n = fix(&rhs, rank - 2);
    let n = Extent { count: shape[rank - 1], samples: false };
    let lead: Vec<View> =
        [&over_m, &over_n].into_iter().chain(&inputs).chain(&outputs).map(|view| drop_last(view, rank)).collect();
    let views: Vec<&View> = lead.iter().collect();
    let dimensions = Dimensions::new(node.ty.batched, &shape[..rank - 1], &views);
    let rhs_moves = |index: usize| dimensions.strides(&lead[1])[index] != 0;
    let count = dimensions.extents.len();
    // Rows that meet the same right operand make up m.
    let has_m = !rhs_moves(count - 1);
    let cut = if has_m { count - 1 } else { count };
    let one = Extent { count: 1, samples: false };
    let m = if has_m { dimensions.extents[count - 1] } else { one };
    let with = |lead: &View, view: &View, last: &[usize]| {
        let mut strides = dimensions.strides(lead);
        if !has_m {
            strides.push(0);
        }
        strides.extend_from_slice(last);
        Operand { view: view.clone(), strides }
    };
    let n_stride = |view: &View| view.strides[rank - 1];
    let rhs_n = rhs.strides[rank - 1];
    let mut rhs_operand = with(&lead[1], &rhs, &[rhs_n]);
    rhs_operand.strides[cut] = rhs_k;
    let lhs_operand = with(&lead[0], &lhs, &[lhs_k]);
    let input_operands =
        inputs.iter().zip(&lead[2..]).map(|(view, lead)| with(lead, view, &[n_stride(view)])).collect();
    let output_operands = outputs
        .iter()
        .zip(&lead[2 + inputs.len()..])
        .map(|(view, lead)| Destination { operand: with(lead, view, &[n_stride(view)]), reduction: None })
        .collect();
    let lent = lent(m, k, n, lhs_k).map(|numbers| planner.buffer_of(&[numbers], true));
    Kernel::Contract {
        outer: dimensions.extents[..cut].to_vec(),
        m,
        k,
        n,
        lhs: lhs_operand,
        rhs: rhs_operand,
        inputs: input_operands,
        outputs: output_operands,
        formulas,
        lent,
    }
}

/// Numbers a sample that are lent to a product of samples with a matrix, or to the gradient of one whose input has its samples at
/// this distance. (Where all steps of a sequence are summed, those of a gradient would take more than a few numbers a sample.)
fn lent(m: Extent, k: Extent, n: Extent, distance: usize) -> Option<usize> {
    match [m.samples, k.samples, n.samples] {
        [true, false, false] => lent::to_product(k.count, n.count),
        [false, true, false] if k.count == 1 => lent::to_gradient(m.count, n.count, distance),
        _ => None,
    }
}

/// The last two axes swapped, if the operand is given transposed.
fn oriented(view: View, transposed: bool) -> View {
    let rank = view.shape.len();
    if transposed { view.transpose_last(rank) } else { view }
}

/// The view with one axis standing still.
fn fix(view: &View, axis: usize) -> View {
    let mut fixed = view.clone();
    fixed.shape[axis] = 1;
    fixed.strides[axis] = 0;
    fixed
}

/// All axes but the last, which some other rule handles.
fn drop_last(view: &View, rank: usize) -> View {
    let mut short = view.clone();
    short.shape.truncate(rank - 1);
    short.strides.truncate(rank - 1);
    short
}

/// Makes the samples and the axis one run of equal strides, by a copy if they are not.
fn samples_before(planner: &mut Planner, view: View, axis: usize, kernels: &mut Vec<Kernel>) -> View {
    if view.sample_stride == view.shape[axis] * view.strides[axis] {
        return view;
    }
    let mut order: Vec<usize> = (0..view.shape.len()).filter(|&other| other != axis).collect();
    order.insert(0, axis);
    let turned = view.transpose(&order);
    let flat = planner.buffer_of(&turned.shape, true);
    kernels.push(copy(&turned, &flat, true));
    let mut back = vec![0; order.len()];
    order.iter().enumerate().for_each(|(position, &axis)| back[axis] = position);
    flat.transpose(&back)
}

impl View {
    fn transpose_last(&self, rank: usize) -> View {
        let mut order: Vec<usize> = (0..rank).collect();
        order.swap(rank - 2, rank - 1);
        self.transpose(&order)
    }
}
