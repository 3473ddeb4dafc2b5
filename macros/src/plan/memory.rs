//! Lifetimes of buffers, buffers that take over another's place, and offsets.

use super::rows;
use super::schedule::{Destination, Kernel, Operand, Schedule};
use super::view::{Source, View};

/// First and last use, as positions in the flattened list of kernels.
#[derive(Debug, Clone, Copy)]
struct Life {
    first: usize,
    last: usize,
}

/// Shares places where one buffer's life ends as another's begins, then gives every buffer its offset.
pub(super) fn place(schedule: &mut Schedule) {
    let lives = lifetimes(schedule);
    take_over(schedule, lives);
    rows::merge(schedule);
    let lives = lifetimes(schedule);
    for batched in [true, false] {
        let (chosen, items): (Vec<usize>, Vec<(usize, Life)>) = (0..schedule.buffers.len())
            .filter(|&index| schedule.buffers[index].batched == batched)
            .filter_map(|index| Some((index, (schedule.buffers[index].size, lives[index]?))))
            .unzip();
        let (offsets, total) = best_offsets(&items);
        for (&index, offset) in chosen.iter().zip(offsets) {
            schedule.buffers[index].offset = offset;
        }
        let live = largest_live_set(&items);
        if batched {
            (schedule.sample_size, schedule.live.0) = (total, live);
        } else {
            (schedule.shared_size, schedule.live.1) = (total, live);
        }
    }
}

/// Positions of a loop and of all that is in it.
struct Span {
    life: Life,
    buffers: Vec<usize>,
}

#[derive(Default)]
struct Walk {
    lives: Vec<Option<Life>>,
    loops: Vec<Span>,
    position: usize,
}

impl Walk {
    fn touch(&mut self, view: &View) {
        if let Source::Buffer(index) = view.source {
            let position = self.position;
            let life = self.lives[index].get_or_insert(Life { first: position, last: position });
            life.last = life.last.max(position);
        }
    }

    fn kernels(&mut self, kernels: &[Kernel]) {
        for kernel in kernels {
            self.position += 1;
            match kernel {
                Kernel::Loop { kernels, .. } => {
                    let first = self.position;
                    self.kernels(kernels);
                    self.position += 1;
                    let mut buffers = Vec::new();
                    kernel.views(&mut |view, _| {
                        if let Source::Buffer(index) = view.source {
                            buffers.push(index);
                        }
                    });
                    buffers.sort_unstable();
                    buffers.dedup();
                    self.loops.push(Span { life: Life { first, last: self.position }, buffers });
                }
                _ => kernel.views(&mut |view, _| self.touch(view)),
            }
        }
    }
}

fn lifetimes(schedule: &Schedule) -> Vec<Option<Life>> {
    let mut walk = Walk { lives: vec![None; schedule.buffers.len()], ..Walk::default() };
    walk.kernels(&schedule.kernels);
    walk.position += 1;
    for result in &schedule.results {
        walk.touch(result);
    }
    // What is used both inside and outside of a loop lives throughout it; inner loops come first.
    for span in &walk.loops {
        for &index in &span.buffers {
            let life = walk.lives[index].as_mut().expect("used in the loop");
            if life.first < span.life.first || life.last > span.life.last {
                life.first = life.first.min(span.life.first);
                life.last = life.last.max(span.life.last);
            }
        }
    }
    walk.lives
}

/// Lets a stored result take the place of an operand that dies with its kernel, when both run over it alike.
fn take_over(schedule: &mut Schedule, mut lives: Vec<Option<Life>>) {
    let mut heir: Vec<usize> = (0..schedule.buffers.len()).collect();
    let mut position = 0;
    let kernels = std::mem::take(&mut schedule.kernels);
    take_over_in(schedule, &kernels, &mut position, &mut lives, &mut heir);
    schedule.kernels = kernels;
    let rename = |view: &mut View| {
        if let Source::Buffer(index) = &mut view.source {
            *index = root(&heir, *index);
        }
    };
    schedule.kernels.iter_mut().for_each(|kernel| kernel.views_mut(&rename));
    schedule.results.iter_mut().for_each(rename);
    let mut second = schedule.kernels.split_off(schedule.first_half);
    drop_idle(&mut schedule.kernels);
    drop_idle(&mut second);
    schedule.first_half = schedule.kernels.len();
    schedule.kernels.append(&mut second);
}

/// Drops copies of a place to itself.
fn drop_idle(kernels: &mut Vec<Kernel>) {
    kernels.retain_mut(|kernel| match kernel {
        Kernel::Nest { inputs, outputs, formulas, .. } => match (&inputs[..], &outputs[..]) {
            ([input], [output]) => {
                output.reduction.is_some()
                    || formulas[0].as_argument() != Some(0)
                    || !input.is_same_place(&output.operand)
            }
            _ => true,
        },
        Kernel::Loop { kernels, .. } => {
            drop_idle(kernels);
            true
        }
        _ => true,
    });
}

fn root(heir: &[usize], mut index: usize) -> usize {
    while heir[index] != index {
        index = heir[index];
    }
    index
}

fn take_over_in(
    schedule: &Schedule,
    kernels: &[Kernel],
    position: &mut usize,
    lives: &mut [Option<Life>],
    heir: &mut [usize],
) {
    for kernel in kernels {
        *position += 1;
        let (inputs, outputs, others): (&[Operand], &[Destination], Vec<&View>) = match kernel {
            Kernel::Nest { inputs, outputs, .. } => (inputs, outputs, vec![]),
            Kernel::Contract { inputs, outputs, lhs, rhs, .. } => (inputs, outputs, vec![&lhs.view, &rhs.view]),
            Kernel::Loop { kernels, .. } => {
                take_over_in(schedule, kernels, position, lives, heir);
                *position += 1;
                continue;
            }
            _ => continue,
        };
        let mut taken = Vec::new();
        for output in outputs.iter().filter(|output| output.reduction.is_none()) {
            let Source::Buffer(new) = output.operand.view.source else { continue };
            let begins = lives[new].is_some_and(|life| life.first == *position) && heir[new] == new;
            let candidate = inputs.iter().find_map(|input| {
                let Source::Buffer(old) = input.view.source else { return None };
                let old = root(heir, old);
                let ends = lives[old].is_some_and(|life| life.last == *position) && old != new;
                let (a, b) = (&schedule.buffers[old], &schedule.buffers[new]);
                let alike = a.size == b.size
                    && a.batched == b.batched
                    && input.strides == output.operand.strides
                    && (input.view.offset, &input.view.loops)
                        == (output.operand.view.offset, &output.operand.view.loops);
                let only = inputs.iter().filter(|other| other.view.source == input.view.source).count() == 1
                    && others.iter().all(|other| other.source != input.view.source)
                    && outputs.iter().filter(|other| other.operand.view.source == output.operand.view.source).count()
                        == 1;
                (ends && alike && only && !taken.contains(&old)).then_some(old)
            });
            if let (true, Some(old)) = (begins, candidate) {
                taken.push(old);
                heir[new] = old;
                let (first, last) = (lives[old].expect("alive").first, lives[new].expect("alive").last);
                lives[old] = Some(Life { first, last });
            }
        }
    }
}

fn overlap(a: Life, b: Life) -> bool {
    a.first <= b.last && b.first <= a.last
}

/// The largest sum of sizes that live at one time.
fn largest_live_set(items: &[(usize, Life)]) -> usize {
    items
        .iter()
        .map(|&(_, at)| {
            items
                .iter()
                .filter(|(_, life)| life.first <= at.first && at.first <= life.last)
                .map(|&(size, _)| size)
                .sum()
        })
        .max()
        .unwrap_or(0)
}

/// Offsets such that buffers that live at the same time lie apart, by the best of a few orders of placing.
fn best_offsets(items: &[(usize, Life)]) -> (Vec<usize>, usize) {
    let by_size = |&(size, life): &(usize, Life)| (std::cmp::Reverse(size), life.first);
    let by_length = |&(size, life): &(usize, Life)| (std::cmp::Reverse(life.last - life.first), usize::MAX - size);
    let by_birth = |&(size, life): &(usize, Life)| (std::cmp::Reverse(usize::MAX - life.first), usize::MAX - size);
    let by_area = |&(size, life): &(usize, Life)| (std::cmp::Reverse(size * (life.last - life.first + 1)), life.first);
    [offsets(items, by_size), offsets(items, by_length), offsets(items, by_birth), offsets(items, by_area)]
        .into_iter()
        .min_by_key(|(_, total)| *total)
        .expect("several orders")
}

/// Greedy: in the order of `key`, each buffer goes to the lowest place that is free throughout its life.
fn offsets<K: Ord>(items: &[(usize, Life)], key: impl Fn(&(usize, Life)) -> K) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|&index| key(&items[index]));
    let mut offsets = vec![0; items.len()];
    let mut placed: Vec<usize> = Vec::new();
    let mut total = 0;
    for index in order {
        let (size, life) = items[index];
        let mut taken: Vec<(usize, usize)> = placed
            .iter()
            .filter(|&&other| overlap(items[other].1, life))
            .map(|&other| (offsets[other], offsets[other] + items[other].0))
            .collect();
        taken.sort_unstable();
        let mut offset = 0;
        for (start, end) in taken {
            if offset + size <= start {
                break;
            }
            offset = offset.max(end);
        }
        offsets[index] = offset;
        total = total.max(offset + size);
        placed.push(index);
    }
    (offsets, total)
}
