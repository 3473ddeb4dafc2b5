//! The declarations on which the compiler's own tests stand, and one with what those leave out.

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
    fn forward(image: [784]) -> [10] { image.dense(128).relu().dense(10) }
    fn loss(logits, label: Class<10>) { cross_entropy(logits, label) }
}

network! {
    pub struct LeakyIntegrator { leak: [16] = constant(0.1), w: [4, 16] = glorot_uniform() }
    fn cell(state: [16], u: [4]) -> [16] {
        let a = sigmoid(self.leak);
        (1.0 - a) * state + a * tanh(u.matmul(self.w))
    }
    fn forward(u: [100, 4]) -> [1] { u.scan(cell, initial = zeros([16])).last().dense(1) }
    fn loss(y, t: [1]) { mse(y, t) }
}

network! {
    pub struct MyLstm { w: [20, 256] = glorot_uniform(), u: [64, 256] = orthogonal(), b: [256] = zeros() }
    fn cell((h, c): ([64], [64]), x: [20]) -> ([64], [64]) {
        let z = x.matmul(self.w) + h.matmul(self.u) + self.b;
        let (i, f, g, o) =
            (z[0..64].sigmoid(), z[64..128].sigmoid(), z[128..192].tanh(), z[192..256].sigmoid());
        let c = f * c + i * g;
        (o * c.tanh(), c)
    }
    fn forward(frames: [50, 20], length: Length<50>) -> [10] {
        let (h, _) = frames.scan(cell, initial = (zeros([64]), zeros([64])), length = length);
        h.last(length = length).dense(10)
    }
    fn loss(logits, digit: Class<10>) { cross_entropy(logits, digit) }
}

network! {
    pub struct LanguageModel { embedding: [65, 64] = normal(0.02) }
    const WIDTH: usize = 64;
    fn block(x) {
        let x = x + x.layer_norm().dense(WIDTH);
        x + x.layer_norm().dense(2 * WIDTH).gelu().dense(WIDTH)
    }
    fn forward(text: [Class<65>; 64]) -> [64, 65] {
        let mut x = text.lookup(self.embedding);
        for _ in 0..2 { x = x.block(); }
        x.layer_norm().matmul(self.embedding.transpose())
    }
    fn loss(logits, next: [Class<65>; 64], next_length: Length<64>) {
        cross_entropy(logits, next, length = next_length)
    }
}

network! {
    pub struct Attention;
    fn split(x) { x.reshape([32, 4, 16]).transpose([1, 0, 2]) }
    fn forward(x: [32, 64]) -> [32, 64] {
        let (q, k, v) = (x.dense(64).split(), x.dense(64).split(), x.dense(64).split());
        let scores = (0.25 * q.matmul(k.transpose())).softmax();
        x + scores.matmul(v).transpose([1, 0, 2]).reshape([32, 64]).dense(64)
    }
    fn loss(y, t: [32, 64]) { mse(y, t) }
}

network! {
    pub struct TwoHeads;
    fn forward(x: [24], weather: Class<4>) -> ([3], [2]) {
        let h = (x.dense(32) + weather.embedding(32)).silu();
        (h.dense(3, name = classes), h.dense(2, name = position))
    }
    fn loss(classes, position, class: Class<3>, wanted: [2]) {
        cross_entropy(classes, class, label_smoothing = 0.1) + 0.5 * huber(position, wanted)
    }
}

network! {
    pub struct Autoencoder;
    pub fn encode(x: [64]) -> ([2], [2]) {
        let h = x.dense(32).tanh();
        (h.dense(2), h.dense(2))
    }
    pub fn decode(z: [2]) -> [64] { z.dense(32).tanh().dense(64) }
    fn forward(x: [64], noise: [2]) -> ([64], [2], [2]) {
        let (mean, log_variance) = encode(x);
        (decode(mean + (0.5 * log_variance).exp() * noise), mean, log_variance)
    }
    fn loss(y, mean, log_variance, x: [64], annealing: Scalar) {
        let divergence = 0.5 * (mean.powi(2) + log_variance.exp() - log_variance - 1.0).sum();
        mse(y, x) + annealing * divergence
    }
}

network! {
    pub struct Regularized;
    fn forward(x: [64]) -> [3] {
        x.dropout(0.2).dense(32).rms_norm().prelu().dropout(0.5).dense(32, frozen = true).gelu().dense(3)
    }
    fn loss(logits, class: Class<3>) { cross_entropy(logits, class, weights = [1.0, 2.0, 0.5]) }
}

network! {
    pub struct Policy;
    fn forward(state: [8]) -> ([4], []) {
        let h = state.dense(32).mish();
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
