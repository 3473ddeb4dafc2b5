//! `peers LIBRARY WORKLOAD THREADS`: one of `backprop`'s workloads in another library (candle-cpu, dfdx-cpu), timed in the same
//! way, as one JSON line.

mod candle;
mod dfdx;

use std::error::Error;

use benches::timing::{Measurement, peak_memory};

/// What other libraries do: as the workload of that name does.
#[derive(Clone, Copy)]
pub struct Workload {
    name: &'static str,
    sizes: &'static [usize],
    batch: usize,
}

pub const WORKLOADS: [Workload; 4] = [
    Workload { name: "W.tanh", sizes: &[4, 32, 16, 4], batch: 10_000 },
    Workload { name: "W.forward", sizes: &[6, 64, 8, 4], batch: 1 },
    Workload { name: "W.f64", sizes: &[24, 8, 2], batch: 200 },
    Workload { name: "W.large", sizes: &[784, 2048, 2048, 10], batch: 256 },
];

/// Distinct batches that take turns where a step does not take all data.
pub const BATCHES: usize = 4;

/// Numbers in [-1, 1), always the same.
pub fn numbers(count: usize) -> Vec<f64> {
    let mut random = backprop::Random::new(backprop::Seed(7));
    (0..count).map(|_| random.between(-1.0, 1.0)).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [library, name, threads] = &arguments[..] else {
        return Err("peers LIBRARY WORKLOAD THREADS".into());
    };
    let workload = WORKLOADS.iter().find(|workload| workload.name == name).ok_or("unknown workload")?;
    // SAFETY: no other thread runs yet.
    unsafe { std::env::set_var("RAYON_NUM_THREADS", threads) };
    let (measured, version): (Measurement, _) = match library.as_str() {
        "candle-cpu" => (candle::measure(workload)?, candle::VERSION),
        "dfdx-cpu" => (dfdx::measure(workload)?, dfdx::VERSION),
        _ => return Err("unknown library".into()),
    };
    println!("{}", measured.line([library, version], name, threads.parse()?, peak_memory()));
    Ok(())
}
