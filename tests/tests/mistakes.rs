//! What users read who made a mistake: each file in `ui` is a declaration with the mistakes that its first line names,
//! beside it stands what the compiler says. To accept new texts: `TRYBUILD=overwrite cargo test -p tests --test mistakes`.
//!
//! That the first lines are right, and that every kind of mistake has a case, is tested in the compiler itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// All at once, so that one run of cargo builds them.
#[test]
fn messages() {
    trybuild::TestCases::new().compile_fail("ui/*/*.rs");
}

/// Data that no network takes is refused in words of this library. The rest is rustc's, and changes with its versions.
#[test]
fn messages_about_data() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("refused_data/Cargo.toml");
    for (program, words) in [
        ("index_as_class", ["`usize` is no data of a sample", "`Class::<N>::new(index)?`"]),
        ("array_of_samples", ["`[[f32; 8]; 4]` is no column of a `Dataset`", "`(Vec<A>, Vec<B>)`"]),
    ] {
        let checked = Command::new(env!("CARGO"))
            .args(["check", "--quiet", "--bin", program, "--manifest-path"])
            .arg(&manifest)
            .arg("--target-dir")
            .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("refused_data"))
            .output()
            .unwrap();
        let message = String::from_utf8_lossy(&checked.stderr);
        assert!(!checked.status.success(), "{program}");
        assert!(words.iter().all(|words| message.contains(words)), "{program}: {message}");
    }
}

/// Nothing is reported but the mistakes: no error follows from another one.
#[test]
fn each_mistake_is_one_error() {
    let mut wrong = Vec::new();
    for case in cases() {
        let declared = mistakes(&case);
        let expected = fs::read_to_string(case.with_extension("stderr")).unwrap_or_default();
        let reported = expected.lines().filter(|line| line.starts_with("error")).count();
        if reported != declared.len() {
            wrong.push(format!("{}: {reported} errors for {declared:?}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every message has a remedy.
#[test]
fn each_error_has_help() {
    let without = cases().into_iter().filter(|case| {
        let expected = fs::read_to_string(case.with_extension("stderr")).unwrap_or_default();
        let count = |start: &str| expected.lines().filter(|line| line.trim_start().starts_with(start)).count();
        count("error") > count("help: ")
    });
    let without: Vec<PathBuf> = without.collect();
    assert!(without.is_empty(), "{without:#?}");
}

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let folders = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|end| end == "rs")).collect();
    cases.sort();
    cases
}

/// The mistakes that the first line names: `// mistakes: unknown-name, broadcast`.
fn mistakes(case: &Path) -> Vec<String> {
    let text = fs::read_to_string(case).unwrap();
    let first = text.lines().next().unwrap_or_default();
    let list = first.strip_prefix("// mistake: ").or_else(|| first.strip_prefix("// mistakes: "));
    let list = list.unwrap_or_else(|| panic!("{}: the first line names no mistakes", case.display()));
    list.split(", ").map(String::from).collect()
}
