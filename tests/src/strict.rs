//! Networks of a library whose lints are errors.

use backprop::network;

network! {
    /// Digits, and everything that a declaration may have.
    pub struct Strict {
        /// How much of the code is seen.
        gain: [16] = ones(),
        /// Makes a code of an image.
        encoder: dense(16),
        /// Fixed.
        #[frozen]
        shift: [16] = [0.5; WIDTH],
    }

    const WIDTH: usize = 16;

    fn cell((state, count), u) {
        (0.9 * state + u.dense(WIDTH).tanh(), count + 1)
    }

    /// The code of an image.
    pub fn encode(image: [8, 8]) -> [16] {
        self.gain * self.encoder(image.flatten()).gelu() + self.shift
    }

    fn forward(images: [3, 8, 8], word: Class<5>, length: Length<3>, annealing: Scalar) -> ([10], [3, 16]) {
        let rows = images.reshape([3, 64]);
        let (states, _) = rows.scan(cell, initial = (zeros([WIDTH]), 0.0), length = length);
        let x = states.last(length = length) + encode(images[0]) + word.embedding(WIDTH, name = words);
        (x.layer_norm().dropout(0.1).dense(10), annealing * states)
    }

    fn loss(logits, states, digit: Class<10>, strength: Scalar) {
        cross_entropy(logits, digit, label_smoothing = 0.1) + strength * states.powi(2).mean()
    }
}

network! {
    /// Without a loss.
    pub struct Policy;

    fn forward(x: [4]) -> [2] {
        x.dense(8).tanh().dense(2).softmax()
    }
}

/// The sizes of both are known at compile time.
pub const PARAMETERS: usize = Strict::PARAMETERS + Policy::PARAMETERS;

const _: () = assert!(PARAMETERS < 4000 && Strict::MULTIPLY_ADDS < 100_000);
