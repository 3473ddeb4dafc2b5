//! The compiler never panics: thousands of declarations with a few tokens changed go through the whole of it.

use std::cell::Cell;
use std::iter;

use proc_macro2::{Delimiter, Group, Punct, Spacing, TokenStream, TokenTree};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

use crate::error::Errors;

const CASES: u32 = 4000;

/// A change of one token and what it stands for.
#[derive(Debug, Clone)]
enum Change {
    Delete,
    Duplicate,
    SwapWithNext,
    /// In its place, the token at another place.
    Copy(Index),
    Number(&'static str),
    Operator(char),
    /// Another name out of the declarations and the registries.
    Name(Index),
    Delimiter(Delimiter),
    Empty,
    Nest(Delimiter, usize),
    Prefix(char, usize),
    /// Behind the token, this often.
    Append(&'static str, usize),
}

/// At this token that the change can be made to.
#[derive(Debug, Clone)]
struct Mutation {
    place: Index,
    change: Change,
}

const NUMBERS: [&str; 16] = [
    "0",
    "1",
    "2",
    "3",
    "7",
    "64",
    "0.5",
    "1e300",
    "1e-300",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "1e999",
    "0x7f",
    "1_000_000",
    "3usize",
];

fn change() -> impl Strategy<Value = Change> {
    let delimiters = vec![Delimiter::Parenthesis, Delimiter::Bracket, Delimiter::Brace, Delimiter::None];
    let delimiters = prop::sample::select(delimiters);
    let appended = [".relu()", " + 1", " * x", "[0]", ".dense(2)", " > 0", ", x", " as f64", "?"];
    prop_oneof![
        1 => Just(Change::Delete),
        1 => Just(Change::Duplicate),
        1 => Just(Change::SwapWithNext),
        2 => any::<Index>().prop_map(Change::Copy),
        30 => prop::sample::select(&NUMBERS[..]).prop_map(Change::Number),
        12 => prop::sample::select(vec!['+', '-', '*', '/', '<', '>', '%', '&']).prop_map(Change::Operator),
        36 => any::<Index>().prop_map(Change::Name),
        1 => delimiters.clone().prop_map(Change::Delimiter),
        1 => Just(Change::Empty),
        2 => (delimiters, 1..100_usize).prop_map(|(delimiter, depth)| Change::Nest(delimiter, depth)),
        1 => (prop::sample::select(vec!['-', '!', '&', '*']), 1..300_usize).prop_map(|(sign, times)| Change::Prefix(sign, times)),
        1 => (prop::sample::select(appended.to_vec()), 1..300_usize).prop_map(|(text, times)| Change::Append(text, times)),
    ]
}

impl Change {
    fn fits(&self, token: &TokenTree) -> bool {
        match self {
            Change::Number(_) => matches!(token, TokenTree::Literal(_)),
            Change::Operator(_) => matches!(token, TokenTree::Punct(punct) if "+-*/<>".contains(punct.as_char())),
            Change::Name(_) => matches!(token, TokenTree::Ident(_)),
            Change::Delimiter(_) | Change::Empty => matches!(token, TokenTree::Group(_)),
            _ => true,
        }
    }

    fn apply(&self, token: TokenTree, declaration: &TokenStream, names: &[String]) -> Vec<TokenTree> {
        match (self, token) {
            (Change::Delete, _) => Vec::new(),
            (Change::Duplicate, token) => vec![token.clone(), token],
            (Change::Copy(from), _) => vec![from.get(&flat(declaration)).clone()],
            (Change::Number(number), _) => tokens(number),
            (Change::Operator(sign), _) => vec![Punct::new(*sign, Spacing::Alone).into()],
            (Change::Name(name), _) => tokens(name.get::<String>(names)),
            (Change::Delimiter(delimiter), TokenTree::Group(group)) => {
                vec![Group::new(*delimiter, group.stream()).into()]
            }
            (Change::Empty, TokenTree::Group(group)) => vec![Group::new(group.delimiter(), TokenStream::new()).into()],
            (Change::Nest(delimiter, depth), token) => {
                let nested = (0..*depth).fold(token, |inner, _| Group::new(*delimiter, inner.into()).into());
                vec![nested]
            }
            (Change::Prefix(sign, times), token) => {
                let sign = TokenTree::from(Punct::new(*sign, Spacing::Alone));
                iter::repeat_n(sign, *times).chain([token]).collect()
            }
            (Change::Append(text, times), token) => [token].into_iter().chain(tokens(&text.repeat(*times))).collect(),
            (_, token) => vec![token],
        }
    }
}

fn tokens(text: &str) -> Vec<TokenTree> {
    text.parse::<TokenStream>().unwrap().into_iter().collect()
}

/// Every token, groups before what is in them.
fn flat(tokens: &TokenStream) -> Vec<TokenTree> {
    let mut found = Vec::new();
    for token in tokens.clone() {
        found.push(token.clone());
        if let TokenTree::Group(group) = token {
            found.extend(flat(&group.stream()));
        }
    }
    found
}

/// The declaration with the token of this number, in the order of `flat`, changed.
fn changed(
    tokens: TokenStream,
    number: &mut usize,
    change: &mut dyn FnMut(TokenTree) -> Vec<TokenTree>,
) -> TokenStream {
    let mut result: Vec<TokenTree> = Vec::new();
    for token in tokens {
        let here = *number == 0;
        *number = number.wrapping_sub(1);
        match token {
            token if here => result.extend(change(token)),
            TokenTree::Group(group) => {
                let mut copy = Group::new(group.delimiter(), changed(group.stream(), number, change));
                copy.set_span(group.span());
                result.push(copy.into());
            }
            token => result.push(token),
        }
    }
    result.into_iter().collect()
}

fn mutated(declaration: &TokenStream, mutation: &Mutation, names: &[String]) -> TokenStream {
    let all = flat(declaration);
    let places: Vec<usize> = (0..all.len()).filter(|&place| mutation.change.fits(&all[place])).collect();
    if places.is_empty() {
        return declaration.clone();
    }
    let mut place = *mutation.place.get(&places);
    if let (Change::SwapWithNext, Some(next)) = (&mutation.change, all.get(place + 1)) {
        let first = changed(declaration.clone(), &mut place.clone(), &mut |_| vec![next.clone()]);
        let mut behind = place + 1;
        return changed(first, &mut behind, &mut |_| vec![all[place].clone()]);
    }
    changed(declaration.clone(), &mut place, &mut |token| mutation.change.apply(token, declaration, names))
}

/// What users write, in all its forms: the declarations that are tested to compile.
fn declarations() -> Vec<TokenStream> {
    crate::cases::files("tests/declarations").iter().flat_map(|file| crate::cases::networks(file)).collect()
}

fn names(declarations: &[TokenStream]) -> Vec<String> {
    let written = declarations.iter().flat_map(flat).filter_map(|token| match token {
        TokenTree::Ident(name) => Some(name.to_string()),
        _ => None,
    });
    let functions = crate::function::all().map(|function| function.name.to_string());
    let rows = crate::elementwise::table().map(|row| row.name.to_string());
    let mut names: Vec<String> = written.chain(functions).chain(rows).collect();
    names.retain(|name| syn::parse_str::<syn::Ident>(name).is_ok() || name == "self");
    names.sort();
    names.dedup();
    names
}

fn is_read(declaration: &TokenStream) -> bool {
    let mut errors = Errors::default();
    crate::parse::parse(declaration.clone(), &mut errors);
    errors.is_empty()
}

/// On a stack as large as that of rustc's threads.
fn on_a_thread(work: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(8 << 20);
        if let Err(panic) = builder.spawn_scoped(scope, work).unwrap().join() {
            std::panic::resume_unwind(panic);
        }
    });
}

#[test]
fn no_change_makes_the_compiler_panic() {
    on_a_thread(mutate_and_compile);
}

fn mutate_and_compile() {
    let declarations = declarations();
    let names = names(&declarations);
    let (count, read, right) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let mutation = (any::<Index>(), change()).prop_map(|(place, change)| Mutation { place, change });
    let cases = (any::<Index>(), prop::collection::vec(mutation, 1..3));
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&cases, |(declaration, mutations)| {
        let declaration = declaration.get(&declarations).clone();
        let tokens = mutations.iter().fold(declaration, |tokens, mutation| mutated(&tokens, mutation, &names));
        count.set(count.get() + 1);
        read.set(read.get() + u32::from(is_read(&tokens)));
        let text = tokens.to_string();
        let compiled = std::panic::catch_unwind(move || crate::compile(tokens));
        prop_assert!(compiled.is_ok(), "{text}");
        let is_right = compiled.is_ok_and(|code| !code.to_string().contains("compile_error"));
        right.set(right.get() + u32::from(is_right));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let (count, read, right) = (count.get(), read.get(), right.get());
    println!("of {count} mutated declarations {read} could be read, {right} had no mistake");
    assert!(2 * read >= count, "only {read} of {count} could be read");
    assert!(10 * right >= count, "only {right} of {count} came to the last stages");
}

/// What rustc's stack would not hold, and loops that would not end.
#[test]
fn deep_and_long_declarations_are_refused() {
    const DEEP: usize = 20_000;
    let repeated =
        |front: &str, middle: &str, back: &str| format!("{}{middle}{}", front.repeat(DEEP), back.repeat(DEEP));
    let expressions = [
        repeated("-", "x", ""),
        repeated("!", "x", ""),
        repeated("&", "x", ""),
        repeated("- !", "x", ""),
        repeated("", "x", ".relu()"),
        repeated("", "x", " + x"),
        repeated("", "1", " - 1"),
        repeated("", "x", "[0]"),
        repeated("", "x", "?"),
        repeated("", "x", " as f64"),
        repeated("", "x", ".0"),
        repeated("if x > 0 { x } else ", "{ x }", ""),
        repeated("x = ", "x", ""),
        repeated("x += ", "x", ""),
        repeated("return ", "x", ""),
        repeated("break ", "x", ""),
        repeated("|a| ", "x", ""),
        repeated("", "a", "::a"),
        repeated("..", "x", ""),
        repeated("", "x", " && x"),
        repeated("", "x", "(x)"),
        repeated("let y = x; ", "x", ""),
        repeated("'a: ", "x", ""),
        repeated("let a = ", "x", ""),
        repeated("#[allow(unused)] ", "x", ""),
        "{ for _ in 0..4000 { for _ in 0..4000 { for _ in 0..4000 { let y = 1 + 1; } } } x }".into(),
        "[[[[0.5; 4000]; 4000]; 4000]; 4000] * x".into(),
        "doubled(doubled(doubled(doubled(x))))".into(),
    ];
    let mut functions = String::from("fn doubled_0(v) { v } ");
    for level in 1..60 {
        functions += &format!("fn doubled_{level}(v) {{ doubled_{0}(doubled_{0}(v)) }} ", level - 1);
    }
    for expression in expressions {
        let text =
            format!("struct A; {functions} fn doubled(v) {{ doubled_59(v) }} fn forward(x: [2]) {{ {expression} }}");
        let (start, shown) = (std::time::Instant::now(), expression.chars().take(30).collect::<String>());
        println!("{shown}");
        on_a_thread(move || drop(crate::compile(text.parse().unwrap())));
        assert!(start.elapsed().as_secs() < 60, "{shown}");
    }
}
