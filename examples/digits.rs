//! Handwritten digits: from a declaration to a trained network and its report.
//!
//! ```text
//! cargo run --release --example digits
//! cargo run --release --example digits -- --seed 2    # other start values
//! cargo run --release --example digits -- --quick     # a few epochs, to see that it runs
//! ```

use std::error::Error;
use std::time::Instant;

use backprop::prelude::*;

network! {
    /// Grey images of 8×8 pixels in, a score for each of the ten digits out.
    pub struct Digits;

    fn forward(pixels: [64]) -> [10] {
        let hidden = pixels.dense(256).relu().dropout(0.3);
        let hidden = hidden.dense(128).relu().dropout(0.3);
        hidden.dense(10)
    }

    fn loss(scores, digit: Class<10>) {
        cross_entropy(scores, digit, label_smoothing = 0.1)
    }
}

/// The network's size is known while it is compiled, so that a limit can be held there.
const _: () = assert!(Digits::PARAMETERS < 60_000);

/// What the trainer works on at a time.
const BATCH: usize = 32;

/// 1797 lines of 64 pixels from 0 to 16 and the digit; see `data/README.md`.
const DATA: &str = include_str!("data/digits.csv");

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_arguments()?;
    // The same split for every run: the seed of the training varies start values, order and dropout alone.
    let (train, test) = digits()?.split(0.8, Seed(7));
    println!("{} images to learn from, {} to be tested with\n", train.len(), test.len());
    println!("{}", Digits::summary());

    let steps = options.epochs * train.len().div_ceil(BATCH);
    let mut trainer = Trainer::<Digits, _, BATCH>::new(Adam::new(3e-3), Seed(options.seed));
    // The test images draw the second curve; nothing is chosen by it.
    let fit = Fit::epochs(options.epochs)
        .shuffle(Seed(options.seed))
        .schedule(Cosine::over(steps).with_warmup(steps / 20))
        .validate(&test)
        .progress(true);
    let start = Instant::now();
    let history = trainer.fit(&train, fit)?;
    println!("{} epochs in {:.2} s on {:?}", options.epochs, start.elapsed().as_secs_f64(), trainer.instructions());

    let curve = "target/digits.svg";
    history.plot(curve)?;
    println!("learning curve: {curve}\n");

    let evaluation = trainer.evaluate(&test)?;
    println!("{}", evaluation.report());
    println!("test accuracy: {:.1} %", 100.0 * evaluation.accuracy().unwrap_or_default());
    Ok(())
}

/// An image and its digit, each a column.
type Images = Dataset<Vec<[f32; 64]>, Vec<Class<10>>>;

/// Reads the images, pixels scaled to 0..1.
fn digits() -> Result<Images, Box<dyn Error>> {
    let (mut images, mut labels) = (Vec::new(), Vec::new());
    for line in DATA.lines().skip(1) {
        let numbers: Vec<u8> = line.split(',').map(str::parse).collect::<Result<_, _>>()?;
        let (&label, pixels) = numbers.split_last().ok_or("an empty line")?;
        let pixels: [u8; 64] = pixels.try_into()?;
        images.push(pixels.map(|pixel| f32::from(pixel) / 16.0));
        labels.push(Class::try_from(label)?);
    }
    Ok(Dataset::new(images, labels)?)
}

struct Options {
    epochs: usize,
    seed: u64,
}

impl Options {
    fn from_arguments() -> Result<Self, Box<dyn Error>> {
        let mut options = Self { epochs: 60, seed: 1 };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => options.epochs = 5,
                "--seed" => options.seed = arguments.next().ok_or("`--seed` needs a number")?.parse()?,
                other => return Err(format!("`{other}` is unknown: give `--quick` or `--seed 2`").into()),
            }
        }
        Ok(options)
    }
}
