//! The networks of the workloads, declared as any user would.

use backprop::network;

network! {
    /// W1: two inputs, two hidden units, one output.
    pub struct Tutorial;

    fn forward(x: [2]) -> [1] { x.dense(2).relu().dense(1) }

    fn loss(y, t: [1]) { mse(y, t) }
}

network! {
    /// W2: one hidden layer over 28×28 pixels.
    pub struct Shallow;

    fn forward(pixels: [784]) -> [10] { pixels.dense(128).relu().dense(10) }

    fn loss(logits, digit: Class<10>) { cross_entropy(logits, digit) }
}

network! {
    /// W3: two hidden layers over 28×28 pixels.
    pub struct Deep;

    fn forward(pixels: [784]) -> [10] { pixels.dense(512).relu().dense(512).relu().dense(10) }

    fn loss(logits, digit: Class<10>) { cross_entropy(logits, digit) }
}

network! {
    /// W.large: weights that outgrow the second-level cache.
    pub struct Wide;

    fn forward(pixels: [784]) -> [10] { pixels.dense(2048).relu().dense(2048).relu().dense(10) }

    fn loss(logits, digit: Class<10>) { cross_entropy(logits, digit) }
}

network! {
    /// W.tanh: a regression with smooth activations.
    pub struct Smooth;

    fn forward(x: [4]) -> [4] { x.dense(32).tanh().dense(16).tanh().dense(4) }

    fn loss(y, t: [4]) { mse(y, t) }
}

network! {
    /// W.forward: a controller, used sample by sample.
    pub struct Controller;

    fn forward(state: [6]) -> [4] { state.dense(64).relu().dense(8).relu().dense(4) }
}

network! {
    /// W.f64: a small network in double precision.
    pub struct Precise;

    fn forward(x: [24]) -> [2] { x.dense(8).tanh().dense(2) }

    fn loss(y, t: [2]) { mse(y, t) }
}
