//! Home-made parts: an activation, a loss and a recurrent cell, none of which the library knows.
//!
//! The task is made up here, too: four sensors are read 100 times; wanted is what a slow and a quick memory of two of
//! them hold at the end. The cell has to find out how quickly each of its units should forget.
//!
//! ```text
//! cargo run --release --example custom
//! cargo run --release --example custom -- --quick     # a few epochs, to see that it runs
//! ```
//!
//! `target/custom` then holds every form of the compilation: the checked declaration, the graphs, the plans, the formulas
//! with their derivatives, the emitted code.

use std::error::Error;

use backprop::check;
use backprop::prelude::*;

network! {
    /// A memory that leaks: each unit keeps a part of its state and takes the rest from the input.
    #[dump("../target/custom")]
    pub struct LeakyIntegrator {
        /// How much leaks in a step, before the sigmoid.
        leak: [16] = uniform(-4.0, 0.0),
        w: [4, 16] = glorot_uniform(),
    }

    fn cell(state: [16], u: [4]) -> [16] {
        let a = sigmoid(self.leak);
        (1.0 - a) * state + a * tanh(u.matmul(self.w))
    }

    fn swish(v) {
        v * sigmoid(v)
    }

    /// ln cosh d, written so that it does not overflow: quadratic near 0, linear far from it.
    fn log_cosh(d) {
        let size = d.abs();
        size + ln_1p(exp(-2.0 * size)) - 0.6931471805599453
    }

    fn forward(u: [100, 4]) -> [1] {
        u.scan(cell, initial = zeros([16])).last().dense(16).swish().dense(1)
    }

    fn loss(y: [1], t: [1]) {
        log_cosh(y - t)
    }
}

type Sequence = [[f32; 4]; 100];

fn main() -> Result<(), Box<dyn Error>> {
    let quick = std::env::args().skip(1).any(|argument| argument == "--quick");
    println!("{}", LeakyIntegrator::summary());
    println!("formulas and their derivatives:\n\n{}", LeakyIntegrator::derivation());

    let report = check::gradients::<LeakyIntegrator<f64>>(Seed(3));
    println!("{report}");
    report.assert_below(1e-6);

    let (train, test) = sequences(2_000)?.split(0.8, Seed(7));
    let mut trainer = Trainer::<LeakyIntegrator, _, 32>::new(Adam::new(3e-3), Seed(1));
    let fit = Fit::epochs(if quick { 3 } else { 40 }).clip_norm(1.0).validate(&test).progress(true);
    trainer.fit(&train, fit)?;
    println!("{}", trainer.evaluate(&test)?.report());

    let mut leaks = trainer.network().leak.map(|leak| 1.0 / (1.0 + (-leak).exp()));
    leaks.sort_by(f32::total_cmp);
    println!("the units leak, per step: {leaks:.3?}");
    Ok(())
}

/// Sequences of random readings, and what the two memories hold in the end.
fn sequences(count: usize) -> Result<Dataset<Vec<Sequence>, Vec<[f32; 1]>>, backprop::Error> {
    let mut random = backprop::Random::new(Seed(5));
    let mut inputs = Vec::new();
    let mut targets = Vec::new();
    for _ in 0..count {
        let (mut slow, mut quick) = (0.0, 0.0);
        let mut sequence = [[0.0; 4]; 100];
        for reading in &mut sequence {
            *reading = std::array::from_fn(|_| random.between(-1.0, 1.0) as f32);
            slow += 0.03 * (3.0 * f64::from(reading[0]) - slow);
            quick += 0.3 * (2.0 * f64::from(reading[1]) - quick);
        }
        inputs.push(sequence);
        targets.push([(slow + quick) as f32]);
    }
    Dataset::new(inputs, targets)
}
