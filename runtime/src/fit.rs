//! Training over many epochs, with everything that usually goes with it.

use alloc::vec::Vec;

use crate::data::Samples;
use crate::dataset::{Columns, Dataset, NO_SAMPLES};
use crate::error::Error;
use crate::history::{Epoch, History, Validation};
use crate::metrics::{Evaluation, decisions};
use crate::network::Network;
use crate::optimizers::Optimizer;
use crate::pass::{self, Job};
use crate::program::Program;
use crate::random::{Random, Seed};
use crate::scalar::Scalar;
use crate::schedules::{Constant, Schedule};
use crate::simd::Machine;
use crate::trainer::Trainer;
use crate::workspace::Workspace;

/// How to train: what [`Trainer::fit`] is to do.
///
/// ```
/// # use backprop::prelude::*;
/// # network! {
/// #     pub struct Line;
/// #     fn forward(x: [2]) -> [1] { x.dense(1) }
/// #     fn loss(y, t: [1]) { mse(y, t) }
/// # }
/// # let mut trainer = Trainer::<Line, _, 32>::new(Adam::new(0.1), Seed(7));
/// # let data = Dataset::new(vec![[0.5, 1.0]; 100], vec![[1.0]; 100])?;
/// let (train, test) = data.split(0.8, Seed(1));
/// let fit = Fit::epochs(30).batch(40).schedule(Cosine::over(60)).clip_norm(1.0).validate(&test);
/// let history = trainer.fit(&train, fit)?;
/// assert_eq!(history.epochs().len(), 30);
/// # Ok::<(), backprop::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Fit<'a, I, T, S = Constant> {
    epochs: usize,
    batch: Option<usize>,
    seed: Option<Seed>,
    validation: Option<&'a Dataset<I, T>>,
    progress: bool,
    schedule: S,
    clip: Option<f64>,
}

impl<I, T> Fit<'_, I, T> {
    /// So many passes over the data, each in a new random order, in batches of the trainer's capacity.
    pub fn epochs(epochs: usize) -> Self {
        Self {
            epochs,
            batch: None,
            seed: Some(Seed(0)),
            validation: None,
            progress: false,
            schedule: Constant,
            clip: None,
        }
    }
}

impl<'a, I, T, S> Fit<'a, I, T, S> {
    /// So many samples in a step, more or fewer than the trainer's capacity. The last step of an epoch takes what is left.
    #[must_use]
    pub fn batch(mut self, samples: usize) -> Self {
        self.batch = Some(samples);
        self
    }

    /// The seed of the order of the samples.
    #[must_use]
    pub fn shuffle(mut self, seed: Seed) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Keeps the order of the samples.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.seed = None;
        self
    }

    /// Evaluates the network on this data after each epoch.
    #[must_use]
    pub fn validate(mut self, data: &'a Dataset<I, T>) -> Self {
        self.validation = Some(data);
        self
    }

    /// Shows the progress on standard error: a bar with the feature `progress`, else a line an epoch; nothing without
    /// `std`.
    #[must_use]
    pub fn progress(mut self, progress: bool) -> Self {
        self.progress = progress;
        self
    }

    /// The schedule of the learning rate, by steps from the beginning of this call. It takes the place of a factor from
    /// [`Trainer::set_rate`] until the call is over.
    #[must_use]
    pub fn schedule<Next: Schedule>(self, schedule: Next) -> Fit<'a, I, T, Next> {
        let Self { epochs, batch, seed, validation, progress, schedule: _, clip } = self;
        Fit { epochs, batch, seed, validation, progress, schedule, clip }
    }

    /// Scales gradients with a larger Euclidean norm down to this one.
    #[must_use]
    pub fn clip_norm(mut self, maximum: f64) -> Self {
        self.clip = Some(maximum);
        self
    }
}

impl<N: Program, O: Optimizer<N>, const CAPACITY: usize> Trainer<N, O, CAPACITY> {
    /// Trains over many epochs.
    ///
    /// Memory for the batches is allocated beforehand: no step allocates.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings without meaning, before anything is done; in a step, the errors of
    /// [`step`](Self::step): then the trainer is as the last good step left it, with the exception described there.
    pub fn fit<I, T, S: Schedule>(&mut self, data: &Dataset<I, T>, fit: Fit<'_, I, T, S>) -> Result<History, Error>
    where
        I: for<'v> Columns<View<'v> = N::Inputs<'v>>,
        T: for<'v> Columns<View<'v> = N::Targets<'v>>,
    {
        let (rate, clip) = self.limits();
        if let Some(maximum) = fit.clip {
            self.set_clip_norm(maximum)?;
        }
        let result = self.epochs(data, &fit);
        // The limits belong to this call; they were valid before.
        let _ = self.set_rate(rate);
        let _ = self.set_clip_norm(clip);
        result
    }

    fn epochs<I, T, S: Schedule>(&mut self, data: &Dataset<I, T>, fit: &Fit<'_, I, T, S>) -> Result<History, Error>
    where
        I: for<'v> Columns<View<'v> = N::Inputs<'v>>,
        T: for<'v> Columns<View<'v> = N::Targets<'v>>,
    {
        let size = fit.batch.unwrap_or(CAPACITY).min(data.len());
        if size == 0 {
            return Err(if data.is_empty() { Error::EmptyBatch } else { NO_SAMPLES });
        }
        let batch = data.with_capacity(size);
        let epochs = Epochs { count: fit.epochs, samples: data.len(), size, seed: fit.seed, progress: fit.progress };
        pass::dispatch(self.instructions(), Fitting { trainer: self, data, batch, fit, epochs })
    }

    /// Measures the network on a data set, by inference.
    ///
    /// # Errors
    /// As of [`Network::loss`] and [`Network::predict_batch`]; without a declared loss it is left NaN.
    pub fn evaluate<I, T>(&mut self, data: &Dataset<I, T>) -> Result<Evaluation, Error>
    where
        I: for<'v> Columns<View<'v> = N::Inputs<'v>>,
        T: for<'v> Columns<View<'v> = N::Targets<'v>>,
    {
        let (network, workspace) = self.parts();
        let loss = if N::HAS_LOSS {
            Network::loss(network, data.inputs(), data.targets(), workspace)?.widen()
        } else {
            f64::NAN
        };
        let mut evaluation = Evaluation::new(loss, data.len());
        let decisions = decisions(N::DECISIONS, data.targets());
        for (start, end) in pass::pieces::<CAPACITY>(data.len()) {
            let outputs = Network::predict_batch(network, data.inputs().range(start, end), workspace)?;
            evaluation.record(outputs, data.targets().range(start, end), &decisions);
        }
        Ok(evaluation)
    }
}

/// What epochs consist of.
trait Course {
    /// The step of this number, with these samples; the loss before the update.
    fn step(&mut self, number: usize, samples: &[usize]) -> Result<f64, Error>;

    /// What follows an epoch.
    fn validate(&mut self) -> Result<Option<Validation>, Error>;
}

/// All epochs of a training: with a tiny network, its steps are part of them, and the vector unit is entered once.
struct Fitting<'a, 'f, N: Program, O: Optimizer<N>, I: Columns, T: Columns, S, const CAPACITY: usize> {
    trainer: &'a mut Trainer<N, O, CAPACITY>,
    data: &'a Dataset<I, T>,
    batch: Dataset<I, T>,
    fit: &'a Fit<'f, I, T, S>,
    epochs: Epochs,
}

impl<N, O, I, T, S, const CAPACITY: usize> Job for Fitting<'_, '_, N, O, I, T, S, CAPACITY>
where
    N: Program,
    O: Optimizer<N>,
    I: for<'v> Columns<View<'v> = N::Inputs<'v>>,
    T: for<'v> Columns<View<'v> = N::Targets<'v>>,
    S: Schedule,
{
    type Room = Workspace<N, CAPACITY>;
    type Output = Result<History, Error>;

    #[inline(always)]
    fn run<X: Machine>(self, machine: X) -> Result<History, Error> {
        let Self { trainer, data, batch, fit, epochs } = self;
        let mut training = Training { machine, trainer, data, batch, fit };
        if X::PLAIN { epochs.run(&mut training) } else { epochs.run_apart(&mut training) }
    }
}

struct Training<'a, 'f, X, N: Program, O: Optimizer<N>, I: Columns, T: Columns, S, const CAPACITY: usize> {
    machine: X,
    trainer: &'a mut Trainer<N, O, CAPACITY>,
    data: &'a Dataset<I, T>,
    /// Memory for the samples of a step.
    batch: Dataset<I, T>,
    fit: &'a Fit<'f, I, T, S>,
}

impl<X, N, O, I, T, S, const CAPACITY: usize> Course for Training<'_, '_, X, N, O, I, T, S, CAPACITY>
where
    X: Machine,
    N: Program,
    O: Optimizer<N>,
    I: for<'v> Columns<View<'v> = N::Inputs<'v>>,
    T: for<'v> Columns<View<'v> = N::Targets<'v>>,
    S: Schedule,
{
    // Whatever the level of optimisation, compiled for the vector unit with the epochs of a tiny network.
    #[inline(always)]
    fn step(&mut self, number: usize, samples: &[usize]) -> Result<f64, Error> {
        self.batch.gather(self.data, samples);
        self.trainer.set_rate(self.fit.schedule.rate(number))?;
        Ok(self.trainer.step_on(self.machine, self.batch.inputs(), self.batch.targets())?.widen())
    }

    fn validate(&mut self) -> Result<Option<Validation>, Error> {
        let Some(data) = self.fit.validation else { return Ok(None) };
        let evaluation = self.trainer.evaluate(data)?;
        Ok(Some(Validation { loss: evaluation.loss(), accuracy: evaluation.accuracy() }))
    }
}

/// Passes over data of any kind, with any network.
struct Epochs {
    count: usize,
    samples: usize,
    /// Samples in a step.
    size: usize,
    seed: Option<Seed>,
    progress: bool,
}

impl Epochs {
    /// In a function that all networks share but tiny ones, whose steps are shorter than an indirect call.
    #[inline(never)]
    fn run_apart(&self, course: &mut dyn Course) -> Result<History, Error> {
        self.run(course)
    }

    #[inline(always)]
    fn run<C: Course + ?Sized>(&self, course: &mut C) -> Result<History, Error> {
        // A number that no training reaches is no reason to fail: the rest is allocated between epochs.
        let mut history = History { epochs: Vec::with_capacity(self.count.min(1 << 16)) };
        let mut order: Vec<usize> = (0..self.samples).collect();
        let mut random = self.seed.map(Random::new);
        let mut progress = Progress::new(self.progress, self.count);
        let mut steps = 0;
        for _ in 0..self.count {
            if let Some(random) = &mut random {
                random.shuffle(&mut order);
            }
            let mut loss = 0.0;
            for samples in order.chunks(self.size) {
                loss += course.step(steps, samples)? * samples.len() as f64;
                steps += 1;
            }
            let epoch = Epoch { loss: loss / self.samples as f64, validation: course.validate()? };
            history.epochs.push(epoch);
            progress.show(history.epochs.len(), &epoch);
        }
        progress.finish();
        Ok(history)
    }
}

#[cfg(feature = "std")]
fn describe(epoch: &Epoch) -> std::string::String {
    use std::fmt::Write;
    let mut text = std::format!("loss {:.4}", epoch.loss);
    if let Some(validation) = epoch.validation {
        let _ = write!(text, ", validation loss {:.4}", validation.loss);
        if let Some(accuracy) = validation.accuracy {
            let _ = write!(text, ", accuracy {:.2} %", 100.0 * accuracy);
        }
    }
    text
}

/// A bar that counts the epochs.
#[cfg(feature = "progress")]
struct Progress(Option<indicatif::ProgressBar>);

#[cfg(feature = "progress")]
impl Progress {
    fn new(shown: bool, epochs: usize) -> Self {
        Self(shown.then(|| {
            let style = indicatif::ProgressStyle::with_template("epoch {pos:>3}/{len} {bar:30} {elapsed} {msg}");
            let bar = indicatif::ProgressBar::new(epochs as u64);
            if let Ok(style) = style { bar.with_style(style) } else { bar }
        }))
    }

    fn show(&mut self, _: usize, epoch: &Epoch) {
        if let Some(bar) = &self.0 {
            bar.set_message(describe(epoch));
            bar.inc(1);
        }
    }

    fn finish(self) {
        if let Some(bar) = self.0 {
            bar.abandon();
        }
    }
}

/// A line an epoch.
#[cfg(not(feature = "progress"))]
struct Progress {
    #[cfg(feature = "std")]
    shown: bool,
    #[cfg(feature = "std")]
    epochs: usize,
}

#[cfg(not(feature = "progress"))]
#[cfg_attr(not(feature = "std"), expect(clippy::unused_self, reason = "nowhere to show it"))]
impl Progress {
    #[cfg(feature = "std")]
    fn new(shown: bool, epochs: usize) -> Self {
        Self { shown, epochs }
    }

    #[cfg(not(feature = "std"))]
    fn new(_: bool, _: usize) -> Self {
        Self {}
    }

    #[cfg(feature = "std")]
    fn show(&mut self, number: usize, epoch: &Epoch) {
        if self.shown {
            std::eprintln!("epoch {number:>3}/{}: {}", self.epochs, describe(epoch));
        }
    }

    #[cfg(not(feature = "std"))]
    fn show(&mut self, _: usize, _: &Epoch) {}

    fn finish(self) {}
}
