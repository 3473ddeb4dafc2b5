//! Every intermediate form of the canonical declarations, as text. After a change that is meant:
//! `INSTA_UPDATE=always cargo test -p backprop-macros --lib snapshots`, and a look at what git says.

use proc_macro2::TokenStream;
use quote::quote;

use crate::canonical::{Sizes, declarations, declared, network};
use crate::entries::{EntryPoint, entry_points};
use crate::error::Errors;

/// A heading, and the text with two spaces less at its left.
fn section(text: &mut String, heading: &str, form: &dyn std::fmt::Display) {
    text.push_str(&format!("--- {heading}\n{}\n\n", form.to_string().trim_end()));
}

fn entry_forms(text: &mut String, entry: &EntryPoint) {
    section(text, &format!("{}: lowered", entry.name), &entry.lowered);
    section(text, &format!("{}: with adjoints, after all passes", entry.name), &entry.graph);
    section(text, &format!("{}: plan", entry.name), &entry.schedule);
}

#[test]
fn forms() {
    for (name, tokens) in declarations(Sizes::Declared) {
        let network = network(tokens);
        let entries = entry_points(&network);
        let mut text = String::new();
        section(&mut text, "network", &network);
        match &entries.loss {
            Some(loss) => entry_forms(&mut text, &loss.training),
            None => entry_forms(&mut text, &entries.backward),
        }
        section(&mut text, "predict: plan", &entries.predict.schedule);
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, text.trim_end());
        });
    }
}

#[test]
fn emitted_code() {
    let code = crate::compile(declared("Tutorial"));
    let file = syn::parse2(code).expect("emitted code is a file");
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("Tutorial.rs", prettyplease::unparse(&file));
    });
}

fn messages(tokens: TokenStream) -> Vec<String> {
    let mut errors = Errors::default();
    let (declaration, complete) = crate::parse::parse(tokens, &mut errors);
    crate::check::check(&declaration, complete, &mut errors);
    errors.diagnostics().map(ToString::to_string).collect()
}

/// Declarations with layers that are yet to come say which is unknown.
#[test]
fn later_layers_are_unknown() {
    let later = [
        (
            "conv2d",
            quote! {
                pub struct LeNet5;
                fn forward(image: [1, 28, 28]) -> [10] {
                    image
                        .conv2d(6, kernel = 5, padding = 2).relu().max_pool2d(2)
                        .conv2d(16, kernel = 5).relu().max_pool2d(2)
                        .flatten()
                        .dense(120).relu()
                        .dense(84).relu()
                        .dense(10)
                }
                fn loss(logits, label: Class<10>) { cross_entropy(logits, label) }
            },
        ),
        (
            "conv2d",
            quote! {
                pub struct ResNet8;
                fn residual(x, channels, stride) {
                    let shortcut = x.conv2d(channels, kernel = 1, stride = stride, bias = false).batch_norm();
                    let main = x
                        .conv2d(channels, kernel = 3, stride = stride, padding = 1, bias = false).batch_norm().relu()
                        .conv2d(channels, kernel = 3, padding = 1, bias = false).batch_norm();
                    (main + shortcut).relu()
                }
                fn forward(image: [3, 32, 32]) -> [10] {
                    let x = image.conv2d(16, kernel = 3, padding = 1, bias = false).batch_norm().relu();
                    let x = x.residual(16, 1).residual(32, 2).residual(64, 2);
                    x.global_avg_pool2d().dropout(0.1).dense(10)
                }
                fn loss(logits, label: Class<10>) { cross_entropy(logits, label, label_smoothing = 0.1) }
            },
        ),
        (
            "lstm",
            quote! {
                pub struct SpokenDigits;
                fn forward(frames: [64, 20], length: Length<64>) -> [10] {
                    frames.lstm(64, length = length).last(length = length).dense(10)
                }
                fn loss(logits, digit: Class<10>) { cross_entropy(logits, digit) }
            },
        ),
        (
            "positional_embedding",
            quote! {
                pub struct CharLm { embedding: [65, 64] = normal(0.02) }
                const WIDTH: usize = 64;
                fn block(x) {
                    let x = x + x.layer_norm().attention(heads = 4, causal = true);
                    x + x.layer_norm().dense(4 * WIDTH).gelu().dense(WIDTH)
                }
                fn forward(text: [Class<65>; 64]) -> [64, 65] {
                    let mut x = text.lookup(self.embedding).positional_embedding();
                    for _ in 0..2 { x = x.block(); }
                    x.layer_norm().matmul(self.embedding.transpose())
                }
                fn loss(logits, next: [Class<65>; 64]) { cross_entropy(logits, next) }
            },
        ),
    ];
    for (layer, tokens) in later {
        let messages = messages(tokens);
        let said =
            messages.iter().any(|message| message.starts_with(&format!("there is no function or layer `{layer}`")));
        assert!(said, "`{layer}` in {messages:?}");
        assert!(!messages.iter().any(|message| message.contains("did you mean")), "nothing is misspelt: {messages:?}");
    }
}
