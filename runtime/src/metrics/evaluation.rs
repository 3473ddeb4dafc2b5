use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Classification, Confusion, Regression};
use crate::data::{Column, Samples, Values, largest};

/// How well a network does on a data set.
///
/// The outputs of the network are compared with its targets, first with first, second with second:
///
/// - A [`Class`] target with as many scores for each place is a classification, won by the largest score.
/// - Numbers with as many numbers are a regression,
/// - unless the loss applies a binary cross-entropy to the output as it is, and all of the targets are 0 or 1. That is a
///   classification into no (0) and yes (1): each number is a decision, taken for yes when it is above 0 as a logit, or
///   above 0.5 as a probability. Several labels of a sample are counted together, as decisions of one kind.
///
/// Where the targets of a sequence are followed by a [`Length`], places from there on do not count. What fits none of these
/// (weights of samples, probabilities for a class) is left out, but counts in the loss.
///
/// ```
/// use backprop::prelude::*;
///
/// network! {
///     pub struct Larger;
///     fn forward(numbers: [2]) -> [1] { numbers.dense(1) }
///     fn loss(y, larger: [1]) { binary_cross_entropy_with_logits(y, larger) }
/// }
///
/// let numbers: Vec<[f32; 2]> = (0..100).map(|i| [(i % 10) as f32, (i / 10) as f32 + 0.5]).collect();
/// let larger: Vec<[f32; 1]> = numbers.iter().map(|[a, b]| [if a > b { 1.0 } else { 0.0 }]).collect();
/// let data = Dataset::new(numbers, larger)?;
/// let mut trainer = Trainer::<Larger, _, 20>::new(Adam::new(0.1), Seed(7));
/// trainer.fit(&data, Fit::epochs(50))?;
///
/// let evaluation = trainer.evaluate(&data)?;
/// assert!(evaluation.accuracy() > Some(0.9));
/// let yes = evaluation.classification().map(|classification| classification.f1(1));
/// assert!(yes > Some(0.9));
/// # Ok::<(), backprop::Error>(())
/// ```
///
/// [`Class`]: crate::data::Class
/// [`Length`]: crate::data::Length
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    pub(crate) loss: f64,
    pub(crate) samples: usize,
    pub(crate) parts: Vec<Part>,
}

/// How well one of the outputs does.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Scores against classes.
    Classification(Classification),
    /// Numbers against numbers.
    Regression(Regression),
}

impl Evaluation {
    pub(crate) fn new(loss: f64, samples: usize) -> Self {
        Self { loss, samples, parts: Vec::new() }
    }

    /// The loss over all samples.
    pub fn loss(&self) -> f64 {
        self.loss
    }

    /// How many samples there were.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// What could be measured, in the order of the outputs.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The first classification.
    pub fn classification(&self) -> Option<&Classification> {
        self.parts.iter().find_map(|part| match part {
            Part::Classification(classification) => Some(classification),
            Part::Regression(_) => None,
        })
    }

    /// The first classification's confusion matrix; `None` above [`Classification::MOST_CONFUSED`] classes, too.
    pub fn confusion(&self) -> Option<&Confusion> {
        self.classification().and_then(Classification::confusion)
    }

    /// The first regression's errors.
    pub fn regression(&self) -> Option<&Regression> {
        self.parts.iter().find_map(|part| match part {
            Part::Regression(regression) => Some(regression),
            Part::Classification(_) => None,
        })
    }

    /// Share of right answers of the first classification, 0 to 1; `None` without one.
    pub fn accuracy(&self) -> Option<f64> {
        self.classification().map(Classification::accuracy)
    }

    /// Loss and measures as aligned text.
    pub fn report(&self) -> String {
        let mut report = format!("{:>9} {:>10.6}\n", "loss", self.loss);
        for part in &self.parts {
            report += &match part {
                Part::Classification(classification) => classification.report(),
                Part::Regression(regression) => regression.report(),
            };
        }
        report
    }

    /// Compares the outputs of a piece of the data with its targets; `decisions` are those of all data.
    pub(crate) fn record<O: Samples, T: Samples>(&mut self, outputs: O, targets: T, decisions: &[Option<f64>]) {
        self.compare(&|visit| outputs.columns(visit), &|visit| targets.columns(visit), decisions);
    }

    fn compare(&mut self, outputs: &EachColumn<'_>, targets: &EachColumn<'_>, decisions: &[Option<f64>]) {
        let mut place = 0;
        let mut position = 0;
        outputs(&mut |output| {
            let mut index = 0;
            let mut comparison = None;
            let mut lengths = None;
            targets(&mut |target| {
                if index == position {
                    let threshold = decisions.get(position).copied().flatten();
                    comparison = Comparison::of(output.width, target.values, target.width, threshold);
                } else if index == position + 1
                    && let Values::Lengths(steps, maximum) = target.values
                    && target.width == 1
                {
                    lengths = Some((steps.to_vec(), maximum));
                }
                index += 1;
            });
            if let Some(kind) = comparison {
                if self.parts.len() == place {
                    self.parts.push(kind.part());
                }
                let mut index = 0;
                targets(&mut |target| {
                    if index == position
                        && let Some(part) = self.parts.get_mut(place)
                    {
                        let counts = |sample: usize, place: usize, places: usize| match &lengths {
                            Some((steps, maximum)) if *maximum == places => {
                                steps.get(sample).is_none_or(|&steps| place < steps as usize)
                            }
                            _ => true,
                        };
                        kind.record(part, output.values, target.values, target.width, counts);
                    }
                    index += 1;
                });
                place += 1;
            }
            position += 1;
        });
    }
}

/// By output, the number above which it means yes, if it is declared as a decision and all its targets are 0 or 1. (Others,
/// as probabilities or shades of grey, are numbers like those of a regression.)
pub(crate) fn decisions<T: Samples>(declared: &[Option<f64>], targets: T) -> Vec<Option<f64>> {
    decided(declared, &|visit| targets.columns(visit))
}

fn decided(declared: &[Option<f64>], targets: &EachColumn<'_>) -> Vec<Option<f64>> {
    let mut decisions = declared.to_vec();
    let mut outputs = decisions.iter_mut();
    targets(&mut |target| {
        let decided = |index| target.values.number(index).is_some_and(|number| number == 0.0 || number == 1.0);
        if let Some(threshold) = outputs.next()
            && threshold.is_some()
            && !(0..target.values.len()).all(decided)
        {
            *threshold = None;
        }
    });
    decisions
}

/// [`Samples::columns`] of any data: what works with this is compiled once for all.
type EachColumn<'a> = dyn Fn(&mut dyn FnMut(Column<'_>)) + 'a;

/// What can be compared with what.
#[derive(Debug, Clone, Copy)]
enum Comparison {
    Classes(usize),
    /// With the number above which one means yes.
    Decisions(f64),
    Numbers,
}

impl Comparison {
    fn of(output_width: usize, target: Values<'_>, target_width: usize, threshold: Option<f64>) -> Option<Self> {
        match target {
            Values::Classes(_, classes) if output_width == target_width * classes => Some(Self::Classes(classes)),
            Values::F32(_) | Values::F64(_) if output_width == target_width => {
                Some(threshold.map_or(Self::Numbers, Self::Decisions))
            }
            _ => None,
        }
    }

    fn part(self) -> Part {
        match self {
            Self::Classes(classes) => Part::Classification(Classification::new(classes)),
            Self::Decisions(_) => Part::Classification(Classification::new(2)),
            Self::Numbers => Part::Regression(Regression::default()),
        }
    }

    fn record(
        self,
        part: &mut Part,
        output: Values<'_>,
        target: Values<'_>,
        places: usize,
        counts: impl Fn(usize, usize, usize) -> bool,
    ) {
        let counted = (0..target.len()).filter(|index| counts(index / places, index % places, places));
        match (self, part) {
            (Self::Classes(classes), Part::Classification(classification)) => {
                for index in counted {
                    let predicted = winner(output, index * classes, classes);
                    if let (Some(predicted), Some(expected)) = (predicted, target.number(index)) {
                        classification.record(expected as usize, predicted);
                    }
                }
            }
            (Self::Decisions(threshold), Part::Classification(classification)) => {
                for index in counted {
                    if let (Some(predicted), Some(expected)) = (output.number(index), target.number(index)) {
                        classification.record(usize::from(expected == 1.0), usize::from(predicted > threshold));
                    }
                }
            }
            (Self::Numbers, Part::Regression(regression)) => {
                for index in counted {
                    if let (Some(predicted), Some(expected)) = (output.number(index), target.number(index)) {
                        regression.record(expected, predicted);
                    }
                }
            }
            _ => {}
        }
    }
}

/// The place of the largest score.
fn winner(scores: Values<'_>, start: usize, classes: usize) -> Option<usize> {
    match scores {
        Values::F32(scores) => scores.get(start..start + classes).map(largest),
        Values::F64(scores) => scores.get(start..start + classes).map(largest),
        Values::Classes(..) | Values::Lengths(..) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Class, Length};

    #[test]
    fn several_outputs_with_lengths() {
        let class = |index| Class::<2>::new(index).unwrap();
        let scores = [[[0.1_f32, 0.9], [0.8, 0.2], [0.3, 0.7]], [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]];
        let expected = [[class(1), class(0), class(0)], [class(1), class(1), class(0)]];
        let lengths = [Length::<3>::new(2).unwrap(), Length::new(1).unwrap()];
        let mut evaluation = Evaluation::new(0.5, 2);
        evaluation.record(&scores[..], (&expected[..], &lengths[..]), &[]);
        assert_eq!(evaluation.classification().unwrap().total(), 3);
        assert_eq!(evaluation.accuracy(), Some(2.0 / 3.0));

        let numbers = [[1.0_f64, 2.0], [3.0, 4.0]];
        let weights = [1.0_f64, 2.0];
        let mut evaluation = Evaluation::new(0.5, 2);
        let targets = (&expected[..], &[[1.0_f64, 2.0], [3.0, 5.0]][..], &weights[..]);
        evaluation.record((&scores[..], &numbers[..]), targets, &[None, None]);
        assert_eq!(evaluation.parts().len(), 2);
        assert_eq!(evaluation.regression().unwrap().mse(), 0.25);
        assert_eq!(evaluation.classification().unwrap().total(), 6);
    }
    #[test]
    fn decisions_of_several_labels_with_lengths() {
        let labels = [[0.0_f32, 1.0, 1.0], [1.0, 0.0, 0.0]];
        let logits = [[-1.0_f32, 0.5, -2.0], [2.0, 9.0, 9.0]];
        let lengths = [Length::<3>::new(3).unwrap(), Length::new(1).unwrap()];
        let targets = (&labels[..], &lengths[..]);
        let declared = decisions(&[Some(0.0)], targets);
        let mut evaluation = Evaluation::new(0.5, 2);
        evaluation.record(&logits[..], targets, &declared);
        let decided = evaluation.classification().unwrap();
        assert_eq!((decided.total(), decided.accuracy()), (4, 0.75));
        assert_eq!((decided.precision(1), decided.recall(1)), (1.0, 2.0 / 3.0));
        assert_eq!(evaluation.confusion().unwrap().count(1, 0), 1);
        assert_eq!(evaluation.regression(), None);
    }

    #[test]
    fn only_targets_of_0_and_1_are_decided() {
        let (yes, grey) = ([1.0_f64, 0.0], [1.0_f64, 0.9]);
        let found = decisions(&[Some(0.0), Some(0.5), None], (&yes[..], &grey[..], &yes[..]));
        assert_eq!(found, [Some(0.0), None, None]);
        // Outputs without a target have nothing to be compared with.
        assert_eq!(decisions(&[Some(0.5), Some(0.0)], &yes[..]), [Some(0.5), Some(0.0)]);
    }
}
