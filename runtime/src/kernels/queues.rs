//! What threads that share a product have not begun to compute.
//!
//! Each has a part, of which it takes pieces that become smaller towards the end (guided self-scheduling: Polychronopoulos and
//! Kuck, IEEE Transactions on Computers C-36, 1987). Who has none left takes pieces of the others' parts, so that all end at about
//! the same time, however fast each is. Where pieces begin does not depend on who takes them.

use core::sync::atomic::{AtomicUsize, Ordering};

use super::direct::PARTS;

/// The rows or columns of each part that nobody has begun.
pub(super) struct Queues([Queue; PARTS]);

/// From `start` to `end`, for threads in the same pass.
struct Queue {
    start: AtomicUsize,
    end: AtomicUsize,
    pass: AtomicUsize,
}

/// The start of a part that others must not take anything of: behind every end.
const CLOSED: usize = usize::MAX;

impl Queues {
    /// Nothing to be taken yet.
    pub(super) const fn new() -> Self {
        Self([const { Queue::closed() }; PARTS])
    }

    /// Lets every thread that is in this pass take pieces of a part.
    pub(super) fn open(&self, index: usize, [start, end]: [usize; 2], pass: usize) {
        if let Some(queue) = self.0.get(index) {
            queue.end.store(end, Ordering::Relaxed);
            queue.pass.store(pass, Ordering::Relaxed);
            // What the part's thread has computed before is seen by those who see this.
            queue.start.store(start, Ordering::Release);
        }
    }

    /// Takes a piece of part `own` of `count`, or of another one; none if all has been begun, as far as it may be taken.
    pub(super) fn claim(&self, own: usize, count: usize, sizes: [usize; 2], pass: usize) -> Option<[usize; 2]> {
        let parts = self.0.get(..count)?;
        let (before, after) = parts.split_at_checked(own)?;
        after.iter().chain(before).find_map(|queue| queue.claim(sizes, pass))
    }
}

impl Queue {
    const fn closed() -> Self {
        Self { start: AtomicUsize::new(CLOSED), end: AtomicUsize::new(0), pass: AtomicUsize::new(0) }
    }

    /// Takes a piece of what is left.
    fn claim(&self, [grain, most]: [usize; 2], pass: usize) -> Option<[usize; 2]> {
        let mut start = self.start.load(Ordering::Acquire);
        let (end, is_same) = (self.end.load(Ordering::Relaxed), self.pass.load(Ordering::Relaxed) == pass);
        while start < end && is_same {
            let size = guided(end - start, grain, most);
            match self.start.compare_exchange_weak(start, start + size, Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => return Some([start, size]),
                Err(now) => start = now,
            }
        }
        None
    }
}

/// How many to take of so many, whole grains: a third, which leaves others something to take, but not more than `most`.
fn guided(left: usize, grain: usize, most: usize) -> usize {
    left.div_ceil(3).checked_next_multiple_of(grain).unwrap_or(left).min(most).min(left)
}

#[cfg(test)]
mod tests {
    use std::prelude::rust_2024::*;
    use std::thread;
    use std::vec;

    use super::*;

    #[test]
    fn pieces_become_smaller() {
        let queues = Queues::new();
        queues.open(0, [12, 404], 7);
        let mut sizes = vec![];
        let mut end = 12;
        while let Some([start, size]) = queues.claim(0, 1, [6, 96], 7) {
            assert_eq!(start, end);
            sizes.push(size);
            end += size;
        }
        assert_eq!(end, 404);
        assert_eq!(sizes, [96, 96, 72, 48, 30, 18, 12, 12, 6, 2]);
    }

    #[test]
    fn parts_are_open_to_those_in_the_same_pass() {
        let queues = Queues::new();
        let sizes = [8, 8];
        assert_eq!(queues.claim(0, 3, sizes, 0), None, "nothing is open");
        queues.open(1, [32, 48], 5);
        queues.open(2, [64, 80], 6);
        assert_eq!(queues.claim(0, 1, sizes, 5), None, "others do not take part");
        assert_eq!(queues.claim(0, 3, sizes, 4), None);
        assert_eq!(queues.claim(0, 3, sizes, 6), Some([64, 8]));
        assert_eq!(queues.claim(1, 3, sizes, 5), Some([32, 8]));
        assert_eq!(queues.claim(0, 3, sizes, 5), Some([40, 8]));
        assert_eq!(queues.claim(1, 3, sizes, 5), None);
        queues.open(1, [32, 48], 6);
        assert_eq!(queues.claim(1, 3, sizes, 6), Some([32, 8]), "one's own comes first");
        assert_eq!(queues.claim(0, PARTS + 1, sizes, 6), None);
    }

    #[test]
    fn everything_is_taken_once() {
        for count in 1..=PARTS {
            let queues = Queues::new();
            let mut taken: Vec<_> = thread::scope(|scope| {
                let threads: Vec<_> = (0..count)
                    .map(|index| {
                        let queues = &queues;
                        scope.spawn(move || {
                            queues.open(index, [index * 1000, index * 1000 + 990], 3);
                            core::iter::from_fn(|| queues.claim(index, count, [4, 60], 3)).collect::<Vec<_>>()
                        })
                    })
                    .collect();
                threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
            });
            taken.sort_unstable();
            let mut pieces = taken.into_iter();
            for index in 0..count {
                let mut end = index * 1000;
                while end < index * 1000 + 990 {
                    let [start, size] = pieces.next().unwrap();
                    assert_eq!(start, end);
                    end += size;
                }
                assert_eq!(end, index * 1000 + 990);
            }
            assert_eq!(pieces.next(), None);
        }
    }
}
