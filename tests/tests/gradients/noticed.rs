//! The check itself: it has to tell a wrong gradient from a right one.

use backprop::prelude::*;

network! {
    /// What is learnt of `stopped` is not the derivative: the gradient is 0, the difference is not.
    pub(super) struct Stopped;

    fn forward(x: [3]) -> [2] {
        x.dense(2, name = stopped).stop_gradient() + x.dense(2, name = learnt)
    }

    fn loss(y, t: [2]) { mse(y, t) }
}

#[test]
fn a_wrong_gradient_is_noticed() {
    let report = backprop::check::gradients::<Stopped<f64>>(Seed(1));
    let mut wrong = 0;
    for row in report.rows() {
        if row.name.starts_with("stopped") {
            assert!(row.error > 0.99, "{report}");
            wrong += 1;
        } else if row.name.starts_with("learnt") {
            assert!(row.error < crate::table::TOLERANCE, "{report}");
        }
    }
    assert_eq!(wrong, 4, "weight and bias, of the loss and of the outputs: {report}");
    std::panic::catch_unwind(|| report.assert_below(0.5)).expect_err("the report has to fail");
}
