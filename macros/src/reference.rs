//! The reference of everything that a body can call, made from the registries.

use std::fmt::Write;

use crate::elementwise;
use crate::function::{Function, Kind, all};

/// Where the text lies, seen from this crate.
const PATH: &str = "functions.md";

fn table(text: &mut String, title: &str, rows: impl Iterator<Item = (String, String)>) {
    let _ = write!(text, "\n## {title}\n\n| call | meaning |\n| --- | --- |\n");
    for (call, meaning) in rows {
        let _ = writeln!(text, "| `{call}` | {} |", meaning.replace('|', "\\|"));
    }
}

fn of_kind(kind: Kind) -> impl Iterator<Item = (String, String)> {
    let row = |function: &Function| (function.form(), function.documentation.to_string());
    all().filter(move |function| function.kind == kind).map(row)
}

fn reference() -> String {
    let mut text = String::from(
        "# What a body can call\n\n`x.f(a)` and `f(x, a)` are the same call; options are given as `name = value`.\n",
    );
    table(&mut text, "Layers", of_kind(Kind::Layer));
    table(&mut text, "Losses", of_kind(Kind::Loss));
    table(&mut text, "Functions of tensors", of_kind(Kind::Primitive));
    let scan = ("xs.scan(cell, initial = zeros([16]), length = …, reverse = false)", crate::check::SCAN_MEANING);
    table(&mut text, "Loops over time", [(scan.0.to_string(), scan.1.to_string())].into_iter());
    let rows = elementwise::table().map(|row| (crate::check::elementwise_form(row), row.mathematics.to_string()));
    table(&mut text, "Elementwise functions", rows);
    let rows = crate::check::initializer_forms().map(|form| (form, String::new()));
    let names: Vec<String> = rows.map(|(form, _)| format!("`{form}`")).collect();
    let _ = write!(
        text,
        "\n## Start values of parameters\n\n{}, a number for all, or a list of numbers.\n",
        names.join(", ")
    );
    text
}

/// `UPDATE_REFERENCE=1 cargo test reference` writes the file.
#[test]
fn the_reference_is_up_to_date() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(PATH);
    let text = reference();
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), text, "UPDATE_REFERENCE=1 writes {PATH}");
}
