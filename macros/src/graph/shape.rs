//! Shapes and the rule of broadcasting.

/// Sizes of a sample's axes, outermost first; empty for a single number.
pub(crate) type Shape = Vec<usize>;

/// The shape that two shapes broadcast to (aligned at the last axis, sizes equal or 1), as in NumPy.
pub(crate) fn broadcast_shapes(left: &[usize], right: &[usize]) -> Option<Shape> {
    let rank = left.len().max(right.len());
    let size = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |index| shape[index]);
    (0..rank)
        .map(|axis| match (size(left, axis), size(right, axis)) {
            (a, b) if a == b => Some(a),
            (1, b) => Some(b),
            (a, 1) => Some(a),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasting_aligns_at_the_last_axis() {
        assert_eq!(broadcast_shapes(&[4, 1, 3], &[5, 3]), Some(vec![4, 5, 3]));
        assert_eq!(broadcast_shapes(&[], &[2]), Some(vec![2]));
        assert_eq!(broadcast_shapes(&[2], &[3]), None);
    }
}
