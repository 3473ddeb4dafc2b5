//! Whether sharing steps is worth it, which besides the work depends on what else the machine does: measured while training.

use core::time::Duration;

/// Steps of each way that are compared: their middle one counts, whatever has interrupted another.
const COMPARED: usize = 5;

/// Steps before the other way is tried: as many at first, and after a change of the way; twice as many after each trial that
/// changed nothing, up to the second number, so that trials take half a percent of the steps.
const BETWEEN: [usize; 2] = [64, 1024];

/// How steps are taken that could be shared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Way {
    /// By all threads.
    Shared,
    /// By the caller's thread, which computes the parts of all.
    Alone,
}

/// What is known about both ways.
#[derive(Debug)]
pub(super) struct Worth {
    /// The way that was faster.
    faster: Way,
    /// Whether the other one is being tried.
    is_trial: bool,
    /// Steps up to the next trial, or of this one.
    left: usize,
    /// Steps between the last two trials.
    between: usize,
    /// Seconds a sample that the last steps took, shared and alone.
    seconds: [[f64; COMPARED]; 2],
}

impl Worth {
    pub(super) const fn new() -> Self {
        let [between, _] = BETWEEN;
        Self { faster: Way::Shared, is_trial: false, left: between, between, seconds: [[0.0; COMPARED]; 2] }
    }

    /// The way to take the next step.
    pub(super) const fn way(&self) -> Way {
        if self.is_trial { self.faster.other() } else { self.faster }
    }

    /// Notes how long a step took that was taken in this way.
    pub(super) fn note(&mut self, samples: usize, duration: Duration) {
        self.left -= 1;
        let slot = self.left % COMPARED;
        self.seconds[self.way() as usize][slot] = duration.as_secs_f64() / samples as f64;
        if self.left > 0 {
            return;
        }
        if self.is_trial {
            self.decide();
            self.left = self.between;
        } else {
            self.left = COMPARED;
        }
        self.is_trial = !self.is_trial;
    }

    /// Compares both ways at the end of a trial.
    fn decide(&mut self) {
        let [shared, alone] = self.seconds.map(middle);
        let faster = if alone < shared { Way::Alone } else { Way::Shared };
        let [least, most] = BETWEEN;
        self.between = if faster == self.faster { most.min(2 * self.between) } else { least };
        self.faster = faster;
    }
}

impl Way {
    const fn other(self) -> Self {
        match self {
            Self::Shared => Self::Alone,
            Self::Alone => Self::Shared,
        }
    }
}

/// The number in the middle of the sorted ones.
fn middle(mut numbers: [f64; COMPARED]) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers[COMPARED / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many steps, shared ones and such of one thread of these microseconds; how many of each.
    fn take(worth: &mut Worth, steps: usize, microseconds: impl Fn(usize) -> [u64; 2]) -> [usize; 2] {
        let mut taken = [0; 2];
        for step in 0..steps {
            let way = worth.way();
            taken[way as usize] += 1;
            worth.note(32, Duration::from_micros(microseconds(step)[way as usize]));
        }
        taken
    }

    #[test]
    fn the_faster_way_is_taken_but_for_trials() {
        let (mut shared, mut alone) = (Worth::new(), Worth::new());
        let [_, trials] = take(&mut shared, 10_000, |_| [100, 170]);
        assert_eq!((trials, shared.faster), (5 * 12, Way::Shared));
        let [trials, _] = take(&mut alone, 10_000, |_| [171, 170]);
        assert_eq!((trials, alone.faster), (64 + 5 * 12, Way::Alone));
    }

    #[test]
    fn other_times_are_noticed() {
        let mut worth = Worth::new();
        for [long, short] in [[200, 100], [100, 200]].repeat(3) {
            take(&mut worth, 2048 + 10, |_| [long, short]);
            assert_eq!(worth.way() == Way::Alone, short < long);
        }
    }

    #[test]
    fn two_interruptions_of_five_steps_change_nothing() {
        let mut worth = Worth::new();
        take(&mut worth, 10_000, |step| [if step % 5 < 2 { 5000 } else { 100 }, 101]);
        assert_eq!(worth.faster, Way::Shared);
        take(&mut worth, 10_000, |step| [102, if step % 5 < 2 { 5000 } else { 101 }]);
        assert_eq!(worth.faster, Way::Alone);
    }

    #[test]
    fn samples_count_not_batches() {
        let mut worth = Worth::new();
        for step in 0..10_000 {
            let samples = [32, 7, 900][step % 3];
            let microseconds = samples * [10, 17][worth.way() as usize];
            worth.note(samples, Duration::from_micros(microseconds as u64));
        }
        assert_eq!(worth.faster, Way::Shared);
    }
}
