use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Classification, Confusion, Regression};
use crate::data::{Samples, Values, largest};

/// How well a network does on a data set.
///
/// The outputs of the network are compared with its targets, first with first, second with second: a [`Class`] target with
/// as many scores for each place is a classification, won by the largest score; numbers with as many numbers are a
/// regression. Where the targets of a sequence are followed by a [`Length`], places from there on do not count. What fits
/// neither (weights of samples, probabilities for a class) is left out, but counts in the loss.
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

    /// Compares the outputs of a piece of the data with its targets.
    pub(crate) fn record<O: Samples, T: Samples>(&mut self, outputs: O, targets: T) {
        let mut place = 0;
        let mut position = 0;
        outputs.columns(&mut |output| {
            let mut index = 0;
            let mut comparison = None;
            let mut lengths = None;
            targets.columns(&mut |target| {
                if index == position {
                    comparison = Comparison::of(output.width, target.values, target.width);
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
                targets.columns(&mut |target| {
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

/// What can be compared with what.
#[derive(Debug, Clone, Copy)]
enum Comparison {
    Classes(usize),
    Numbers,
}

impl Comparison {
    fn of(output_width: usize, target: Values<'_>, target_width: usize) -> Option<Self> {
        match target {
            Values::Classes(_, classes) if output_width == target_width * classes => Some(Self::Classes(classes)),
            Values::F32(_) | Values::F64(_) if output_width == target_width => Some(Self::Numbers),
            _ => None,
        }
    }

    fn part(self) -> Part {
        match self {
            Self::Classes(classes) => Part::Classification(Classification::new(classes)),
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
        evaluation.record(&scores[..], (&expected[..], &lengths[..]));
        assert_eq!(evaluation.classification().unwrap().total(), 3);
        assert_eq!(evaluation.accuracy(), Some(2.0 / 3.0));

        let numbers = [[1.0_f64, 2.0], [3.0, 4.0]];
        let weights = [1.0_f64, 2.0];
        let mut evaluation = Evaluation::new(0.5, 2);
        evaluation
            .record((&scores[..], &numbers[..]), (&expected[..], &[[1.0_f64, 2.0], [3.0, 5.0]][..], &weights[..]));
        assert_eq!(evaluation.parts().len(), 2);
        assert_eq!(evaluation.regression().unwrap().mse(), 0.25);
        assert_eq!(evaluation.classification().unwrap().total(), 6);
    }
}
