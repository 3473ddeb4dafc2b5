//! Gradients held against finite differences: a test for any network, one's own or the library's.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use num_traits::Float;

use crate::data::{Samples, Values, ValuesMut};
use crate::dataset::Columns;
use crate::error::Error;
use crate::network::Network;
use crate::program::Program;
use crate::random::{Random, Seed};
use crate::workspace::Workspace;

/// Checks the gradients of a network on random samples; see [`Check`] for what is done and what can be set.
///
/// ```
/// use backprop::prelude::*;
///
/// network! {
///     pub struct Gesture;
///     fn forward(window: [3, 4]) -> [5] { window.flatten().dense(6).tanh().dense(5) }
///     fn loss(logits, gesture: Class<5>) { cross_entropy(logits, gesture) }
/// }
///
/// backprop::check::gradients::<Gesture<f64>>(Seed(3)).assert_below(1e-7);
/// ```
///
/// # Panics
/// When the network refuses the random samples, since its loss is infinite for instance.
pub fn gradients<N>(seed: Seed) -> Report
where
    N: Program<Scalar = f64>,
    Owned<N::Inputs<'static>>: for<'v> Columns<View<'v> = N::Inputs<'v>>,
    Owned<N::Targets<'static>>: for<'v> Columns<View<'v> = N::Targets<'v>>,
    Owned<N::Outputs<'static>>: for<'v> Columns<View<'v> = N::Outputs<'v>>,
{
    match Check::<N>::new(seed).run() {
        Ok(report) => report,
        Err(error) => panic!("the gradients of {} cannot be checked: {error}", N::NAME),
    }
}

/// The owned form of samples.
pub type Owned<S> = <S as Samples>::Owned;

/// Two samples fit, so that three are worked in pieces.
const CAPACITY: usize = 2;

/// A check of the gradients of one network in `f64`.
///
/// Parameters are drawn as for training, then moved a little, so that zeros do not hide anything. Of each tensor (and
/// each input) up to [`entries`](Self::entries) numbers are checked, chosen at random, in two ways:
///
/// - the declared loss of a batch that does not fit the workspace at once, for the parameters;
/// - a random combination of the outputs, by `forward` and `backward`, for parameters and inputs.
///
/// Each is compared with five-point central differences of several widths, of which the best counts, since a kink
/// as of `relu` can lie within the widest. The error is relative to the derivative, or to a ten-thousandth of the largest
/// derivative where it is smaller. Dropout keeps its pattern. What stands behind `stop_gradient` differs, rightly.
#[derive(Debug, Clone)]
pub struct Check<N> {
    seed: Seed,
    inputs: (f64, f64),
    targets: (f64, f64),
    entries: usize,
    network: PhantomData<fn() -> N>,
}

impl<N> Check<N>
where
    N: Program<Scalar = f64>,
    Owned<N::Inputs<'static>>: for<'v> Columns<View<'v> = N::Inputs<'v>>,
    Owned<N::Targets<'static>>: for<'v> Columns<View<'v> = N::Targets<'v>>,
    Owned<N::Outputs<'static>>: for<'v> Columns<View<'v> = N::Outputs<'v>>,
{
    /// With inputs in -1..1, targets in 0..1, and 100 numbers of each tensor.
    pub fn new(seed: Seed) -> Self {
        Self { seed, inputs: (-1.0, 1.0), targets: (0.0, 1.0), entries: 100, network: PhantomData }
    }

    /// Where real inputs lie.
    #[must_use]
    pub fn inputs(mut self, low: f64, high: f64) -> Self {
        self.inputs = (low, high);
        self
    }

    /// Where real targets lie.
    #[must_use]
    pub fn targets(mut self, low: f64, high: f64) -> Self {
        self.targets = (low, high);
        self
    }

    /// How many numbers of each tensor are checked at most.
    #[must_use]
    pub fn entries(mut self, entries: usize) -> Self {
        self.entries = entries;
        self
    }

    /// Checks.
    ///
    /// # Errors
    /// Those of [`Network::loss_and_gradient`] and [`Network::backward`] on the random samples; [`Error::Setting`] where
    /// no entries are to be checked.
    ///
    /// ```
    /// # use backprop::prelude::*;
    /// # network! {
    /// #     pub struct Line;
    /// #     fn forward(x: [2]) -> [1] { x.dense(1) }
    /// # }
    /// use backprop::check::Check;
    ///
    /// assert!(Check::<Line<f64>>::new(Seed(1)).run().is_ok());
    /// assert!(Check::<Line<f64>>::new(Seed(1)).entries(0).run().is_err());
    /// ```
    pub fn run(&self) -> Result<Report, Error> {
        if self.entries == 0 {
            return Err(Error::Setting("a check needs entries"));
        }
        let mut random = Random::new(self.seed.part(1));
        let mut network = N::boxed(self.seed);
        for value in network.as_flat_mut() {
            *value += random.between(-0.1, 0.1);
        }
        network.apply_bounds();
        let mut workbench = Workbench {
            gradient: network.zeros_like(),
            scratch: network.zeros_like(),
            network,
            workspace: Workspace::boxed(),
            seed: self.seed.part(2),
        };
        let mut report = Report { network: N::NAME, rows: Vec::new() };
        if N::HAS_LOSS {
            let samples = CAPACITY + 1;
            let inputs = Owned::<N::Inputs<'static>>::draw(samples, &mut random, self.inputs.0, self.inputs.1);
            let targets = Owned::<N::Targets<'static>>::draw(samples, &mut random, self.targets.0, self.targets.1);
            self.loss(&mut workbench, &inputs, &targets, &mut random, &mut report)?;
        }
        let mut inputs = Owned::<N::Inputs<'static>>::draw(CAPACITY, &mut random, self.inputs.0, self.inputs.1);
        let weights = Owned::<N::Outputs<'static>>::draw(CAPACITY, &mut random, -1.0, 1.0);
        self.outputs(&mut workbench, &mut inputs, &weights, &mut random, &mut report)?;
        Ok(report)
    }

    fn loss(
        &self,
        workbench: &mut Workbench<N>,
        inputs: &Owned<N::Inputs<'static>>,
        targets: &Owned<N::Targets<'static>>,
        random: &mut Random,
        report: &mut Report,
    ) -> Result<(), Error> {
        workbench.loss(inputs.view(), targets.view())?;
        core::mem::swap(&mut workbench.gradient, &mut workbench.scratch);
        self.parameters(workbench, "loss", random, report, &mut |workbench| {
            workbench.loss(inputs.view(), targets.view())
        })
    }

    fn outputs(
        &self,
        workbench: &mut Workbench<N>,
        inputs: &mut Owned<N::Inputs<'static>>,
        weights: &Owned<N::Outputs<'static>>,
        random: &mut Random,
        report: &mut Report,
    ) -> Result<(), Error> {
        let combination = numbers(weights.view()).concat();
        workbench.outputs(inputs.view(), &combination)?;
        let Workbench { network, workspace, gradient, .. } = &mut *workbench;
        let input_gradients = network.backward(inputs.view(), weights.view(), workspace, gradient)?;
        let input_gradients = numbers(input_gradients);

        self.parameters(workbench, "outputs", random, report, &mut |workbench| {
            workbench.outputs(inputs.view(), &combination)
        })?;
        let columns = differentiable(inputs, input_gradients.len());
        for (&column, gradient) in columns.iter().zip(&input_gradients) {
            let floor = floor(&input_gradients.concat());
            let mut row = Row { name: format!("input {column}"), part: "outputs", checked: 0, error: 0.0 };
            for index in self.choose(gradient.len(), random) {
                let start = number(inputs, column, index);
                let error = deviation(gradient[index], floor, start, &mut |value| {
                    set_number(inputs, column, index, value);
                    workbench.outputs(inputs.view(), &combination)
                })?;
                set_number(inputs, column, index, start);
                row.record(error);
            }
            report.rows.push(row);
        }
        Ok(())
    }

    /// Checks the gradient on the workbench against the differences of `evaluate`.
    fn parameters(
        &self,
        workbench: &mut Workbench<N>,
        part: &'static str,
        random: &mut Random,
        report: &mut Report,
        evaluate: &mut dyn FnMut(&mut Workbench<N>) -> Result<f64, Error>,
    ) -> Result<(), Error> {
        let floor = floor(workbench.gradient.as_flat());
        for tensor in N::TENSORS.iter().filter(|tensor| !tensor.frozen) {
            let mut row = Row { name: tensor.name.to_owned(), part, checked: 0, error: 0.0 };
            for index in self.choose(tensor.len(), random) {
                let index = tensor.offset + index;
                let start = workbench.network.as_flat()[index];
                let analytic = workbench.gradient.as_flat()[index];
                let error = deviation(analytic, floor, start, &mut |value| {
                    workbench.network.as_flat_mut()[index] = value;
                    evaluate(workbench)
                })?;
                workbench.network.as_flat_mut()[index] = start;
                row.record(error);
            }
            report.rows.push(row);
        }
        Ok(())
    }

    fn choose(&self, count: usize, random: &mut Random) -> Vec<usize> {
        if count <= self.entries {
            (0..count).collect()
        } else {
            (0..self.entries).map(|_| random.below(count)).collect()
        }
    }
}

struct Workbench<N: Program> {
    network: Box<N>,
    gradient: Box<N>,
    scratch: Box<N>,
    workspace: Box<Workspace<N, CAPACITY>>,
    seed: Seed,
}

impl<N: Program<Scalar = f64>> Workbench<N> {
    /// The loss as in training, always with the same random numbers; its gradient goes to `scratch`.
    fn loss(&mut self, inputs: N::Inputs<'_>, targets: N::Targets<'_>) -> Result<f64, Error> {
        self.workspace.reseed(self.seed);
        self.network.loss_and_gradient(inputs, targets, &mut self.workspace, &mut self.scratch)
    }

    /// A combination of the outputs as in training, always with the same random numbers.
    fn outputs(&mut self, inputs: N::Inputs<'_>, combination: &[f64]) -> Result<f64, Error> {
        self.workspace.reseed(self.seed);
        let outputs = numbers(self.network.forward(inputs, &mut self.workspace)?).concat();
        Ok(outputs.iter().zip(combination).map(|(output, weight)| output * weight).sum())
    }
}

/// The smallest size that errors are relative to.
fn floor(gradient: &[f64]) -> f64 {
    let largest = gradient.iter().fold(0.0, |largest, value| Float::max(largest, Float::abs(*value)));
    (1e-4 * largest).max(1e-6)
}

/// The relative error of a derivative at `start`.
fn deviation(
    analytic: f64,
    floor: f64,
    start: f64,
    evaluate: &mut dyn FnMut(f64) -> Result<f64, Error>,
) -> Result<f64, Error> {
    let mut best = f64::INFINITY;
    for width in [1e-3, 1e-4, 1e-5, 1e-6] {
        let near = evaluate(start + width)? - evaluate(start - width)?;
        let far = evaluate(start + 2.0 * width)? - evaluate(start - 2.0 * width)?;
        let numeric = (8.0 * near - far) / (12.0 * width);
        let size = Float::max(Float::abs(analytic), Float::abs(numeric)).max(floor);
        best = Float::min(best, Float::abs(analytic - numeric) / size);
        if best < 1e-9 {
            break;
        }
    }
    Ok(best)
}

/// The real numbers of each column.
fn numbers<S: Samples>(samples: S) -> Vec<Vec<f64>> {
    let mut columns = Vec::new();
    samples.columns(&mut |column| match column.values {
        Values::F32(values) => columns.push(values.iter().map(|&value| f64::from(value)).collect()),
        Values::F64(values) => columns.push(values.to_vec()),
        Values::Classes(..) | Values::Lengths(..) => {}
    });
    columns
}

/// Which columns have gradients: the real ones, and numbers for the whole step only if there are as many gradients.
fn differentiable<C: Columns>(columns: &C, gradients: usize) -> Vec<usize> {
    let (mut real, mut sliced, mut index) = (Vec::new(), Vec::new(), 0);
    columns.view().columns(&mut |column| {
        if matches!(column.values, Values::F32(_) | Values::F64(_)) {
            real.push(index);
            if !column.per_step {
                sliced.push(index);
            }
        }
        index += 1;
    });
    if real.len() == gradients { real } else { sliced }
}

fn number<C: Columns>(columns: &C, column: usize, index: usize) -> f64 {
    let (mut number, mut position) = (f64::NAN, 0);
    columns.view().columns(&mut |found| {
        if position == column {
            number = found.values.number(index).unwrap_or(f64::NAN);
        }
        position += 1;
    });
    number
}

fn set_number<C: Columns>(columns: &mut C, column: usize, index: usize, number: f64) {
    let mut position = 0;
    columns.columns_mut(&mut |found| {
        if position == column {
            match found {
                Some(ValuesMut::F32(values)) => values[index] = number as f32,
                Some(ValuesMut::F64(values)) => values[index] = number,
                None => {}
            }
        }
        position += 1;
    });
}

/// The largest error of each tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    network: &'static str,
    rows: Vec<Row>,
}

/// The largest error of one tensor or input.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The tensor's name, or the input's number.
    pub name: String,
    /// What was differentiated: `loss` or `outputs`.
    pub part: &'static str,
    /// How many numbers were checked.
    pub checked: usize,
    /// Their largest relative error.
    pub error: f64,
}

impl Row {
    fn record(&mut self, error: f64) {
        self.checked += 1;
        // A NaN must not pass for small.
        self.error = if error.is_nan() { f64::INFINITY } else { self.error.max(error) };
    }
}

impl Report {
    /// All tensors and inputs.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The largest error of all.
    pub fn largest_error(&self) -> f64 {
        self.rows.iter().fold(0.0, |largest, row| largest.max(row.error))
    }

    /// Fails unless every error is below `tolerance`.
    ///
    /// # Panics
    /// With the whole report.
    #[track_caller]
    pub fn assert_below(&self, tolerance: f64) {
        let largest = self.largest_error();
        assert!(largest < tolerance, "a gradient is wrong by {largest:.1e}, allowed is {tolerance:.1e}\n{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "gradients of {} against finite differences", self.network)?;
        let width = self.rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        for Row { name, part, checked, error } in &self.rows {
            writeln!(formatter, "{name:width$}  of {part:7}  {checked:>5} numbers  largest error {error:.1e}")?;
        }
        Ok(())
    }
}
