//! The README: its programs are compiled and run by `cargo test`, its tables held against the compiler's.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
mod tests {
    const README: &str = include_str!("../README.md");
    /// Made from the compiler's registries, to which a test of its own holds it.
    const REFERENCE: &str = include_str!("../macros/functions.md");

    fn rows(text: &str) -> impl Iterator<Item = &str> {
        text.lines().filter(|line| line.starts_with("| `") && line.contains("(") && line.contains("` |"))
    }

    #[test]
    fn every_call_is_explained_as_in_the_reference() {
        let (_, language) = README.split_once("### Layers").expect("a section on layers");
        for row in rows(language) {
            assert!(REFERENCE.contains(row), "not in the reference:\n{row}");
        }
    }

    #[test]
    fn everything_that_can_be_called_is_named() {
        for row in rows(REFERENCE) {
            let (call, _) = row["| `".len()..].split_once('(').expect("a call");
            let name = call.rsplit('.').next().unwrap_or(call);
            let named = [format!("`{name}`"), format!("`{name}("), format!(".{name}(")];
            assert!(named.iter().any(|form| README.contains(form)), "`{name}` is not in the README");
        }
    }
}
