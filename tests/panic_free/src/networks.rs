//! The declarations on which the compiler's own tests stand, which read them from this file (also with smaller constants),
//! and one with what those leave out.

use backprop::prelude::*;

network! {
    /// Two inputs, two linear hidden units, one output.
    pub struct Tutorial;
    fn forward(x: [2]) -> [1] { x.dense(2).dense(1) }
    fn loss(y: [1], t: [1]) { 0.5 * (y - t).powi(2) }
}

network! {
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

network! {
    pub struct Digits;
    const PIXELS: usize = 784;
    const WIDTH: usize = 128;
    fn forward(image: [PIXELS]) -> [10] { image.dense(WIDTH).relu().dense(10) }
    fn loss(logits, label: Class<10>) { cross_entropy(logits, label) }
}

network! {
    pub struct LeakyIntegrator { leak: [WIDTH] = constant(0.1), w: [INPUTS, WIDTH] = glorot_uniform() }
    const STEPS: usize = 100;
    const INPUTS: usize = 4;
    const WIDTH: usize = 16;
    fn cell(state: [WIDTH], u: [INPUTS]) -> [WIDTH] {
        let a = sigmoid(self.leak);
        (1.0 - a) * state + a * tanh(u.matmul(self.w))
    }
    fn forward(u: [STEPS, INPUTS]) -> [1] { u.scan(cell, initial = zeros([WIDTH])).last().dense(1) }
    fn loss(y, t: [1]) { mse(y, t) }
}

network! {
    pub struct MyLstm {
        w: [INPUTS, 4 * WIDTH] = glorot_uniform(),
        u: [WIDTH, 4 * WIDTH] = orthogonal(),
        b: [4 * WIDTH] = zeros(),
    }
    const STEPS: usize = 50;
    const INPUTS: usize = 20;
    const WIDTH: usize = 64;
    fn cell((h, c): ([WIDTH], [WIDTH]), x: [INPUTS]) -> ([WIDTH], [WIDTH]) {
        let z = x.matmul(self.w) + h.matmul(self.u) + self.b;
        let (i, f) = (z[0..WIDTH].sigmoid(), z[WIDTH..2 * WIDTH].sigmoid());
        let (g, o) = (z[2 * WIDTH..3 * WIDTH].tanh(), z[3 * WIDTH..4 * WIDTH].sigmoid());
        let c = f * c + i * g;
        (o * c.tanh(), c)
    }
    fn forward(frames: [STEPS, INPUTS], length: Length<STEPS>) -> [10] {
        let (h, _) = frames.scan(cell, initial = (zeros([WIDTH]), zeros([WIDTH])), length = length);
        h.last(length = length).dense(10)
    }
    fn loss(logits, digit: Class<10>) { cross_entropy(logits, digit) }
}

network! {
    pub struct LanguageModel { embedding: [LETTERS, WIDTH] = normal(0.02) }
    const LETTERS: usize = 65;
    const PLACES: usize = 64;
    const WIDTH: usize = 64;
    fn block(x) {
        let x = x + x.layer_norm().dense(WIDTH);
        x + x.layer_norm().dense(2 * WIDTH).gelu().dense(WIDTH)
    }
    fn forward(text: [Class<LETTERS>; PLACES]) -> [PLACES, LETTERS] {
        let mut x = text.lookup(self.embedding);
        for _ in 0..2 { x = x.block(); }
        x.layer_norm().matmul(self.embedding.transpose())
    }
    fn loss(logits, next: [Class<LETTERS>; PLACES], next_length: Length<PLACES>) {
        cross_entropy(logits, next, length = next_length)
    }
}

network! {
    pub struct Attention;
    const PLACES: usize = 32;
    const HEADS: usize = 4;
    const HEAD: usize = 16;
    const WIDTH: usize = HEADS * HEAD;
    fn split(x) { x.reshape([PLACES, HEADS, HEAD]).transpose([1, 0, 2]) }
    fn forward(x: [PLACES, WIDTH]) -> [PLACES, WIDTH] {
        let (q, k, v) = (x.dense(WIDTH).split(), x.dense(WIDTH).split(), x.dense(WIDTH).split());
        let scores = (0.25 * q.matmul(k.transpose())).softmax();
        x + scores.matmul(v).transpose([1, 0, 2]).reshape([PLACES, WIDTH]).dense(WIDTH)
    }
    fn loss(y, t: [PLACES, WIDTH]) { mse(y, t) }
}

network! {
    pub struct TwoHeads;
    const INPUTS: usize = 24;
    const WIDTH: usize = 32;
    fn forward(x: [INPUTS], weather: Class<4>) -> ([3], [2]) {
        let h = (x.dense(WIDTH) + weather.embedding(WIDTH)).silu();
        (h.dense(3, name = classes), h.dense(2, name = position))
    }
    fn loss(classes, position, class: Class<3>, wanted: [2]) {
        cross_entropy(classes, class, label_smoothing = 0.1) + 0.5 * huber(position, wanted)
    }
}

network! {
    pub struct Autoencoder;
    const INPUTS: usize = 64;
    const WIDTH: usize = 32;
    pub fn encode(x: [INPUTS]) -> ([2], [2]) {
        let h = x.dense(WIDTH).tanh();
        (h.dense(2), h.dense(2))
    }
    pub fn decode(z: [2]) -> [INPUTS] { z.dense(WIDTH).tanh().dense(INPUTS) }
    fn forward(x: [INPUTS], noise: [2]) -> ([INPUTS], [2], [2]) {
        let (mean, log_variance) = encode(x);
        (decode(mean + (0.5 * log_variance).exp() * noise), mean, log_variance)
    }
    fn loss(y, mean, log_variance, x: [INPUTS], annealing: Scalar) {
        let divergence = 0.5 * (mean.powi(2) + log_variance.exp() - log_variance - 1.0).sum();
        mse(y, x) + annealing * divergence
    }
}

network! {
    pub struct Regularized;
    const INPUTS: usize = 64;
    const WIDTH: usize = 32;
    fn forward(x: [INPUTS]) -> [3] {
        let h = x.dropout(0.2).dense(WIDTH).rms_norm().prelu();
        h.dropout(0.5).dense(WIDTH, frozen = true).gelu().dense(3)
    }
    fn loss(logits, class: Class<3>) { cross_entropy(logits, class, weights = [1.0, 2.0, 0.5]) }
}

network! {
    /// Without a loss.
    pub struct Policy;
    const INPUTS: usize = 8;
    const WIDTH: usize = 32;
    fn forward(state: [INPUTS]) -> ([4], []) {
        let h = state.dense(WIDTH).mish();
        (h.dense(4).softmax(), h.dense(1)[0])
    }
}

network! {
    /// Each activation, and the operations that no other declaration has.
    pub struct Others { slope: [8] = constant(0.2) }
    fn forward(x: [8], weight: [4, 8]) -> [8] {
        let smooth = x.elu() + x.selu() + x.celu() + x.gelu_tanh() + x.softplus() + x.softsign() + x.log_sigmoid();
        let broken = x.relu6() + x.leaky_relu(slope = self.slope) + x.hard_sigmoid() + x.hard_swish() + x.hard_tanh();
        let folded = concat((x[4..8], x[0..4]), axis = 0).reshape([2, 4]).transpose().reshape([8]).clamp(-1.0, 1.0);
        let product = x.matmul(weight.transpose());
        let gated = concat((product, product.sin() + product.cos()), axis = 0).reshape([1, 8]).glu().reshape([4]);
        smooth + broken + folded + weight.mean(axis = 0) + concat((gated, gated), axis = 0).log_softmax() + x.variance()
    }
    fn loss(y, probability: [8]) {
        mae(y, probability) + binary_cross_entropy(y, probability) + (y.exp() + 1.0).ln().max()
    }
}
