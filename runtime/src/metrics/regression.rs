use alloc::format;
use alloc::string::String;

use num_traits::Float;

/// Errors of predicted numbers, summed up one by one.
///
/// ```
/// # use backprop::metrics::Regression;
/// let regression: Regression = [(1.0, 1.5), (2.0, 2.0), (3.0, 2.5)].into_iter().collect();
/// assert_eq!(regression.mse(), 0.5 / 3.0);
/// assert_eq!(regression.r2(), 0.75);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Regression {
    count: u64,
    absolute: f64,
    squared: f64,
    mean: f64,
    /// Sum of squared distances of the expected values from their mean (Welford 1962).
    spread: f64,
}

impl Regression {
    /// Counts one answer.
    pub fn record(&mut self, expected: f64, predicted: f64) {
        let error = predicted - expected;
        self.count += 1;
        self.absolute += Float::abs(error);
        self.squared += error * error;
        let distance = expected - self.mean;
        self.mean += distance / self.count as f64;
        self.spread += distance * (expected - self.mean);
    }

    /// How many numbers were compared.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Mean squared error; NaN when nothing was counted.
    pub fn mse(&self) -> f64 {
        self.squared / self.count as f64
    }

    /// Root of the mean squared error.
    pub fn rmse(&self) -> f64 {
        Float::sqrt(self.mse())
    }

    /// Mean absolute error.
    pub fn mae(&self) -> f64 {
        self.absolute / self.count as f64
    }

    /// Coefficient of determination, `1 - squared errors / squared distances from the mean`: 1 for perfect answers, 0
    /// for always answering the mean. Where all expected values are equal it is 1 if there is no error, else 0.
    pub fn r2(&self) -> f64 {
        if self.spread > 0.0 {
            1.0 - self.squared / self.spread
        } else if self.squared > 0.0 {
            0.0
        } else {
            1.0
        }
    }

    /// The measures as aligned text.
    pub fn report(&self) -> String {
        let mut report = String::new();
        for (name, value) in [("MSE", self.mse()), ("RMSE", self.rmse()), ("MAE", self.mae()), ("R²", self.r2())] {
            report += &format!("{name:>9} {value:>12.6}\n");
        }
        report
    }
}

/// From pairs of expected and predicted values.
impl FromIterator<(f64, f64)> for Regression {
    fn from_iter<I: IntoIterator<Item = (f64, f64)>>(pairs: I) -> Self {
        let mut regression = Self::default();
        for (expected, predicted) in pairs {
            regression.record(expected, predicted);
        }
        regression
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_by_hand() {
        let regression: Regression = [(3.0, 2.5), (-0.5, 0.0), (2.0, 2.0), (7.0, 8.0)].into_iter().collect();
        assert_eq!(regression.mse(), 0.375);
        assert_eq!(regression.mae(), 0.5);
        assert!((regression.r2() - 0.948_608_137_044_967_9).abs() < 1e-15);
    }

    #[test]
    fn expected_values_that_do_not_vary() {
        assert_eq!([(2.0, 2.0), (2.0, 2.0)].into_iter().collect::<Regression>().r2(), 1.0);
        assert_eq!([(2.0, 3.0), (2.0, 2.0)].into_iter().collect::<Regression>().r2(), 0.0);
    }
}
