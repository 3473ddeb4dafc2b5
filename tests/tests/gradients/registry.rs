//! Nothing that a user can call is missing from the tables.

use crate::{elementwise, layers, losses, networks, operations, scans};

/// The tables as they are written.
const TABLES: &[&str] = &[
    include_str!("elementwise.rs"),
    include_str!("layers.rs"),
    include_str!("losses.rs"),
    include_str!("networks.rs"),
    include_str!("operations.rs"),
    include_str!("scans.rs"),
];

/// What a body can call, as the compiler's registries have it: this list is generated from them.
const FUNCTIONS: &str = include_str!("../../../macros/functions.md");

/// The names in the first column of the list's tables.
fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.lines().filter_map(|line| {
        let (call, _) = line.strip_prefix("| `")?.split_once('(')?;
        Some(call.rsplit('.').next().unwrap_or(call))
    })
}

#[test]
fn every_function_stands_in_a_table() {
    assert!(names().count() > 80, "only {:?} were found", names().collect::<Vec<_>>());
    let called = |name: &&str| {
        let forms = [format!(".{name}("), format!(" {name}("), format!("({name}(")];
        TABLES.iter().any(|table| forms.iter().any(|form| table.contains(form)))
    };
    let missing: Vec<&str> = names().filter(|name| !called(name)).collect();
    assert!(missing.is_empty(), "no gradient test of {missing:?}: add rows to the tables in tests/tests/gradients");
}

#[test]
fn cases_are_counted() {
    let counts = [
        ("elementwise", elementwise::CASES),
        ("layers", layers::CASES),
        ("losses", losses::CASES),
        ("networks", networks::CASES),
        ("operations", operations::CASES),
        ("scans", scans::CASES),
    ];
    let total: usize = counts.iter().map(|(_, count)| count).sum();
    println!("gradient cases: {total} {counts:?}");
    assert!(total >= 140, "{total}: {counts:?}");
}
