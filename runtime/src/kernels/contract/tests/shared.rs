//! Products that several threads share, and those that they must not.

use std::collections::HashSet;
use std::sync::Mutex;
use std::thread::{self, ThreadId};

use super::*;
use crate::kernels::{broadcast, strided, sum_inner};

const SIZE: usize = 96;

/// Adds its input, and sees on which threads.
#[derive(Clone, Copy)]
struct Witness<'a>(&'a Mutex<HashSet<ThreadId>>);

impl<const I: usize> Epilogue<f32, I, 1> for Witness<'_> {
    #[inline(always)]
    fn evaluate<S: Simd>(
        self,
        _: S,
        product: Lanes<f32, S>,
        inputs: [Lanes<f32, S>; I],
        _: [Lanes<f32, S>; 1],
    ) -> [Lanes<f32, S>; 1] {
        self.0.lock().unwrap().insert(thread::current().id());
        [inputs.into_iter().fold(product, |sum, input| sum + input)]
    }
}

/// How many threads compute a product of these cells, from these places and with these rows on; its sums, too.
fn threads<const I: usize>(
    lent: &[Cell<f32>],
    [a, b]: [&[Cell<f32>]; 2],
    inputs: impl Inputs<f32, 2, I>,
    outputs: impl Outputs<f32, 2, 1>,
) -> usize {
    let seen = Mutex::new(HashSet::new());
    let [a, b] = [a, b].map(|matrix| Matrix::new(matrix, 0, [], SIZE, 1));
    let unit = Instructions::detect();
    with_help(|| contract_large(unit, lent, [], SIZE, SIZE, SIZE, a, b, inputs, outputs, Witness(&seen)));
    seen.into_inner().unwrap().len()
}

#[test]
fn threads_share_what_no_other_touches() {
    let mut memory = vec![0.5_f32; 8 * SIZE * SIZE];
    let cells = Cell::from_mut(&mut memory[..]).as_slice_of_cells();
    let at = |place: usize| &cells[place * SIZE * SIZE..];
    let [a, b, c, d, lent] = [0, 1, 2, 3, 5].map(at);
    let lent = &lent[..SIZE];
    let rows = [SIZE, 1];
    let to = store(c, 0, rows);
    assert_eq!(threads(lent, [a, b], (), (to,)), 3);
    assert_eq!(threads(lent, [a, a], (contiguous(d, 0, rows), broadcast(d, 0, [1, 0])), (to,)), 3);
    // What is written is read at the same place only.
    assert_eq!(threads(lent, [a, b], (contiguous(c, 0, rows),), (to,)), 3);
    let product = 0.25 * SIZE as f32;
    assert!(c[..SIZE * SIZE].iter().all(|sum| sum.get() == product + (product + 0.5 + 0.5)));
}

#[test]
fn what_another_touches_is_one_threads() {
    let mut memory = vec![0.5_f32; 8 * SIZE * SIZE];
    let cells = Cell::from_mut(&mut memory[..]).as_slice_of_cells();
    let at = |place: usize| &cells[place * SIZE * SIZE..];
    let [a, b, c, d, lent] = [0, 1, 2, 3, 5].map(at);
    let (lent, rows) = (&lent[..SIZE], [SIZE, 1]);
    let to = store(c, 0, rows);
    assert_eq!(threads(lent, [c, b], (), (to,)), 1, "the left matrix");
    assert_eq!(threads(lent, [a, &c[SIZE * SIZE - 1..]], (), (to,)), 1, "the right matrix");
    assert_eq!(threads(lent, [a, b], (contiguous(c, 1, rows),), (to,)), 1, "an input");
    assert_eq!(threads(lent, [a, b], (broadcast(c, 0, [SIZE, 0]),), (to,)), 1, "an input of each row");
    assert_eq!(threads(&d[..SIZE], [a, b], (contiguous(d, 0, rows),), (to,)), 1, "an input in lent memory");
    assert_eq!(threads(&d[..SIZE], [a, b], (contiguous(d, 0, [0, 1]),), (to,)), 1, "a bias that is the lent memory");
    assert_eq!(threads(&a[..1], [a, b], (), (to,)), 1, "a matrix in lent memory");
    assert_eq!(threads(&c[..1], [a, b], (), (to,)), 1, "the product in lent memory");
    assert_eq!(threads(lent, [a, b], (strided(d, 0, [SIZE, 1]),), (to,)), 1, "an input that nobody knows");
    assert_eq!(threads(lent, [a, b], (), (store(c, 0, [SIZE - 1, 1]),)), 1, "rows that overlap");
    assert_eq!(threads(lent, [a, b], (), (sum_inner(c, 0, [1, 0], false),)), 1, "a sum");
    let seen = Mutex::new(HashSet::new());
    let matrix = Matrix::new(a, 0, [], 4, 1);
    with_help(|| contract(Instructions::detect(), [], 4, 4, 4, matrix, matrix, (), (to,), Witness(&seen)));
    assert_eq!(seen.into_inner().unwrap().len(), 1, "too little work");
}

/// Whatever the distance to a next row that there is not.
#[test]
fn the_places_of_a_single_row_differ() {
    use crate::kernels::destinations::Output;
    let mut memory = [0.5_f32; SIZE];
    let row = store(&mut memory[..], 0, [0, 1]);
    assert!(Output::<f32, 2>::reach(&row, &[0; 2], [1, SIZE]).is_some());
    assert!(Output::<f32, 2>::reach(&row, &[0; 2], [2, SIZE]).is_none());
}
