//! Threads that help one that takes a step: they compute parts of its large products.
//!
//! Who takes a step says so with [`with`]; what is then computed on the same thread finds the helpers with [`share`]. (They are
//! not handed down through the generated code, which is the same for one thread and for several.)

use core::cell::Cell;
use core::ptr::NonNull;

use crate::workers::Workers;

/// Memory in which a part is computed, whoever computes it.
#[derive(Debug)]
pub(crate) struct Lent {
    memory: NonNull<u8>,
    bytes: usize,
}

// SAFETY: plain memory, which belongs to no thread; `Lent::new`'s caller promises that nobody else uses it.
unsafe impl Send for Lent {}
// SAFETY: as above.
unsafe impl Sync for Lent {}

impl Lent {
    /// All of a place.
    ///
    /// # Safety
    ///
    /// It must be writable and aligned for numbers, its bytes may be any, and nobody else may use it while it is lent.
    pub(crate) const unsafe fn new<A>(place: NonNull<A>) -> Self {
        Self { memory: place.cast(), bytes: size_of::<A>() }
    }

    /// Where numbers may lie, and how many.
    pub(crate) const fn numbers<T>(&self) -> (*mut T, usize) {
        (self.memory.as_ptr().cast(), self.bytes / size_of::<T>())
    }
}

/// The threads that help, and where each part is computed: the first one in memory of the caller's.
struct Helpers<'a> {
    workers: &'a mut Workers,
    places: &'a mut [Option<Lent>],
}

std::thread_local! {
    /// The helpers of what this thread computes, while it does.
    static HELPERS: Cell<Option<NonNull<Helpers<'static>>>> = const { Cell::new(None) };
}

/// Puts back what was there before, whatever happens.
struct Restored(Option<NonNull<Helpers<'static>>>);

impl Drop for Restored {
    fn drop(&mut self) {
        HELPERS.set(self.0);
    }
}

/// Computes something with the help of other threads, one for each place but the first.
pub(crate) fn with<R>(workers: &mut Workers, places: &mut [Option<Lent>], compute: impl FnOnce() -> R) -> R {
    let mut helpers = Helpers { workers, places };
    let helpers = NonNull::from(&mut helpers).cast();
    let _before = Restored(HELPERS.replace(Some(helpers)));
    compute()
}

/// Has a work done in up to `most` parts, each of which is told its index, their number, and where it may work if not in the
/// caller's memory; whether there is anybody who helps.
pub(crate) fn share(most: usize, work: impl Fn(usize, usize, Option<&Lent>) + Sync) -> bool {
    // Taken away meanwhile: what a part computes has no helpers, and the reference is the only one.
    let Restored(Some(helpers)) = &Restored(HELPERS.take()) else { return false };
    // SAFETY: `with` has put it there, and takes it away before it returns.
    let Helpers { workers, places } = unsafe { helpers.cast::<Helpers<'_>>().as_mut() };
    let count = places.len().min(most);
    if count < 2 {
        return false;
    }
    workers.run(&mut places[..count], |index, lent| work(index, count, lent.as_ref()));
    true
}

/// Part number `index` of `count`, from start to end, whose start is a multiple of `grain`; the first ones are the larger ones.
pub(crate) fn portion(length: usize, grain: usize, index: usize, count: usize) -> (usize, usize) {
    let grains = length.div_ceil(grain);
    let bound = |index: usize| length.min((grains * index).div_ceil(count) * grain);
    (bound(index), bound(index + 1))
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicUsize, Ordering};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn work_is_shared_while_there_are_helpers() {
        let mut workers = Workers::start(2).unwrap();
        let mut memory = [[0.0_f64; 6]; 2];
        // SAFETY: nobody else uses it.
        let [first, second] = memory.each_mut().map(|memory| unsafe { Lent::new(NonNull::from(memory)) });
        assert_eq!(first.numbers::<f64>().1, 6);
        let mut places = [None, Some(first), Some(second)];
        let parts = AtomicUsize::new(0);
        let count = |most| {
            parts.store(0, Ordering::Relaxed);
            let shared = share(most, |index, count, lent| {
                assert_eq!(lent.is_some(), index > 0);
                assert!(!share(9, |_, _, _| unreachable!("a part has no helpers")));
                parts.fetch_add(count + index, Ordering::Relaxed);
            });
            (shared, parts.load(Ordering::Relaxed))
        };
        assert_eq!(count(9), (false, 0));
        with(&mut workers, &mut places, || {
            assert_eq!(count(9), (true, 3 + 4 + 5));
            assert_eq!(count(2), (true, 2 + 3), "no more than are wanted, and again");
            assert_eq!(count(1), (false, 0), "a single part is the caller's");
        });
        let panics = || with(&mut workers, &mut places, || panic!("on purpose"));
        assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
        assert_eq!(count(9), (false, 0), "also after a panic");
    }

    #[test]
    fn portions_cover_everything_once() {
        for length in [0, 1, 31, 32, 33, 500, 669_706] {
            for grain in [1, 6, 12, 32] {
                for count in 1..9 {
                    let parts: std::vec::Vec<_> =
                        (0..count).map(|index| portion(length, grain, index, count)).collect();
                    assert_eq!((parts[0].0, parts[count - 1].1), (0, length));
                    assert!(parts.windows(2).all(|pair| pair[0].1 == pair[1].0));
                    assert!(parts.iter().all(|(start, end)| start <= end && (start % grain == 0 || start == end)));
                    let lengths = || parts.iter().map(|(start, end)| end - start);
                    assert!(lengths().max() <= lengths().min().map(|least| least + 2 * grain - 1));
                    let is_empty = |&(start, end): &(usize, usize)| start == end;
                    assert!(length.div_ceil(grain) < count || !parts.iter().any(is_empty));
                    assert!(length < grain || !is_empty(&parts[0]));
                }
            }
        }
    }
}
