//! Neither a step nor a prediction of any network in `panic_free/` can panic, once optimised.

#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Command, Output};

/// Builds and links the library of all steps and predictions.
fn build(features: &[&str]) -> Output {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("panic_free/Cargo.toml");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("optimised");
    Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--manifest-path"])
        .arg(manifest)
        .arg("--target-dir")
        .arg(folder)
        .args(features)
        // Flags for the tests, as of a sanitizer, are none for this.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .output()
        .expect("cargo runs")
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
