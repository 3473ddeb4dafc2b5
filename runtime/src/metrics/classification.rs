use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};

use super::Confusion;

/// How often each class occurred, was predicted, and was so rightly.
///
/// Shares that would divide by zero are 0, as scikit-learn has it: the precision of a class that was never predicted, the
/// recall of one that never occurred.
///
/// ```
/// # use backprop::metrics::Classification;
/// let mut classification = Classification::new(2);
/// for (expected, predicted) in [(0, 0), (0, 1), (1, 1), (1, 1)] {
///     classification.record(expected, predicted);
/// }
/// assert_eq!(classification.accuracy(), 0.75);
/// assert_eq!((classification.precision(1), classification.recall(1)), (2.0 / 3.0, 1.0));
/// println!("{}", classification.report());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classification {
    counts: Vec<Counts>,
    confusion: Option<Confusion>,
}

/// Of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Counts {
    occurred: u64,
    predicted: u64,
    right: u64,
}

impl Classification {
    /// The most classes for which a [`confusion`](Self::confusion) matrix is kept, which grows with their square: 8 MB.
    pub const MOST_CONFUSED: usize = 1024;

    /// Nothing counted yet.
    pub fn new(classes: usize) -> Self {
        let confusion = (classes <= Self::MOST_CONFUSED).then(|| Confusion::new(classes));
        Self { counts: vec![Counts::default(); classes], confusion }
    }

    /// Counts one answer. Classes out of range are not counted.
    pub fn record(&mut self, expected: usize, predicted: usize) {
        if expected.max(predicted) >= self.counts.len() {
            return;
        }
        self.counts[expected].occurred += 1;
        self.counts[predicted].predicted += 1;
        self.counts[expected].right += u64::from(expected == predicted);
        if let Some(confusion) = &mut self.confusion {
            confusion.record(expected, predicted);
        }
    }

    /// How often each class was taken for each other; `None` above [`MOST_CONFUSED`](Self::MOST_CONFUSED) classes.
    pub fn confusion(&self) -> Option<&Confusion> {
        self.confusion.as_ref()
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.counts.len()
    }

    fn counts(&self, class: usize) -> Counts {
        self.counts.get(class).copied().unwrap_or_default()
    }

    /// How often the class occurred.
    pub fn occurrences(&self, class: usize) -> u64 {
        self.counts(class).occurred
    }

    /// How often the class was predicted.
    pub fn predictions(&self, class: usize) -> u64 {
        self.counts(class).predicted
    }

    /// All answers.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|counts| counts.occurred).sum()
    }

    /// Share of right answers.
    pub fn accuracy(&self) -> f64 {
        share(self.counts.iter().map(|counts| counts.right).sum(), self.total())
    }

    /// Share of right ones among the predictions of this class.
    pub fn precision(&self, class: usize) -> f64 {
        let Counts { right, predicted, .. } = self.counts(class);
        share(right, predicted)
    }

    /// Share of those found among the occurrences of this class.
    pub fn recall(&self, class: usize) -> f64 {
        let Counts { right, occurred, .. } = self.counts(class);
        share(right, occurred)
    }

    /// Harmonic mean of precision and recall.
    pub fn f1(&self, class: usize) -> f64 {
        let Counts { right, predicted, occurred } = self.counts(class);
        share(2 * right, predicted + occurred)
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
        (0..self.classes()).map(|class| measure(self, class)).sum::<f64>() / self.classes().max(1) as f64
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
        for class in 0..self.classes() {
            let values = [self.precision(class), self.recall(class), self.f1(class)];
            line(&format!("{class}"), values, self.occurrences(class));
        }
        line("mean", [self.macro_precision(), self.macro_recall(), self.macro_f1()], self.total());
        report += &format!("{:>9} {:>10.4}\n", "accuracy", self.accuracy());
        if let Some(confusion) = self.confusion().filter(|confusion| confusion.classes() <= 30) {
            report += &format!("\n{confusion}");
        }
        report
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
    const EXAMPLE: [(usize, usize); 8] = [(0, 0), (0, 0), (0, 0), (0, 1), (1, 1), (1, 1), (1, 2), (1, 2)];

    fn example(classes: usize) -> Classification {
        let mut classification = Classification::new(classes);
        for (expected, predicted) in EXAMPLE {
            classification.record(expected, predicted);
        }
        classification
    }

    #[test]
    fn shares_worked_by_hand() {
        let classification = example(3);
        assert_eq!(classification.accuracy(), 5.0 / 8.0);
        assert_eq!([0, 1, 2].map(|class| classification.precision(class)), [1.0, 2.0 / 3.0, 0.0]);
        assert_eq!([0, 1, 2].map(|class| classification.recall(class)), [0.75, 0.5, 0.0]);
        let f1 = [0, 1, 2].map(|class| classification.f1(class));
        assert!((f1[0] - 6.0 / 7.0).abs() < 1e-15 && (f1[1] - 4.0 / 7.0).abs() < 1e-15 && f1[2] == 0.0);
        assert!((classification.macro_precision() - 5.0 / 9.0).abs() < 1e-15);
        assert!((classification.macro_recall() - 1.25 / 3.0).abs() < 1e-15);
        assert!((classification.macro_f1() - 10.0 / 21.0).abs() < 1e-15);
        let confusion = classification.confusion().unwrap();
        assert_eq!(
            [(0, 0), (0, 1), (1, 2)].map(|(expected, predicted)| confusion.count(expected, predicted)),
            [3, 1, 2]
        );
    }

    #[test]
    fn nothing_counted_divides_by_nothing() {
        let classification = Classification::new(2);
        assert_eq!((classification.accuracy(), classification.macro_f1()), (0.0, 0.0));
        assert_eq!(Classification::new(0).macro_f1(), 0.0);
    }

    #[test]
    fn classes_out_of_range_are_left_out() {
        let mut classification = example(3);
        classification.record(3, 0);
        classification.record(0, 3);
        assert_eq!(classification, example(3));
        assert_eq!(classification.confusion().unwrap().count(0, 3), 0);
        assert_eq!((classification.precision(3), classification.occurrences(3)), (0.0, 0));
    }

    #[test]
    fn many_classes_have_measures_without_a_matrix() {
        assert!(Classification::new(Classification::MOST_CONFUSED).confusion().is_some());
        let (few, many) = (example(3), example(50_000));
        assert_eq!(many.confusion(), None);
        assert_eq!((many.accuracy(), many.total()), (few.accuracy(), few.total()));
        for class in 0..3 {
            let measures = |of: &Classification| [of.precision(class), of.recall(class), of.f1(class)];
            assert_eq!(measures(&many), measures(&few));
            assert_eq!(many.predictions(class), few.predictions(class));
        }
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
        assert_eq!(example(3).report(), expected);
    }
}
