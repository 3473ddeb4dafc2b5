//! The result of planning: kernel calls in order, and where buffers lie.

use super::view::{Source, View};
use crate::formula::Formula;
use crate::graph::Reduction;

/// Kernel calls of one entry point, with every buffer's place.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    pub(crate) kernels: Vec<Kernel>,
    pub(crate) buffers: Vec<Buffer>,
    /// Numbers a sample that the buffers take together.
    pub(crate) sample_size: usize,
    /// Numbers besides.
    pub(crate) shared_size: usize,
    /// Where the results asked for are found.
    pub(crate) results: Vec<View>,
    /// The least that any plan needs at its fullest moment: `(per sample, shared)`.
    pub(crate) live: (usize, usize),
    /// How many kernels belong to the first half of an entry point that is called in two halves.
    pub(crate) first_half: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Buffer {
    /// Elements of a sample, or of all if it is not batched.
    pub(crate) size: usize,
    pub(crate) batched: bool,
    /// Set by the memory plan.
    pub(crate) offset: usize,
}

/// A loop bound: `count`, or `samples * count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) count: usize,
    pub(crate) samples: bool,
}

/// A view whose strides run over the dimensions of a kernel.
#[derive(Debug, Clone)]
pub(crate) struct Operand {
    pub(crate) view: View,
    pub(crate) strides: Vec<usize>,
}

impl Operand {
    /// Whether two operands of one kernel are the same elements.
    pub(crate) fn is_same_place(&self, other: &Operand) -> bool {
        let key = |operand: &Operand| (operand.view.source, operand.view.offset, operand.view.loops.clone());
        key(self) == key(other) && self.strides == other.strides
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Destination {
    pub(crate) operand: Operand,
    /// `None` stores.
    pub(crate) reduction: Option<Reduction>,
}

#[derive(Debug, Clone)]
pub(crate) enum Kernel {
    /// Loops over `extents`, formulas of the inputs for each output.
    Nest {
        extents: Vec<Extent>,
        inputs: Vec<Operand>,
        outputs: Vec<Destination>,
        formulas: Vec<Formula>,
    },
    /// Nests with the same outer loops, of each row one after the other.
    Rows {
        stages: Vec<Kernel>,
    },
    /// A matrix product; the formulas' argument 0 is its element, the others are the inputs. Strides of inputs and
    /// outputs run over `outer`, `m`, `n`; those of `lhs` over `outer`, `m`, `k`; those of `rhs` over `outer`, `k`, `n`.
    Contract {
        outer: Vec<Extent>,
        m: Extent,
        k: Extent,
        n: Extent,
        lhs: Operand,
        rhs: Operand,
        inputs: Vec<Operand>,
        outputs: Vec<Destination>,
        formulas: Vec<Formula>,
        /// A buffer of its own for copies of large operands.
        lent: Option<View>,
    },
    /// Rows of a table by index. Strides run over the indices' dimensions; rows are `width` long.
    Lookup {
        extents: Vec<Extent>,
        table: View,
        rows: usize,
        width: usize,
        indices: Operand,
        output: Operand,
    },
    /// Rows added into a table that starts as zeros.
    LookupAdjoint {
        extents: Vec<Extent>,
        rows: usize,
        width: usize,
        indices: Operand,
        gradient: Operand,
        output: View,
    },
    /// Uniform numbers, drawn anew in each step of the enclosing loops.
    Random {
        stream: usize,
        loops: Vec<usize>,
        output: View,
    },
    Loop {
        number: usize,
        steps: usize,
        reverse: bool,
        kernels: Vec<Kernel>,
    },
}

impl Schedule {
    /// How many kernels it takes until all results are known.
    pub(crate) fn results_known(&self) -> usize {
        let is_result = |view: &View| self.results.iter().any(|result| result.source == view.source);
        let writes_result = |kernel: &Kernel| {
            let mut found = false;
            kernel.views(&mut |view, written| found |= written && is_result(view));
            found
        };
        self.kernels.iter().rposition(writes_result).map_or(0, |last| last + 1)
    }

    /// Parameters whose gradient is written row by row by a single contraction, from kernel `first` on, when neither it
    /// nor the parameter is read any more.
    pub(crate) fn whole_gradients(&self, first: usize) -> Vec<usize> {
        let mut found = Vec::new();
        for (position, kernel) in self.kernels.iter().enumerate().skip(first) {
            let Kernel::Contract { outputs, .. } = kernel else { continue };
            for output in outputs.iter().filter(|output| output.is_row_by_row()) {
                let Source::Gradient(parameter) = output.operand.view.source else { continue };
                let mut uses = 0;
                for (other, kernel) in self.kernels.iter().enumerate() {
                    kernel.views(&mut |view, written| {
                        uses += usize::from(view.source == Source::Gradient(parameter));
                        let read = view.source == Source::Parameter(parameter) && !written;
                        uses += usize::from(read && other >= position);
                    });
                }
                if uses == 1 {
                    found.push(parameter);
                }
            }
        }
        found
    }
}

impl Destination {
    /// Whether rows are stored as they come, each element beside the one before.
    pub(crate) fn is_row_by_row(&self) -> bool {
        self.reduction.is_none() && self.operand.strides.last() == Some(&1)
    }
}

impl Kernel {
    /// Whether this is a contraction with an epilogue whose only result lies in a buffer of its own, so that sums may be kept
    /// there on the way.
    pub(crate) fn keeps_sums_apart(&self) -> bool {
        let Kernel::Contract { outputs, .. } = self else { return false };
        let [output] = &outputs[..] else { return false };
        let place = output.operand.view.source;
        let mut read = false;
        self.views(&mut |view, written| read |= !written && view.source == place);
        matches!(place, Source::Buffer(_)) && output.is_row_by_row() && !read
    }

    /// Views read and written, the latter flagged.
    pub(crate) fn views<'a>(&'a self, visit: &mut dyn FnMut(&'a View, bool)) {
        match self {
            Kernel::Nest { inputs, outputs, .. } => {
                inputs.iter().for_each(|input| visit(&input.view, false));
                outputs.iter().for_each(|output| visit(&output.operand.view, true));
            }
            Kernel::Contract { lhs, rhs, inputs, outputs, lent, .. } => {
                visit(&lhs.view, false);
                visit(&rhs.view, false);
                inputs.iter().for_each(|input| visit(&input.view, false));
                outputs.iter().for_each(|output| visit(&output.operand.view, true));
                lent.iter().for_each(|lent| visit(lent, true));
            }
            Kernel::Lookup { table, indices, output, .. } => {
                visit(table, false);
                visit(&indices.view, false);
                visit(&output.view, true);
            }
            Kernel::LookupAdjoint { indices, gradient, output, .. } => {
                visit(&indices.view, false);
                visit(&gradient.view, false);
                visit(output, true);
            }
            Kernel::Random { output, .. } => visit(output, true),
            Kernel::Rows { stages: kernels } | Kernel::Loop { kernels, .. } => {
                kernels.iter().for_each(|kernel| kernel.views(visit));
            }
        }
    }

    /// As `views`, to change them.
    pub(crate) fn views_mut(&mut self, change: &dyn Fn(&mut View)) {
        match self {
            Kernel::Nest { inputs, outputs, .. } => {
                inputs.iter_mut().for_each(|input| change(&mut input.view));
                outputs.iter_mut().for_each(|output| change(&mut output.operand.view));
            }
            Kernel::Contract { lhs, rhs, inputs, outputs, lent, .. } => {
                change(&mut lhs.view);
                change(&mut rhs.view);
                inputs.iter_mut().for_each(|input| change(&mut input.view));
                outputs.iter_mut().for_each(|output| change(&mut output.operand.view));
                lent.iter_mut().for_each(change);
            }
            Kernel::Lookup { table, indices, output, .. } => {
                change(table);
                change(&mut indices.view);
                change(&mut output.view);
            }
            Kernel::LookupAdjoint { indices, gradient, output, .. } => {
                change(&mut indices.view);
                change(&mut gradient.view);
                change(output);
            }
            Kernel::Random { output, .. } => change(output),
            Kernel::Rows { stages: kernels } | Kernel::Loop { kernels, .. } => {
                kernels.iter_mut().for_each(|kernel| kernel.views_mut(change));
            }
        }
    }
}
