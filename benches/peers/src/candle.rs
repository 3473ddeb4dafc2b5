//! Candle.

use std::hint::black_box;

use benches::timing::{Call, Measurement, measure as time};
use candle_core::{DType, Device, Error, Result, Tensor};
use candle_nn::{AdamW, Linear, Module, Optimizer, ParamsAdamW, SGD, VarBuilder, VarMap, linear, loss};

use crate::{BATCHES, Workload, numbers};

pub const VERSION: &str = "0.11.1";

struct Network {
    layers: Vec<Linear>,
    activation: fn(&Tensor) -> Result<Tensor>,
}

impl Network {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (last, hidden) = self.layers.split_last().expect("a network has layers");
        let mut x = x.clone();
        for layer in hidden {
            x = (self.activation)(&layer.forward(&x)?)?;
        }
        last.forward(&x)
    }
}

/// Measures a workload.
pub fn measure(workload: &Workload) -> Result<Measurement> {
    let Workload { name, sizes, batch } = *workload;
    let device = Device::Cpu;
    let scalar = if name == "W.f64" { DType::F64 } else { DType::F32 };
    let variables = VarMap::new();
    let builder = VarBuilder::from_varmap(&variables, scalar, &device);
    let pairs = sizes.windows(2).enumerate();
    let layers = pairs.map(|(index, pair)| linear(pair[0], pair[1], builder.pp(index))).collect::<Result<_>>()?;
    let activation = if matches!(name, "W.tanh" | "W.f64") { Tensor::tanh } else { Tensor::relu };
    let network = Network { layers, activation };
    let (width, classes) = (sizes[0], sizes[sizes.len() - 1]);
    let matrix = |columns| Tensor::from_vec(numbers(batch * columns), (batch, columns), &device)?.to_dtype(scalar);
    let call = Call { steps: 1, batch };
    match name {
        "W.forward" => {
            let states = [matrix(width)?, matrix(width)?, matrix(width)?, matrix(width)?];
            time(call, |index| {
                black_box(network.forward(&states[index % BATCHES])?);
                Ok(())
            })
        }
        "W.tanh" => {
            let settings = ParamsAdamW { lr: 1e-3, weight_decay: 0.0, ..ParamsAdamW::default() };
            let mut optimizer = AdamW::new(variables.all_vars(), settings)?;
            let (inputs, targets) = (matrix(width)?, matrix(classes)?);
            time(call, |_| optimizer.backward_step(&loss::mse(&network.forward(&inputs)?, &targets)?))
        }
        "W.f64" => {
            let mut optimizer = SGD::new(variables.all_vars(), 0.01)?;
            let (inputs, targets) = (matrix(width)?, matrix(classes)?);
            time(call, |_| optimizer.backward_step(&loss::mse(&network.forward(&inputs)?, &targets)?))
        }
        "W.large" => {
            let mut optimizer = SGD::new(variables.all_vars(), 0.01)?;
            let labels: Vec<u32> = (0..batch as u32).map(|sample| sample * 7 % classes as u32).collect();
            let labels = Tensor::from_vec(labels, batch, &device)?;
            let batches = [matrix(width)?, matrix(width)?, matrix(width)?, matrix(width)?];
            time(call, |index| {
                let outputs = network.forward(&batches[index % BATCHES])?;
                optimizer.backward_step(&loss::cross_entropy(&outputs, &labels)?)
            })
        }
        _ => Err(Error::Msg(format!("no {name}"))),
    }
}
