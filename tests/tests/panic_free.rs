//! Neither a step nor a prediction of any network in `panic_free/` can panic, once optimised.

#![cfg(target_os = "linux")]

mod optimised;

use std::process::Output;

/// Builds and links the library of all steps and predictions.
fn build(features: &[&str]) -> Output {
    optimised::cargo("build", "panic_free", features)
}

#[test]
fn steps_and_predictions_cannot_panic() {
    let built = build(&[]);
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let refused = build(&["--features", "panic"]);
    let message = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success(), "what can panic has been linked");
    assert!(message.contains("a_step_or_prediction_can_panic"), "refused for another reason: {message}");
}
