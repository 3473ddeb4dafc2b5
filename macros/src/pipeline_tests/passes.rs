//! Every pass leaves legal graphs that compute the same, and the plan computes what the graph says.

use quote::quote;

use super::execute::execute;
use crate::canonical::{Sizes, declarations, network};
use crate::entries::{EntryPoint, PASSES, entry_points};
use crate::graph::interpret::{Example, Samples};
use crate::graph::{Graph, ValueId};
use crate::lower::{Entry, Mode, lower};
use crate::network::Network;

pub(super) fn assert_legal(graph: &Graph, what: &str) {
    graph.verify().unwrap_or_else(|fault| panic!("{what}: {fault}"));
}

/// Equal but for rounding. What turned out to be the same for all samples may be there once.
pub(super) fn assert_close(found: &[Samples], expected: &[Samples], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        let scale = expected.iter().flatten().fold(1.0_f64, |largest, value| largest.max(value.abs()));
        for sample in 0..found.len().max(expected.len()) {
            let [found, expected] = [found, expected].map(|samples| &samples[sample % samples.len()]);
            assert_eq!(found.len(), expected.len(), "{what}");
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() <= 1e-9 * scale, "{what}: {found} instead of {expected}");
            }
        }
    }
}

/// Runs the passes of an entry point again, and looks at every graph on the way. Returns what the roots are.
pub(super) fn assert_passes(entry: &EntryPoint, what: &str) -> (Example, Vec<Samples>) {
    for (graph, form) in [(&entry.lowered, "lowered"), (&entry.simplified, "simplified")] {
        assert_legal(graph, &format!("{what}, {form}"));
    }
    assert_legal(&entry.differentiated, &format!("{what}, differentiated"));
    let example = Example::new(&entry.differentiated, 3);
    let expected = example.evaluate(&entry.differentiated, &entry.roots);
    let (mut graph, mut roots): (Graph, Vec<ValueId>) = (entry.differentiated.clone(), entry.roots.clone());
    for (name, pass) in PASSES {
        (graph, roots) = pass(&graph, &roots);
        let what = format!("{what}, after `{name}`, in\n{graph}");
        assert_legal(&graph, &what);
        assert_close(&example.evaluate(&graph, &roots), &expected, &what);
    }
    assert_eq!(graph, entry.graph, "{what}");
    assert_plan(entry, &example, &expected, what);
    (example, expected)
}

/// The plan computes the roots' values.
fn assert_plan(entry: &EntryPoint, example: &Example, expected: &[Samples], what: &str) {
    let outcome = example.with_random(|random| execute(&entry.schedule, example, random));
    let (results, gradients) = expected.split_at(expected.len() - entry.gradients.len());
    let what = format!("{what}, planned, in\n{}\n{}", entry.graph, entry.schedule);
    assert_close(&outcome.results, results, &what);
    assert_eq!(outcome.gradients.len(), gradients.len(), "{what}");
    for (parameter, expected) in entry.gradients.iter().zip(gradients) {
        assert_close(&[vec![outcome.gradients[parameter].clone()]], std::slice::from_ref(expected), &what);
    }
}

/// The loss terms' totals as lowered.
fn totals(network: &Network, mode: Mode, example: &Example) -> Vec<Samples> {
    let lowered = lower(network, Entry::Loss, mode);
    let values: Vec<ValueId> = lowered.loss.iter().map(|term| term.value).collect();
    let sum = |samples: Samples| {
        let count = if samples.len() == 1 { example.batch as f64 } else { 1.0 };
        vec![vec![count * samples.concat().iter().sum::<f64>()]]
    };
    example.evaluate(&lowered.graph, &values).into_iter().map(sum).collect()
}

#[test]
fn passes_and_plans_compute_the_same() {
    for (name, tokens) in declarations(Sizes::Small) {
        let network = network(tokens);
        let entries = entry_points(&network);
        for entry in entries.all() {
            let what = format!("{name}.{}", entry.name);
            let (example, roots) = assert_passes(entry, &what);
            let mode = if entry.name == "loss" { Mode::Inference } else { Mode::Training };
            if ["loss", "loss_and_gradient"].contains(&entry.name.as_str()) {
                let totals = totals(&network, mode, &example);
                assert_close(&roots[..totals.len()], &totals, &what);
            }
        }
    }
}

/// What a kernel is lent overlaps nothing that it reads.
#[test]
fn plans_with_lent_memory_compute_the_same() {
    let tokens = quote! {
        struct Wide;
        fn forward(x: [400]) -> [2622] { x.dense(400).tanh().dense(2622) }
        fn loss(y, t: [2622]) { mse(y, t) }
    };
    let training = entry_points(&network(tokens)).loss.expect("a loss").training;
    assert!(training.schedule.to_string().contains("by way of"), "{}", training.schedule);
    let example = Example::new(&training.differentiated, 2);
    let expected = example.evaluate(&training.differentiated, &training.roots);
    assert_plan(&training, &example, &expected, "lent memory");
}

/// As declared, everything is legal, too (and too large to be evaluated here).
#[test]
fn declared_sizes_are_legal() {
    for (name, tokens) in declarations(Sizes::Declared) {
        for entry in entry_points(&network(tokens)).all() {
            let (mut graph, mut roots) = (entry.differentiated.clone(), entry.roots.clone());
            assert_legal(&graph, name);
            for (pass, run) in PASSES {
                (graph, roots) = run(&graph, &roots);
                assert_legal(&graph, &format!("{name}.{} after `{pass}`", entry.name));
            }
        }
    }
}

/// The gradients of an entry point's graph against differences of the loss as lowered, for every parameter.
pub(super) fn assert_gradients(network: &Network, entry: &EntryPoint, places: usize, what: &str) {
    let mut example = Example::new(&entry.differentiated, 2);
    let terms = entry.roots.len() - entry.gradients.len();
    // The scales of the terms are the last arguments.
    let scales: Vec<f64> = example.inputs[example.inputs.len() - terms..].iter().map(|scale| scale[0][0]).collect();
    let (graph, roots) = PASSES
        .iter()
        .fold((entry.differentiated.clone(), entry.roots.clone()), |(graph, roots), (_, pass)| pass(&graph, &roots));
    let gradients = example.evaluate(&graph, &roots[terms..]);
    let loss = |example: &Example| -> f64 {
        let totals = totals(network, Mode::Training, example);
        totals.iter().zip(&scales).map(|(total, scale)| total[0][0] * scale).sum()
    };
    for (&parameter, gradient) in entry.gradients.iter().zip(&gradients) {
        let gradient = &gradient[0];
        let largest = gradient.iter().fold(1e-2_f64, |largest, value| largest.max(value.abs()));
        let step = gradient.len().div_ceil(places);
        for (place, &gradient) in gradient.iter().enumerate().step_by(step) {
            let best = [1e-4, 1e-6].map(|width| {
                let sides = [width, -2.0 * width, width].map(|change| {
                    example.parameters[parameter][place] += change;
                    loss(&example)
                });
                ((sides[0] - sides[1]) / (2.0 * width) - gradient).abs()
            });
            let error = best.into_iter().fold(f64::INFINITY, f64::min);
            assert!(
                error < 1e-5 * largest,
                "{what}, {}: {gradient} is wrong by {error:.1e} at {place}, in\n{graph}",
                network.parameters[parameter].path.join("."),
            );
        }
    }
}

#[test]
fn gradients_agree_with_differences() {
    for (name, tokens) in declarations(Sizes::Small) {
        let network = network(tokens);
        let entries = entry_points(&network);
        if let Some(loss) = &entries.loss {
            let trained = network.parameters.iter().filter(|parameter| !parameter.frozen).count();
            assert_eq!(loss.training.gradients.len(), trained, "{name}");
            assert_gradients(&network, &loss.training, 5, name);
        }
    }
}
