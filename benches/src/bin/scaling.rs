//! `scaling`: how many times as fast as one thread several are, as a Markdown table. `--threads N` is 2 unless said otherwise;
//! names of workloads choose some. `--pause N` makes pauses of so many microseconds between steps, in which threads fall asleep if they
//! last longer than 100; a turn then takes longer than the time that it works, and the peak beside it says less.
//!
//! Two trainers of one process take turns of some milliseconds: what disturbs one disturbs the other. The ratio is that of
//! neighbouring turns, of which the middle one counts. So does the share of the peak: that of neighbouring milliseconds.

use std::thread;
use std::time::{Duration, Instant};

use backprop::prelude::*;
use backprop::simd::Instructions;
use backprop::{Error, Program, Random};
use benches::networks::{Deep, Shallow, Smooth, Wide};
use benches::peak::rate;
use benches::workloads::{SEED, images, rows};

const TURNS: usize = 200;
const TURN: Duration = Duration::from_millis(40);

/// Turn by turn: microseconds of a step, and multiply-adds a microsecond that one thread does just before and after its turn.
struct Turns {
    alone: Vec<f64>,
    together: Vec<f64>,
    peak: Vec<f64>,
}

/// How the trainers work: how many threads the second one has, and how long they pause between steps.
#[derive(Clone, Copy)]
struct Settings {
    threads: usize,
    pause: Duration,
}

/// Two trainers take turns; `step` is given one of them and the number of steps before.
fn turns<A>(
    pair: [A; 2],
    pause: Duration,
    mut step: impl FnMut(&mut A, usize) -> Result<(), Error>,
) -> Result<Turns, Error> {
    let [mut alone, mut together] = pair;
    let mut turn = |trainer: &mut A| -> Result<f64, Error> {
        // The first step finds the caches full of the other trainer's numbers.
        step(trainer, 0)?;
        let (mut worked, mut steps) = (Duration::ZERO, 0_u32);
        while worked < TURN {
            if !pause.is_zero() {
                thread::sleep(pause);
            }
            steps += 1;
            let start = Instant::now();
            step(trainer, steps as usize)?;
            worked += start.elapsed();
        }
        Ok(worked.as_secs_f64() * 1e6 / f64::from(steps))
    };
    let mut turns = Turns { alone: Vec::new(), together: Vec::new(), peak: Vec::new() };
    let instructions = Instructions::detect();
    let peak = || rate::<f32>(1, instructions) / 2e6;
    for _ in 0..TURNS {
        let before = peak();
        turns.alone.push(turn(&mut alone)?);
        turns.peak.push(before.midpoint(peak()));
        turns.together.push(turn(&mut together)?);
    }
    Ok(turns)
}

fn pair<N: Program, O: Optimizer<N>, const CAPACITY: usize>(
    optimizer: &O,
    threads: usize,
) -> [Box<Trainer<N, O, CAPACITY>>; 2] {
    [1, threads].map(|threads| Trainer::new(optimizer.clone(), SEED).threads(threads))
}

fn images_of<N, O, const BATCH: usize>(optimizer: &O, settings: Settings) -> Result<Turns, Error>
where
    N: for<'a> Program<Inputs<'a> = &'a [[f32; 784]], Targets<'a> = &'a [Class<10>]>,
    O: Optimizer<N>,
{
    let batches = images(BATCH);
    turns(pair::<N, O, BATCH>(optimizer, settings.threads), settings.pause, |trainer, index| {
        let (images, digits) = &batches[index % batches.len()];
        trainer.step(images, digits).map(|_| ())
    })
}

fn smooth(settings: Settings) -> Result<Turns, Error> {
    let mut random = Random::new(SEED);
    let (inputs, targets) = (rows(&mut random, 10_000), rows(&mut random, 10_000));
    turns(pair::<Smooth, _, 400>(&Adam::new(1e-3), settings.threads), settings.pause, |trainer, _| {
        trainer.step(&inputs, &targets).map(|_| ())
    })
}

/// A workload's name, the sizes of its layers, its samples, and its turns.
type Workload = (&'static str, &'static [usize], usize, fn(Settings) -> Result<Turns, Error>);

const WORKLOADS: [Workload; 4] = [
    ("W2", &[784, 128, 10], 32, |settings| images_of::<Shallow, _, 32>(&Sgd::new(0.01), settings)),
    ("W3", &[784, 512, 512, 10], 128, |settings| images_of::<Deep, _, 128>(&Adam::new(1e-3), settings)),
    ("W.tanh", &[4, 32, 16, 4], 10_000, smooth),
    ("W.large", &[784, 2048, 2048, 10], 256, |settings| images_of::<Wide, _, 256>(&Sgd::new(0.01), settings)),
];

/// Multiply-adds that a step of dense layers needs: three products for each, but no gradient of the first one's input.
fn multiply_adds(sizes: &[usize], samples: usize) -> f64 {
    let layers = || sizes.windows(2).map(|pair| pair[0] * pair[1]);
    (samples * (3 * layers().sum::<usize>() - layers().next().unwrap_or(0))) as f64
}

fn sorted(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers
}

/// The number behind a name among the arguments, which are then without both.
fn option(arguments: &mut Vec<String>, name: &str) -> Option<usize> {
    let at = arguments.iter().position(|argument| argument == name)?;
    let number = arguments.get(at + 1).and_then(|number| number.parse().ok());
    arguments.drain(at..arguments.len().min(at + 2));
    Some(number.unwrap_or_else(|| panic!("{name} needs a number")))
}

fn main() -> Result<(), Error> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let threads = option(&mut arguments, "--threads").unwrap_or(2);
    let pause = Duration::from_micros(option(&mut arguments, "--pause").unwrap_or(0) as u64);
    let settings = Settings { threads, pause };
    println!(
        "| workload | one thread, us: least, middle | share of the peak: middle, quartiles | {threads} threads, us: least, middle \
         | ratio: middle, quartiles |"
    );
    println!("| --- | --- | --- | --- | --- |");
    for (name, sizes, samples, run) in WORKLOADS {
        if !arguments.is_empty() && !arguments.iter().any(|argument| argument == name) {
            continue;
        }
        let Turns { alone, together, peak } = run(settings)?;
        let ratios = alone.iter().zip(&together).map(|(alone, together)| alone / together).collect();
        let needed = multiply_adds(sizes, samples);
        let shares = alone.iter().zip(&peak).map(|(alone, peak)| 100.0 * needed / alone / peak).collect();
        let [alone, together, ratios, shares] = [alone, together, ratios, shares].map(sorted);
        let of = |numbers: &[f64], quarter: usize| numbers[quarter * TURNS / 4];
        println!(
            "| {name} | {:.1}, {:.1} | {:.0} %, {:.0} to {:.0} | {:.1}, {:.1} | {:.2}, {:.2} to {:.2} |",
            alone[0],
            of(&alone, 2),
            of(&shares, 2),
            of(&shares, 1),
            of(&shares, 3),
            together[0],
            of(&together, 2),
            of(&ratios, 2),
            of(&ratios, 1),
            of(&ratios, 3)
        );
    }
    Ok(())
}
