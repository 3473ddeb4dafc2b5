//! The graph: a few primitive operations on tensors, without a batch axis.
//!
//! A value is *batched* when it differs from sample to sample; every operation maps over the samples. The
//! exceptions carry a flag `over_samples`: a reduction or contraction that also sums over the samples of a batch,
//! and so yields an unbatched value (a parameter's gradient). Nodes are interned: building the same operation on the same inputs
//! twice gives the same value, so common subexpressions are shared by construction. Inputs always have smaller
//! numbers than the node itself.

mod build;
mod display;
#[cfg(test)]
pub(crate) mod interpret;
pub(crate) mod rebuild;
mod shape;
#[cfg(test)]
pub(crate) mod verify;

use std::collections::HashMap;

pub(crate) use shape::{Shape, broadcast_shapes};

use crate::formula::Formula;

/// A value of the graph: the index of the node that makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ValueId(pub(crate) usize);

/// What the elements of a tensor are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Element {
    /// Numbers of the network's scalar type.
    Real,
    /// `Class<N>`: whole numbers below the bound.
    Class(usize),
    /// `Length<N>`: whole numbers from 1 to the bound.
    Length(usize),
}

/// Shape of one sample, element, and whether samples differ.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Type {
    pub(crate) shape: Shape,
    pub(crate) element: Element,
    pub(crate) batched: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Reduction {
    Sum,
    Max,
    Min,
}

/// A primitive.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Op {
    /// An argument of the entry point: inputs first, then targets, then per-step scalars as declared.
    Input(usize),
    /// A parameter of the network, by its number.
    Parameter(usize),
    /// Every element the same; the bits of an `f64`.
    Constant(u64),
    /// `0, 1, 2, …` along one axis (the shape has the other axes at size 1).
    Position {
        axis: usize,
    },
    /// Uniform random numbers in [0, 1), drawn anew for each sample and step; the number tells streams apart.
    Random(usize),
    /// A scalar formula for each element; inputs are broadcast (numpy's rule) to the output's shape. Class and
    /// length inputs count as numbers.
    Map(Formula),
    /// `[.., m, k] x [.., k, n] -> [.., m, n]`, leading axes equal. `lhs_transposed` says that the left operand is
    /// given as `[.., k, m]`, `rhs_transposed` that the right one is `[.., n, k]`. `over_samples` sums over samples too.
    Contract {
        lhs_transposed: bool,
        rhs_transposed: bool,
        over_samples: bool,
    },
    /// Reduces the axes (sorted) and drops them; `over_samples` (sums only) reduces the samples too.
    Reduce {
        reduction: Reduction,
        axes: Vec<usize>,
        over_samples: bool,
    },
    Reshape,
    /// Output axis `i` is input axis `permutation[i]`.
    Transpose(Vec<usize>),
    /// `start..end` along one axis.
    Slice {
        axis: usize,
        start: usize,
        end: usize,
    },
    /// The adjoint of `Slice`: zeros around, along one axis.
    Pad {
        axis: usize,
        before: usize,
        after: usize,
    },
    Concat {
        axis: usize,
    },
    /// Rows of a table `[n, ..row]` by class indices `[..i]`: `[..i, ..row]`.
    Lookup,
    /// The adjoint of `Lookup`: adds rows `[..i, ..row]` into a zero table of `rows`; always over samples.
    /// Inputs: indices, row gradients.
    LookupAdjoint {
        rows: usize,
    },
    /// The identity, with no derivative.
    StopGradient,
    /// A loop over time, see [`Scan`]. Its results are taken by `Stacked` and `Last`.
    Scan(Box<Scan>),
    /// The values of a body's value in all steps, `[steps, ..]`, of the scan that is its only input.
    Stacked(ValueId),
    /// A carry of the scan (by number) after the last step.
    Last(usize),
}

/// A loop over time. The node's inputs are the initial carries, the sequences `[steps, ..]`, and what the body captures
/// unchanged; the body's inputs (`Op::Input`) are the same in that order, for one step, and the number of the step (in
/// walking order of the sequence: its index) as the last one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Scan {
    pub(crate) body: Graph,
    /// For each carry, the body's value that is its next one.
    pub(crate) next: Vec<ValueId>,
    pub(crate) sequences: usize,
    pub(crate) steps: usize,
    /// Walk from the last element of the sequences to the first. Stacked values stand at the index of their element.
    pub(crate) reverse: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    pub(crate) op: Op,
    pub(crate) inputs: Vec<ValueId>,
    pub(crate) ty: Type,
}

/// Nodes in topological order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
    interned: HashMap<Node, ValueId>,
    /// Where a value comes from, in the user's words (`dense_1`), for dumps and summaries.
    names: Vec<Option<String>>,
}

impl PartialEq for Graph {
    fn eq(&self, other: &Self) -> bool {
        self.nodes == other.nodes
    }
}

impl Eq for Graph {}

impl std::hash::Hash for Graph {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.nodes.hash(state);
    }
}

impl Graph {
    pub(crate) fn nodes(&self) -> impl DoubleEndedIterator<Item = (ValueId, &Node)> + ExactSizeIterator {
        self.nodes.iter().enumerate().map(|(index, node)| (ValueId(index), node))
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn node(&self, value: ValueId) -> &Node {
        &self.nodes[value.0]
    }

    pub(crate) fn ty(&self, value: ValueId) -> &Type {
        &self.nodes[value.0].ty
    }

    pub(crate) fn shape(&self, value: ValueId) -> &[usize] {
        &self.nodes[value.0].ty.shape
    }

    pub(crate) fn name(&self, value: ValueId) -> Option<&str> {
        self.names[value.0].as_deref()
    }

    /// Says where a value comes from, unless that is known already.
    pub(crate) fn set_name(&mut self, value: ValueId, name: impl Into<String>) {
        self.names[value.0].get_or_insert_with(|| name.into());
    }

    /// Values that `roots` depend on, themselves included, as flags by index.
    pub(crate) fn needed(&self, roots: &[ValueId]) -> Vec<bool> {
        let mut needed = vec![false; self.len()];
        for root in roots {
            needed[root.0] = true;
        }
        for (value, node) in self.nodes().rev() {
            if needed[value.0] {
                for input in &node.inputs {
                    needed[input.0] = true;
                }
            }
        }
        needed
    }
}
