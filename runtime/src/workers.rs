//! Threads that take part in work of the caller's, and are parked in between.
//!
//! Spawning a thread and sending through a channel allocate; handing work to a thread that waits takes two writes and, if it
//! sleeps, a call of the operating system. Work that a thread has not begun when the caller is done with its own, the caller
//! takes back and does: nobody waits for a thread to wake up, or to get to a processor at first.

use core::cell::UnsafeCell;
use core::hint::spin_loop;
use core::panic::AssertUnwindSafe;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, Ordering};
use std::panic::catch_unwind;
use std::sync::Arc;
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};
use std::vec::Vec;

use crate::error::Error;

/// How long a thread looks out for work, or for the end of others' work, before it sleeps: longer than what passes between
/// the parts of a step, and than waking up takes.
const PATIENCE: Duration = Duration::from_micros(100);

/// Looks before it lets another thread run, which may be the one that it waits for, on the same processor.
const LOOKS: usize = 64;

/// Nothing to do; the last work is done, or was taken back.
const IDLE: u8 = 0;
/// There is work at the desk, which either the worker begins or the caller takes back.
const OFFERED: u8 = 1;
/// The worker has begun it.
const BUSY: u8 = 2;
/// The last work panicked.
const FAILED: u8 = 3;
/// There will be no more work.
const CLOSED: u8 = 4;

/// Threads that wait for work.
#[derive(Debug)]
pub(crate) struct Workers {
    all: Vec<Worker>,
    /// Whether they are left alone.
    at_rest: bool,
}

#[derive(Debug)]
struct Worker {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

/// Where work is handed over; on cache lines of its own, since its thread keeps looking at it.
#[repr(align(128))]
struct Desk {
    state: AtomicU8,
    /// Written by the caller while there is none, and taken by the worker when it has made the state busy.
    work: UnsafeCell<Option<Work>>,
}

// SAFETY: the state says who may touch the work; see there.
unsafe impl Sync for Desk {}

impl core::fmt::Debug for Desk {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("Desk").field("state", &self.state).finish_non_exhaustive()
    }
}

struct Work {
    /// The work's closure and places, on the caller's stack.
    shared: NonNull<()>,
    /// # Safety
    /// `shared` must be what this function was made for, and no other thread may have the same index.
    part: unsafe fn(NonNull<()>, usize),
    /// Which part.
    index: usize,
    /// Who waits.
    caller: Thread,
}

// SAFETY: `Workers::run` makes it of a closure that is `Sync` and of places that are `Send`, and outlives it.
unsafe impl Send for Work {}

impl Workers {
    /// Starts so many threads, which wait for work.
    ///
    /// # Errors
    /// [`Error::NoThread`] when the operating system has none; those that were started end.
    pub(crate) fn start(count: usize) -> Result<Self, Error> {
        // The handle of a thread that the standard library has not started is made when it is first asked for.
        let _ = thread::current();
        // Without room beforehand: a number that no system has ends with the thread that it does not have.
        let mut workers = Self { all: Vec::new(), at_rest: false };
        for _ in 0..count {
            let desk = Arc::new(Desk::idle());
            let theirs = Arc::clone(&desk);
            let spawned = thread::Builder::new().name("backprop".into()).spawn(move || theirs.serve());
            workers.all.push(Worker { desk, thread: Some(spawned.map_err(|_| Error::NoThread)?) });
        }
        Ok(workers)
    }

    /// Whether threads are left alone from now on, while the caller does all parts.
    pub(crate) const fn set_at_rest(&mut self, at_rest: bool) {
        self.at_rest = at_rest;
    }

    /// Does a part of the work for each of the places, the first on this thread and each other one on a thread of its own, or
    /// on this one if that has not begun by then or is at rest, and returns when all are done. Places beyond the number of
    /// threads are left out.
    ///
    /// # Panics
    /// When a part panics, after those that others have begun have ended.
    pub(crate) fn run<P: Send, W: Fn(usize, &mut P) + Sync>(&mut self, places: &mut [P], work: W) {
        struct Shared<'a, P, W> {
            places: *mut P,
            work: &'a W,
        }

        unsafe fn part<P, W: Fn(usize, &mut P)>(shared: NonNull<()>, index: usize) {
            // SAFETY: `run` passes a reference to this type, whose places are as many as there are indices; no index
            // is in use twice, as the caller promises.
            unsafe {
                let shared = shared.cast::<Shared<'_, P, W>>().as_ref();
                (shared.work)(index, &mut *shared.places.add(index));
            }
        }

        let Some(others) = places.len().checked_sub(1) else {
            return;
        };
        debug_assert!(others <= self.all.len(), "a thread for each place");
        let others = others.min(self.all.len());
        if self.at_rest {
            for (index, place) in places[..=others].iter_mut().enumerate() {
                work(index, place);
            }
            return;
        }
        let workers = &mut self.all[..others];
        let shared = Shared { places: places.as_mut_ptr(), work: &work };
        let shared = NonNull::from(&shared).cast();
        let caller = thread::current();
        for (index, worker) in (1..).zip(&mut *workers) {
            worker.offer(Work { shared, part: part::<P, W>, index, caller: caller.clone() });
        }
        let waiting = Waiting(workers);
        // SAFETY: made for these types; the workers have the indices from 1 on.
        unsafe { part::<P, W>(shared, 0) };
        for (index, worker) in (1..).zip(&*waiting.0) {
            if worker.desk.take_back() {
                // SAFETY: made for these types; the worker does not have this index any more.
                unsafe { part::<P, W>(shared, index) };
            }
        }
        assert!(waiting.all_well(), "a thread of the trainer panicked");
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for worker in &mut self.all {
            worker.desk.state.store(CLOSED, Ordering::Release);
            if let Some(thread) = worker.thread.take() {
                thread.thread().unpark();
                // A part that panicked was reported to its caller.
                let _ = thread.join();
            }
        }
    }
}

impl Worker {
    /// Offers the work. `Waiting` must then see to its end.
    fn offer(&mut self, work: Work) {
        // SAFETY: neither offered nor busy, since whoever handed over work before has waited for its end or taken it back: the
        // worker does not touch it.
        unsafe { *self.desk.work.get() = Some(work) };
        self.desk.state.store(OFFERED, Ordering::Release);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

/// Workers whose end is waited for, whatever happens: they use what lies on the stack.
struct Waiting<'a>(&'a mut [Worker]);

impl Waiting<'_> {
    /// Waits; whether none has panicked.
    fn all_well(self) -> bool {
        self.wait();
        let failed = |worker: &mut Worker| worker.desk.state.swap(IDLE, Ordering::Relaxed) == FAILED;
        // Each is looked at, so that no failure is left for the next work.
        let well = self.0.iter_mut().map(failed).fold(true, |well, failed| well & !failed);
        // There is nothing left to be waited for.
        core::mem::forget(self);
        well
    }

    fn wait(&self) {
        for worker in &*self.0 {
            worker.desk.wait_while(|state| state == BUSY);
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        // A part has panicked on this thread: what has not begun never will.
        for worker in &*self.0 {
            worker.desk.take_back();
        }
        self.wait();
    }
}

impl Desk {
    const fn idle() -> Self {
        Self { state: AtomicU8::new(IDLE), work: UnsafeCell::new(None) }
    }

    /// Works until there will be no more work.
    fn serve(&self) {
        while self.wait_while(|state| state == IDLE || state == FAILED) != CLOSED {
            if !self.change(OFFERED, BUSY) {
                continue;
            }
            // SAFETY: busy, which only this thread changes: the work is this thread's.
            let work = unsafe { (*self.work.get()).take() };
            if let Some(Work { shared, part, index, caller }) = work {
                // SAFETY: the caller waits for the end of this part, and gives no other thread the same index.
                let result = catch_unwind(AssertUnwindSafe(|| unsafe { part(shared, index) }));
                let state = if result.is_ok() { IDLE } else { FAILED };
                // What a panic carries may panic again when it is dropped; what that one carries is left alone.
                if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(result))) {
                    core::mem::forget(again);
                }
                self.state.store(state, Ordering::Release);
                caller.unpark();
            }
        }
    }

    /// Takes back work that has not begun; whether there is such work.
    fn take_back(&self) -> bool {
        let has_work = self.change(OFFERED, IDLE);
        if has_work {
            // SAFETY: idle again, so that the worker does not touch it.
            unsafe { *self.work.get() = None };
        }
        has_work
    }

    /// Changes the state from one to another; whether it was the first.
    fn change(&self, from: u8, to: u8) -> bool {
        self.state.compare_exchange(from, to, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Waits for another state, which it returns; who changes the state unparks this thread.
    fn wait_while(&self, keep: impl Fn(u8) -> bool) -> u8 {
        let mut since = None;
        loop {
            for _ in 0..LOOKS {
                let state = self.state.load(Ordering::Acquire);
                if !keep(state) {
                    return state;
                }
                spin_loop();
            }
            if since.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
                thread::park();
                // What it was woken for may have been taken back: it looks out for what comes next.
                since = None;
            } else {
                thread::yield_now();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn each_place_has_a_part_of_its_own() {
        let mut workers = Workers::start(3).unwrap();
        let mut places = [0_usize; 4];
        for round in 1..200 {
            // Sometimes longer than anybody is patient, and not all of them each time.
            if round % 50 == 0 {
                thread::sleep(4 * PATIENCE);
            }
            let count = 1 + round % 4;
            workers.run(&mut places[..count], |index, place| {
                if round % 60 == index {
                    thread::sleep(4 * PATIENCE);
                }
                *place += 1 + index;
            });
        }
        assert_eq!(places, [199, 2 * 150, 3 * 100, 4 * 50]);
        workers.run(&mut [0; 0], |_, _| unreachable!("no place"));
    }

    impl Workers {
        /// Threads that never come.
        pub(crate) fn absent(count: usize) -> Self {
            let absent = |_| Worker { desk: Arc::new(Desk::idle()), thread: None };
            Self { all: (0..count).map(absent).collect(), at_rest: false }
        }

        pub(crate) const fn are_at_rest(&self) -> bool {
            self.at_rest
        }
    }

    #[test]
    fn what_nobody_begins_the_caller_does() {
        let mut workers = Workers::absent(2);
        let mut places = [None; 3];
        for round in 0..2 {
            workers.run(&mut places, |index, place| *place = Some((round, index, thread::current().id())));
            let here = thread::current().id();
            assert_eq!(places, [0, 1, 2].map(|index| Some((round, index, here))));
        }
        // Nor does anybody begin it after a panic, also of what was taken back.
        for wrong in 0..3 {
            let mut places = [false; 3];
            let run = || {
                workers.run(&mut places, |index, place| {
                    assert_ne!(index, wrong, "on purpose");
                    *place = true;
                });
            };
            assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
            assert_eq!(places, [wrong > 0, wrong > 1, false]);
            assert!(workers.all.iter().all(|worker| worker.desk.state.load(Ordering::Relaxed) == IDLE));
        }
    }

    #[test]
    fn the_caller_does_everything_while_threads_rest() {
        let mut workers = Workers::start(2).unwrap();
        let mut places = [None; 3];
        let mut threads = |at_rest| {
            let begun = Barrier::new(if at_rest { 1 } else { 3 });
            workers.set_at_rest(at_rest);
            workers.run(&mut places, |index, place| {
                begun.wait();
                if at_rest {
                    // Whoever was given work would begin it by then.
                    thread::sleep(4 * PATIENCE);
                }
                *place = Some((index, thread::current().id()));
            });
            places.map(Option::unwrap)
        };
        let here = thread::current().id();
        for _ in 0..3 {
            assert_eq!(threads(true), [0, 1, 2].map(|index| (index, here)));
            let [(0, first), (1, second), (2, third)] = threads(false) else { panic!("places in another order") };
            assert!(first == here && second != here && third != here && second != third);
        }
    }

    /// Where threads sleep, are about to, or look out for work, and parts end before anybody wakes up.
    #[test]
    fn each_part_is_done_once_whoever_does_it() {
        let mut workers = Workers::start(2).unwrap();
        let mut places = [0_usize; 3];
        for round in 0..200 {
            thread::sleep(PATIENCE * (round % 3));
            for _ in 0..20 {
                workers.run(&mut places, |index, place| *place += 1 + index);
            }
        }
        assert_eq!(places, [4000, 8000, 12000]);
    }

    #[test]
    fn the_caller_may_change() {
        let mut workers = Workers::start(1).unwrap();
        for _ in 0..20 {
            workers = thread::spawn(move || {
                let mut places = [0; 2];
                workers.run(&mut places, |index, place| *place = index + 1);
                assert_eq!(places, [1, 2]);
                workers
            })
            .join()
            .unwrap();
        }
    }

    #[test]
    fn a_panic_comes_when_what_has_begun_has_ended() {
        let mut workers = Workers::start(2).unwrap();
        for wrong in 0..3 {
            let mut places = [false; 3];
            let begun = Barrier::new(3);
            let run = || {
                workers.run(&mut places, |index, place| {
                    begun.wait();
                    assert_ne!(index, wrong, "on purpose");
                    thread::sleep(4 * PATIENCE);
                    *place = true;
                });
            };
            assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
            assert_eq!(places, [wrong != 0, wrong != 1, wrong != 2]);
        }
        let mut places = [0; 3];
        workers.run(&mut places, |index, place| *place = index);
        assert_eq!(places, [0, 1, 2], "a panic is over");
    }
}
