//! Sums of gradients that come by several ways.

use crate::formula::Formula;
use crate::graph::{Graph, Op, ValueId};

/// The sum of all parts. Parts that are zero but for different pieces of one axis (a tensor used in slices) are put
/// beside each other instead of being padded and added.
pub(super) fn sum(graph: &mut Graph, parts: Vec<ValueId>) -> ValueId {
    let mut rest: Vec<ValueId> = Vec::new();
    let mut pieces: Vec<(usize, Vec<Piece>)> = Vec::new();
    for part in parts {
        match piece(graph, part) {
            Some((axis, piece)) => match pieces
                .iter_mut()
                .find(|(other, found)| *other == axis && found.iter().all(|found| !found.overlaps(&piece)))
            {
                Some((_, found)) => found.push(piece),
                None => pieces.push((axis, vec![piece])),
            },
            None => rest.push(part),
        }
    }
    let joined: Vec<ValueId> = pieces.into_iter().map(|(axis, pieces)| beside(graph, axis, pieces)).collect();
    rest.extend(joined);
    let mut total = rest[0];
    for &part in &rest[1..] {
        total = graph.map(Formula::argument(0) + Formula::argument(1), &[total, part]);
    }
    total
}

/// A value that stands at `start..end` of an axis of `size`.
struct Piece {
    padded: ValueId,
    value: ValueId,
    start: usize,
    end: usize,
    size: usize,
}

impl Piece {
    fn overlaps(&self, other: &Piece) -> bool {
        self.start < other.end && other.start < self.end
    }
}

fn piece(graph: &Graph, part: ValueId) -> Option<(usize, Piece)> {
    let node = graph.node(part);
    let Op::Pad { axis, before, after } = node.op else { return None };
    let size = node.ty.shape[axis];
    Some((axis, Piece { padded: part, value: node.inputs[0], start: before, end: size - after, size }))
}

fn beside(graph: &mut Graph, axis: usize, mut pieces: Vec<Piece>) -> ValueId {
    if let [only] = &pieces[..] {
        return only.padded;
    }
    pieces.sort_by_key(|piece| piece.start);
    let (mut row, mut reached) = (Vec::new(), 0);
    let size = pieces[0].size;
    let gap = |graph: &mut Graph, row: &mut Vec<ValueId>, like: ValueId, width: usize| {
        if width > 0 {
            let mut shape = graph.shape(like).to_vec();
            shape[axis] = width;
            row.push(graph.constant(0.0, shape));
        }
    };
    for piece in &pieces {
        gap(graph, &mut row, piece.value, piece.start - reached);
        row.push(piece.value);
        reached = piece.end;
    }
    gap(graph, &mut row, pieces[0].value, size - reached);
    graph.concat(&row, axis)
}
