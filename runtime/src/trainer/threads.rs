//! Steps of several threads, while those are faster than one ([`trials`]). They share the large products of a step, with the help
//! of [`helpers`], or the batch: each then works a part of it with memory of its own. What is summed over the threads is summed
//! in their order, so that the result depends on their number, but not on which of them is faster.

mod trials;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe};
use core::ptr::NonNull;
use std::panic::{catch_unwind, resume_unwind};
use std::time::Instant;

use num_traits::{Float, Zero};

use self::trials::{Trials, Way};
use super::Trainer;
use crate::data::Samples;
use crate::error::Error;
use crate::flat;
use crate::gradients::{Applied, Flaws};
use crate::helpers::{self, Lent, portion};
use crate::init;
use crate::kernels::PARTS;
use crate::memory::{Flat, cells};
use crate::optimizers::{Optimizer, Update, apply_part};
use crate::pass::{self, Batch, Key};
use crate::program::Program;
use crate::scalar::Scalar;
use crate::simd::Instructions;
use crate::workers::Workers;
use crate::workspace::{Aligned, assume_init, boxed_zeroed};

/// Multiply-adds of the forward pass that a thread must have to do. With so many, as of 32 samples of 784-128-10 for two threads,
/// three of four turns of the bench `scaling` gained, also after pauses from which the second one had to wake up; with half as
/// many, more than a quarter lost in some runs. (Threads did not rest then.)
const WORTH: usize = 3 << 19;

/// How several threads take a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Plan {
    /// So many, each of which works a part of the samples.
    Samples(usize),
    /// So many, each of which computes a part of every large product.
    Products(usize),
}

/// Multiply-adds of a batch's forward pass for each parameter from which on sharing samples is better than sharing products:
/// the gradients of all threads are then few beside the work, each thread finds its samples in its own cache, and what lies
/// between products is shared, too.
const MUCH: usize = 1 << 8;

/// How a batch that fits the workspace or not is best shared, if at all.
fn plan(threads: usize, samples: usize, fits: bool, multiply_adds: usize, parameters: usize) -> Option<Plan> {
    let work = multiply_adds.saturating_mul(samples);
    let worth = threads.min(work / WORTH);
    if worth > 1 && fits && work / MUCH < parameters {
        return Some(Plan::Products(worth.min(PARTS)));
    }
    match worth.min(samples) {
        0 | 1 => None,
        count => Some(Plan::Samples(count)),
    }
}

/// Numbers at whose multiples a thread's part of the parameters begins: no two threads write to one cache line.
const GRAIN: usize = 32;

/// Numbers that are added up at a time, while they lie in the nearest cache.
const BLOCK: usize = 1 << 11;

impl<N: Program, O: Optimizer<N>, const CAPACITY: usize> Trainer<N, O, CAPACITY> {
    /// Works with so many threads from now on, this one included: see [`set_threads`](Self::set_threads).
    ///
    /// ```
    /// # use backprop::prelude::*;
    /// # network! {
    /// #     pub struct Digits;
    /// #     fn forward(pixels: [64]) -> [10] { pixels.dense(100).relu().dense(10) }
    /// #     fn loss(scores, digit: Class<10>) { cross_entropy(scores, digit) }
    /// # }
    /// let trainer = Trainer::<Digits, _, 256>::new(Adam::new(1e-3), Seed(7));
    /// let mut trainer = trainer.threads(2);
    /// # assert!(trainer.step(&[[0.5; 64]; 300], &[Class::default(); 300])? > 0.0);
    /// # Ok::<(), backprop::Error>(())
    /// ```
    ///
    /// # Panics
    /// Where [`set_threads`](Self::set_threads) returns an error.
    #[must_use]
    pub fn threads(mut self: Box<Self>, count: usize) -> Box<Self> {
        if let Err(error) = self.set_threads(count) {
            panic!("{count} threads for a trainer of {}: {error}", N::NAME);
        }
        self
    }

    /// Works with so many threads from now on, the one that calls [`step`](Self::step) included.
    ///
    /// A step is shared in one of two ways, which its size decides:
    ///
    /// - Where the parameters are many beside the work (fewer than 256 multiply-adds of the batch's forward pass for each), as in
    ///   most dense networks, and the batch is not above the capacity, each thread computes some rows or columns of every large
    ///   product, up to 8 threads at a time; one that is done early takes over some of another's, as far as others have not begun
    ///   them. All else is the caller's. Such a step is otherwise one of one thread.
    /// - Else each thread works a part of the samples, with a gradient and a workspace of its own; then each updates a part of the
    ///   parameters by the sum of all gradients, which is taken in a fixed order.
    ///
    /// A run is the same bit for bit for a given number of threads, and differs from that of one thread by rounding only. A step
    /// takes a thread for every 1.6 million multiply-adds of the batch's forward pass, at most as many as there are (and as there
    /// are samples, if those are shared); smaller ones, and those of tiny networks, take one. Prediction and evaluation take one
    /// thread.
    ///
    /// A thread that has not begun its part, be it asleep or without a processor, is not waited for: the caller's does that part,
    /// too. Whether sharing is faster depends on what else the machine does, and is measured: now and then up to ten steps are taken
    /// the other way, all parts by the caller's thread or again by all threads, and if those promise something, up to 128; the
    /// faster way is kept. Where ten steps tell the truth, that costs half a percent of the time in the long run. No result depends
    /// on who computes a part.
    ///
    /// Should a part of a step panic, which nothing in this library does, the step panics after the parts have ended that others
    /// have begun.
    ///
    /// The threads are started here. They are parked between steps, which neither allocate nor lock, and end with the
    /// trainer. (One that is never dropped, in a `static` or in memory of the caller's, ends them when it is told to work with
    /// one thread.)
    ///
    /// # Errors
    /// [`Error::Setting`] for no thread; [`Error::NoThread`] when the operating system has no more. The trainer then keeps
    /// the threads that it had.
    pub fn set_threads(&mut self, count: usize) -> Result<(), Error> {
        self.team = match count {
            0 => return Err(Error::Setting("a trainer works with one thread at least")),
            1 => None,
            _ => Some(Box::new(Team::new(count)?)),
        };
        Ok(())
    }

    /// How a step is to be shared, if it is, and of how many samples it is.
    pub(super) fn plan(&self, inputs: N::Inputs<'_>, targets: N::Targets<'_>) -> Option<(Plan, usize)> {
        let threads = self.team.as_ref().filter(|_| N::HAS_LOSS)?.places.len();
        let samples = pass::count(inputs, targets).ok()?;
        Some((plan(threads, samples, samples <= CAPACITY, N::MULTIPLY_ADDS, N::LEN)?, samples))
    }

    /// A step of so many samples as planned, all parts of which this thread computes while that is faster.
    #[inline(never)]
    pub(super) fn step_shared(
        &mut self,
        (plan, samples): (Plan, usize),
        inputs: N::Inputs<'_>,
        targets: N::Targets<'_>,
    ) -> Result<N::Scalar, Error> {
        if let Some(team) = &mut self.team {
            team.workers.set_at_rest(team.trials.way(samples) == Way::Caller);
        }
        let start = Instant::now();
        let loss = match plan {
            Plan::Samples(count) => self.step_in_parts(count, inputs, targets),
            Plan::Products(count) => self.step_with_help(count, inputs, targets),
        }?;
        // A step that fails ends early, and would look fast.
        if let Some(team) = &mut self.team {
            team.trials.note(samples, start.elapsed());
        }
        Ok(loss)
    }

    /// A step of this thread, whose large products so many threads compute; by this one alone if there is no team.
    #[inline(never)]
    pub(super) fn step_with_help(
        &mut self,
        count: usize,
        inputs: N::Inputs<'_>,
        targets: N::Targets<'_>,
    ) -> Result<N::Scalar, Error> {
        let Some(mut team) = self.team.take() else { return self.step_apart(inputs, targets) };
        let Team { workers, lent, .. } = &mut *team;
        let count = count.min(lent.len());
        let step = || helpers::with(workers, &mut lent[..count], || self.step_apart(inputs, targets));
        let result = catch_unwind(AssertUnwindSafe(step));
        self.team = Some(team);
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// A step of several threads, of which there are no more than samples; by this one alone if there is no team.
    #[inline(never)]
    pub(super) fn step_in_parts(
        &mut self,
        count: usize,
        inputs: N::Inputs<'_>,
        targets: N::Targets<'_>,
    ) -> Result<N::Scalar, Error> {
        let Self { network, gradient, state, workspace, settings, team: Some(team) } = self else {
            return self.step_apart(inputs, targets);
        };
        let network = &mut network.0;
        let key = Key { seed: workspace.key.seed, step: settings.steps };
        let mut crew = team.crew(count, &mut workspace.memory.0, &mut gradient.0, workspace.instructions);
        let batch = crew.prepare(network, inputs, targets, key)?;
        settings.kept = false;
        let update = settings.optimizer.begin(settings.steps + 1, settings.rate, network, &mut state.0);
        let loss = crew.backpropagate(&batch, update)?;
        let norm = crew.gather()?;
        settings.kept = true;
        settings.steps += 1;
        crew.apply(update, flat::clipping(norm, N::Scalar::constant(settings.clip)));
        init::bound(workspace.instructions, network);
        Ok(loss)
    }
}

/// The threads of a trainer.
pub(super) struct Team<N: Program, const CAPACITY: usize> {
    workers: Workers,
    trials: Trials,
    /// One for each thread, the caller's first.
    places: Vec<Place<N, CAPACITY>>,
    /// The gradient of each thread's samples.
    gradients: Vec<Pointer<N>>,
    /// Where the other threads work.
    rooms: Vec<OwnRoom<N, CAPACITY>>,
    /// The memory of their rooms, for parts of products; none for the caller's thread.
    lent: Vec<Option<Lent>>,
}

// What a panic leaves behind is numbers, as in a trainer of one thread.
impl<N: Program, const CAPACITY: usize> UnwindSafe for Team<N, CAPACITY> {}
impl<N: Program, const CAPACITY: usize> RefUnwindSafe for Team<N, CAPACITY> {}

/// Where a thread works, and what it finds.
struct Place<N: Program, const CAPACITY: usize> {
    memory: Pointer<N::Memory<CAPACITY>>,
    /// Weights or values of the loss's terms.
    terms: Result<N::Terms, Error>,
    /// The sum of the squares of a part of the gradient.
    squares: N::Scalar,
}

/// What a thread needs besides the caller's trainer.
#[repr(C)]
struct Room<N: Program, const CAPACITY: usize> {
    memory: Aligned<N::Memory<CAPACITY>>,
    gradient: Aligned<N>,
}

/// A room on the heap, which is reached by pointers only.
struct OwnRoom<N: Program, const CAPACITY: usize>(Pointer<Room<N, CAPACITY>>);

impl<N: Program, const CAPACITY: usize> OwnRoom<N, CAPACITY> {
    /// Memory and gradient.
    const fn parts(&self) -> (Pointer<N::Memory<CAPACITY>>, Pointer<N>) {
        let Self(Pointer(room)) = self;
        let room = room.as_ptr();
        // SAFETY: the fields of a room, of which no reference is made here.
        unsafe {
            let (memory, gradient) = (&raw mut (*room).memory.0, &raw mut (*room).gradient.0);
            (Pointer(NonNull::new_unchecked(memory)), Pointer(NonNull::new_unchecked(gradient)))
        }
    }
}

impl<N: Program, const CAPACITY: usize> Drop for OwnRoom<N, CAPACITY> {
    fn drop(&mut self) {
        // SAFETY: from a box, in `Team::new`; a step that used it is over.
        drop(unsafe { Box::from_raw(self.0.0.as_ptr()) });
    }
}

/// A pointer to numbers, from which a step makes references that do not overlap where one of them is mutable.
struct Pointer<A>(NonNull<A>);

impl<A> Clone for Pointer<A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Pointer<A> {}

// SAFETY: to numbers (`Flat`), which belong to no thread; who makes references sees to it that they do not overlap.
unsafe impl<A> Send for Pointer<A> {}
// SAFETY: as above.
unsafe impl<A> Sync for Pointer<A> {}

impl<A> Pointer<A> {
    const fn nowhere() -> Self {
        Self(NonNull::dangling())
    }

    const fn to(target: &mut A) -> Self {
        Self(NonNull::from_mut(target))
    }

    /// # Safety
    /// Valid, and the only reference as long as it lives.
    const unsafe fn as_mut<'a>(mut self) -> &'a mut A {
        // SAFETY: as the caller promises.
        unsafe { self.0.as_mut() }
    }

    /// A part of the numbers.
    ///
    /// # Safety
    /// Valid up to the end of the part, which nobody writes as long as the reference lives.
    const unsafe fn part<'a, T: Scalar>(self, (start, end): (usize, usize)) -> &'a [T]
    where
        A: Flat<T>,
    {
        // SAFETY: as the caller promises.
        unsafe { core::slice::from_raw_parts(self.0.as_ptr().cast::<T>().add(start), end - start) }
    }

    /// A part of the numbers, to be changed.
    ///
    /// # Safety
    /// Valid up to the end of the part, which nobody else reads or writes as long as the reference lives.
    const unsafe fn part_mut<'a, T: Scalar>(self, (start, end): (usize, usize)) -> &'a mut [T]
    where
        A: Flat<T>,
    {
        // SAFETY: as the caller promises.
        unsafe { core::slice::from_raw_parts_mut(self.0.as_ptr().cast::<T>().add(start), end - start) }
    }
}

impl<N: Program, const CAPACITY: usize> Team<N, CAPACITY> {
    fn new(count: usize) -> Result<Self, Error> {
        let mut team = Self {
            workers: Workers::start(count - 1)?,
            trials: Trials::new(),
            places: Vec::with_capacity(count),
            gradients: Vec::with_capacity(count),
            rooms: Vec::with_capacity(count - 1),
            lent: Vec::with_capacity(count),
        };
        // The caller's, as a step will find it.
        team.seat(Pointer::nowhere(), Pointer::nowhere());
        team.lent.push(None);
        for _ in 1..count {
            // SAFETY: numbers, for which zero is valid.
            let room = OwnRoom(Pointer::to(Box::leak(unsafe { assume_init(boxed_zeroed()) })));
            let (memory, gradient) = room.parts();
            team.seat(memory, gradient);
            // SAFETY: numbers, which are used in steps only, of which there is one at a time.
            team.lent.push(Some(unsafe { Lent::new(memory.0) }));
            team.rooms.push(room);
        }
        Ok(team)
    }

    fn seat(&mut self, memory: Pointer<N::Memory<CAPACITY>>, gradient: Pointer<N>) {
        self.places.push(Place { memory, terms: Ok(N::no_terms()), squares: N::Scalar::zero() });
        self.gradients.push(gradient);
    }

    /// So many of the threads, of which the caller's works in this memory.
    fn crew<'a>(
        &'a mut self,
        count: usize,
        memory: &'a mut N::Memory<CAPACITY>,
        gradient: &'a mut N,
        instructions: Instructions,
    ) -> Crew<'a, N, CAPACITY> {
        let Self { workers, places, gradients, .. } = self;
        let count = count.min(places.len());
        let (places, gradients) = (&mut places[..count], &mut gradients[..count]);
        places[0].memory = Pointer::to(memory);
        gradients[0] = Pointer::to(gradient);
        Crew { workers, places, gradients, instructions }
    }
}

/// The threads that take a step.
struct Crew<'a, N: Program, const CAPACITY: usize> {
    workers: &'a mut Workers,
    places: &'a mut [Place<N, CAPACITY>],
    gradients: &'a [Pointer<N>],
    instructions: Instructions,
}

impl<N: Program, const CAPACITY: usize> Crew<'_, N, CAPACITY> {
    /// Checks a batch before training with it.
    fn prepare<'i, 't>(
        &mut self,
        network: &N,
        inputs: N::Inputs<'i>,
        targets: N::Targets<'t>,
        key: Key,
    ) -> Result<Batch<'i, 't, N>, Error> {
        let Self { ref mut workers, ref mut places, instructions, .. } = *self;
        let (samples, count) = (pass::count(inputs, targets)?, places.len());
        workers.run(places, |index, place| {
            let (start, end) = portion(samples, 1, index, count);
            let (inputs, targets) = (inputs.range(start, end), targets.range(start, end));
            // SAFETY: of this thread alone.
            let memory = unsafe { place.memory.as_mut() };
            place.terms = pass::check_numbers(instructions, inputs, targets)
                .map(|()| pass::weights(instructions, network, inputs, targets, end - start, memory));
        });
        let (mut weights, mut wrong) = (N::no_terms(), None);
        for place in &**places {
            match place.terms {
                Ok(terms) => pass::add(&mut weights, terms),
                // Inputs come before targets, as for one thread.
                Err(Error::NonFiniteInput) => return Err(Error::NonFiniteInput),
                Err(error) => wrong = Some(error),
            }
        }
        match wrong {
            Some(error) => Err(error),
            None => Ok(Batch { inputs, targets, samples, key, scales: pass::scales::<N>(weights)? }),
        }
    }

    /// The batch's loss in training; leaves each thread's gradient.
    fn backpropagate<U: Update<N::Scalar>>(&mut self, batch: &Batch<'_, '_, N>, update: U) -> Result<N::Scalar, Error> {
        let Self { ref mut workers, ref mut places, gradients, instructions } = *self;
        let count = places.len();
        workers.run(places, |index, place| {
            let samples = portion(batch.samples, 1, index, count);
            // SAFETY: each of this thread alone.
            let (memory, gradient) = unsafe { (place.memory.as_mut(), gradients[index].as_mut()) };
            // As a step of one thread has it, whose kernels are these.
            let applied = Applied { update, gradient: cells(gradient), flaws: &Flaws::none(), at_once: false };
            place.terms = Ok(batch.part(instructions, update.parameters(), samples, memory, applied, false));
        });
        let mut terms = N::no_terms();
        for place in &**places {
            pass::add(&mut terms, place.terms?);
        }
        pass::total(&terms, &batch.scales)
    }

    /// Adds all gradients up in the first one; its norm.
    fn gather(&mut self) -> Result<N::Scalar, Error> {
        let Self { ref mut workers, ref mut places, gradients, instructions } = *self;
        let count = places.len();
        workers.run(places, |index, place| {
            let (start, end) = portion(N::LEN, GRAIN, index, count);
            place.squares = N::Scalar::zero();
            for start in (start..end).step_by(BLOCK) {
                let block = (start, end.min(start + BLOCK));
                // SAFETY: below `N::LEN`; each thread has a part of its own, and the other gradients are only read.
                let sums = unsafe { gradients[0].part_mut(block) };
                for other in &gradients[1..] {
                    // SAFETY: as above.
                    flat::add(instructions, sums, unsafe { other.part(block) });
                }
                place.squares += flat::squares(instructions, sums);
            }
        });
        let squares = places.iter().fold(N::Scalar::zero(), |sum, place| sum + place.squares);
        // SAFETY: nobody writes any more.
        let norm = flat::norm_of(squares, unsafe { gradients[0].part((0, N::LEN)) });
        if norm.is_finite() { Ok(norm) } else { Err(Error::NonFiniteGradient) }
    }

    /// Updates the parameters by what was gathered, times the factor.
    fn apply<U: Update<N::Scalar>>(&mut self, update: U, factor: Option<N::Scalar>) {
        let Self { ref mut workers, ref mut places, gradients, instructions } = *self;
        let count = places.len();
        workers.run(places, |index, _| {
            let part = portion(N::LEN, GRAIN, index, count);
            // SAFETY: below `N::LEN`; each thread has a part of its own.
            let gradient = unsafe { gradients[0].part_mut(part) };
            if let Some(factor) = factor {
                flat::scale(instructions, gradient, factor);
            }
            // SAFETY: each thread has a part of its own.
            unsafe { apply_part::<N, Instructions, U>(instructions, update, gradient, part.0) };
        });
    }
}

#[cfg(test)]
mod tests;
