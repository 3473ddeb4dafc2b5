use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};
use core::fmt;

/// How often each class was taken for each other.
///
/// Shares that would divide by zero are 0, as scikit-learn has it: the precision of a class that was never predicted, the
/// recall of one that never occurred.
///
/// ```
/// # use backprop::metrics::Confusion;
/// let mut confusion = Confusion::new(2);
/// for (expected, predicted) in [(0, 0), (0, 1), (1, 1), (1, 1)] {
///     confusion.record(expected, predicted);
/// }
/// assert_eq!(confusion.accuracy(), 0.75);
/// assert_eq!((confusion.precision(1), confusion.recall(1)), (2.0 / 3.0, 1.0));
/// println!("{}", confusion.report());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    /// `[expected][predicted]`
    counts: Vec<u64>,
}

impl Confusion {
    /// Nothing counted yet.
    pub fn new(classes: usize) -> Self {
        Self { classes, counts: vec![0; classes * classes] }
    }

    /// Counts one answer. Classes out of range are not counted.
    pub fn record(&mut self, expected: usize, predicted: usize) {
        if expected < self.classes
            && predicted < self.classes
            && let Some(count) = self.counts.get_mut(expected * self.classes + predicted)
        {
            *count += 1;
        }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How often `expected` was taken for `predicted`.
    pub fn count(&self, expected: usize, predicted: usize) -> u64 {
        if predicted < self.classes {
            self.counts.get(expected * self.classes + predicted).copied().unwrap_or(0)
        } else {
            0
        }
    }

    /// How often the class occurred.
    pub fn occurrences(&self, class: usize) -> u64 {
        (0..self.classes).map(|predicted| self.count(class, predicted)).sum()
    }

    /// How often the class was predicted.
    pub fn predictions(&self, class: usize) -> u64 {
        (0..self.classes).map(|expected| self.count(expected, class)).sum()
    }

    /// All answers.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Share of right answers.
    pub fn accuracy(&self) -> f64 {
        share((0..self.classes).map(|class| self.count(class, class)).sum(), self.total())
    }

    /// Share of right ones among the predictions of this class.
    pub fn precision(&self, class: usize) -> f64 {
        share(self.count(class, class), self.predictions(class))
    }

    /// Share of those found among the occurrences of this class.
    pub fn recall(&self, class: usize) -> f64 {
        share(self.count(class, class), self.occurrences(class))
    }

    /// Harmonic mean of precision and recall.
    pub fn f1(&self, class: usize) -> f64 {
        share(2 * self.count(class, class), self.predictions(class) + self.occurrences(class))
    }

    /// Mean precision of all classes, each counting alike.
    pub fn macro_precision(&self) -> f64 {
        self.mean(Self::precision)
    }

    /// Mean recall of all classes, each counting alike (the balanced accuracy).
    pub fn macro_recall(&self) -> f64 {
        self.mean(Self::recall)
    }

    /// Mean F1 of all classes, each counting alike.
    pub fn macro_f1(&self) -> f64 {
        self.mean(Self::f1)
    }

    fn mean(&self, measure: fn(&Self, usize) -> f64) -> f64 {
        (0..self.classes).map(|class| measure(self, class)).sum::<f64>() / self.classes.max(1) as f64
    }

    /// Precision, recall, F1 and occurrences of each class, and the confusion matrix, as aligned text. The matrix is
    /// left out above 30 classes.
    pub fn report(&self) -> String {
        let mut report =
            format!("{:>9} {:>10} {:>10} {:>10} {:>10}\n", "class", "precision", "recall", "F1", "samples");
        let mut line = |name: &str, values: [f64; 3], samples: u64| {
            let [precision, recall, f1] = values;
            report += &format!("{name:>9} {precision:>10.4} {recall:>10.4} {f1:>10.4} {samples:>10}\n");
        };
        for class in 0..self.classes {
            let values = [self.precision(class), self.recall(class), self.f1(class)];
            line(&format!("{class}"), values, self.occurrences(class));
        }
        line("mean", [self.macro_precision(), self.macro_recall(), self.macro_f1()], self.total());
        report += &format!("{:>9} {:>10.4}\n", "accuracy", self.accuracy());
        if self.classes <= 30 {
            report += &format!("\n{self}");
        }
        report
    }
}

/// The matrix: a row for each expected class, a column for each predicted one.
impl fmt::Display for Confusion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let largest = self.counts.iter().copied().max().unwrap_or(0).max(self.classes as u64);
        let width = format!("{largest}").len() + 1;
        write!(formatter, "{:>9} ", "predicted")?;
        for class in 0..self.classes {
            write!(formatter, "{class:>width$}")?;
        }
        writeln!(formatter)?;
        for expected in 0..self.classes {
            write!(formatter, "{:>9} ", format!("{}{expected}", if expected == 0 { "actual " } else { "" }))?;
            for predicted in 0..self.classes {
                write!(formatter, "{:>width$}", self.count(expected, predicted))?;
            }
            writeln!(formatter)?;
        }
        Ok(())
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three classes worked by hand:
    ///
    /// ```text
    ///            predicted
    ///            0  1  2
    /// actual 0   3  1  0
    ///        1   0  2  2
    ///        2   0  0  0
    /// ```
    fn example() -> Confusion {
        let mut confusion = Confusion::new(3);
        for (expected, predicted) in [(0, 0), (0, 0), (0, 0), (0, 1), (1, 1), (1, 1), (1, 2), (1, 2)] {
            confusion.record(expected, predicted);
        }
        confusion
    }

    #[test]
    fn shares_worked_by_hand() {
        let confusion = example();
        assert_eq!(confusion.accuracy(), 5.0 / 8.0);
        assert_eq!([0, 1, 2].map(|class| confusion.precision(class)), [1.0, 2.0 / 3.0, 0.0]);
        assert_eq!([0, 1, 2].map(|class| confusion.recall(class)), [0.75, 0.5, 0.0]);
        let f1 = [0, 1, 2].map(|class| confusion.f1(class));
        assert!((f1[0] - 6.0 / 7.0).abs() < 1e-15 && (f1[1] - 4.0 / 7.0).abs() < 1e-15 && f1[2] == 0.0);
        assert!((confusion.macro_precision() - 5.0 / 9.0).abs() < 1e-15);
        assert!((confusion.macro_recall() - 1.25 / 3.0).abs() < 1e-15);
        assert!((confusion.macro_f1() - 10.0 / 21.0).abs() < 1e-15);
    }

    #[test]
    fn nothing_counted_divides_by_nothing() {
        let confusion = Confusion::new(2);
        assert_eq!((confusion.accuracy(), confusion.macro_f1()), (0.0, 0.0));
        assert_eq!(Confusion::new(0).macro_f1(), 0.0);
    }

    #[test]
    fn classes_out_of_range_are_left_out() {
        let mut confusion = example();
        confusion.record(3, 0);
        confusion.record(0, 3);
        assert_eq!(confusion, example());
        assert_eq!(confusion.count(0, 3), 0);
    }

    #[test]
    fn the_report_is_aligned() {
        let expected = "    class  precision     recall         F1    samples
        0     1.0000     0.7500     0.8571          4
        1     0.6667     0.5000     0.5714          4
        2     0.0000     0.0000     0.0000          0
     mean     0.5556     0.4167     0.4762          8
 accuracy     0.6250

predicted  0 1 2
 actual 0  3 1 0
        1  0 2 2
        2  0 0 0
";
        assert_eq!(example().report(), expected);
    }
}
