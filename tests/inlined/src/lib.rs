//! Steps of networks that are tiny, and of some that only just are not.

use backprop::prelude::*;
use backprop::{Error, Program};

network! {
    pub struct Tutorial;
    fn forward(x: [2]) -> [1] { x.dense(2).relu().dense(1) }
    fn loss(y: [1], t: [1]) { 0.5 * (y - t).powi(2) }
}

network! {
    /// What needs exponential functions and logarithms.
    pub struct Smooth;
    fn forward(x: [2]) -> [3] { x.dense(3).tanh().layer_norm().sigmoid().dense(3) }
    fn loss(logits, class: Class<3>) { cross_entropy(logits, class) }
}

network! {
    /// Of 212 parameters, and about as many multiply-adds as a tiny network may have.
    pub struct Longer;
    fn forward(x: [8]) -> [4] { x.dense(16).relu().dense(4) }
    fn loss(y, t: [4]) { mse(y, t) }
}

network! {
    /// Of more multiply-adds than that.
    pub struct Large;
    fn forward(x: [8]) -> [4] { x.dense(32).relu().dense(4) }
    fn loss(y, t: [4]) { mse(y, t) }
}

macro_rules! steps {
    ($($name:ident: $network:ty, $optimizer:ty, $capacity:literal;)*) => {$(
        #[unsafe(no_mangle)]
        pub fn $name(
            trainer: &mut Trainer<$network, $optimizer, $capacity>,
            inputs: <$network as Program>::Inputs<'_>,
            targets: <$network as Program>::Targets<'_>,
        ) -> Result<<$network as Program>::Scalar, Error> {
            trainer.step(inputs, targets)
        }
    )*};
}

steps! {
    tiny_sgd: Tutorial<f32>, Sgd, 1;
    tiny_momentum: Tutorial<f64>, Momentum, 1;
    tiny_adam: Tutorial<f32>, Adam, 1;
    tiny_batch: Tutorial<f32>, AdamW, 4;
    tiny_smooth: Smooth<f32>, Adam, 1;
    tiny_longer: Longer<f32>, Adam, 1;
    large_batch: Tutorial<f32>, Adam, 5;
    large_network: Large<f32>, Adam, 1;
}
