//! What plans are to be: little memory, few kernels, nothing that nobody needs.

use proc_macro2::{Literal, TokenStream, TokenTree};
use quote::quote;

use crate::canonical::{Sizes, declarations, declared, network};
use crate::entries::{EntryPoint, EntryPoints, entry_points};
use crate::plan::{Kernel, Schedule, Source};

fn entries(tokens: TokenStream) -> EntryPoints {
    entry_points(&network(tokens))
}

fn training(tokens: TokenStream) -> EntryPoint {
    entries(tokens).loss.expect("a loss").training
}

/// One letter for each kernel: `c` contracts, `e` computes elements, `s` only sums up a parameter's gradient, `t` is a
/// number or two besides; a loop is `(…)`.
fn letters(kernels: &[Kernel]) -> String {
    let letter = |kernel: &Kernel| match kernel {
        Kernel::Nest { extents, outputs, .. } => {
            let sums_gradients = outputs
                .iter()
                .all(|output| output.reduction.is_some() && matches!(output.operand.view.source, Source::Gradient(_)));
            let tiny = extents.iter().all(|extent| !extent.samples && extent.count == 1);
            (if tiny {
                "t"
            } else if sums_gradients {
                "s"
            } else {
                "e"
            })
            .into()
        }
        Kernel::Contract { .. } => "c".into(),
        Kernel::Lookup { .. } => "l".into(),
        Kernel::LookupAdjoint { .. } => "a".into(),
        Kernel::Random { .. } => "r".into(),
        Kernel::Rows { stages } => format!("[{}]", letters(stages)),
        Kernel::Loop { kernels, .. } => format!("({})", letters(kernels)),
    };
    kernels.iter().map(letter).collect()
}

/// The kernels, those of loops and rows instead of these.
fn flat(kernels: &[Kernel]) -> Vec<&Kernel> {
    let mut found = Vec::new();
    for kernel in kernels {
        match kernel {
            Kernel::Rows { stages: kernels } | Kernel::Loop { kernels, .. } => found.extend(flat(kernels)),
            other => found.push(other),
        }
    }
    found
}

fn count_tokens(tokens: TokenStream) -> usize {
    let count = |tree| match tree {
        TokenTree::Group(group) => 1 + count_tokens(group.stream()),
        _ => 1,
    };
    tokens.into_iter().map(count).sum()
}

/// The workspace is at most a tenth larger than what lives at the fullest moment.
fn assert_tight(schedule: &Schedule, what: &str) {
    let (samples, shared) = schedule.live;
    for (size, live) in [(schedule.sample_size, samples), (schedule.shared_size, shared)] {
        assert!(size as f64 <= 1.1 * live as f64, "{what}: {size} numbers for {live} that live, in\n{schedule}");
    }
}

#[test]
fn the_workspace_is_tight() {
    for (name, tokens) in declarations(Sizes::Declared) {
        for entry in entries(tokens).all() {
            assert_tight(&entry.schedule, &format!("{name}.{}", entry.name));
        }
    }
}

/// At most two products forward, one gradient of an input and two of weights. Gradients are lent memory from fewer weights on
/// where the rows of the input lie a multiple of 256 numbers apart, and no more than their columns need.
#[test]
fn products_of_large_weights_are_lent_memory() {
    for (width, hidden, expected) in [
        (500_usize, 500_usize, &[][..]),
        (520, 520, &[1024; 5]),
        (512, 512, &[1024; 5]),
        (1000, 128, &[]),
        (640, 128, &[]),
        (256, 256, &[]),
        (768, 128, &[640]),
        (1024, 63, &[]),
        (1024, 64, &[384]),
        (64, 1024, &[384]),
        (1536, 50, &[384]),
    ] {
        let sizes = [width, hidden].map(Literal::usize_unsuffixed);
        let [inputs, outputs] = &sizes;
        let tokens = quote! {
            struct Wide;
            fn forward(x: [#inputs]) -> [#inputs] { x.dense(#outputs).relu().dense(#inputs) }
            fn loss(y, t: [#inputs]) { mse(y, t) }
        };
        let schedule = training(tokens).schedule;
        let lent: Vec<usize> = schedule
            .kernels
            .iter()
            .filter_map(|kernel| match kernel {
                Kernel::Contract { lent: Some(lent), .. } => Some(lent.shape.iter().product()),
                _ => None,
            })
            .collect();
        assert_eq!(lent, expected, "{width} {hidden}: {schedule}");
        assert_tight(&schedule, &format!("{width} {hidden}"));
    }
}

#[test]
fn the_workspace_of_random_chains_is_tight() {
    let mut state = 1_u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for chain in 0..30 {
        let mut body = quote!(let mut x = x; let mut skip = x;);
        for _ in 0..3 + random(12) {
            let width = Literal::usize_unsuffixed(1 + random(40) as usize);
            body.extend(match random(6) {
                0 => quote!(x = x.dense(#width);),
                1 => quote!(x = x.dense(#width).tanh();),
                2 => quote!(x = x.dense(#width).layer_norm().gelu();),
                3 => quote!(x = concat((x, x.dense(#width).sigmoid()));),
                4 => quote!(x = x.softmax() * x;),
                _ => quote!(skip = x; x = skip.dense(#width).relu(); x = concat((x, skip));),
            });
        }
        let tokens = quote! {
            struct Chain;
            fn forward(x: [9]) -> [3] { #body (x.mean() + skip.max() + x).dense(3) }
            fn loss(y, t: [3]) { mse(y, t) }
        };
        let what = format!("chain {chain}: {tokens}");
        for entry in entries(tokens).all() {
            assert_tight(&entry.schedule, &format!("{what} {}", entry.name));
        }
    }
}

#[test]
fn a_hundred_equal_layers_use_two_buffers() {
    let predict = entries(quote! {
        struct Deep;
        fn forward(x: [64]) -> [64] {
            let mut x = x;
            for _ in 0..100 { x = x.dense(64).relu(); }
            x
        }
    })
    .predict;
    assert_eq!(letters(&predict.schedule.kernels), "c".repeat(100));
    assert_eq!((predict.schedule.sample_size, predict.schedule.shared_size), (2 * 64, 0), "{}", predict.schedule);
}

/// Bias, activation and their derivatives are epilogues of contractions. What is between these is the loss: one kernel for
/// softmax and cross-entropy with the sum over the batch, the gradient of the logits and of their bias, and the number by
/// which the whole batch is scaled.
#[test]
fn the_workload_w2_has_no_separate_elementwise_pass() {
    let training = training(declared("Digits"));
    let kernels = letters(&training.schedule.kernels);
    assert_eq!(kernels.matches('c').count(), 5, "{kernels}: three products for each layer, but one for the input");
    let forward = kernels.trim_start_matches('c');
    assert_eq!(kernels.len() - forward.len(), 2, "{kernels}, in\n{}", training.schedule);
    assert!(forward.starts_with("[eeee]t"), "{kernels}, in\n{}", training.schedule);
    let backward = &forward[forward.find('c').expect("a backward pass")..];
    assert!(!backward.contains('e'), "{kernels}, in\n{}", training.schedule);
    let predict = entries(declared("Digits")).predict;
    assert_eq!(letters(&predict.schedule.kernels), "cc", "{}", predict.schedule);
}

/// The gradient of a weight with a single output has its elements along a row, so that a register holds as many as it can.
#[test]
fn the_gradient_of_a_column_is_a_row() {
    for shape in [quote! { [20] }, quote! { [5, 20] }] {
        let training = training(quote! {
            struct Value;
            fn forward(x: #shape) -> [1] { x.dense(1).flatten().sum(keep = true) }
            fn loss(y, t: [1]) { mse(y, t) }
        });
        let sizes: Vec<_> = flat(&training.schedule.kernels)
            .into_iter()
            .filter_map(|kernel| match kernel {
                Kernel::Contract { m, k, n, .. } if k.samples => Some((m.count, n.count)),
                _ => None,
            })
            .collect();
        assert_eq!(sizes, [(1, 20)], "{}", training.schedule);
    }
}

/// Normalisation along rows, and its derivative, are one kernel each, built in or written out.
#[test]
fn a_layer_norm_is_one_kernel() {
    let built_in = quote! {
        struct Normal;
        fn forward(x: [8, 16]) -> [8, 16] { x.dense(16).layer_norm() }
    };
    let written_out = quote! {
        struct Normal { weight: [16] = ones(), bias: [16] = zeros() }
        fn forward(x: [8, 16]) -> [8, 16] {
            let x = x.dense(16);
            let centred = x - x.mean(axis = -1, keep = true);
            centred / (centred.powi(2).mean(axis = -1, keep = true) + 1e-5).sqrt() * self.weight + self.bias
        }
    };
    for tokens in [built_in, written_out] {
        let entries = entries(tokens);
        assert_eq!(letters(&entries.predict.schedule.kernels), "c[eeeee]", "{}", entries.predict.schedule);
        let both = letters(&entries.backward.schedule.kernels);
        assert!(both.starts_with("c[eeeee]"), "{both}, in\n{}", entries.backward.schedule);
        let backward = &both["c[eeeee]".len()..];
        assert_eq!(backward.matches(['[', 'e']).count(), backward.matches('[').count() + 5, "{backward}");
    }
}

#[test]
fn code_does_not_grow_with_the_steps() {
    let emitted = |steps: usize| {
        let steps = Literal::usize_unsuffixed(steps);
        count_tokens(crate::compile(quote! {
            pub struct LeakyIntegrator { leak: [16] = constant(0.1), w: [4, 16] = glorot_uniform() }
            fn cell(state: [16], u: [4]) -> [16] {
                let a = sigmoid(self.leak);
                (1.0 - a) * state + a * tanh(u.matmul(self.w))
            }
            fn forward(u: [#steps, 4]) -> [1] { u.scan(cell, initial = zeros([16])).last().dense(1) }
            fn loss(y, t: [1]) { mse(y, t) }
        }))
    };
    assert_eq!(emitted(10), emitted(1000));
}

#[test]
fn code_does_not_grow_with_layers_of_one_shape() {
    let emitted = |layers: usize| {
        let layers = Literal::usize_unsuffixed(layers);
        let code = crate::compile(quote! {
            pub struct Deep;
            fn forward(x: [64]) -> [64] {
                let mut x = x;
                for _ in 0..#layers { x = x.dense(64).relu(); }
                x
            }
            fn loss(y, t: [64]) { mse(y, t) }
        });
        code.to_string().matches("contract (").count()
    };
    assert_eq!(emitted(10), emitted(40), "one kernel for each distinct shape");
}

#[test]
fn what_dense_layers_end_with_is_compiled_with_the_library() {
    let code = crate::compile(declared("Digits")).to_string();
    for epilogue in ["Biased :: < true >", "Biased :: < false >"] {
        assert_eq!(code.matches(epilogue).count(), 1, "{epilogue} in\n{code}");
    }
}

/// Inputs have gradients only where they are asked for, parameters only where they are trained.
#[test]
fn nobody_computes_what_nobody_needs() {
    let of = |frozen: [bool; 3]| {
        let [one, two, three] = frozen;
        training(quote! {
            struct Net;
            fn forward(x: [20]) -> [4] {
                x.dense(30, frozen = #one).tanh().dense(40, frozen = #two).tanh().dense(4, frozen = #three)
            }
            fn loss(y, t: [4]) { mse(y, t) }
        })
    };
    let contractions = |entry: &EntryPoint| letters(&entry.schedule.kernels).matches('c').count();
    let all = of([false; 3]);
    assert_eq!(contractions(&all), 3 + 2 + 3, "forward, gradients of activations, gradients of weights");
    let last = of([true, true, false]);
    assert_eq!(contractions(&last), 3 + 1, "{}", last.schedule);
    let first = of([false, true, true]);
    assert_eq!(contractions(&first), 3 + 2 + 1, "{}", first.schedule);
    let none = of([true; 3]);
    assert_eq!(contractions(&none), 3, "{}", none.schedule);
    let sizes = [&all, &first, &last, &none].map(|entry| entry.schedule.sample_size);
    assert!(sizes.is_sorted_by(|left, right| left >= right), "{sizes:?}");
    assert!(last.schedule.sample_size < all.schedule.sample_size, "{sizes:?}: saved activations are pruned");
    // With everything frozen, it is inference: two layers live at a time.
    assert!(none.schedule.sample_size <= 30 + 40, "{}", none.schedule);
}

#[test]
fn frozen_parameters_have_no_gradient() {
    for (name, tokens) in declarations(Sizes::Declared) {
        let network = network(tokens);
        for entry in entry_points(&network).all() {
            let mut written = Vec::new();
            for kernel in flat(&entry.schedule.kernels) {
                kernel.views(&mut |view, write| {
                    if let (Source::Gradient(parameter), true) = (view.source, write) {
                        written.push(parameter);
                    }
                });
            }
            written.sort_unstable();
            written.dedup();
            assert!(written.iter().all(|&parameter| !network.parameters[parameter].frozen), "{name}.{}", entry.name);
            assert_eq!(written, entry.gradients, "{name}.{}", entry.name);
        }
    }
}

/// An LSTM's projections of its inputs, and its weights' gradients, are one contraction over all steps.
#[test]
fn work_leaves_loops() {
    let lstm = training(declared("MyLstm"));
    let kernels = letters(&lstm.schedule.kernels);
    let inside: Vec<&str> = kernels.split('(').skip(1).filter_map(|rest| rest.split(')').next()).collect();
    let contractions: Vec<usize> = inside.iter().map(|body| body.matches('c').count()).collect();
    assert_eq!(contractions, [1, 1], "{kernels}: the state's product only, in\n{}", lstm.schedule);
    let leaky = training(declared("LeakyIntegrator"));
    let kernels = letters(&leaky.schedule.kernels);
    let inside: Vec<&str> = kernels.split('(').skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(inside.iter().all(|body| !body.contains('c')), "{kernels}, in\n{}", leaky.schedule);
}

/// No kernel has more operands than the runtime's take.
#[test]
fn kernels_are_within_the_runtimes_limits() {
    for (name, tokens) in declarations(Sizes::Declared) {
        for entry in entries(tokens).all() {
            assert_limits(&entry.schedule, name);
        }
    }
    let terms: Vec<TokenStream> = (0..30)
        .map(|index| {
            let field = quote::format_ident!("p{index}");
            let function = quote::format_ident!("{}", ["sin", "tanh", "exp", "relu", "square"][index % 5]);
            quote!((x * self.#field).#function())
        })
        .collect();
    let fields = (0..30).map(|index| quote::format_ident!("p{index}"));
    let wide = quote! {
        struct Wide { #(#fields: [3] = ones(),)* }
        fn forward(x: [3]) -> [3] { #(#terms)+* }
        fn loss(y, t: [3]) { mse(y, t) }
    };
    for entry in entries(wide).all() {
        assert_limits(&entry.schedule, "30 terms");
    }
}

pub(super) fn assert_limits(schedule: &Schedule, what: &str) {
    for kernel in flat(&schedule.kernels) {
        if let Kernel::Nest { extents, inputs, outputs, .. } = kernel {
            assert!(extents.len() <= 6 && inputs.len() <= 12 && outputs.len() <= 8, "{what}, in\n{schedule}");
        }
        if let Kernel::Contract { outer, inputs, outputs, .. } = kernel {
            assert!(outer.len() <= 4 && inputs.len() <= 12 && outputs.len() <= 8, "{what}, in\n{schedule}");
        }
    }
}

#[test]
fn emitted_code_is_the_same_on_every_run() {
    for (name, tokens) in declarations(Sizes::Declared) {
        let (one, other) = (crate::compile(tokens.clone()), crate::compile(tokens));
        assert_eq!(one.to_string(), other.to_string(), "{name}");
    }
}

#[test]
fn a_loss_is_known_before_gradients_are_applied_which_are_whole_when_nobody_needs_the_parameter() {
    let gradients = |tokens| {
        let schedule = training(tokens).schedule;
        let known = schedule.results_known();
        let mut early = Vec::new();
        for kernel in &schedule.kernels[..known] {
            kernel.views(&mut |view, _| {
                if let Source::Gradient(parameter) = view.source {
                    early.push(parameter);
                }
            });
        }
        let mut whole = schedule.whole_gradients(known);
        whole.sort_unstable();
        (early, whole)
    };
    let (early, whole) = gradients(declared("Digits"));
    assert_eq!(early, [3], "the bias of the logits, whose gradient comes with the softmax");
    assert_eq!(whole, [0, 2], "the weights, not the biases");
    let decayed = quote! {
        struct Decayed { w: [4, 4] = ones(), v: [4, 4] = ones() }
        fn forward(x: [4]) -> [4] { x.matmul(self.w).tanh().matmul(self.v) }
        fn loss(y, t: [4]) { mse(y, t) + self.w.powi(2).sum() }
    };
    assert_eq!(gradients(decayed), (vec![], vec![1]), "the gradient of `w` is computed from `w`");
}
