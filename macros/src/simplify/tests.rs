mod rules;

use proc_macro2::TokenStream;
use quote::quote;

use super::*;
use crate::check::check;
use crate::differentiate::differentiate;
use crate::error::Errors;
use crate::graph::interpret::{Example, Samples};
use crate::lower::{Entry, Lowered, Mode, lower};

fn lowered(tokens: TokenStream) -> Lowered {
    let mut errors = Errors::default();
    let (declaration, complete) = crate::parse::parse(tokens, &mut errors);
    let network = check(&declaration, complete, &mut errors);
    assert!(errors.is_empty(), "{errors:?}");
    lower(&network.expect("a network"), Entry::Loss, Mode::Training)
}

/// The loss and the gradients by all parameters, summed over the samples.
fn training(mut lowered: Lowered, simplify_first: bool) -> (Graph, Vec<ValueId>) {
    let values: Vec<ValueId> = lowered.loss.iter().map(|term| term.value).collect();
    let kept: Vec<ValueId> = values.into_iter().chain(lowered.parameters.iter().copied()).collect();
    let (mut graph, kept) =
        if simplify_first { prepare(&lowered.graph, &kept) } else { (std::mem::take(&mut lowered.graph), kept) };
    let (values, parameters) = kept.split_at(lowered.loss.len());
    let seeds: Vec<_> = values.iter().map(|&value| (value, graph.constant(1.0, vec![]))).collect();
    let gradients = differentiate(&mut graph, &seeds, parameters);
    let mut roots: Vec<ValueId> = gradients.into_iter().flatten().collect();
    for &value in values {
        let scalar = graph.reshape(value, vec![]);
        roots.push(graph.reduce_samples(Reduction::Sum, scalar, &[], true));
    }
    (graph, roots)
}

/// Declarations that use every operation.
fn declarations() -> Vec<TokenStream> {
    vec![
        quote! { struct A; fn forward(x: [5]) -> [3] { x.dense(4).relu().dense(3) }
        fn loss(y, t: Class<3>) { cross_entropy(y, t, label_smoothing = 0.1) } },
        quote! { struct A; fn forward(x: [4, 6]) -> [4, 6] { x.dense(6).layer_norm().gelu() + x }
        fn loss(y, t: [4, 6]) { mse(y, t) } },
        quote! { struct A; fn forward(x: [4, 6]) -> [4, 6] {
            let (q, k, v) = (x.dense(6), x.dense(6), x.dense(6));
            (q.matmul(k.transpose()) * 0.3).softmax().matmul(v)
        }
        fn loss(y, t: [4, 6]) { huber(y, t) } },
        quote! { struct A { leak: [3] = constant(0.1), w: [2, 3] = glorot_uniform() }
        fn cell(state: [3], u: [2]) -> [3] {
            let a = sigmoid(self.leak);
            (1.0 - a) * state + a * tanh(u.matmul(self.w))
        }
        fn forward(u: [5, 2]) -> [1] { u.scan(cell, initial = zeros([3])).last().dense(1) }
        fn loss(y, t: [1]) { mse(y, t) } },
        quote! { struct A { w: [3, 16] = glorot_uniform(), u: [4, 16] = orthogonal(), b: [16] = zeros() }
        fn cell((h, c): ([4], [4]), x: [3]) -> ([4], [4]) {
            let z = x.matmul(self.w) + h.matmul(self.u) + self.b;
            let (i, f, g, o) = (z[0..4].sigmoid(), z[4..8].sigmoid(), z[8..12].tanh(), z[12..16].sigmoid());
            let c = f * c + i * g;
            (o * c.tanh(), c)
        }
        fn forward(frames: [5, 3], length: Length<5>) -> [4] {
            let (h, _) = frames.scan(cell, initial = (zeros([4]), zeros([4])), length = length);
            h.last(length = length).dense(4)
        }
        fn loss(logits, digit: Class<4>) { cross_entropy(logits, digit) } },
        quote! { struct A { table: [7, 4] = normal(0.02) }
        fn forward(text: [Class<7>; 5]) -> [5, 7] {
            let x = text.lookup(self.table).rms_norm().dropout(0.3);
            x.dense(4).silu().matmul(self.table.transpose())
        }
        fn loss(logits, next: [Class<7>; 5], length: Length<5>) { cross_entropy(logits, next, length = length) } },
        quote! { struct A; fn forward(x: [5, 4]) -> [5, 3] { x.dense(3) }
        fn loss(y, t: [5, 3]) { -(t * y.log_softmax()).sum() } },
    ]
}

fn assert_close(one: &[Samples], other: &[Samples], what: &Graph) {
    assert_eq!(one.len(), other.len());
    for (one, other) in one.iter().zip(other) {
        for (one, other) in one.iter().flatten().zip(other.iter().flatten()) {
            assert!((one - other).abs() <= 1e-10 * (1.0 + one.abs()), "{one} has become {other} in\n{what}");
        }
    }
}

#[test]
fn fused_graphs_compute_the_same() {
    for tokens in declarations() {
        let (plain, roots) = training(lowered(tokens.clone()), false);
        assert_eq!(plain.verify(), Ok(()));
        let example = Example::new(&plain, 3);
        let expected = example.evaluate(&plain, &roots);
        let (early, early_roots) = training(lowered(tokens), true);
        for (graph, roots) in [(&plain, &roots), (&early, &early_roots)] {
            let (fused, roots) = fuse(graph, roots);
            assert_eq!(fused.verify(), Ok(()));
            assert!(fused.len() < plain.len());
            assert_close(&expected, &example.evaluate(&fused, &roots), &fused);
            assert_eq!(fuse(&fused, &roots), (fused, roots), "nothing is left to do");
        }
    }
}

#[test]
fn gradients_agree_with_differences() {
    for tokens in declarations() {
        let lowered = lowered(tokens);
        let parameters = lowered.parameters.len();
        let (graph, roots) = training(lowered, true);
        let (graph, roots) = fuse(&graph, &roots);
        let mut example = Example::new(&graph, 3);
        let (gradients, losses) = roots.split_at(parameters);
        let gradients = example.evaluate(&graph, gradients);
        for (parameter, gradient) in gradients.iter().enumerate() {
            for (place, &gradient) in gradient[0].iter().enumerate().step_by(3) {
                let step = 1e-5;
                let sides = [step, -2.0 * step, step].map(|change| {
                    example.parameters[parameter][place] += change;
                    example.evaluate(&graph, losses).iter().map(|loss| loss[0][0]).sum::<f64>()
                });
                let difference = (sides[0] - sides[1]) / (2.0 * step);
                let close = (difference - gradient).abs() < 1e-6 * (1.0 + gradient.abs());
                assert!(close, "parameter {parameter} at {place}: {gradient}, not {difference}, in\n{graph}");
            }
        }
    }
}

#[test]
fn what_is_written_out_is_the_built_in() {
    let classes = quote!(fn loss(y, t: Class<6>) { cross_entropy(y, t) });
    let written_classes = quote! { fn loss(y, t: Class<6>) {
        let z = y - y.max().stop_gradient();
        -((z - z.exp().sum().ln()) * one_hot(t)).sum()
    } };
    let pairs = [
        (
            quote! { struct A; fn forward(x: [4, 6]) -> [4, 6] { x.layer_norm() } fn loss(y, t: [4, 6]) { mse(y, t) } },
            quote! { struct A { weight: [6] = constant(1.0), bias: [6] = zeros() }
            fn forward(x: [4, 6]) -> [4, 6] {
                let centred = x - x.mean(axis = 1).reshape([4, 1]);
                let variance = centred.powi(2).mean(axis = 1).reshape([4, 1]);
                centred / (variance + 1e-5).sqrt() * self.weight + self.bias
            }
            fn loss(y, t: [4, 6]) { (y - t).powi(2).mean() } },
        ),
        (
            quote! { struct A { w: [4, 6] = zeros() } fn forward(x: [4]) -> [6] { x.matmul(self.w).softmax() }
            fn loss(y, t: [6]) { 0.5 * (y - t).powi(2).sum() } },
            quote! { struct A { w: [4, 6] = zeros() } fn forward(x: [4]) -> [6] {
                let z = x.matmul(self.w);
                let e = (z - z.max().stop_gradient()).exp();
                e / e.sum()
            }
            fn loss(y, t: [6]) { ((t - y) * (t - y)).sum() / 2.0 } },
        ),
        (
            quote! { struct A { w: [4, 6] = zeros() } fn forward(x: [4]) -> [6] { x.matmul(self.w) } #classes },
            quote! { struct A { w: [4, 6] = zeros() } fn forward(x: [4]) -> [6] { x.matmul(self.w) } #written_classes },
        ),
        (
            quote! { struct A { w: [4] = zeros() } fn forward(x: [4]) -> [4] { (self.w * x).silu() }
            fn loss(y, t: [4]) { mae(y, t) } },
            quote! { struct A { w: [4] = zeros() } fn forward(x: [4]) -> [4] {
                let z = self.w * x;
                z / (1.0 + (-z).exp())
            }
            fn loss(y, t: [4]) { (t - y).abs().mean() } },
        ),
    ];
    for (built_in, written) in pairs {
        let [built_in, written] = [built_in, written].map(|tokens| {
            let (graph, roots) = training(lowered(tokens), true);
            fuse(&graph, &roots)
        });
        assert_eq!(built_in, written, "\n{}\n{}", built_in.0, written.0);
    }
}
