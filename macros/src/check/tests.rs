//! Small declarations through parse, check and lower.

mod mistakes;
mod mutations;

use quote::quote;

use crate::error::Errors;
use crate::graph::interpret::{Environment, interpret};
use crate::lower::{Entry, Lowered, Mode, lower};
use crate::network::Network;

pub(crate) fn read(tokens: proc_macro2::TokenStream) -> (Option<Network>, Errors) {
    let mut errors = Errors::default();
    let (declaration, complete) = crate::parse::parse(tokens, &mut errors);
    let network = super::check(&declaration, complete, &mut errors);
    (network, errors)
}

/// The network of a declaration without mistakes, every entry point of which lowers to a legal graph.
pub(crate) fn network(tokens: proc_macro2::TokenStream) -> Network {
    let (network, errors) = read(tokens);
    let messages: Vec<String> = errors.diagnostics().map(ToString::to_string).collect();
    assert!(messages.is_empty(), "{}", messages.join("\n"));
    let network = network.unwrap();
    lower_all(&network);
    network
}

/// Lowers every entry point, and holds the graphs to be legal.
fn lower_all(network: &Network) {
    let methods = (0..network.methods.len()).map(Entry::Method);
    let entries = [Entry::Forward].into_iter().chain(network.has_loss.then_some(Entry::Loss)).chain(methods);
    for entry in entries {
        for mode in [Mode::Inference, Mode::Training] {
            let lowered = lower(network, entry, mode);
            lowered.graph.verify().unwrap_or_else(|fault| panic!("{fault}\n{network}"));
        }
    }
}

fn evaluate(
    lowered: &Lowered,
    inputs: &[Vec<f64>],
    parameters: &[Vec<f64>],
    wanted: crate::graph::ValueId,
) -> Vec<f64> {
    let inputs: Vec<Vec<Vec<f64>>> = inputs.iter().map(|input| vec![input.clone()]).collect();
    let mut random = |_| 0.5;
    let mut environment = Environment { batch: 1, inputs: &inputs, parameters, random: &mut random };
    interpret(&lowered.graph, &mut environment).value(wanted)[0].clone()
}

/// The first output of `forward` for one sample, parameters given by number.
fn forward(tokens: proc_macro2::TokenStream, inputs: &[Vec<f64>], parameters: &[Vec<f64>]) -> Vec<f64> {
    let lowered = lower(&network(tokens), Entry::Forward, Mode::Inference);
    evaluate(&lowered, inputs, parameters, lowered.outputs[0])
}

/// Value and weight of each term of the loss.
fn loss(tokens: proc_macro2::TokenStream, inputs: &[Vec<f64>], parameters: &[Vec<f64>]) -> Vec<(f64, Option<f64>)> {
    let lowered = lower(&network(tokens), Entry::Loss, Mode::Training);
    let value = |value| evaluate(&lowered, inputs, parameters, value)[0];
    lowered.loss.iter().map(|term| (value(term.value), term.weight.map(value))).collect()
}

fn close(found: &[f64], expected: &[f64]) {
    let fits = found.len() == expected.len()
        && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9 * b.abs().max(1.0));
    assert!(fits, "{found:?} instead of {expected:?}");
}

#[test]
fn a_network_prints_its_calls() {
    let network = network(quote! {
        /// Handwritten digits.
        pub struct Digits;
        fn forward(image: [64]) -> [10] { image.dense(128).relu().dense(10) }
        fn loss(logits, label: Class<10>) { cross_entropy(logits, label) }
    });
    insta::assert_snapshot!(network, @r"
    network Digits
    parameter 0 dense_1.weight: [64, 128] = glorot_uniform()
    parameter 1 dense_1.bias: [128] = zeros()
    parameter 2 dense_2.weight: [128, 10] = glorot_uniform()
    parameter 3 dense_2.bias: [10] = zeros()
    inputs (image: [64])
    targets (label: Class<10>)
    forward(%0: [64])
        %1: [128] = dense_1: dense(%0, width = 128, bias = true, weight = glorot_uniform(), bias_start = zeros(), frozen = false) with parameters [0, 1]
        %2: [128] = max(0, x0)(%1)
        %3: [10] = dense_2: dense(%2, width = 10, bias = true, weight = glorot_uniform(), bias_start = zeros(), frozen = false) with parameters [2, 3]
        return %3
    loss(%4: [10], %5: Class<10>)
        %6: [] = cross_entropy(%4, %5, label_smoothing = 0.0)
        term %6
    ");
}

#[test]
fn the_tutorial_and_its_explicit_form() {
    network(quote! {
        pub struct Tutorial;
        fn forward(x: [2]) -> [1] { x.dense(2).dense(1) }
        fn loss(y: [1], t: [1]) { 0.5 * (y - t).powi(2) }
    });
    let by_hand = || {
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
    };
    let checked = network(by_hand());
    assert!(checked.parameters[3].frozen);
    assert_eq!(checked.parameters[4].clamp, Some((0.01, 100.0)));
    let parameters = [vec![1.0, 2.0, 3.0, 4.0], vec![0.5, -0.5], vec![0.3, -0.1], vec![0.25], vec![2.0]];
    let y = 2.0 * (0.3 * 7.5 - 0.1 * 9.5) + 0.25;
    close(&forward(by_hand(), &[vec![1.0, 2.0]], &parameters), &[y]);
    let expected = 0.5 * (y - 1.0) * (y - 1.0) + 0.3;
    close(&[loss(by_hand(), &[vec![1.0, 2.0], vec![1.0]], &parameters)[0].0], &[expected]);
}

#[test]
fn a_users_cell_is_a_scan() {
    let declaration = || {
        quote! {
            pub struct LeakyIntegrator { leak: [2] = constant(0.1), w: [1, 2] = glorot_uniform() }
            fn cell(state: [2], u: [1]) -> [2] {
                let a = sigmoid(self.leak);
                (1.0 - a) * state + a * tanh(u.matmul(self.w))
            }
            fn forward(u: [3, 1]) -> [2] { u.scan(cell, initial = zeros([2])).last() }
        }
    };
    let u = [0.5_f64, -1.0, 2.0];
    let (leak, w) = ([0.1_f64, 1.0], [0.7, -0.3]);
    let expected: Vec<f64> = (0..2)
        .map(|unit| {
            let a = 1.0 / (1.0 + (-leak[unit]).exp());
            u.iter().fold(0.0, |state, u| (1.0 - a) * state + a * (u * w[unit]).tanh())
        })
        .collect();
    close(&forward(declaration(), &[u.to_vec()], &[leak.to_vec(), w.to_vec()]), &expected);
}

#[test]
fn tuple_states_lengths_and_directions() {
    network(quote! {
        pub struct MyLstm { w: [20, 256] = glorot_uniform(), u: [64, 256] = orthogonal(), b: [256] = zeros() }
        fn cell((h, c): ([64], [64]), x: [20]) -> ([64], [64]) {
            let z = x.matmul(self.w) + h.matmul(self.u) + self.b;
            let (i, f, g, o) = (z[0..64].sigmoid(), z[64..128].sigmoid(), z[128..192].tanh(), z[192..256].sigmoid());
            let c = f * c + i * g;
            (o * c.tanh(), c)
        }
        fn forward(frames: [50, 20], length: Length<50>) -> [10] {
            let (h, _) = frames.scan(cell, initial = (zeros([64]), zeros([64])), length = length);
            h.last(length = length).dense(10)
        }
        fn loss(logits, digit: Class<10>) { cross_entropy(logits, digit) }
    });
    let sums = |reverse: bool| {
        quote! {
            struct Sums;
            fn add(s: [], x: []) { s + x }
            fn forward(x: [4], n: Length<4>) { x.scan(add, initial = 0.0, length = n, reverse = #reverse) }
        }
    };
    let inputs = [vec![1.0, 2.0, 4.0, 8.0], vec![3.0]];
    close(&forward(sums(false), &inputs, &[]), &[1.0, 3.0, 7.0, 7.0]);
    close(&forward(sums(true), &inputs, &[]), &[7.0, 6.0, 4.0, 0.0]);
    let two = quote! {
        struct Two { g: [] = 2.0 }
        fn cell(s, a, b: Class<3>) { s + self.g * a * b }
        fn outer(x: [4], c: [Class<3>; 4]) { (x, c).scan(cell, initial = 0.0).last() }
        fn forward(x: [4], c: [Class<3>; 4]) -> [] { outer(x, c) }
    };
    close(&forward(two, &[vec![1.0, 2.0, 4.0, 8.0], vec![0.0, 1.0, 2.0, 1.0]], &[vec![2.0]]), &[36.0]);
}

#[test]
fn layers_inside_functions_loops_and_scans_have_names() {
    let checked = network(quote! {
        pub struct Names { encoder: dense(4, bias = false), scale: [] = 1.0 }
        const DEPTH: usize = 2;
        fn block(x) { x + x.dense(4).gelu().dense(4, frozen = true) }
        fn cell(s, x) { (s + x).dense(4) }
        /// Codes.
        pub fn encode(x: [5, 4]) -> [5, 4] { self.encoder(x).layer_norm() }
        fn forward(x: [5, 4]) -> [2] {
            let mut h = encode(self.encoder(x));
            for _ in 0..DEPTH { h = h.block(); }
            let h = h.scan(cell, initial = zeros([4]));
            h.last().dense(2, name = head) * self.scale
        }
    });
    let paths: Vec<String> = checked.parameters.iter().map(|parameter| parameter.path.join(".")).collect();
    insta::assert_snapshot!(paths.join("\n"), @r"
    encoder.weight
    scale
    encode.layer_norm_1.weight
    encode.layer_norm_1.bias
    block_1.dense_1.weight
    block_1.dense_1.bias
    block_1.dense_2.weight
    block_1.dense_2.bias
    block_2.dense_1.weight
    block_2.dense_1.bias
    block_2.dense_2.weight
    block_2.dense_2.bias
    cell_1.dense_1.weight
    cell_1.dense_1.bias
    head.weight
    head.bias
    ");
    assert!(
        checked.parameters.iter().find(|parameter| parameter.path == ["block_2", "dense_2", "bias"]).unwrap().frozen
    );
    assert_eq!(checked.methods[0].name, "encode");
}

#[test]
fn a_character_model_without_attention() {
    network(quote! {
        pub struct CharLm { embedding: [65, 64] = normal(0.02) }
        const WIDTH: usize = 64;
        fn block(x) {
            let x = x + x.rms_norm();
            x + x.layer_norm().dense(4 * WIDTH).gelu().dense(WIDTH)
        }
        fn forward(text: [Class<65>; 64]) -> [64, 65] {
            let mut x = text.lookup(self.embedding);
            for _ in 0..2 { x = x.block(); }
            x.layer_norm().matmul(self.embedding.transpose())
        }
        fn loss(logits, next: [Class<65>; 64], next_length: Length<64>) {
            cross_entropy(logits, next, length = next_length)
        }
    });
}

#[test]
fn formulas_of_all_kinds() {
    let declaration = quote! {
        struct Formulas;
        const SCALE: f64 = 0.5;
        const N: usize = 2 * 3 - 4;
        fn swish(v) { v * sigmoid(v) }
        fn forward(x: [N, 3], t: Scalar) -> [11] {
            let a: [3] = x[0];
            let b: [2] = x[(.., 1)];
            let c = x[(1, 2)];
            let d = if a > 0.0 && !(a >= 3.0) { a * SCALE } else { -a };
            let e = select(b == b.max(), 1, 0);
            let mut f = a.swish().sum();
            f += t;
            f *= 2.0;
            let (g, h) = (x.mean(axis = 0), x.variance(axes = [0, 1]));
            let i = max(a, 2.0).clamp(0.0, 2.5).sum();
            concat((d, e, f.reshape([1]), g, h.reshape(1), (c + i).reshape(1)))
        }
    };
    let x = [1.0, 2.0, 3.0, -1.0, 0.0, 4.0];
    let swish = |v: f64| v / (1.0 + (-v).exp());
    let f = 2.0 * (swish(1.0) + swish(2.0) + swish(3.0) + 0.25);
    let mean: f64 = 1.5;
    let variance = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 6.0;
    let expected = [0.5, 1.0, -3.0, 1.0, 0.0, f, 0.0, 1.0, 3.5, variance, 4.0 + 6.5];
    close(&forward(declaration, &[x.to_vec(), vec![0.25]], &[]), &expected);
}

#[test]
fn losses_have_pytorchs_values() {
    let of = |body: proc_macro2::TokenStream, target: &[f64]| {
        let n = target.len();
        let declaration = quote! {
            struct Loss;
            fn forward(x: [#n]) { x }
            fn loss(y, t: [#n]) { #body }
        };
        loss(declaration, &[vec![0.2, 0.9, 0.6], target.to_vec()], &[])[0].0
    };
    let t = [0.0, 1.0, 1.0];
    close(&[of(quote!(mse(y, t)), &t)], &[(0.04 + 0.01 + 0.16) / 3.0]);
    close(&[of(quote!(mae(y, t)), &t)], &[0.7 / 3.0]);
    close(&[of(quote!(y.huber(t, delta = 0.3)), &t)], &[(0.02 + 0.005 + 0.3 * 0.25) / 3.0]);
    let binary = -(0.8_f64.ln() + 0.9_f64.ln() + 0.6_f64.ln()) / 3.0;
    close(&[of(quote!(binary_cross_entropy(y, t)), &t)], &[binary]);
    let logits = ((1.0 + 0.2_f64.exp()).ln() + (1.0 + (-0.9_f64).exp()).ln() + (1.0 + (-0.6_f64).exp()).ln()) / 3.0;
    close(&[of(quote!(binary_cross_entropy_with_logits(y, t)), &t)], &[logits]);
}

#[test]
fn cross_entropy_with_all_options() {
    let x = [0.2, 0.9, -0.6];
    let sum: f64 = x.iter().map(|x: &f64| x.exp()).sum();
    let log: Vec<f64> = x.iter().map(|x| x - sum.ln()).collect();
    let of = |options: proc_macro2::TokenStream| {
        let declaration = quote! {
            struct Loss;
            fn forward(x: [3]) { x }
            fn loss(y, t: Class<3>) { cross_entropy(y, t #options) }
        };
        loss(declaration, &[x.to_vec(), vec![1.0]], &[])[0]
    };
    close(&[of(quote!()).0], &[-log[1]]);
    let smooth = -0.9 * log[1] - 0.1 / 3.0 * (log[0] + log[1] + log[2]);
    close(&[of(quote!(, label_smoothing = 0.1)).0], &[smooth]);
    let (value, weight) = of(quote!(, weights = [1, 2.0, 3]));
    close(&[value, weight.unwrap()], &[-2.0 * log[1], 2.0]);
    let masked = quote! {
        struct Masked { w: [] = 1.0 }
        fn forward(x: [2, 3]) { x }
        fn loss(y, t: [Class<3>; 2], n: Length<2>) {
            0.5 * cross_entropy(y, t, length = n) + self.w.powi(2) - mse(y[0], [0.2, 0.9, 0.6])
        }
    };
    let terms = loss(masked, &[[x, x].concat(), vec![1.0, 2.0], vec![1.0]], &[vec![3.0]]);
    let found: Vec<f64> = terms.iter().flat_map(|(value, weight)| [*value, weight.unwrap_or(1.0)]).collect();
    close(&found, &[-0.5 * log[1], 1.0, 9.0, 1.0, -0.48, 1.0]);
}

#[test]
fn layers_have_their_values() {
    let x = [vec![1.0, 2.0, 6.0, -1.0]];
    let of = |body: proc_macro2::TokenStream, parameters: &[Vec<f64>]| {
        forward(quote! { struct Layers; fn forward(x: [4]) { #body } }, &x, parameters)
    };
    let scale = 1.0 / (26.0_f64 / 4.0 + 1e-5).sqrt();
    close(&of(quote!(x.layer_norm(weight = false, bias = false)), &[]), &[-scale, 0.0, 4.0 * scale, -3.0 * scale]);
    let scale = 1.0 / (42.0_f64 / 4.0 + 1e-5).sqrt();
    let weight = vec![1.0, 1.0, 1.0, 2.0];
    close(&of(quote!(x.rms_norm()), &[weight]), &[scale, 2.0 * scale, 6.0 * scale, -2.0 * scale]);
    close(&of(quote!(x.prelu()), &[vec![0.25]]), &[1.0, 2.0, 6.0, -0.25]);
    let gate = |x: f64| 1.0 / (1.0 + (-x).exp());
    close(&of(quote!(x.glu()), &[]), &[gate(6.0), 2.0 * gate(-1.0)]);
    close(&of(quote!(x.dropout(0.5)), &[]), &x[0]);
    let sum: f64 = x[0].iter().map(|x| x.exp()).sum();
    close(&of(quote!(x.softmax().sum(axis = -1)), &[]), &[1.0]);
    close(&of(quote!(x.log_softmax()[2]), &[]), &[6.0 - sum.ln()]);
}

#[test]
fn functions_of_the_user_are_known_as_formulas() {
    let network = network(quote! {
        struct Formulas { slope: [] = 0.5 }
        fn gate(v) { sigmoid(v / self.slope) }
        fn forward(x: [3]) { x.gate().dense(1) }
        fn loss(y: [1], t: [1]) { 0.5 * (y - t).powi(2) }
    });
    let texts: Vec<String> = (network.formulas.iter())
        .map(|made| format!("{} = {}", made.name, made.formula.display_with(&made.names)))
        .collect();
    assert_eq!(texts, ["gate = sigmoid(v / self.slope)", "loss = 0.5 * (y - t)^2"]);
}
