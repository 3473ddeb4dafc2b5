//! Learning-rate schedules: factors by which an optimizer's own learning rate is multiplied.

use num_traits::Float;

/// How the learning rate changes from step to step: a step is a batch, so that `epochs * samples.div_ceil(batch)` of them make
/// a whole training.
pub trait Schedule {
    /// The factor at this step, which counts from 0.
    fn rate(&self, step: usize) -> f64;
}

impl<S: Schedule + ?Sized> Schedule for &S {
    fn rate(&self, step: usize) -> f64 {
        (**self).rate(step)
    }
}

/// Always 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Constant;

impl Schedule for Constant {
    fn rate(&self, _: usize) -> f64 {
        1.0
    }
}

/// Multiplied by a factor every so many steps.
///
/// ```
/// use backprop::prelude::*;
/// let schedule = StepDecay::new(10, 0.5);
/// assert_eq!([0, 9, 10, 25].map(|step| schedule.rate(step)), [1.0, 1.0, 0.5, 0.25]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepDecay {
    every: usize,
    factor: f64,
}

impl StepDecay {
    /// `factor^(step / every)`, rounded down in the exponent.
    pub const fn new(every: usize, factor: f64) -> Self {
        Self { every, factor }
    }
}

impl Schedule for StepDecay {
    fn rate(&self, step: usize) -> f64 {
        let times = step.checked_div(self.every).unwrap_or(0);
        Float::powi(self.factor, i32::try_from(times).unwrap_or(i32::MAX))
    }
}

/// Rises linearly over the first steps: `(step + 1) / warmup`, so that the first step moves, too.
fn warmed(step: usize, warmup: usize) -> Option<f64> {
    (step < warmup).then(|| (step + 1) as f64 / warmup as f64)
}

/// How much of the way from the end of the warm-up to the last step is behind, 0 to 1.
fn progress(step: usize, warmup: usize, steps: usize) -> f64 {
    let total = steps.saturating_sub(warmup);
    if total == 0 { 1.0 } else { (step.saturating_sub(warmup) as f64 / total as f64).min(1.0) }
}

/// Half a cosine from 1 down to a floor (Loshchilov and Hutter 2017, without restarts):
/// `floor + (1 - floor) · (1 + cos(π · progress)) / 2`; constant afterwards.
///
/// ```
/// use backprop::prelude::*;
/// let schedule = Cosine::over(100).with_warmup(20).with_floor(0.25);
/// assert_eq!([0, 19, 20, 100, 200].map(|step| schedule.rate(step)), [0.05, 1.0, 1.0, 0.25, 0.25]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cosine {
    steps: usize,
    warmup: usize,
    floor: f64,
}

impl Cosine {
    /// Down to 0 over this many steps, warm-up included.
    pub const fn over(steps: usize) -> Self {
        Self { steps, warmup: 0, floor: 0.0 }
    }

    /// Rises linearly to 1 over the first steps.
    #[must_use]
    pub const fn with_warmup(mut self, steps: usize) -> Self {
        self.warmup = steps;
        self
    }

    /// Ends here instead of 0.
    #[must_use]
    pub const fn with_floor(mut self, floor: f64) -> Self {
        self.floor = floor;
        self
    }
}

impl Schedule for Cosine {
    fn rate(&self, step: usize) -> f64 {
        warmed(step, self.warmup).unwrap_or_else(|| {
            let angle = core::f64::consts::PI * progress(step, self.warmup, self.steps);
            self.floor + (1.0 - self.floor) * 0.5 * (1.0 + Float::cos(angle))
        })
    }
}

/// A straight line from 1 down to a floor; constant afterwards.
///
/// ```
/// use backprop::prelude::*;
/// let schedule = Linear::over(8).with_floor(0.5);
/// assert_eq!([0, 4, 8, 9].map(|step| schedule.rate(step)), [1.0, 0.75, 0.5, 0.5]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Linear {
    steps: usize,
    warmup: usize,
    floor: f64,
}

impl Linear {
    /// Down to 0 over this many steps, warm-up included.
    pub const fn over(steps: usize) -> Self {
        Self { steps, warmup: 0, floor: 0.0 }
    }

    /// Rises linearly to 1 over the first steps.
    #[must_use]
    pub const fn with_warmup(mut self, steps: usize) -> Self {
        self.warmup = steps;
        self
    }

    /// Ends here instead of 0.
    #[must_use]
    pub const fn with_floor(mut self, floor: f64) -> Self {
        self.floor = floor;
        self
    }
}

impl Schedule for Linear {
    fn rate(&self, step: usize) -> f64 {
        warmed(step, self.warmup).unwrap_or_else(|| 1.0 - (1.0 - self.floor) * progress(step, self.warmup, self.steps))
    }
}

/// Rises linearly to 1 and stays there, or goes on with another schedule, whose step 0 follows.
///
/// ```
/// use backprop::prelude::*;
/// let schedule = Warmup::over(4).then(StepDecay::new(10, 0.5));
/// assert_eq!([0, 3, 4, 14].map(|step| schedule.rate(step)), [0.25, 1.0, 1.0, 0.5]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Warmup<S = Constant> {
    steps: usize,
    then: S,
}

impl Warmup {
    /// Over this many steps.
    pub const fn over(steps: usize) -> Self {
        Self { steps, then: Constant }
    }
}

impl<S> Warmup<S> {
    /// Goes on with another schedule.
    #[must_use]
    pub fn then<Next: Schedule>(self, next: Next) -> Warmup<Next> {
        Warmup { steps: self.steps, then: next }
    }
}

impl<S: Schedule> Schedule for Warmup<S> {
    fn rate(&self, step: usize) -> f64 {
        warmed(step, self.steps).unwrap_or_else(|| self.then.rate(step - self.steps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_rates(schedule: impl Schedule, expected: &[(usize, f64)]) {
        for &(step, rate) in expected {
            let found = schedule.rate(step);
            assert!((found - rate).abs() < 1e-15, "step {step}: {found} instead of {rate}");
        }
    }

    #[test]
    fn constant_and_steps() {
        assert_rates(Constant, &[(0, 1.0), (1_000_000, 1.0)]);
        assert_rates(StepDecay::new(10, 0.5), &[(0, 1.0), (9, 1.0), (10, 0.5), (29, 0.25)]);
        assert_rates(StepDecay::new(0, 0.5), &[(7, 1.0)]);
    }

    #[test]
    fn cosine() {
        let root = 0.5_f64.sqrt();
        assert_rates(
            Cosine::over(100),
            &[(0, 1.0), (25, 0.5 + 0.5 * root), (50, 0.5), (75, 0.5 - 0.5 * root), (100, 0.0), (500, 0.0)],
        );
        assert_rates(
            Cosine::over(110).with_warmup(10).with_floor(0.2),
            &[(0, 0.1), (4, 0.5), (9, 1.0), (10, 1.0), (60, 0.6), (110, 0.2)],
        );
        assert_rates(Cosine::over(5).with_warmup(5), &[(4, 1.0), (5, 0.0)]);
    }

    #[test]
    fn lines() {
        assert_rates(Linear::over(4), &[(0, 1.0), (1, 0.75), (4, 0.0), (9, 0.0)]);
        assert_rates(Linear::over(6).with_warmup(2).with_floor(0.5), &[(0, 0.5), (1, 1.0), (2, 1.0), (4, 0.75)]);
        assert_rates(Warmup::over(4), &[(0, 0.25), (3, 1.0), (100, 1.0)]);
        assert_rates(Warmup::over(2).then(StepDecay::new(1, 0.5)), &[(0, 0.5), (2, 1.0), (4, 0.25)]);
    }
}
