//! Whole declarations: several inputs, outputs and losses, per-step scalars, further entry points, shared layers.

use crate::table::networks;

networks! {
    tutorial {
        fn forward(x: [2]) -> [1] { x.dense(2).dense(1) }
        fn loss(y: [1], t: [1]) { 0.5 * (y - t).powi(2) }
    }
    by_hand [
        w1: [2, 2] = glorot_uniform(),
        b1: [2] = zeros(),
        w2: [2, 1] = [[0.3], [-0.1]],
        #[frozen] b2: [1] = zeros(),
        #[clamp(0.01, 100.0)] gain: [] = 1.0,
    ] {
        fn forward(x: [2]) -> [1] {
            let h = x.matmul(self.w1) + self.b1;
            self.gain * h.matmul(self.w2) + self.b2
        }
        fn loss(y, t: [1]) { 0.5 * (y - t).powi(2) + 0.01 * self.w1.powi(2).sum() }
    }
    classifier {
        fn forward(pixels: [16]) -> [4] { pixels.dense(9).relu().dense(4) }
        fn loss(logits, digit: Class<4>) { cross_entropy(logits, digit) }
    }
    language_model [embedding: [7, 6] = normal(0.5)] {
        const WIDTH: usize = 6;
        fn block(x) {
            let x = x + x.layer_norm().dense(WIDTH);
            x + x.layer_norm().dense(2 * WIDTH).gelu().dense(WIDTH)
        }
        fn forward(text: [Class<7>; 5]) -> [5, 7] {
            let mut x = text.lookup(self.embedding);
            for _ in 0..2 { x = x.block(); }
            x.layer_norm().matmul(self.embedding.transpose())
        }
        fn loss(logits, next: [Class<7>; 5], next_length: Length<5>) {
            cross_entropy(logits, next, length = next_length)
        }
    }
    autoencoder_with_annealing {
        pub fn encode(x: [6]) -> ([2], [2]) { (x.dense(4).tanh().dense(2), x.dense(2)) }
        pub fn decode(z: [2]) -> [6] { z.dense(4).tanh().dense(6) }
        fn forward(x: [6], noise: [2]) -> ([6], [2], [2]) {
            let (mean, log_variance) = encode(x);
            (decode(mean + (0.5 * log_variance).exp() * noise), mean, log_variance)
        }
        fn loss(y, mean, log_variance, x: [6], annealing: Scalar) {
            let divergence = 0.5 * (mean.powi(2) + log_variance.exp() - log_variance - 1.0).sum();
            mse(y, x) + annealing * divergence
        }
    }
    per_step_input [w: [3] = normal(0.7)] {
        fn forward(x: [3], temperature: Scalar) -> [3] { (x * self.w / (temperature.exp() + 1.0)).softmax() }
        fn loss(y, t: [3]) { mse(y, t) }
    }
    shared_layers [encoder: dense(4, bias = false), norm: layer_norm(), scale: [] = 1.3] {
        fn twice(x) { self.encoder(self.encoder(x).tanh()) }
        fn forward(x: [4], y: [4]) -> [4] { self.norm(twice(x) + self.encoder(y)) * self.scale }
        fn loss(y, t: [4]) { mse(y, t) }
    }
    columns [shared: dense(1), w: [4, 1] = normal(0.7)] {
        fn forward(x: [4], rows: [3, 4]) -> [3, 1] { self.shared(rows) * self.shared(x).tanh() + rows.matmul(self.w) }
        fn loss(y, t: [3, 1]) { mse(y, t) }
    }
    two_heads {
        fn forward(x: [5]) -> ([3], [2]) {
            let h = x.dense(6).silu();
            (h.dense(3, name = classes), h.dense(2, name = position))
        }
        fn loss(classes, position, class: Class<3>, wanted: [2]) {
            cross_entropy(classes, class, label_smoothing = 0.1) + 0.5 * huber(position, wanted)
        }
    }
    without_a_loss {
        fn forward(state: [3], action: [2]) -> [1] { concat((state, action)).dense(4).tanh().dense(1) }
    }
    residual_fields [w1: [4, 4] = normal(0.5), w2: [4, 4] = normal(0.5), bias: [4] = normal(0.5)] {
        fn swish(v) { v * sigmoid(v) }
        fn forward(x: [4]) -> [4] {
            let h = (x.matmul(self.w1) + self.bias).swish();
            let h = h + (h.matmul(self.w2) + self.bias).swish();
            (h + x).swish()
        }
        fn loss(y, t: [4]) { mse(y, t) }
    }
    outputs_used_twice {
        fn forward(x: [3]) -> ([3], [3], [3]) {
            let h = x.dense(3).tanh();
            (h, h, x)
        }
        fn loss(a, b, c, t: [3]) { mse(a * b, t) + (c * a).sum() }
    }
    mixed_inputs {
        fn forward(x: [2, 3], word: Class<5>, n: Length<4>, s: Scalar, words: [Class<5>; 2]) -> [3] {
            let x = x.sum(axis = 0) * s;
            (x + word.embedding(3)).tanh() / n + words.embedding(3).mean(axis = 0)
        }
        fn loss(y, t: [3], s: Scalar, n: Length<3>, c: Class<3>) { mse(y, t) * s + cross_entropy(y, c) / n }
    }
}
