//! Values and gradients held against those of PyTorch, which the programs in `tests/data` wrote down.

mod activations;
mod layers;
mod losses;
mod table;

/// Whether two numbers are the same up to rounding: relative to the expected one, or absolutely where that is small.
fn agrees(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-12 * expected.abs().max(1.0)
}

/// The names in a section of the reference of what a body can call.
fn documented(section: &str) -> Vec<&'static str> {
    let mut sections = include_str!("../../../macros/functions.md").split("\n## ");
    let (_, table) = sections.find_map(|text| text.split_once('\n').filter(|(title, _)| *title == section)).unwrap();
    let calls = table.lines().filter_map(|line| line.strip_prefix("| `"));
    calls.filter_map(|call| call.split('(').next()?.rsplit('.').next()).collect()
}
