//! Libraries that are built as a user's optimised program would be.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Where all of them are built.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("optimised")
}

/// What `cargo command`, with these arguments, does for the crate of this name beside the tests.
pub(crate) fn cargo(command: &str, name: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO"))
        .args([command, "--quiet", "--release", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(name).join("Cargo.toml"))
        .arg("--target-dir")
        .arg(folder())
        .args(arguments)
        // Flags for the tests, as of a sanitizer, are none for this.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .output()
        .expect("cargo runs")
}
