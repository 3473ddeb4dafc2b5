//! dfdx, whose shapes are known at compile time, too.

use std::error::Error;
use std::hint::black_box;

use benches::timing::{Call, Measurement, measure as time};
use dfdx::optim::{Adam, AdamConfig, Sgd, SgdConfig};
use dfdx::prelude::*;

use crate::{BATCHES, Workload, numbers};

pub const VERSION: &str = "0.13.0";

type Smooth = (Linear<4, 32>, Tanh, Linear<32, 16>, Tanh, Linear<16, 4>);
type Controller = (Linear<6, 64>, ReLU, Linear<64, 8>, ReLU, Linear<8, 4>);
type Precise = (Linear<24, 8>, Tanh, Linear<8, 2>);
type Wide = (Linear<784, 2048>, ReLU, Linear<2048, 2048>, ReLU, Linear<2048, 10>);

/// Times the steps of a network, with so many batches in turn.
macro_rules! train {
    ($network:ty, $scalar:ty, $batch:literal x $batches:expr, $inputs:expr, $targets:expr, $loss:ident, $optimizer:ident($settings:expr)) => {{
        let device = Cpu::default();
        let mut network = device.build_module::<$network, $scalar>();
        let mut optimizer = $optimizer::new(&network, $settings);
        let mut tape = Some(network.alloc_grads());
        let inputs = (0..$batches).map(|_| $inputs(&device)).collect::<Result<Vec<_>, _>>()?;
        let targets = $targets(&device)?;
        time(Call { steps: 1, batch: $batch }, |index| {
            let gradients = tape.take().expect("the last step left it");
            let outputs = network.forward_mut(inputs[index % $batches].trace(gradients));
            let mut gradients = $loss(outputs, targets.clone()).backward();
            optimizer.update(&mut network, &gradients)?;
            network.zero_grads(&mut gradients);
            tape = Some(gradients);
            Ok(())
        })
    }};
}

/// Measures a workload.
pub fn measure(workload: &Workload) -> Result<Measurement, Box<dyn Error>> {
    let descent = SgdConfig { lr: 0.01, momentum: None, weight_decay: None };
    match workload.name {
        "W.tanh" => {
            let adam = AdamConfig { lr: 1e-3, ..AdamConfig::default() };
            train!(Smooth, f32, 10_000 x 1, matrix::<10_000, 4>, matrix::<10_000, 4>, mse_loss, Adam(adam))
        }
        "W.f64" => {
            train!(Precise, f64, 200 x 1, precise::<200, 24>, precise::<200, 2>, mse_loss, Sgd(descent))
        }
        "W.large" => {
            train!(Wide, f32, 256 x BATCHES, matrix::<256, 784>, one_hot, cross_entropy_with_logits_loss, Sgd(descent))
        }
        "W.forward" => {
            let device = Cpu::default();
            let network = device.build_module::<Controller, f32>();
            let states = (0..BATCHES).map(|_| matrix::<1, 6>(&device)).collect::<Result<Vec<_>, _>>()?;
            time(Call { steps: 1, batch: 1 }, |index| {
                black_box(network.forward(states[index % BATCHES].clone()));
                Ok(())
            })
        }
        name => Err(format!("no {name}").into()),
    }
}

type Matrix<const ROWS: usize, const COLUMNS: usize, T> = Tensor<Rank2<ROWS, COLUMNS>, T, Cpu>;

fn matrix<const ROWS: usize, const COLUMNS: usize>(device: &Cpu) -> Result<Matrix<ROWS, COLUMNS, f32>, Box<dyn Error>> {
    let numbers: Vec<f32> = numbers(ROWS * COLUMNS).into_iter().map(|number| number as f32).collect();
    Ok(device.tensor(numbers))
}

fn precise<const ROWS: usize, const COLUMNS: usize>(
    device: &Cpu,
) -> Result<Matrix<ROWS, COLUMNS, f64>, Box<dyn Error>> {
    Ok(device.tensor(numbers(ROWS * COLUMNS)))
}

fn one_hot(device: &Cpu) -> Result<Matrix<256, 10, f32>, Box<dyn Error>> {
    let numbers: Vec<f32> = (0..2560).map(|place| f32::from(place / 10 * 7 % 10 == place % 10)).collect();
    Ok(device.tensor(numbers))
}
