//! Whether steps are faster by several threads or by the caller's alone. Besides the work, what else the machine does decides
//! that, and changes: both ways are measured while training.

use core::time::Duration;

/// Steps of each way that are compared by their median, so that two of them may be interrupted.
const COMPARED: usize = 5;

/// Steps of a trial of the other way: in the first ones threads wake up, and caches are filled.
const TRIAL: usize = 2 * COMPARED;

/// Steps before the first trial, at least as many before each other one, and as many of another number of samples before such
/// are compared.
const LEAST: usize = 128;

/// The most steps between trials.
const MOST: usize = 1 << 16;

/// How many times as long as what a trial has cost there is no other one: they take half a percent of the time.
const APART: f64 = 200.0;

/// Who computes the parts of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Way {
    /// Each thread its own.
    Threads,
    /// The caller's thread all of them.
    Caller,
}

/// What is known about both ways.
#[derive(Debug)]
pub(super) struct Trials {
    /// The way that was faster.
    usual: Way,
    /// Whether the other one is being tried.
    is_trial: bool,
    /// Steps up to the next trial, or to the end of this one.
    remaining: usize,
    /// The samples of the steps that are compared: those of others may take longer or shorter for each sample.
    samples: usize,
    /// Steps with another number of samples since the last one that is compared.
    others: usize,
    /// Seconds of the last steps.
    threads: [f64; COMPARED],
    caller: [f64; COMPARED],
}

impl Trials {
    pub(super) const fn new() -> Self {
        Self {
            usual: Way::Threads,
            is_trial: false,
            remaining: LEAST,
            samples: 0,
            others: 0,
            threads: [0.0; COMPARED],
            caller: [0.0; COMPARED],
        }
    }

    /// The way to take the next step.
    pub(super) const fn way(&self, samples: usize) -> Way {
        if self.is_trial && samples == self.samples { self.usual.other() } else { self.usual }
    }

    /// Notes how long a step took that was taken in this way.
    pub(super) fn note(&mut self, samples: usize, duration: Duration) {
        if samples != self.samples {
            self.pass_over(samples);
            return;
        }
        self.others = 0;
        self.remaining -= 1;
        let slot = self.remaining % COMPARED;
        self.seconds(self.way(samples))[slot] = duration.as_secs_f64();
        if self.remaining > 0 {
            return;
        }
        self.remaining = if self.is_trial { self.decide() } else { TRIAL };
        self.is_trial = !self.is_trial;
    }

    /// Begins anew with another number of samples if there are no steps with the former one any more, or were none.
    const fn pass_over(&mut self, samples: usize) {
        self.others += 1;
        if self.samples == 0 || self.others == LEAST {
            *self = Self { usual: self.usual, samples, ..Self::new() };
        }
    }

    /// Compares both ways at the end of a trial; how many steps there are to the next one.
    fn decide(&mut self) -> usize {
        let [usual, other] = [self.usual, self.usual.other()].map(|way| median(*self.seconds(way)));
        if other < usual {
            self.usual = self.usual.other();
            return LEAST;
        }
        let cost = TRIAL as f64 * (other / usual - 1.0);
        ((APART * cost) as usize).clamp(LEAST, MOST)
    }

    const fn seconds(&mut self, way: Way) -> &mut [f64; COMPARED] {
        match way {
            Way::Threads => &mut self.threads,
            Way::Caller => &mut self.caller,
        }
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

fn median(mut numbers: [f64; COMPARED]) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers[COMPARED / 2]
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
    fn the_first_trial_comes_after_some_steps() {
        let mut trials = Trials::new();
        // The first one tells how many samples are compared.
        assert_eq!(take(&mut trials, 1 + LEAST, |_| [100, 90]).caller, 0);
        assert_eq!(take(&mut trials, TRIAL, |_| [100, 90]).threads, 0);
        assert_eq!(take(&mut trials, LEAST, |_| [100, 90]).threads, 0);
        assert_eq!(take(&mut trials, TRIAL, |_| [100, 90]).caller, 0);
    }

    #[test]
    fn the_faster_way_is_taken_and_the_other_one_costs_little() {
        for (threads, caller) in [(100, 101), (100, 110), (100, 170), (100, 800), (100, 3200)] {
            for [threads, caller] in [[threads, caller], [caller, threads]] {
                let mut trials = Trials::new();
                take(&mut trials, 1000, |_| [threads, caller]);
                let taken = take(&mut trials, 1_000_000, |_| [threads, caller]);
                assert!(taken.microseconds < 100_600_000, "{threads} or {caller}: {taken:?}");
                assert!(taken.threads.min(taken.caller) >= 10 * TRIAL, "{threads} or {caller}: {taken:?}");
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
    fn two_interruptions_of_five_steps_change_nothing() {
        let mut trials = Trials::new();
        take(&mut trials, 10_000, |step| [if step % 5 < 2 { 5000 } else { 100 }, 101]);
        assert_eq!(trials.usual, Way::Threads);
        take(&mut trials, 10_000, |step| [102, if step % 5 < 2 { 5000 } else { 101 }]);
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
    fn another_size_is_taken_up_when_it_stays() {
        let mut trials = Trials::new();
        take(&mut trials, 1 + LEAST, |_| [200, 100]);
        assert_eq!(trials.way(32), Way::Caller, "a trial");
        for _ in 0..LEAST {
            assert_eq!((trials.samples, trials.way(64)), (32, Way::Threads));
            trials.note(64, Duration::from_micros(1));
        }
        assert_eq!((trials.samples, trials.remaining, trials.is_trial), (64, LEAST, false));
    }
}
