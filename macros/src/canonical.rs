//! The declarations that every stage is tested on: those of the README and the documentation, as far as their layers are there.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use crate::check::check;
use crate::error::Errors;
use crate::network::Network;

/// How large the tensors are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sizes {
    /// As a user would have them.
    Declared,
    /// The same graphs, small enough to be evaluated over and over.
    Small,
}

impl Sizes {
    fn pick(self, declared: usize, small: usize) -> Literal {
        Literal::usize_unsuffixed(if self == Self::Declared { declared } else { small })
    }
}

/// All declarations, by name.
pub(crate) fn declarations(sizes: Sizes) -> Vec<(&'static str, TokenStream)> {
    vec![
        ("Tutorial", tutorial()),
        ("ByHand", by_hand()),
        ("Digits", digits(sizes)),
        ("LeakyIntegrator", leaky_integrator(sizes)),
        ("MyLstm", my_lstm(sizes)),
        ("LanguageModel", language_model(sizes)),
        ("Attention", attention(sizes)),
        ("TwoHeads", two_heads(sizes)),
        ("Autoencoder", autoencoder(sizes)),
        ("Regularized", regularized(sizes)),
        ("Policy", policy(sizes)),
    ]
}

pub(crate) fn tutorial() -> TokenStream {
    quote! {
        /// Two inputs, two linear hidden units, one output.
        pub struct Tutorial;
        fn forward(x: [2]) -> [1] { x.dense(2).dense(1) }
        fn loss(y: [1], t: [1]) { 0.5 * (y - t).powi(2) }
    }
}

fn by_hand() -> TokenStream {
    quote! {
        pub struct ByHand {
            w1: [2, 2] = glorot_uniform(),
            b1: [2] = zeros(),
            w2: [2, 1] = [[0.3], [-0.1]],
            #[frozen] b2: [1] = zeros(),
            #[clamp(0.01, 100.0)] gain: [] = 1.0,
        }
        fn forward(x: [2]) -> [1] {
            let h = x.matmul(self.w1) + self.b1;
            self.gain * h.matmul(self.w2) + self.b2
        }
        fn loss(y, t: [1]) { 0.5 * (y - t).powi(2) + 0.01 * self.w1.powi(2).sum() }
    }
}

/// The workload W2.
pub(crate) fn digits(sizes: Sizes) -> TokenStream {
    let (pixels, width) = (sizes.pick(784, 7), sizes.pick(128, 5));
    quote! {
        pub struct Digits;
        fn forward(image: [#pixels]) -> [10] { image.dense(#width).relu().dense(10) }
        fn loss(logits, label: Class<10>) { cross_entropy(logits, label) }
    }
}

pub(crate) fn leaky_integrator(sizes: Sizes) -> TokenStream {
    let (steps, inputs, width) = (sizes.pick(100, 5), sizes.pick(4, 2), sizes.pick(16, 3));
    quote! {
        pub struct LeakyIntegrator { leak: [#width] = constant(0.1), w: [#inputs, #width] = glorot_uniform() }
        fn cell(state: [#width], u: [#inputs]) -> [#width] {
            let a = sigmoid(self.leak);
            (1.0 - a) * state + a * tanh(u.matmul(self.w))
        }
        fn forward(u: [#steps, #inputs]) -> [1] { u.scan(cell, initial = zeros([#width])).last().dense(1) }
        fn loss(y, t: [1]) { mse(y, t) }
    }
}

pub(crate) fn my_lstm(sizes: Sizes) -> TokenStream {
    let (steps, inputs) = (sizes.pick(50, 4), sizes.pick(20, 2));
    let [one, two, three, four] = [1, 2, 3, 4].map(|gates| sizes.pick(64 * gates, 3 * gates));
    quote! {
        pub struct MyLstm { w: [#inputs, #four] = glorot_uniform(), u: [#one, #four] = orthogonal(), b: [#four] = zeros() }
        fn cell((h, c): ([#one], [#one]), x: [#inputs]) -> ([#one], [#one]) {
            let z = x.matmul(self.w) + h.matmul(self.u) + self.b;
            let (i, f, g, o) =
                (z[0..#one].sigmoid(), z[#one..#two].sigmoid(), z[#two..#three].tanh(), z[#three..#four].sigmoid());
            let c = f * c + i * g;
            (o * c.tanh(), c)
        }
        fn forward(frames: [#steps, #inputs], length: Length<#steps>) -> [10] {
            let (h, _) = frames.scan(cell, initial = (zeros([#one]), zeros([#one])), length = length);
            h.last(length = length).dense(10)
        }
        fn loss(logits, digit: Class<10>) { cross_entropy(logits, digit) }
    }
}

fn language_model(sizes: Sizes) -> TokenStream {
    let (letters, places, width) = (sizes.pick(65, 5), sizes.pick(64, 3), sizes.pick(64, 4));
    quote! {
        pub struct LanguageModel { embedding: [#letters, #width] = normal(0.02) }
        const WIDTH: usize = #width;
        fn block(x) {
            let x = x + x.layer_norm().dense(WIDTH);
            x + x.layer_norm().dense(2 * WIDTH).gelu().dense(WIDTH)
        }
        fn forward(text: [Class<#letters>; #places]) -> [#places, #letters] {
            let mut x = text.lookup(self.embedding);
            for _ in 0..2 { x = x.block(); }
            x.layer_norm().matmul(self.embedding.transpose())
        }
        fn loss(logits, next: [Class<#letters>; #places], next_length: Length<#places>) {
            cross_entropy(logits, next, length = next_length)
        }
    }
}

fn attention(sizes: Sizes) -> TokenStream {
    let (places, width, heads, head) = (sizes.pick(32, 3), sizes.pick(64, 4), sizes.pick(4, 2), sizes.pick(16, 2));
    quote! {
        pub struct Attention;
        fn split(x) { x.reshape([#places, #heads, #head]).transpose([1, 0, 2]) }
        fn forward(x: [#places, #width]) -> [#places, #width] {
            let (q, k, v) = (x.dense(#width).split(), x.dense(#width).split(), x.dense(#width).split());
            let scores = (0.25 * q.matmul(k.transpose())).softmax();
            x + scores.matmul(v).transpose([1, 0, 2]).reshape([#places, #width]).dense(#width)
        }
        fn loss(y, t: [#places, #width]) { mse(y, t) }
    }
}

fn two_heads(sizes: Sizes) -> TokenStream {
    let (inputs, width) = (sizes.pick(24, 4), sizes.pick(32, 3));
    quote! {
        pub struct TwoHeads;
        fn forward(x: [#inputs], weather: Class<4>) -> ([3], [2]) {
            let h = (x.dense(#width) + weather.embedding(#width)).silu();
            (h.dense(3, name = classes), h.dense(2, name = position))
        }
        fn loss(classes, position, class: Class<3>, wanted: [2]) {
            cross_entropy(classes, class, label_smoothing = 0.1) + 0.5 * huber(position, wanted)
        }
    }
}

fn autoencoder(sizes: Sizes) -> TokenStream {
    let (inputs, width) = (sizes.pick(64, 4), sizes.pick(32, 3));
    quote! {
        pub struct Autoencoder;
        pub fn encode(x: [#inputs]) -> ([2], [2]) {
            let h = x.dense(#width).tanh();
            (h.dense(2), h.dense(2))
        }
        pub fn decode(z: [2]) -> [#inputs] { z.dense(#width).tanh().dense(#inputs) }
        fn forward(x: [#inputs], noise: [2]) -> ([#inputs], [2], [2]) {
            let (mean, log_variance) = encode(x);
            (decode(mean + (0.5 * log_variance).exp() * noise), mean, log_variance)
        }
        fn loss(y, mean, log_variance, x: [#inputs], annealing: Scalar) {
            let divergence = 0.5 * (mean.powi(2) + log_variance.exp() - log_variance - 1.0).sum();
            mse(y, x) + annealing * divergence
        }
    }
}

fn regularized(sizes: Sizes) -> TokenStream {
    let (inputs, width) = (sizes.pick(64, 4), sizes.pick(32, 3));
    quote! {
        pub struct Regularized;
        fn forward(x: [#inputs]) -> [3] {
            x.dropout(0.2).dense(#width).rms_norm().prelu().dropout(0.5).dense(#width, frozen = true).gelu().dense(3)
        }
        fn loss(logits, class: Class<3>) { cross_entropy(logits, class, weights = [1.0, 2.0, 0.5]) }
    }
}

/// Without a loss.
fn policy(sizes: Sizes) -> TokenStream {
    let (inputs, width) = (sizes.pick(8, 3), sizes.pick(32, 4));
    quote! {
        pub struct Policy;
        fn forward(state: [#inputs]) -> ([4], []) {
            let h = state.dense(#width).mish();
            (h.dense(4).softmax(), h.dense(1)[0])
        }
    }
}

/// The checked form of a declaration without mistakes.
pub(crate) fn network(tokens: TokenStream) -> Network {
    let mut errors = Errors::default();
    let (declaration, complete) = crate::parse::parse(tokens, &mut errors);
    let network = check(&declaration, complete, &mut errors);
    let messages: Vec<String> = errors.diagnostics().map(ToString::to_string).collect();
    assert!(messages.is_empty(), "{}", messages.join("\n"));
    network.expect("a declaration without mistakes is a network")
}
