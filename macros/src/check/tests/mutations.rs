//! The compiler never panics: thousands of declarations with a few tokens changed go through all stages.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Span, TokenStream, TokenTree};
use quote::quote;

use super::lower_all;
use crate::error::Errors;

/// Small and large: what users write, with every construct.
fn declarations() -> Vec<TokenStream> {
    vec![
        quote! {
            pub struct Tutorial;
            fn forward(x: [2]) -> [1] { x.dense(2).relu().dense(1, bias = false) }
            fn loss(y: [1], t: [1]) { 0.5 * (y - t).powi(2) }
        },
        quote! {
            pub struct ByHand {
                w1: [2, 3] = glorot_uniform(), b1: [3] = zeros(), w2: [3, 1] = [[0.3], [-0.1], [2]],
                #[frozen] b2: [1] = zeros(), #[clamp(0.01, 100.0)] gain: [] = 1.0, head: dense(2),
            }
            fn forward(x: [2], t: Scalar) -> ([1], [2]) {
                let h: [3] = x.matmul(self.w1) + self.b1;
                (self.gain * h.matmul(self.w2) + self.b2 * t, self.head(h).softmax())
            }
            fn loss(y, p, t: [1], c: Class<2>) {
                mse(y, t) + 0.01 * self.w1.powi(2).sum() + 0.5 * cross_entropy(p, c, label_smoothing = 0.1, weights = [1, 2])
            }
            pub fn hidden(x: [2]) -> [3] { x.matmul(self.w1).tanh() }
        },
        quote! {
            #[dump("target/none")]
            pub struct Cells { w: [2, 4] = lecun_normal(), u: [2, 4] = orthogonal(), b: [4] = uniform(-0.1, 0.1) }
            const STEPS: usize = 2 * 2;
            fn cell((h, c): ([2], [2]), x: [2]) -> ([2], [2]) {
                let z = x.matmul(self.w) + h.matmul(self.u) + self.b;
                let c = z[0..2].sigmoid() * c + z[2..4].tanh();
                (c.tanh(), c)
            }
            fn forward(x: [STEPS, 2], n: Length<4>) -> [3] {
                let (h, _) = x.scan(cell, initial = (zeros([2]), zeros([2])), length = n, reverse = false);
                h.last(length = n).dense(3, name = head, frozen = true)
            }
            fn loss(y, t: [3]) { huber(y, t, delta = 0.5) }
        },
        quote! {
            struct Words { table: [5, 3] = normal(0.02) }
            fn block(x, width) { x + x.layer_norm().dense(width).gelu().dense(3).dropout(0.1) }
            fn forward(text: [Class<5>; 4]) -> [4, 5] {
                let mut x = text.lookup(self.table);
                for i in 0..2 { x = x.block(2 + i); }
                let y = if x > 0.0 && !(x >= 2) { x } else { -x * 0.5 };
                let z = concat((y, x.rms_norm()), axis = -1).glu();
                z.matmul(self.table.transpose()) + select(z.max(axis = 1, keep = true) < 1, 1.0, z[(.., 0)].mean())
            }
            fn loss(y, next: [Class<5>; 4], n: Length<4>) { cross_entropy(y, next, length = n) * 2 }
        },
    ]
}

/// Numbers of a fixed sequence (Knuth's constants).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }
}

fn count(tokens: &TokenStream) -> usize {
    tokens
        .clone()
        .into_iter()
        .map(|token| match token {
            TokenTree::Group(group) => 1 + count(&group.stream()),
            _ => 1,
        })
        .sum()
}

/// Changes the token of this number.
fn mutate(tokens: TokenStream, target: &mut usize, numbers: &mut Numbers, words: &[TokenTree]) -> TokenStream {
    let mut changed: Vec<TokenTree> = Vec::new();
    for token in tokens {
        let here = *target == 0;
        *target = target.wrapping_sub(1);
        if here {
            changed.extend(replacement(token, numbers, words));
        } else if let TokenTree::Group(group) = token {
            let inner = mutate(group.stream(), target, numbers, words);
            changed.push(Group::new(group.delimiter(), inner).into());
        } else {
            changed.push(token);
        }
    }
    changed.into_iter().collect()
}

fn replacement(token: TokenTree, numbers: &mut Numbers, words: &[TokenTree]) -> Vec<TokenTree> {
    let number = |numbers: &mut Numbers| match numbers.below(6) {
        0 => Literal::f64_unsuffixed(0.5).into(),
        1 => Literal::u64_unsuffixed(u64::MAX).into(),
        2 => Literal::i64_unsuffixed(1 << 40).into(),
        _ => Literal::usize_unsuffixed(numbers.below(7)).into(),
    };
    let other: TokenTree = match &token {
        TokenTree::Literal(_) => number(numbers),
        TokenTree::Punct(punct) if "+-*/<>".contains(punct.as_char()) => {
            Punct::new(b"+-*/<>"[numbers.below(6)] as char, punct.spacing()).into()
        }
        TokenTree::Punct(_) => return if numbers.below(8) == 0 { vec![] } else { vec![token] },
        TokenTree::Group(group) if numbers.below(2) == 0 => {
            let delimiters = [Delimiter::Parenthesis, Delimiter::Bracket, Delimiter::Brace, Delimiter::None];
            Group::new(delimiters[numbers.below(4)], group.stream()).into()
        }
        TokenTree::Group(group) => Group::new(group.delimiter(), TokenStream::new()).into(),
        TokenTree::Ident(_) => words[numbers.below(words.len())].clone(),
    };
    match numbers.below(20) {
        0 => vec![],
        1 => vec![token.clone(), token],
        2 => vec![token, number(numbers)],
        3 => vec![words[numbers.below(words.len())].clone()],
        4 => vec![Group::new(Delimiter::None, [token].into_iter().collect()).into()],
        _ => vec![other],
    }
}

fn words(tokens: &TokenStream, found: &mut Vec<TokenTree>) {
    for token in tokens.clone() {
        match token {
            TokenTree::Group(group) => words(&group.stream(), found),
            TokenTree::Ident(_) => found.push(token),
            _ => {}
        }
    }
}

#[test]
fn no_mutation_makes_the_compiler_panic() {
    const EACH: usize = 1000;
    /// The stages after `lower` see a share of them.
    const WHOLE: usize = 20;
    let declarations = declarations();
    let mut known = Vec::new();
    declarations.iter().for_each(|declaration| words(declaration, &mut known));
    let more =
        crate::function::all().map(|function| function.name).chain(crate::elementwise::table().map(|row| row.name));
    known.extend(
        more.chain(["scan", "self", "axis", "match", "usize"]).map(|name| Ident::new(name, Span::call_site()).into()),
    );
    let mut numbers = Numbers(7);
    let (mut read, mut right) = (0, 0);
    for declaration in &declarations {
        let size = count(declaration);
        for turn in 0..EACH {
            let mut changed = declaration.clone();
            for _ in 0..=numbers.below(2) {
                let mut target = numbers.below(size);
                changed = mutate(changed, &mut target, &mut numbers, &known);
            }
            let text = changed.to_string();
            let outcome = std::panic::catch_unwind(|| {
                let mut errors = Errors::default();
                let (declaration, complete) = crate::parse::parse(changed.clone(), &mut errors);
                let syntax = errors.diagnostics().any(|diagnostic| diagnostic.code() == "syntax");
                let network = crate::check::check(&declaration, complete, &mut errors);
                if let Some(network) = network {
                    lower_all(&network);
                    if turn % WHOLE == 0 {
                        let _ = crate::emit::emit(&network, &crate::entries::entry_points(&network));
                    }
                }
                (usize::from(!syntax), usize::from(errors.is_empty()))
            });
            let Ok((parsed, legal)) = outcome else { panic!("this declaration ends the compiler:\n{text}") };
            read += parsed;
            right += legal;
        }
    }
    let all = declarations.len() * EACH;
    println!("{read} of {all} pass the parser, {right} are networks");
    assert!(2 * read >= all, "{read} of {all} pass the parser");
}
