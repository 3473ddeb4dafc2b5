//! Whether steps of several threads are faster than such of the caller's alone depends on the work and on what else the machine
//! does, which changes: both are measured while training.

use core::time::Duration;

/// Steps of each way that are compared.
const COMPARED: usize = 128;

/// Steps of a trial, by which a way is chosen that is worth comparing.
const TRIAL: usize = 10;

/// A trial is followed by usual steps that take so many times what it has cost,
const APART: f64 = 200.0;

/// but by no more steps than these.
const MOST: usize = 1 << 12;

/// Steps with other numbers of samples for each one with the number that is compared, from which on that is given up
const RARE: usize = 8;

/// if there are so many.
const ENOUGH: usize = 128;

/// Who computes the parts of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Way {
    /// Each thread its own.
    Threads,
    /// The caller's thread all of them.
    Caller,
}

/// What steps are taken for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// For training, in the usual way.
    Usual,
    /// To see whether the other way may be faster.
    Trial,
    /// To see whether it is, also where something interrupts it now and then.
    Comparison,
}

/// What is known about both ways.
#[derive(Debug)]
pub(super) struct Trials {
    /// The way that was faster.
    usual: Way,
    phase: Phase,
    /// Steps up to the next phase.
    remaining: usize,
    /// Seconds of the phase's last [`COMPARED`] steps.
    seconds: f64,
    /// Seconds of a step in the usual way.
    usual_seconds: f64,
    /// Steps from a comparison to the next trial: more after each one in which the other way was slower than in its trial.
    pause: usize,
    /// The samples of the steps that are compared, since others take longer or shorter for each sample.
    samples: usize,
    /// Steps with other numbers of samples, less [`RARE`] for each with this one.
    of_other_sizes: usize,
}

impl Trials {
    pub(super) const fn new() -> Self {
        Self {
            usual: Way::Threads,
            phase: Phase::Usual,
            remaining: COMPARED,
            seconds: 0.0,
            usual_seconds: 0.0,
            pause: COMPARED,
            samples: 0,
            of_other_sizes: 0,
        }
    }

    /// The way to take the next step.
    pub(super) fn way(&self, samples: usize) -> Way {
        if self.phase != Phase::Usual && samples == self.samples { self.usual.other() } else { self.usual }
    }

    /// Notes how long a step took, which was taken in the way that [`way`](Self::way) says.
    pub(super) fn note(&mut self, samples: usize, duration: Duration) {
        if samples != self.samples {
            self.pass_over(samples);
            return;
        }
        self.of_other_sizes = self.of_other_sizes.saturating_sub(RARE);
        if self.remaining <= COMPARED {
            self.seconds += duration.as_secs_f64();
        }
        self.remaining -= 1;
        match self.phase {
            Phase::Usual if self.remaining == 0 => {
                self.usual_seconds = self.seconds / COMPARED as f64;
                self.begin(Phase::Trial, TRIAL);
            }
            Phase::Trial if self.is_over(TRIAL) => self.end_trial(),
            Phase::Comparison if self.is_over(COMPARED) => self.end_comparison(),
            _ => (),
        }
    }

    /// Begins anew with another number of samples if steps with the former one are rare, or there were none.
    const fn pass_over(&mut self, samples: usize) {
        self.of_other_sizes += 1;
        if self.samples == 0 || self.of_other_sizes == ENOUGH {
            *self = Self { samples, ..Self::new() };
        }
    }

    const fn begin(&mut self, phase: Phase, steps: usize) {
        (self.phase, self.remaining, self.seconds) = (phase, steps, 0.0);
    }

    /// Whether a phase of so many steps in the other way has taken all of them, or twice their usual time.
    fn is_over(&self, steps: usize) -> bool {
        self.remaining == 0 || self.seconds > self.usual_seconds * (2 * steps) as f64
    }

    fn end_trial(&mut self) {
        let steps = (TRIAL - self.remaining) as f64;
        if self.seconds < self.usual_seconds * steps {
            self.begin(Phase::Comparison, COMPARED);
        } else {
            let cost = self.seconds / self.usual_seconds - steps;
            self.begin(Phase::Usual, ((APART * cost) as usize).clamp(COMPARED, MOST));
        }
    }

    fn end_comparison(&mut self) {
        if self.seconds < self.usual_seconds * COMPARED as f64 {
            self.usual = self.usual.other();
            self.pause = COMPARED;
        } else {
            // Its trials mislead.
            self.pause = MOST.min(2 * self.pause);
        }
        self.begin(Phase::Usual, self.pause);
    }
}

impl Way {
    const fn other(self) -> Self {
        match self {
            Self::Threads => Self::Caller,
            Self::Caller => Self::Threads,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many steps were taken by threads, and by the caller alone, and in how many microseconds all of them.
    #[derive(Debug, Default)]
    struct Taken {
        threads: usize,
        caller: usize,
        microseconds: u64,
    }

    /// Takes so many steps of 32 samples, which take so many microseconds by threads, and by the caller alone.
    fn take(trials: &mut Trials, steps: usize, microseconds: impl Fn(usize) -> [u64; 2]) -> Taken {
        let mut taken = Taken::default();
        for step in 0..steps {
            let [threads, caller] = microseconds(step);
            let microseconds = match trials.way(32) {
                Way::Threads => {
                    taken.threads += 1;
                    threads
                }
                Way::Caller => {
                    taken.caller += 1;
                    caller
                }
            };
            taken.microseconds += microseconds;
            trials.note(32, Duration::from_micros(microseconds));
        }
        taken
    }

    #[test]
    fn trials_come_after_some_steps() {
        let mut trials = Trials::new();
        // The first one tells how many samples are compared.
        assert_eq!(take(&mut trials, 1 + COMPARED, |_| [100, 90]).caller, 0);
        assert_eq!(take(&mut trials, TRIAL + COMPARED + COMPARED, |_| [100, 90]).threads, 0);
        assert_eq!(take(&mut trials, TRIAL, |_| [100, 90]).caller, 0);
        assert_eq!(take(&mut trials, COMPARED, |_| [100, 90]).threads, 0, "that was a trial");
    }

    #[test]
    fn the_faster_way_is_taken_and_the_other_one_costs_little() {
        for (fast, slow) in [(1000, 1010), (1000, 1100), (1000, 1700), (1000, 8000), (1000, 64_000)] {
            for [threads, caller] in [[fast, slow], [slow, fast]] {
                let mut trials = Trials::new();
                take(&mut trials, 1000, |_| [threads, caller]);
                let taken = take(&mut trials, 1_000_000, |_| [threads, caller]);
                // A trial of steps that take so long ends after the first one, but is not made less often than others.
                let most = if slow > 10 * fast { 1_020_000_000 } else { 1_006_000_000 };
                assert!(taken.microseconds < most, "{threads} or {caller}: {taken:?}");
                assert!(taken.threads.min(taken.caller) >= 200, "{threads} or {caller}: {taken:?}");
            }
        }
    }

    #[test]
    fn other_times_are_noticed() {
        let mut trials = Trials::new();
        for [threads, caller] in [[200, 100], [100, 200], [200, 100], [100, 200]] {
            // Twice as long: ten further steps, two hundred times as many before the next trial.
            take(&mut trials, 2100, |_| [threads, caller]);
            assert_eq!(trials.usual == Way::Caller, caller < threads);
        }
    }

    #[test]
    fn a_way_that_is_interrupted_now_and_then_is_slow() {
        // Most trials are not interrupted, and promise something.
        for every in [20, 33, 50] {
            for threads_are_stopped in [true, false] {
                let mut trials = Trials::new();
                let taken = take(&mut trials, 100_000, |step| {
                    let stopped = if step % every == 0 { 8000 } else { 100 };
                    if threads_are_stopped { [stopped, 170] } else { [170, stopped] }
                });
                // The other way alone would take 17 seconds, this one 26 or more.
                assert!(taken.microseconds < 18_000_000, "{every}: {taken:?}");
            }
        }
    }

    #[test]
    fn an_interrupted_trial_changes_nothing() {
        let mut trials = Trials::new();
        take(&mut trials, 1 + COMPARED, |_| [100, 90]);
        let taken = take(&mut trials, TRIAL, |step| [100, if step == 4 { 50_000 } else { 90 }]);
        assert_eq!((taken.caller, trials.usual, trials.remaining), (5, Way::Threads, MOST - 5));
        take(&mut trials, MOST + TRIAL + COMPARED, |_| [100, 90]);
        assert_eq!(trials.usual, Way::Caller);
    }

    #[test]
    fn steps_of_one_size_are_compared() {
        let mut trials = Trials::new();
        let mut caller = 0;
        for step in 0..10_000 {
            // The remainder of an epoch of two batches takes longer for each sample.
            let samples = [128, 32][step % 2];
            let way = trials.way(samples);
            let each = [10, 17][usize::from(way == Way::Caller)];
            trials.note(samples, Duration::from_micros(2000 + samples as u64 * each));
            assert_eq!(trials.usual, Way::Threads);
            assert!(samples == 128 || way == Way::Threads);
            caller += usize::from(way == Way::Caller);
        }
        assert!(caller >= 2 * TRIAL, "the other way was tried {caller} times");
    }

    #[test]
    fn a_size_that_becomes_rare_is_given_up() {
        let mut trials = Trials::new();
        take(&mut trials, 1000, |_| [200, 100]);
        assert_eq!(trials.usual, Way::Caller);
        let rare = |trials: &mut Trials, of_others: usize| {
            for _ in 0..10 {
                trials.note(32, Duration::from_micros(100));
                for _ in 0..of_others {
                    trials.note(64, Duration::from_micros(1));
                }
            }
        };
        rare(&mut trials, RARE);
        assert_eq!((trials.samples, trials.way(64)), (32, Way::Caller), "not so rare");
        rare(&mut trials, 50);
        assert_eq!((trials.samples, trials.usual), (64, Way::Threads));
    }
}
