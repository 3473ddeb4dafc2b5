//! How much memory of the workspace large products are lent for copies of their operands. The runtime's `kernels/large.rs` and
//! `kernels/stream.rs` take what they get. (`benches` includes this file, to lend as much.)

/// Numbers a sample at most: for 128 samples and more, some 900 columns of the gradient of the output and a block of the input.
pub(crate) const MOST: usize = 1024;
/// Elements of a weight from which on its products with samples, and its gradient, go through copies, which outgrow the cache
/// unless there are few samples: the kernel sees.
const LARGE: usize = 1 << 18;
/// Elements from which on the gradient does where the rows of the input compete for few places of the cache.
const LARGE_IF_CROWDED: usize = 1 << 16;
/// Rows compete at a distance of a multiple of so many numbers.
const CROWDING_DISTANCE: usize = 256;
/// Rows from which on the kernel copies for a gradient, as `MANY_ROWS` of the runtime's `kernels/large.rs` says.
const MANY_ROWS: usize = 384;
/// Columns of the widest panel, of which copies have a whole number.
const PANEL: usize = 32;

/// Numbers a sample for the product of samples with a matrix of this size.
pub(crate) const fn to_product(rows: usize, columns: usize) -> Option<usize> {
    if rows * columns >= LARGE { Some(MOST) } else { None }
}

/// Numbers a sample for the gradient of a weight of this size, whose input has its samples at this distance.
pub(crate) fn to_gradient(rows: usize, columns: usize, distance: usize) -> Option<usize> {
    let least = if distance.is_multiple_of(CROWDING_DISTANCE) { LARGE_IF_CROWDED } else { LARGE };
    // From 32 samples on, that is all columns, or as many as find room.
    (rows >= MANY_ROWS && rows * columns >= least).then(|| MOST.min(128 + 4 * columns.next_multiple_of(PANEL)))
}
