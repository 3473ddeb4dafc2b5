//! Declarations as users write them, read from the files of the crate `tests`, and what the compiler finds wrong with them.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;

use crate::error::{Diagnostic, Errors};

/// The files with this ending in a folder of the crate `tests` and in the folders inside.
pub(crate) fn files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(folder)];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for path in entries.map(|entry| entry.unwrap().path()) {
            match path.extension() {
                None => folders.push(path),
                Some(end) if end == "rs" => files.push(path),
                Some(_) => {}
            }
        }
    }
    files.sort();
    files
}

/// What stands between the braces of each `network!` of a file, also inside of modules.
pub(crate) fn networks(file: &Path) -> Vec<TokenStream> {
    let text = fs::read_to_string(file).unwrap();
    let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut found = Vec::new();
    collect(&file.items, &mut found);
    found
}

fn collect(items: &[syn::Item], found: &mut Vec<TokenStream>) {
    for item in items {
        match item {
            syn::Item::Macro(invocation) if invocation.mac.path.is_ident("network") => {
                found.push(invocation.mac.tokens.clone());
            }
            syn::Item::Mod(module) => {
                let inner = module.content.as_ref().map(|(_, items)| items.as_slice());
                collect(inner.unwrap_or_default(), found);
            }
            _ => {}
        }
    }
}

/// The kinds of mistakes in a declaration, without repetitions.
fn mistakes(declaration: TokenStream) -> Vec<&'static str> {
    let mut errors = Errors::default();
    let (declaration, complete) = crate::parse::parse(declaration, &mut errors);
    crate::check::check(&declaration, complete, &mut errors);
    errors.diagnostics().map(Diagnostic::code).collect()
}

/// The kinds that the first line of a case names.
fn named(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let first = text.lines().next().unwrap_or_default();
    let list = first.strip_prefix("// mistake: ").or_else(|| first.strip_prefix("// mistakes: "));
    let list = list.unwrap_or_else(|| panic!("{}: the first line names no mistake", file.display()));
    list.split(", ").map(String::from).collect()
}

/// A function with a mistake is looked at wherever it is inlined; only rustc's places tell that it is the same.
fn once<T: Ord>(mut kinds: Vec<T>) -> Vec<T> {
    kinds.sort();
    kinds.dedup();
    kinds
}

#[test]
fn cases_have_the_mistakes_that_they_name() {
    let mut wrong = Vec::new();
    for file in files("ui") {
        let networks = networks(&file);
        // What a `macro_rules!` makes is seen by rustc only.
        if networks.is_empty() {
            continue;
        }
        let found: Vec<&str> = networks.into_iter().flat_map(mistakes).collect();
        let named = named(&file);
        if once(found.clone()) != once(named.iter().map(String::as_str).collect()) {
            wrong.push(format!("{}: {named:?} named, {found:?} found", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_kind_of_mistake_has_a_case() {
    let cases = files("ui");
    let named: Vec<String> = cases.iter().flat_map(|file| named(file)).collect();
    let missing: Vec<&&str> = Diagnostic::CODES.iter().filter(|code| !named.iter().any(|name| name == *code)).collect();
    assert!(missing.is_empty(), "no case in `tests/ui` for {missing:?}");
    let unknown: Vec<&String> = named.iter().filter(|name| !Diagnostic::CODES.contains(&name.as_str())).collect();
    assert!(unknown.is_empty(), "no mistakes of the compiler: {unknown:?}");
    assert!(cases.len() >= 60);
}
