//! The declarations of the documentation that use layers which are there.

use backprop::prelude::*;

use crate::has_parameters;

network! {
    /// Two inputs, two linear hidden units, one output.
    pub struct Tutorial;

    fn forward(x: [2]) -> [1] {
        x.dense(2).dense(1)
    }

    fn loss(y: [1], t: [1]) {
        0.5 * (y - t).powi(2)
    }
}

network! {
    pub struct ByHand {
        w1: [2, 2] = glorot_uniform(),          // explicit matrices are [in, out]
        b1: [2] = zeros(),
        w2: [2, 1] = [[0.3], [-0.1]],           // literal start values
        #[frozen] b2: [1] = zeros(),            // no gradient, nothing saved for it
        #[clamp(0.01, 100.0)] gain: [] = 1.0,   // kept within bounds after every update
    }

    fn forward(x: [2]) -> [1] {
        let h = x.matmul(self.w1) + self.b1;
        self.gain * h.matmul(self.w2) + self.b2
    }

    fn loss(y, t: [1]) { 0.5 * (y - t).powi(2) + 0.01 * self.w1.powi(2).sum() }
}

network! {
    pub struct LeakyIntegrator { leak: [16] = constant(0.1), w: [4, 16] = glorot_uniform() }

    fn cell(state: [16], u: [4]) -> [16] {
        let a = sigmoid(self.leak);
        (1.0 - a) * state + a * tanh(u.matmul(self.w))
    }

    fn forward(u: [100, 4]) -> [1] {
        u.scan(cell, initial = zeros([16])).last().dense(1)
    }

    fn loss(y, t: [1]) { mse(y, t) }
}

network! {
    /// An LSTM written out; its emitted code is as fast as the built-in layer's.
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
}

network! {
    /// A character-level language model, without attention.
    pub struct CharLm {
        embedding: [65, 16] = normal(0.02),     // shared by the first and the last layer
    }

    const WIDTH: usize = 16;

    fn block(x) {
        x + x.layer_norm().dense(4 * WIDTH).gelu().dense(WIDTH)
    }

    fn forward(text: [Class<65>; 8]) -> [8, 65] {
        let mut x = text.lookup(self.embedding);
        for _ in 0..2 { x = x.block(); }
        x.layer_norm().matmul(self.embedding.transpose())
    }

    fn loss(logits, next: [Class<65>; 8], length: Length<8>) {
        cross_entropy(logits, next, length = length)
    }
}

network! {
    pub struct Swish;

    fn swish(v) { v * sigmoid(v) }

    fn forward(x: [3]) -> [3] { x.dense(5).swish().dense(3).swish() }
}

#[test]
fn explicit_parameters_are_fields() {
    let network = ByHand::<f32>::boxed(Seed(1));
    assert_eq!(network.w2, [[0.3], [-0.1]]);
    assert_eq!((network.b1, network.b2, network.gain), ([0.0; 2], [0.0], 1.0));
    has_parameters::<ByHand>(4 + 2 + 2 + 1 + 1);
}

#[test]
fn what_is_frozen_stays_and_what_is_clamped_keeps_its_bounds() {
    let mut trainer = Trainer::<ByHand, _, 1>::new(Sgd::new(1000.0), Seed(1));
    trainer.step(&[[1.0, -2.0]], &[[3.0]]).unwrap();
    let network = trainer.network();
    assert_eq!(network.b2, [0.0]);
    assert!((0.01..=100.0).contains(&network.gain));
    assert_ne!(network.b1, [0.0; 2]);
}

#[test]
fn layers_are_named_by_their_place() {
    let network = CharLm::<f32>::boxed(Seed(1));
    let block = &network.block_2;
    assert_eq!(block.layer_norm_1.weight, [1.0; 16]);
    assert_eq!((block.dense_1.bias, block.dense_2.bias), ([0.0; 64], [0.0; 16]));
    assert_eq!(network.layer_norm_1.bias, [0.0; 16]);
    has_parameters::<Tutorial>(6 + 3);
    has_parameters::<LeakyIntegrator<f64>>(16 + 4 * 16 + 17);
    has_parameters::<MyLstm>(20 * 256 + 64 * 256 + 256 + 64 * 10 + 10);
    has_parameters::<Swish>(4 * 5 + 6 * 3);
}

#[test]
fn sequences_may_be_shorter() {
    let mut trainer = Trainer::<MyLstm, _, 2>::new(Adam::new(1e-3), Seed(1));
    let mut frames = [[[0.5; 20]; 50]; 2];
    let lengths = [Length::new(3).unwrap(), Length::new(50).unwrap()];
    let before = trainer.predict((&frames[0], &lengths[0]));
    frames[0][3] = [9.0; 20];
    assert_eq!(trainer.predict((&frames[0], &lengths[0])), before);
    trainer.step((&frames, &lengths), &[Class::new(0).unwrap(), Class::new(9).unwrap()]).unwrap();
}
