//! Loop nests over the same rows become one kernel, row by row: of a softmax with its loss, each row is read from memory
//! once, and stays in the cache for all that is done with it.

use super::schedule::{Extent, Kernel, Operand, Schedule};
use super::view::{Source, View};

/// Nests that one kernel may hold.
const MOST_STAGES: usize = 8;
/// How far back a nest is looked for that a later one may join.
const REACH: usize = 4;

/// Merges what may be merged. The halves of an entry point stay apart, and so does all that comes after its results: it may
/// be left out.
pub(super) fn merge(schedule: &mut Schedule) {
    let known = schedule.results_known();
    let mut merged = Vec::new();
    let mut first_half = 0;
    let mut kernels = std::mem::take(&mut schedule.kernels);
    let mut borders = [schedule.first_half, known];
    borders.sort_unstable();
    let rest = kernels.split_off(borders[1]);
    let middle = kernels.split_off(borders[0]);
    for (part, end) in [(kernels, borders[0]), (middle, borders[1])] {
        merged.extend(merge_kernels(part));
        if end == schedule.first_half {
            first_half = merged.len();
        }
    }
    merged.extend(merge_kernels(rest));
    schedule.kernels = merged;
    schedule.first_half = first_half;
}

fn merge_kernels(kernels: Vec<Kernel>) -> Vec<Kernel> {
    let mut merged: Vec<Kernel> = Vec::new();
    for kernel in kernels {
        let kernel = match kernel {
            Kernel::Loop { number, steps, reverse, kernels } => {
                Kernel::Loop { number, steps, reverse, kernels: merge_kernels(kernels) }
            }
            other => other,
        };
        match home(&merged, &kernel) {
            Some((position, stage)) => join(&mut merged, position, stage),
            None => merged.push(kernel),
        }
    }
    merged
}

/// The kernel that this one may join, and the stage that it becomes there.
fn home(merged: &[Kernel], kernel: &Kernel) -> Option<(usize, Kernel)> {
    for position in (merged.len().saturating_sub(REACH)..merged.len()).rev() {
        let candidate = &merged[position];
        if let Some(stage) = stage_of(candidate, kernel)
            && merged[position + 1..].iter().all(|between| are_independent(between, candidate))
        {
            return Some((position, stage));
        }
    }
    None
}

/// What comes between two kernels that become one is independent of the first, and so may come before it.
fn join(merged: &mut Vec<Kernel>, position: usize, stage: Kernel) {
    let between = merged.split_off(position + 1);
    let stages = match merged.pop() {
        Some(Kernel::Rows { stages }) => stages.into_iter().chain([stage]).collect(),
        first => first.into_iter().chain([stage]).collect(),
    };
    merged.extend(between);
    merged.push(Kernel::Rows { stages });
}

/// The kernel as a further stage of another one, if that is possible and worth it.
fn stage_of(candidate: &Kernel, kernel: &Kernel) -> Option<Kernel> {
    let stages = match candidate {
        Kernel::Rows { stages } if stages.len() < MOST_STAGES => &stages[..],
        Kernel::Nest { .. } => std::slice::from_ref(candidate),
        _ => return None,
    };
    let Kernel::Nest { extents, .. } = &stages[0] else { unreachable!("stages are nests") };
    let (_, outer) = extents.split_last()?;
    if outer.is_empty() || sums_rows(&stages[0]) {
        return None;
    }
    let stage = with_rows(kernel, outer)?;
    let fits = !sums_rows(&stage) && shares_a_buffer(candidate, &stage);
    (fits && stages.iter().all(|earlier| is_row_by_row(earlier, &stage, outer))).then_some(stage)
}

/// The nest with these outer loops, if it has them; one number a row is a row of one.
fn with_rows(kernel: &Kernel, outer: &[Extent]) -> Option<Kernel> {
    let Kernel::Nest { extents, .. } = kernel else { return None };
    if extents.len() == outer.len() + 1 && extents.starts_with(outer) {
        return Some(kernel.clone());
    }
    if extents != outer {
        return None;
    }
    let mut kernel = kernel.clone();
    let Kernel::Nest { extents, inputs, outputs, .. } = &mut kernel else { unreachable!("a copy of a nest") };
    extents.push(Extent { count: 1, samples: false });
    for input in inputs {
        let in_memory = !matches!(input.view.source, Source::Position | Source::Step(_) | Source::PerStep(_));
        input.strides.push(usize::from(in_memory));
    }
    for output in outputs {
        output.operand.strides.push(usize::from(output.reduction.is_none()));
    }
    Some(kernel)
}

/// Whether the rows of a nest are only added up, which a kernel of its own does in registers.
fn sums_rows(nest: &Kernel) -> bool {
    let Kernel::Nest { outputs, .. } = nest else { return false };
    outputs
        .iter()
        .all(|output| output.reduction.is_some() && matches!(output.operand.strides[..], [.., 0, inner] if inner != 0))
}

fn shares_a_buffer(one: &Kernel, other: &Kernel) -> bool {
    any_pair(one, other, |one, other, _| one.source == other.source && matches!(one.source, Source::Buffer(_)))
}

/// Whether neither writes what the other reads or writes. A gradient may be applied to its parameter where it is written.
fn are_independent(one: &Kernel, other: &Kernel) -> bool {
    let parameter = |source| match source {
        Source::Gradient(parameter) => Source::Parameter(parameter),
        other => other,
    };
    !any_pair(one, other, |one, other, written| written && parameter(one.source) == parameter(other.source))
}

/// Whether something holds for any two views of two kernels, and whether one of these is written.
fn any_pair(one: &Kernel, other: &Kernel, holds: impl Fn(&View, &View, bool) -> bool) -> bool {
    let mut found = false;
    one.views(&mut |first, first_written| {
        other.views(&mut |second, second_written| found |= holds(first, second, first_written || second_written));
    });
    found
}

/// An operand of a nest with the length of its innermost loop, and whether it is written or reduced into.
struct Access<'a> {
    operand: &'a Operand,
    length: usize,
    written: bool,
    reduced: bool,
}

fn accesses(nest: &Kernel) -> Vec<Access<'_>> {
    let Kernel::Nest { extents, inputs, outputs, .. } = nest else { unreachable!("stages are nests") };
    let length = extents.last().map_or(1, |extent| extent.count);
    let inputs = inputs.iter().map(|operand| Access { operand, length, written: false, reduced: false });
    let outputs = outputs.iter().map(|output| Access {
        operand: &output.operand,
        length,
        written: true,
        reduced: output.reduction.is_some(),
    });
    inputs.chain(outputs).collect()
}

/// Whether the later nest may run on a row before the earlier one has run on the rows behind it: what both touch belongs
/// to that row. A reduction sets its places to their start beforehand, so nobody may have touched them before.
fn is_row_by_row(earlier: &Kernel, later: &Kernel, outer: &[Extent]) -> bool {
    let later = accesses(later);
    accesses(earlier).iter().all(|one| {
        later.iter().all(|other| {
            one.operand.view.source != other.operand.view.source
                || !(one.written || other.written)
                || !other.reduced && is_same_row(one, other, outer)
        })
    })
}

/// Whether rows of two operands meet only where they are the same row.
fn is_same_row(one: &Access<'_>, other: &Access<'_>, outer: &[Extent]) -> bool {
    let (first, second) = (one.operand, other.operand);
    let axes = outer.len();
    let end = |access: &Access<'_>| access.operand.view.offset + (access.length - 1) * access.operand.strides[axes] + 1;
    let mut size = end(one).max(end(other)) - first.view.offset.min(second.view.offset);
    let mut apart = first.strides[..axes] == second.strides[..axes] && first.view.loops == second.view.loops;
    for axis in (0..axes).rev() {
        apart &= first.strides[axis] >= size;
        size = first.strides[axis] * outer[axis].count;
    }
    apart
}
