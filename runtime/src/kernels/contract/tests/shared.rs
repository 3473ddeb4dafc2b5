//! Products that several threads share, and those that they must not.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::collections::HashSet;
use std::sync::Mutex;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use super::*;
use crate::kernels::testing::with_workers;
use crate::kernels::{broadcast, strided, sum_inner};
use crate::workers::Workers;

const SIZE: usize = 96;

/// How long threads wait for each other, should they have to forever.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a thread waits for others that should not come.
const DOUBT: Duration = Duration::from_millis(20);

/// Waits until something holds, or too long; where that is called from, a panic would end the process.
fn wait_until(holds: impl Fn() -> bool, patience: Duration, given_up: &AtomicBool) {
    let since = Instant::now();
    while !holds() && !given_up.load(Ordering::Relaxed) {
        given_up.fetch_or(since.elapsed() > patience, Ordering::Relaxed);
        thread::yield_now();
    }
}

/// Adds its input, and sees on which threads: it waits for as many as are expected, of which none does another's part then, and
/// for a while for a second one that is not.
#[derive(Clone, Copy)]
struct Witness<'a> {
    seen: &'a Mutex<HashSet<ThreadId>>,
    expected: usize,
    given_up: &'a AtomicBool,
}

impl Witness<'_> {
    fn meet(self) {
        self.seen.lock().unwrap().insert(thread::current().id());
        let patience = if self.expected == 1 { DOUBT } else { PATIENCE };
        wait_until(|| self.seen.lock().unwrap().len() >= self.expected.max(2), patience, self.given_up);
    }
}

impl<const I: usize> Epilogue<f32, I, 1> for Witness<'_> {
    #[inline(always)]
    fn evaluate<S: Simd>(
        self,
        _: S,
        product: Lanes<f32, S>,
        inputs: [Lanes<f32, S>; I],
        _: [Lanes<f32, S>; 1],
    ) -> [Lanes<f32, S>; 1] {
        self.meet();
        [inputs.into_iter().fold(product, |sum, input| sum + input)]
    }
}

/// How many threads compute a product of these cells, from these places and with these rows on, as many as are expected should
/// that be possible; its sums, too.
fn threads<const I: usize>(
    expected: usize,
    lent: &[Cell<f32>],
    [a, b]: [&[Cell<f32>]; 2],
    inputs: impl Inputs<f32, 2, I>,
    outputs: impl Outputs<f32, 2, 1>,
) -> usize {
    let (seen, given_up) = (Mutex::new(HashSet::new()), AtomicBool::new(false));
    let witness = Witness { seen: &seen, expected, given_up: &given_up };
    let [a, b] = [a, b].map(|matrix| Matrix::new(matrix, 0, [], SIZE, 1));
    let unit = Instructions::detect();
    with_help(|| contract_large(unit, lent, [], SIZE, SIZE, SIZE, a, b, inputs, outputs, witness));
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
    assert_eq!(threads(3, lent, [a, b], (), (to,)), 3);
    assert_eq!(threads(3, lent, [a, a], (contiguous(d, 0, rows), broadcast(d, 0, [1, 0])), (to,)), 3);
    // What is written is read at the same place only.
    assert_eq!(threads(3, lent, [a, b], (contiguous(c, 0, rows),), (to,)), 3);
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
    assert_eq!(threads(1, lent, [c, b], (), (to,)), 1, "the left matrix");
    assert_eq!(threads(1, lent, [a, &c[SIZE * SIZE - 1..]], (), (to,)), 1, "the right matrix");
    assert_eq!(threads(1, lent, [a, b], (contiguous(c, 1, rows),), (to,)), 1, "an input");
    assert_eq!(threads(1, lent, [a, b], (broadcast(c, 0, [SIZE, 0]),), (to,)), 1, "an input of each row");
    assert_eq!(threads(1, &d[..SIZE], [a, b], (contiguous(d, 0, rows),), (to,)), 1, "an input in lent memory");
    assert_eq!(threads(1, &d[..SIZE], [a, b], (contiguous(d, 0, [0, 1]),), (to,)), 1, "a bias that is the lent memory");
    assert_eq!(threads(1, &a[..1], [a, b], (), (to,)), 1, "a matrix in lent memory");
    assert_eq!(threads(1, &c[..1], [a, b], (), (to,)), 1, "the product in lent memory");
    assert_eq!(threads(1, lent, [a, b], (strided(d, 0, [SIZE, 1]),), (to,)), 1, "an input that nobody knows");
    assert_eq!(threads(1, lent, [a, b], (), (store(c, 0, [SIZE - 1, 1]),)), 1, "rows that overlap");
    assert_eq!(threads(1, lent, [a, b], (), (sum_inner(c, 0, [1, 0], false),)), 1, "a sum");
    let (seen, given_up) = (Mutex::new(HashSet::new()), AtomicBool::new(false));
    let witness = Witness { seen: &seen, expected: 1, given_up: &given_up };
    let matrix = Matrix::new(a, 0, [], 4, 1);
    with_help(|| contract(Instructions::detect(), [], 4, 4, 4, matrix, matrix, (), (to,), witness));
    assert_eq!(seen.into_inner().unwrap().len(), 1, "too little work");
}

/// The product as it is; the caller's thread goes on when the others have begun, and those when the caller's has done more than
/// its part.
#[derive(Clone, Copy)]
struct Overtaken<'a> {
    caller: ThreadId,
    others: usize,
    begun: &'a Mutex<HashSet<ThreadId>>,
    done: &'a AtomicUsize,
    part: usize,
    given_up: &'a AtomicBool,
}

impl Overtaken<'_> {
    fn wait(self) {
        let here = thread::current().id();
        let is_met = || match here == self.caller {
            true => self.begun.lock().unwrap().len() == self.others,
            false => self.done.load(Ordering::Relaxed) > self.part,
        };
        if here != self.caller {
            self.begun.lock().unwrap().insert(here);
        }
        wait_until(is_met, PATIENCE, self.given_up);
    }
}

impl Epilogue<f32, 0, 1> for Overtaken<'_> {
    #[inline(always)]
    fn evaluate<S: Simd>(
        self,
        _: S,
        product: Lanes<f32, S>,
        []: [Lanes<f32, S>; 0],
        _: [Lanes<f32, S>; 1],
    ) -> [Lanes<f32, S>; 1] {
        self.wait();
        if thread::current().id() == self.caller {
            self.done.fetch_add(Lanes::<f32, S>::COUNT, Ordering::Relaxed);
        }
        [product]
    }
}

fn cells(numbers: &mut [f32]) -> &[Cell<f32>] {
    Cell::from_mut(numbers).as_slice_of_cells()
}

/// Bit by bit.
fn are_equal(sums: &[f32], expected: &[f32]) -> bool {
    sums.iter().map(|sum| sum.to_bits()).eq(expected.iter().map(|sum| sum.to_bits()))
}

/// Both ways of cutting large products, in one pass and in several: who computes what changes no bit.
#[test]
fn who_is_early_takes_what_others_have_not_begun() {
    for (lent, [m, k, n], is_overtaken) in [
        (60_000, [290, 64, 100], true),
        (130_000, [290, 600, 100], true),
        (60_000, [53, 70, 1100], true),
        (20_000, [61, 300, 1100], true),
        // Several times some of the columns; and more memory for the first part than for the others, on some units.
        (60_000, [300, 150, 290], false),
        (200_000, [500, 300, 480], false),
    ] {
        let numbers = |count: usize, modulus: usize| -> Vec<f32> {
            (0..count).map(|index| (index % modulus) as f32 * 0.37 - 1.1).collect()
        };
        let (mut a, mut b, mut c) = (numbers(m * k, 7), numbers(k * n, 11), vec![0.0; m * n]);
        let [left, right] = [(cells(&mut a[..]), k), (cells(&mut b[..]), n)];
        let memory = vec![Cell::new(0.0_f32); lent];
        let compute = |others: usize, part: usize, c: &mut [f32]| -> (usize, bool) {
            let (begun, done, given_up) = (Mutex::new(HashSet::new()), AtomicUsize::new(0), AtomicBool::new(false));
            let caller = thread::current().id();
            let meeting = Overtaken { caller, others, begun: &begun, done: &done, part, given_up: &given_up };
            let [a, b] = [left, right].map(|(cells, row)| Matrix::new(cells, 0, [], row, 1));
            let to = store(cells(c), 0, [n, 1]).apart();
            contract_large(Instructions::detect(), &memory, [], m, k, n, a, b, (), (to,), meeting);
            (done.into_inner(), given_up.into_inner())
        };
        let mut expected = c.clone();
        compute(0, 0, &mut expected);
        let part = if is_overtaken { 2 * m * n / 5 } else { 0 };
        let mut alone = c.clone();
        with_workers(&mut Workers::absent(2), || compute(0, 0, &mut alone));
        assert!(are_equal(&alone, &expected), "{m}x{k}x{n}: every part by the caller's");
        let (done, given_up) = with_help(|| compute(2, part, &mut c));
        assert!(!given_up, "{m}x{k}x{n}: threads wait for each other, {done} numbers done by the caller's");
        assert!(done > part, "{m}x{k}x{n}: only {done} numbers by the caller's thread");
        assert!(are_equal(&c, &expected), "{m}x{k}x{n}");
        assert!(c.iter().all(|&sum| sum != 0.0));
    }
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
