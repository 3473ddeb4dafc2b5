//! One graph for each rule.

use crate::formula::Formula;
use crate::graph::{Element, Graph, Reduction, Scan, Type, ValueId};
use crate::simplify::fuse;

fn real(shape: &[usize], batched: bool) -> Type {
    Type { shape: shape.to_vec(), element: Element::Real, batched }
}

fn argument(index: usize) -> Formula {
    Formula::argument(index)
}

/// The graph that the last value is fused to, as text.
fn fused(make: impl FnOnce(&mut Graph) -> Vec<ValueId>) -> String {
    let mut graph = Graph::new();
    let roots = make(&mut graph);
    assert_eq!(graph.verify(), Ok(()));
    let (fused, _) = fuse(&graph, &roots);
    assert_eq!(fused.verify(), Ok(()));
    fused.to_string()
}

#[track_caller]
fn becomes(make: impl FnOnce(&mut Graph) -> ValueId, expected: &[&str]) {
    let text = fused(|graph| vec![make(graph)]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines, expected, "\n{text}");
}

#[test]
fn what_moves_nothing_is_nothing() {
    let parameter = ["%0 = parameter 0 : [2, 3]"];
    becomes(
        |graph| {
            let x = graph.parameter(0, vec![2, 3]);
            let flat = graph.reshape(x, vec![6]);
            graph.reshape(flat, vec![2, 3])
        },
        &parameter,
    );
    becomes(
        |graph| {
            let x = graph.parameter(0, vec![2, 3]);
            let transposed = graph.transpose(x, &[1, 0]);
            graph.transpose(transposed, &[1, 0])
        },
        &parameter,
    );
    becomes(
        |graph| {
            let x = graph.parameter(0, vec![2, 3]);
            let negative = graph.map(-argument(0), &[x]);
            graph.map(-argument(0), &[negative])
        },
        &parameter,
    );
    becomes(
        |graph| {
            let x = graph.parameter(0, vec![2, 1, 3]);
            graph.transpose(x, &[1, 0, 2])
        },
        &["%0 = parameter 0 : [2, 1, 3]", "%1 = reshape %0 : [1, 2, 3]"],
    );
}

#[test]
fn numbers_are_folded() {
    becomes(
        |graph| {
            let two = graph.constant(2.0, vec![3]);
            let sum = graph.reduce(Reduction::Sum, two, &[0]);
            let x = graph.parameter(0, vec![4]);
            let product = graph.map(argument(0) * argument(1), &[x, sum]);
            graph.map(argument(0) + argument(1), &[product, product])
        },
        &["%0 = parameter 0 : [4]", "%1 = map 12 * %0 : [4]"],
    );
}

#[test]
fn maps_are_merged_where_they_have_the_same_places() {
    becomes(
        |graph| {
            let (x, bias) = (graph.input(0, real(&[2, 3], true)), graph.parameter(0, vec![3]));
            let sum = graph.map(argument(0) + argument(1), &[x, bias]);
            graph.map(Formula::apply("relu", &[argument(0)]), &[sum])
        },
        &["%0 = input 0 : [2, 3] batched", "%1 = parameter 0 : [3]", "%2 = map max(0, %0 + %1) : [2, 3] batched"],
    );
    // The same for all samples, and computed once.
    becomes(
        |graph| {
            let (x, gate) = (graph.input(0, real(&[3], true)), graph.parameter(0, vec![3]));
            let open = graph.map(Formula::apply("sigmoid", &[argument(0)]), &[gate]);
            graph.map(argument(0) * argument(1), &[x, open])
        },
        &[
            "%0 = input 0 : [3] batched",
            "%1 = parameter 0 : [3]",
            "%2 = map sigmoid(%1) : [3]",
            "%3 = map %0 * %2 : [3] batched",
        ],
    );
}

#[test]
fn a_divisor_for_many_places_is_inverted_once() {
    becomes(
        |graph| {
            let x = graph.input(0, real(&[2, 3], true));
            let sum = graph.reduce(Reduction::Sum, x, &[1]);
            let sum = graph.unsqueeze(sum, &[1]);
            graph.map(argument(0) / argument(1), &[x, sum])
        },
        &[
            "%0 = input 0 : [2, 3] batched",
            "%1 = sum %0 axes [1] : [2] batched",
            "%2 = reshape %1 : [2, 1] batched",
            "%3 = map 1 / %2 : [2, 1] batched",
            "%4 = map %0 * %3 : [2, 3] batched",
        ],
    );
}

#[test]
fn sums_are_taken_together() {
    becomes(
        |graph| {
            let x = graph.input(0, real(&[2, 3, 4], true));
            let inner = graph.reduce(Reduction::Sum, x, &[1]);
            let half = graph.map(argument(0) * Formula::constant(0.5), &[inner]);
            graph.reduce_samples(Reduction::Sum, half, &[0, 1], true)
        },
        &["%0 = input 0 : [2, 3, 4] batched", "%1 = sum %0 axes [0, 1, 2] over samples : []", "%2 = map 0.5 * %1 : []"],
    );
    becomes(
        |graph| {
            let (x, y) = (graph.input(0, real(&[2, 3], true)), graph.input(1, real(&[2, 3], true)));
            let sums = [x, y].map(|value| graph.reduce(Reduction::Sum, value, &[0]));
            graph.map(argument(0) - argument(1), &sums)
        },
        &[
            "%0 = input 0 : [2, 3] batched",
            "%1 = input 1 : [2, 3] batched",
            "%2 = map %0 - %1 : [2, 3] batched",
            "%3 = sum %2 axes [0] : [3] batched",
        ],
    );
}

#[test]
fn what_does_not_vary_leaves_the_sum() {
    becomes(
        |graph| {
            let (x, scale) = (graph.input(0, real(&[2, 3], true)), graph.input(1, real(&[2, 1], true)));
            let product = graph.map(argument(0) * argument(1), &[x, scale]);
            graph.reduce(Reduction::Sum, product, &[1])
        },
        &[
            "%0 = input 0 : [2, 3] batched",
            "%1 = input 1 : [2, 1] batched",
            "%2 = sum %0 axes [1] : [2] batched",
            "%3 = reshape %1 : [2] batched",
            "%4 = map %2 * %3 : [2] batched",
        ],
    );
}

#[test]
fn a_class_is_one_of_its_classes() {
    becomes(
        |graph| {
            let class = graph.input(0, Type { shape: vec![], element: Element::Class(5), batched: true });
            let scale = graph.input(1, real(&[], true));
            let hot = graph.one_hot(class, 5);
            let smooth = argument(0) * (Formula::constant(0.5) * argument(1) + Formula::constant(0.25));
            let smooth = graph.map(smooth, &[scale, hot]);
            graph.reduce(Reduction::Sum, smooth, &[0])
        },
        &["%0 = input 1 : [] batched", "%1 = map 1.75 * %0 : [] batched"],
    );
}

#[test]
fn transposed_operands_are_flags() {
    becomes(
        |graph| {
            let (x, y) = (graph.input(0, real(&[2, 3], true)), graph.input(1, real(&[4, 3], true)));
            let turned = graph.transpose(y, &[1, 0]);
            let product = graph.matmul(x, turned);
            graph.transpose(product, &[1, 0])
        },
        &["%0 = input 0 : [2, 3] batched", "%1 = input 1 : [4, 3] batched", "%2 = contract %1 %0^T : [4, 2] batched"],
    );
}

#[test]
fn a_sum_of_products_is_one_product() {
    becomes(
        |graph| {
            let (x, y) = (graph.input(0, real(&[5, 2, 3], true)), graph.input(1, real(&[5, 2, 4], true)));
            let products = graph.contract(x, y, true, false, false);
            graph.reduce_samples(Reduction::Sum, products, &[0], true)
        },
        &[
            "%0 = input 0 : [5, 2, 3] batched",
            "%1 = input 1 : [5, 2, 4] batched",
            "%2 = reshape %0 : [10, 3] batched",
            "%3 = reshape %1 : [10, 4] batched",
            "%4 = contract %2^T %3 over samples : [3, 4]",
        ],
    );
}

/// With `y = e / s`, another product of `e` and `1 / s` is one of `y`.
#[test]
fn products_are_used_again() {
    let text = fused(|graph| {
        let [e, s, g] = [0, 1, 2].map(|index| graph.input(index, real(&[3], true)));
        let y = graph.map(argument(0) / argument(1), &[e, s]);
        let gradient = graph.map(argument(0) * argument(2) / argument(1), &[e, s, g]);
        vec![y, gradient]
    });
    assert!(text.contains("%3 = map %0 / %1 :"), "{text}");
    assert!(text.contains("%4 = map %2 * %3 :"), "{text}");
}

/// With `l = ln(s)`, the sum of `e = exp(x)`, the product of `e` and `1 / s` is found from `l`: unless `e` is kept anyway.
#[test]
fn logarithms_are_used_again() {
    let softmax = |kept: bool| {
        fused(|graph| {
            let (x, g) = (graph.input(0, real(&[2, 3], true)), graph.input(1, real(&[2, 1], true)));
            let e = graph.map(Formula::apply("exp", &[argument(0)]), &[x]);
            let s = graph.reduce(Reduction::Sum, e, &[1]);
            let s = graph.reshape(s, vec![2, 1]);
            let l = graph.map(Formula::apply("ln", &[argument(0)]), &[s]);
            let share = graph.map(argument(0) / argument(1), &[g, s]);
            let gradient = graph.map(argument(0) * argument(1) + Formula::constant(1.0), &[e, share]);
            if kept { vec![l, gradient, e] } else { vec![l, gradient] }
        })
    };
    let (found, kept) = (softmax(false), softmax(true));
    assert!(found.contains("map %1 * exp(%0 - %5) + 1 :") && !found.contains(" / "), "{found}");
    assert!(kept.contains("%2 * ") && kept.contains(" / "), "{kept}");
}

#[test]
fn loops_lose_what_nobody_needs() {
    let mut body = Graph::new();
    let [carry, dead, element, repeated, scale] =
        [0, 1, 2, 3, 4].map(|index| body.input(index, real(if index == 4 { &[] } else { &[2] }, index != 4)));
    let sum = body.map(argument(0) + argument(1) * argument(2) * argument(3), &[carry, element, repeated, scale]);
    let unused = body.map(argument(0) * argument(1), &[dead, carry]);
    let text = fused(|graph| {
        let start = graph.constant(0.0, vec![2]);
        let sequence = graph.input(0, real(&[5, 2], true));
        let same = graph.input(1, real(&[2], true));
        let same = graph.map_to(argument(0), &[same], vec![5, 2]);
        let two = graph.constant(2.0, vec![]);
        let scan = Scan { body, next: vec![sum, unused], sequences: 2, steps: 5, reverse: false };
        let scan = graph.scan(scan, vec![start, start, sequence, same, two]);
        vec![graph.last(scan, 0)]
    });
    let expected = "\
%0 = constant 0.0 : [2]
%1 = input 0 : [5, 2] batched
%2 = input 1 : [2] batched
%3 = scan 5 steps from (%0) over (%1) with (%2) : [] batched
    %0 = input 0 : [2] batched
    %1 = input 1 : [2] batched
    %2 = input 2 : [2] batched
    %3 = map %0 + 2 * %1 * %2 : [2] batched
    next (%3)
%4 = last carry 0 of %3 : [2] batched
";
    assert_eq!(text, expected);
}
