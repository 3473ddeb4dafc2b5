//! Which operations share a kernel: maps become epilogues of the contraction before them, and maps and reductions over the
//! same elements one loop nest.

use super::view::View;
use crate::graph::{Graph, Op, ValueId};

/// Operands that one kernel may have, and results that it may leave.
const MOST_INPUTS: usize = 12;
const MOST_OUTPUTS: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Nest,
    Contract,
    /// An operation with a kernel of its own.
    Single,
}

/// Operations computed by one kernel, in topological order.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) kind: Kind,
    pub(super) members: Vec<ValueId>,
    late: bool,
}

#[derive(Debug)]
pub(super) struct Groups {
    pub(super) groups: Vec<Group>,
    /// By value.
    pub(super) of: Vec<Option<usize>>,
    pub(super) roots: Vec<ValueId>,
}

/// Views are made of other values' places; they need no kernel.
pub(super) fn is_view(op: &Op) -> bool {
    matches!(
        op,
        Op::Input(_)
            | Op::Parameter(_)
            | Op::Constant(_)
            | Op::Position { .. }
            | Op::Reshape
            | Op::Transpose(_)
            | Op::Slice { .. }
            | Op::StopGradient
            | Op::Stacked(_)
            | Op::Last(_)
    )
}

/// The elements that a map or reduction runs over: shape, and whether samples differ or are summed.
pub(super) fn space(graph: &Graph, value: ValueId) -> (&[usize], bool) {
    let node = graph.node(value);
    match &node.op {
        Op::Reduce { over_samples, .. } => {
            let input = graph.ty(node.inputs[0]);
            (&input.shape, input.batched || *over_samples)
        }
        _ => (&node.ty.shape, node.ty.batched),
    }
}

/// Groups all needed operations. Values from `late_inputs` on (by number) and what depends on them are kept apart.
pub(super) fn group(graph: &Graph, needed: &[bool], roots: &[ValueId], late_inputs: Option<usize>) -> Groups {
    let mut grouping = Groups { groups: Vec::new(), of: vec![None; graph.len()], roots: roots.to_vec() };
    let mut late = vec![false; graph.len()];
    let users = users(graph, needed);
    for (value, node) in graph.nodes().filter(|(value, _)| needed[value.0]) {
        late[value.0] = node.inputs.iter().any(|input| late[input.0])
            || matches!((&node.op, late_inputs), (&Op::Input(index), Some(first)) if index >= first);
        if is_view(&node.op) {
            continue;
        }
        let home = candidates(graph, &grouping, value).into_iter().find(|&candidate| {
            grouping.groups[candidate].late == late[value.0]
                && fits(graph, &grouping, &users, candidate, value)
                && !reaches(graph, &grouping, value, candidate)
        });
        let index = home.unwrap_or_else(|| {
            let kind = match node.op {
                Op::Map(_) | Op::Reduce { .. } => Kind::Nest,
                Op::Contract { .. } => Kind::Contract,
                _ => Kind::Single,
            };
            grouping.groups.push(Group { kind, members: Vec::new(), late: late[value.0] });
            grouping.groups.len() - 1
        });
        grouping.groups[index].members.push(value);
        grouping.of[value.0] = Some(index);
    }
    grouping
}

fn users(graph: &Graph, needed: &[bool]) -> Vec<Vec<ValueId>> {
    let mut users = vec![Vec::new(); graph.len()];
    for (value, node) in graph.nodes().filter(|(value, _)| needed[value.0]) {
        for input in &node.inputs {
            users[input.0].push(value);
        }
    }
    users
}

/// Groups that `value` might join, the best first.
fn candidates(graph: &Graph, grouping: &Groups, value: ValueId) -> Vec<usize> {
    let node = graph.node(value);
    let mut found: Vec<usize> = match node.op {
        Op::Map(_) | Op::Reduce { .. } => {
            node.inputs.iter().filter_map(|&input| direct(graph, grouping, value, input)).collect()
        }
        _ => Vec::new(),
    };
    found.extend(siblings(graph, grouping, value));
    found.sort_unstable();
    found.dedup();
    found.sort_by_key(|&index| (grouping.groups[index].kind != Kind::Contract, std::cmp::Reverse(index)));
    found
}

/// How far back a nest is looked for that reads the same elements.
const SIBLINGS: usize = 6;

/// The latest nests over the same elements that read a whole tensor that `value` reads, too.
fn siblings(graph: &Graph, grouping: &Groups, value: ValueId) -> Vec<usize> {
    let node = graph.node(value);
    if !matches!(node.op, Op::Map(_) | Op::Reduce { .. }) {
        return Vec::new();
    }
    let space_here = space(graph, value);
    let whole = |member: ValueId| {
        let inputs = graph.node(member).inputs.iter();
        let whole = inputs.filter(|&&input| (graph.shape(input), graph.ty(input).batched) == space_here);
        whole.map(|&input| behind_views(graph, input)).collect::<Vec<_>>()
    };
    let sources = whole(value);
    let start = grouping.groups.len().saturating_sub(SIBLINGS);
    (start..grouping.groups.len())
        .filter(|&index| {
            let group = &grouping.groups[index];
            group.kind == Kind::Nest
                && space(graph, group.members[0]) == space_here
                && group.members.iter().any(|&member| whole(member).iter().any(|source| sources.contains(source)))
        })
        .collect()
}

/// The value that `value` is a view of.
fn behind_views(graph: &Graph, mut value: ValueId) -> ValueId {
    while let Op::Reshape | Op::Slice { .. } | Op::Transpose(_) = graph.node(value).op {
        value = graph.node(value).inputs[0];
    }
    value
}

/// The group in which `input` is at hand, element for element, when `value` is computed there.
pub(super) fn direct(graph: &Graph, grouping: &Groups, value: ValueId, input: ValueId) -> Option<usize> {
    let source = behind_reshapes(graph, input);
    let group = grouping.of[source.0]?;
    let (shape, batched) = space(graph, value);
    let is_map = matches!(graph.node(value).op, Op::Map(_));
    match grouping.groups[group].kind {
        Kind::Nest => {
            let same = source == input && matches!(graph.node(source).op, Op::Map(_));
            (same && space(graph, source) == (shape, batched)).then_some(group)
        }
        Kind::Contract => {
            let size = |shape: &[usize]| shape.iter().product::<usize>();
            let ty = graph.ty(source);
            let whole = graph.shape(input) == shape && size(&ty.shape) == size(shape) && ty.batched == batched;
            (is_map && whole).then_some(group)
        }
        Kind::Single => None,
    }
}

/// The value that `value` is another shape of.
pub(super) fn behind_reshapes(graph: &Graph, mut value: ValueId) -> ValueId {
    while let Op::Reshape = graph.node(value).op {
        value = graph.node(value).inputs[0];
    }
    value
}

/// Whether the kernel stays within its limits, and sees all operands in its own shape.
fn fits(graph: &Graph, grouping: &Groups, users: &[Vec<ValueId>], group: usize, value: ValueId) -> bool {
    let members = &grouping.groups[group].members;
    let mut inputs: Vec<ValueId> = members
        .iter()
        .chain([&value])
        .filter(|&&member| !matches!(graph.node(member).op, Op::Contract { .. }))
        .flat_map(|&member| graph.node(member).inputs.iter().copied())
        .filter(|&input| grouping.of[behind_reshapes(graph, input).0] != Some(group))
        .collect();
    inputs.sort_unstable();
    inputs.dedup();
    let is_stored = |member: &&ValueId| {
        grouping.roots.contains(member) || users[member.0].iter().any(|user| !members.contains(user))
    };
    let stored = members.iter().filter(is_stored).count();
    if inputs.len() > MOST_INPUTS || stored + 1 > MOST_OUTPUTS {
        return false;
    }
    let first = members[0];
    if grouping.groups[group].kind != Kind::Contract || graph.shape(first) == graph.shape(value) {
        return true;
    }
    // An epilogue in another shape than the product's: its operands must be seen in the product's.
    graph.node(value).inputs.iter().all(|&input| {
        direct(graph, grouping, value, input) == Some(group)
            || structural_view(graph, input)
                .is_some_and(|view| view.broadcast(graph.shape(value)).reshape(graph.shape(first)).is_some())
    })
}

/// How a value would lie if what it is a view of lay densely; `None` if it is no mere view of that.
fn structural_view(graph: &Graph, value: ValueId) -> Option<View> {
    let node = graph.node(value);
    let ty = &node.ty;
    let of_input = || structural_view(graph, node.inputs[0]);
    match &node.op {
        Op::Reshape => of_input()?.reshape(&ty.shape),
        Op::Transpose(permutation) => Some(of_input()?.transpose(permutation)),
        Op::Slice { axis, start, end } => Some(of_input()?.slice(*axis, *start, *end)),
        Op::StopGradient => of_input(),
        Op::Constant(bits) => Some(View::uniform(super::view::Source::Constant(*bits), &ty.shape)),
        Op::Position { axis } => Some(View::position(&ty.shape, *axis)),
        _ => Some(View::dense(super::view::Source::Buffer(value.0), ty.element, &ty.shape, ty.batched)),
    }
}

/// Whether `value` depends on `group` by a way that leads out of the group: then it can't be part of it.
fn reaches(graph: &Graph, grouping: &Groups, value: ValueId, group: usize) -> bool {
    let mut seen = vec![false; graph.len()];
    let mut stack: Vec<ValueId> = graph
        .node(value)
        .inputs
        .iter()
        .copied()
        .filter(|&input| direct(graph, grouping, value, input) != Some(group))
        .collect();
    while let Some(next) = stack.pop() {
        if std::mem::replace(&mut seen[next.0], true) {
            continue;
        }
        match grouping.of[next.0] {
            Some(found) if found == group => return true,
            Some(found) => {
                for member in &grouping.groups[found].members {
                    stack.extend(&graph.node(*member).inputs);
                }
            }
            None => stack.extend(&graph.node(next).inputs),
        }
    }
    false
}

impl Groups {
    /// All groups, each after those that it needs; those of the values in `first` as early as can be.
    pub(super) fn ordered(&self, graph: &Graph, first: &[ValueId]) -> Vec<usize> {
        let mut order = Vec::new();
        let mut state = vec![Visit::Unseen; self.groups.len()];
        let mut late: Vec<usize> = (0..self.groups.len()).collect();
        late.sort_by_key(|&index| {
            let members = &self.groups[index].members;
            (self.groups[index].late, !members.iter().any(|member| first.contains(member)))
        });
        for root in late {
            let mut stack = vec![(root, false)];
            while let Some((index, done)) = stack.pop() {
                if done {
                    state[index] = Visit::Done;
                    order.push(index);
                } else if state[index] == Visit::Unseen {
                    state[index] = Visit::Open;
                    stack.push((index, true));
                    let mut before = self.dependencies(graph, index);
                    before.sort_unstable_by(|a, b| b.cmp(a));
                    stack.extend(
                        before.into_iter().filter(|&other| state[other] == Visit::Unseen).map(|other| (other, false)),
                    );
                }
            }
        }
        order
    }

    fn dependencies(&self, graph: &Graph, index: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let mut stack: Vec<ValueId> =
            self.groups[index].members.iter().flat_map(|&member| graph.node(member).inputs.clone()).collect();
        while let Some(value) = stack.pop() {
            match self.of[value.0] {
                Some(group) if group == index => {}
                Some(group) => found.push(group),
                None => stack.extend(&graph.node(value).inputs),
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// How many of the ordered groups come before the late ones.
    pub(super) fn early(&self, order: &[usize]) -> usize {
        order.iter().take_while(|&&index| !self.groups[index].late).count()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visit {
    Unseen,
    Open,
    Done,
}
