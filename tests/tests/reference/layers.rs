//! Every layer, and networks written out that PyTorch has as modules: recurrent ones, attention.

use backprop::data::{Samples, Values};
use backprop::memory::flatten;
use backprop::prelude::*;
use backprop::{Instructions, Program};

use super::documented;
use super::table::Case;

/// PyTorch's layers, written by `tests/data/layers.py`.
const REFERENCE: &str = include_str!("../../data/layers.csv");

network! {
    /// Layer `n` sees `x[n]` and yields output `n`; `glu` has an output of its own.
    struct Layers;

    fn forward(x: [11, 2, 6], y: [2, 6]) -> ([11, 2, 6], [2, 3]) {
        let outputs = concat((
            x[0].dense(6, name = dense),
            x[1].dense(6, bias = false, name = dense_without_bias),
            x[2].layer_norm(name = layer_norm),
            x[3].layer_norm(epsilon = 0.2, weight = false, bias = false),
            x[4].rms_norm(name = rms_norm),
            x[5].rms_norm(epsilon = 0.2, weight = false),
            x[6].prelu(name = prelu),
            x[7].softmax(),
            x[8].softmax(axis = 0),
            x[9].log_softmax(),
            x[10].log_softmax(axis = 0),
        ));
        (outputs.reshape([11, 2, 6]), y.glu())
    }
}

/// The cases of the layers, in that order.
const LAYERS: [&str; 12] = [
    "dense",
    "dense_without_bias",
    "layer_norm",
    "layer_norm_with_epsilon",
    "rms_norm",
    "rms_norm_with_epsilon",
    "prelu",
    "softmax",
    "softmax_of_columns",
    "log_softmax",
    "log_softmax_of_columns",
    "glu",
];

network! {
    struct Lstm { w: [3, 16] = zeros(), u: [4, 16] = zeros(), b: [16] = zeros(), head: dense(2) }

    fn cell((h, c): ([4], [4]), x: [3]) -> ([4], [4]) {
        let z = x.matmul(self.w) + h.matmul(self.u) + self.b;
        let (i, f, g, o) = (z[0..4].sigmoid(), z[4..8].sigmoid(), z[8..12].tanh(), z[12..16].sigmoid());
        let c = f * c + i * g;
        (o * c.tanh(), c)
    }

    fn forward(frames: [5, 3], length: Length<5>) -> [2] {
        let (h, _) = frames.scan(cell, initial = (zeros([4]), zeros([4])), length = length);
        self.head(h.last(length = length))
    }

    fn loss(logits, class: Class<2>) { cross_entropy(logits, class) }
}

network! {
    struct Gru {
        forwards_w: [3, 12] = zeros(), forwards_u: [4, 12] = zeros(),
        forwards_b: [12] = zeros(), forwards_c: [12] = zeros(),
        backwards_w: [3, 12] = zeros(), backwards_u: [4, 12] = zeros(),
        backwards_b: [12] = zeros(), backwards_c: [12] = zeros(),
        head: dense(2),
    }

    fn gates(h, a, b) {
        let (r, z) = (sigmoid(a[0..4] + b[0..4]), sigmoid(a[4..8] + b[4..8]));
        let n = tanh(a[8..12] + r * b[8..12]);
        (1.0 - z) * n + z * h
    }

    fn forwards(h: [4], x: [3]) -> [4] {
        gates(h, x.matmul(self.forwards_w) + self.forwards_b, h.matmul(self.forwards_u) + self.forwards_c)
    }

    fn backwards(h: [4], x: [3]) -> [4] {
        gates(h, x.matmul(self.backwards_w) + self.backwards_b, h.matmul(self.backwards_u) + self.backwards_c)
    }

    fn forward(frames: [5, 3], length: Length<5>) -> [5, 2] {
        let there = frames.scan(forwards, initial = zeros([4]), length = length);
        let back = frames.scan(backwards, initial = zeros([4]), length = length, reverse = true);
        self.head(concat((there, back), axis = 1))
    }

    fn loss(logits, classes: [Class<2>; 5], length: Length<5>) { cross_entropy(logits, classes, length = length) }
}

network! {
    struct Attention {
        table: [7, 4] = zeros(),
        query: [4, 4] = zeros(), key: [4, 4] = zeros(), value: [4, 4] = zeros(), out: [4, 4] = zeros(),
        scale: [4] = zeros(), shift: [4] = zeros(),
        up: [4, 8] = zeros(), down: [8, 4] = zeros(),
        #[frozen] mask: [5, 5] = [
            [0, -1e9, -1e9, -1e9, -1e9], [0, 0, -1e9, -1e9, -1e9], [0, 0, 0, -1e9, -1e9], [0, 0, 0, 0, -1e9], [0, 0, 0, 0, 0],
        ],
    }

    fn attention(x) {
        let (query, key, value) = (x.matmul(self.query), x.matmul(self.key), x.matmul(self.value));
        let scores = query.matmul(key.transpose()) / 2.0 + self.mask;
        scores.softmax().matmul(value).matmul(self.out)
    }

    fn forward(text: [Class<7>; 5]) -> [5, 7] {
        let x = text.lookup(self.table) + text.embedding(4, name = own);
        let x = x + attention(self.scale * x.layer_norm(weight = false, bias = false) + self.shift);
        let x = x + x.rms_norm(weight = false).matmul(self.up).gelu().matmul(self.down);
        x.matmul(self.table.transpose())
    }

    fn loss(logits, next: [Class<7>; 5]) { cross_entropy(logits, next) }
}

fn class<const N: usize>(index: f64) -> Class<N> {
    Class::new(index as usize).unwrap()
}

fn lengths(case: &Case) -> Vec<Length<5>> {
    case.numbers("length").into_iter().map(|length| Length::new(length as usize).unwrap()).collect()
}

fn sequences<const N: usize>(case: &Case, tensor: &str) -> Vec<[Class<N>; 5]> {
    case.tensor::<[f64; 5]>(tensor).into_iter().map(|sequence| sequence.map(class)).collect()
}

#[test]
fn layers() {
    let cases = LAYERS.map(|name| Case::find(REFERENCE, name));
    let (glu, stacked) = cases.split_last().unwrap();
    let stack = |tensor: &str| -> Vec<[[[f64; 6]; 2]; 11]> {
        let of_layers: Vec<Vec<[[f64; 6]; 2]>> = stacked.iter().map(|case| case.tensor(tensor)).collect();
        (0..3).map(|sample| std::array::from_fn(|layer| of_layers[layer][sample])).collect()
    };
    let inputs = (stack("input"), glu.tensor::<[[f64; 6]; 2]>("input"));
    let output_gradients = (stack("output.gradient"), glu.tensor::<[[f64; 3]; 2]>("output.gradient"));
    let inputs: (&[_], &[_]) = (&inputs.0, &inputs.1);

    let mut network = Layers::<f64>::boxed(Seed(0));
    for (name, case) in LAYERS.iter().zip(&cases) {
        case.fill_parameters(&mut *network, &format!("{name}."));
    }
    let mut gradient = network.zeros_like();
    let mut workspace = Workspace::<Layers<f64>, 3>::boxed();
    for unit in Instructions::available() {
        workspace.with_instructions(unit);
        let (outputs, of_glu) = network.forward(inputs, &mut workspace).unwrap();
        glu.assert_agrees(unit, "output", flatten(of_glu));
        for (layer, case) in stacked.iter().enumerate() {
            let of_layer: Vec<_> = outputs.iter().map(|sample| sample[layer]).collect();
            case.assert_agrees(unit, "output", flatten(&of_layer));
        }
        let output_gradients: (&[_], &[_]) = (&output_gradients.0, &output_gradients.1);
        let (gradients, of_glu) = network.backward(inputs, output_gradients, &mut workspace, &mut gradient).unwrap();
        glu.assert_agrees(unit, "input.gradient", flatten(of_glu));
        for ((layer, name), case) in LAYERS.iter().enumerate().zip(stacked) {
            let of_layer: Vec<_> = gradients.iter().map(|sample| sample[layer]).collect();
            case.assert_agrees(unit, "input.gradient", flatten(&of_layer));
            case.assert_gradient_agrees(unit, &*gradient, &format!("{name}."));
        }
    }
}

/// A network whose parameters are named as in the file.
fn assert_agreement<N: Program<Scalar = f64>>(case: &Case, inputs: N::Inputs<'_>, targets: N::Targets<'_>) {
    let mut network = N::boxed(Seed(0));
    case.fill_parameters(&mut *network, "");
    let mut gradient = network.zeros_like();
    let mut workspace = Workspace::<N, 3>::boxed();
    for unit in Instructions::available() {
        workspace.with_instructions(unit);
        let loss = network.loss_and_gradient(inputs, targets, &mut workspace, &mut gradient).unwrap();
        case.assert_agrees(unit, "loss", &[loss]);
        case.assert_gradient_agrees(unit, &*gradient, "");
        let outputs = network.predict_batch(inputs, &mut workspace).unwrap();
        outputs.columns(&mut |column| match column.values {
            Values::F64(numbers) if case.has("output") => case.assert_agrees(unit, "output", numbers),
            _ => {}
        });
    }
}

#[test]
fn an_lstm() {
    let case = Case::find(REFERENCE, "lstm");
    let (frames, lengths) = (case.tensor::<[[f64; 3]; 5]>("input"), lengths(&case));
    let classes: Vec<_> = case.numbers("target").into_iter().map(class).collect();
    assert_agreement::<Lstm<f64>>(&case, (&frames, &lengths), &classes);
}

#[test]
fn a_gru_in_both_directions() {
    let case = Case::find(REFERENCE, "gru in both directions");
    let (frames, lengths) = (case.tensor::<[[f64; 3]; 5]>("input"), lengths(&case));
    assert_agreement::<Gru<f64>>(&case, (&frames, &lengths), (&sequences(&case, "target"), &lengths));
}

#[test]
fn attention() {
    let case = Case::find(REFERENCE, "attention");
    assert_agreement::<Attention<f64>>(&case, &sequences(&case, "input"), &sequences(&case, "target"));
}

/// `dropout` draws at random, `embedding` is a part of the case `attention`.
#[test]
fn every_layer_is_held_against_the_reference() {
    for name in documented("Layers") {
        assert!(LAYERS.contains(&name) || ["dropout", "embedding"].contains(&name), "`{name}` is missing");
    }
}
