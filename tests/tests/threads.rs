//! Steps of several threads against those of one.

mod own;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use backprop::prelude::*;
use backprop::{Error, Instructions, Random};

use own::Own;

const SAMPLES: usize = 101;

/// So few that parameters are many beside the work, which is still worth two threads.
const FEW: usize = 50;

network! {
    /// Sequences of different lengths, dropout, a frozen and a bounded parameter, a term without samples.
    pub struct Tagger {
        #[clamp(-0.1, 0.1)]
        last: [160, 7] = glorot_uniform(),
        #[frozen]
        offset: [7] = constant(0.1),
    }

    fn forward(x: [5, 96], strength: Scalar) -> [5, 7] {
        (strength * x.dense(160).tanh().dropout(0.3)).layer_norm().matmul(self.last) + self.offset
    }

    fn loss(logits, tags: [Class<7>; 5], length: Length<5>) {
        cross_entropy(logits, tags, length = length) + 0.01 * self.last.powi(2).sum()
    }
}

/// Sequences, tags and lengths.
type Data = (Vec<[[f64; 96]; 5]>, Vec<[Class<7>; 5]>, Vec<Length<5>>);

fn data(random: &mut Random, samples: usize) -> Data {
    let class = |random: &mut Random| Class::new(random.below(7)).unwrap();
    (
        (0..samples).map(|_| [(); 5].map(|()| [(); 96].map(|()| random.normal()))).collect(),
        (0..samples).map(|_| [(); 5].map(|()| class(random))).collect(),
        (0..samples).map(|_| Length::new(1 + random.below(5)).unwrap()).collect(),
    )
}

/// Losses and parameters of a few steps.
fn steps<O: Optimizer<Tagger<f64>>, const CAPACITY: usize>(
    optimizer: &O,
    threads: usize,
    clip: f64,
    samples: usize,
) -> Result<Vec<f64>, Error> {
    let mut random = Random::new(Seed(1));
    let mut trainer = Trainer::<Tagger<f64>, O, CAPACITY>::new(optimizer.clone(), Seed(2)).threads(threads);
    trainer.set_clip_norm(clip)?;
    let mut numbers = Vec::new();
    for samples in [samples, samples - samples / 11] {
        let (inputs, tags, lengths) = data(&mut random, samples);
        numbers.push(trainer.step((&inputs, 0.8), (&tags, &lengths))?);
    }
    assert_eq!(trainer.network().offset, [0.1; 7], "frozen");
    assert!(trainer.network().last.as_flat().iter().all(|weight| weight.abs() <= 0.1), "bounded");
    numbers.extend_from_slice(trainer.network().as_flat());
    Ok(numbers)
}

fn assert_same<O: Optimizer<Tagger<f64>>, const CAPACITY: usize>(optimizer: &O, clip: f64) -> Result<(), Error> {
    let shares_samples = CAPACITY < FEW;
    let samples = if shares_samples { SAMPLES } else { FEW };
    let alone = steps::<O, CAPACITY>(optimizer, 1, clip, samples)?;
    for threads in [2, 4] {
        let together = steps::<O, CAPACITY>(optimizer, threads, clip, samples)?;
        for (together, alone) in together.iter().zip(&alone) {
            assert!((together - alone).abs() < 1e-9, "{threads} threads: {together} against {alone}");
        }
        // Threads that share products, rather than samples, may compute the very same.
        assert!(!shares_samples || together != alone, "{threads} threads: as many took the step");
        assert_eq!(
            together,
            steps::<O, CAPACITY>(optimizer, threads, clip, samples)?,
            "{threads} threads: bit for bit"
        );
    }
    Ok(())
}

#[test]
fn every_optimizer_takes_the_same_steps() -> Result<(), Error> {
    assert_same::<_, 48>(&Sgd::new(0.1).weight_decay(0.01), f64::INFINITY)?;
    assert_same::<_, 8>(&Momentum::new(0.1, 0.9).exclude(Bias), 0.05)?;
    assert_same::<_, 16>(&Adam::new(0.01).epsilon(1e-3), f64::INFINITY)?;
    assert_same::<_, 7>(&AdamW::new(0.01).epsilon(1e-3).exclude(Bias), 0.05)
}

/// All samples fit the workspace, and there are many parameters beside the work: threads share the products.
#[test]
fn every_optimizer_takes_the_same_steps_by_products() -> Result<(), Error> {
    assert_same::<_, FEW>(&Sgd::new(0.1).weight_decay(0.01), f64::INFINITY)?;
    assert_same::<_, FEW>(&Sgd::new(0.1), f64::INFINITY)?;
    assert_same::<_, FEW>(&Momentum::new(0.1, 0.9).exclude(Bias), 0.05)?;
    assert_same::<_, FEW>(&Adam::new(0.01).epsilon(1e-3), f64::INFINITY)?;
    assert_same::<_, FEW>(&AdamW::new(0.01).epsilon(1e-3).exclude(Bias), f64::INFINITY)
}

network! {
    /// So much for each sample that two are worth two threads.
    pub struct Large;

    fn forward(x: [1800]) -> [1] { x.dense(1100).tanh().dense(1) }

    fn loss(y, t: [1]) { mse(y, t) }
}

#[test]
fn there_may_be_fewer_samples_than_threads() -> Result<(), Error> {
    fewer_samples_than_threads::<1>()?;
    fewer_samples_than_threads::<2>()
}

/// With room for all samples, the threads share products.
fn fewer_samples_than_threads<const CAPACITY: usize>() -> Result<(), Error> {
    let mut alone = Trainer::<Large, _, CAPACITY>::new(Sgd::new(0.01), Seed(1));
    let mut together = Trainer::<Large, _, CAPACITY>::new(Sgd::new(0.01), Seed(1)).threads(5);
    let inputs = [[0.5; 1800], [-0.25; 1800]];
    for batch in [&inputs[..1], &inputs] {
        let targets = [[1.0]; 2];
        let loss = alone.step(batch, &targets[..batch.len()])?;
        assert!((together.step(batch, &targets[..batch.len()])? - loss).abs() < 1e-5);
        let pairs = alone.network().as_flat().iter().zip(together.network().as_flat());
        assert!(pairs.into_iter().all(|(alone, together)| (alone - together).abs() < 1e-5));
    }
    Ok(())
}

network! {
    /// Its gradient may overflow while its loss does not.
    pub struct Steep {
        first: [600, 400] = ones(),
        last: [400, 4] = zeros(),
    }

    fn forward(x: [600]) -> [4] { x.matmul(self.first).matmul(self.last) }

    fn loss(y, t: [4]) { 1000.0 * (y - t).mean() }
}

#[test]
fn what_fails_changes_nothing() {
    for unit in Instructions::available() {
        let mut trainer = Trainer::<Steep, _, 8>::new(Sgd::new(0.1), Seed(2)).threads(2);
        trainer.workspace().with_instructions(unit);
        let (mut inputs, targets) = (vec![[1e35; 600]; 16], [[0.5; 4]; 16]);
        assert_eq!(trainer.step(&inputs, &targets), Err(Error::NonFiniteGradient), "{unit}");
        inputs[15][599] = f32::NAN;
        assert_eq!(trainer.step(&inputs, &targets), Err(Error::NonFiniteInput), "{unit}");
        assert_eq!((trainer.steps(), trainer.network().last), (0, [[0.0; 4]; 400]));
    }
}

/// Whichever part of the first layer's gradient, which is applied at once, it is that overflows.
#[test]
fn what_overflows_in_any_part_is_found() {
    overflows_in_any_part(&Sgd::new(0.1));
    overflows_in_any_part(&Adam::new(0.1));
}

fn overflows_in_any_part<O: Optimizer<Steep>>(optimizer: &O) {
    for unit in Instructions::available() {
        for feature in [0, 299, 599] {
            let mut trainer = Trainer::<Steep, O, 16>::new(optimizer.clone(), Seed(2)).threads(2);
            trainer.workspace().with_instructions(unit);
            // Outputs cancel, and gradients do not.
            trainer.network_mut().last = std::array::from_fn(|row| [if row % 2 == 0 { 1e30 } else { -1e30 }; 4]);
            let mut inputs = vec![[0.0; 600]; 16];
            inputs[7][feature] = 1e7;
            let targets = [[0.5; 4]; 16];
            assert_eq!(trainer.step(&inputs, &targets), Err(Error::NonFiniteGradient), "{unit}: {feature}");
            assert!(trainer.gradient().is_none(), "applied at once");
            inputs[15][599] = f32::NAN;
            assert_eq!(trainer.step(&inputs, &targets), Err(Error::NonFiniteInput), "{unit}");
        }
    }
}

/// Threads that have updated a parameter.
static UPDATERS: AtomicUsize = AtomicUsize::new(0);
/// Whether the next step is to panic.
static PANICS: AtomicBool = AtomicBool::new(false);

std::thread_local! {
    static HAS_UPDATED: Cell<bool> = const { Cell::new(false) };
}

#[test]
fn a_step_that_panics_leaves_the_threads_to_the_next_one() {
    let begins = || assert!(!PANICS.swap(false, Ordering::Relaxed), "on purpose");
    let applies = || {
        if !HAS_UPDATED.replace(true) {
            UPDATERS.fetch_add(1, Ordering::Relaxed);
        }
        if UPDATERS.load(Ordering::Relaxed) < 3 {
            // Who has a processor leaves something to the others.
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    let optimizer = Own::new(Sgd::new(0.01), begins, applies);
    // Enough multiply-adds for three threads, and parameters for them to share products.
    let (inputs, classes) = ([[0.5; 480]; 128], [Class::default(); 128]);
    let mut trainer = Trainer::<Flat, _, 128>::new(optimizer, Seed(1)).threads(3);
    PANICS.store(true, Ordering::Relaxed);
    let before = trainer.network().as_flat().to_vec();
    catch_unwind(AssertUnwindSafe(|| trainer.step(&inputs, &classes))).unwrap_err();
    assert_eq!((trainer.network().as_flat(), UPDATERS.load(Ordering::Relaxed)), (&before[..], 0));
    let loss = trainer.step(&inputs, &classes).unwrap();
    assert!(trainer.step(&inputs, &classes).unwrap() < loss);
    // Each thread updates what it has computed, which may be nothing in a step that others have done before it gets to a processor.
    let since = Instant::now();
    while UPDATERS.load(Ordering::Relaxed) < 3 {
        trainer.step(&inputs, &classes).unwrap();
        assert!(since.elapsed() < Duration::from_secs(60), "a thread does nothing any more");
    }
    trainer.step(&inputs, &classes).unwrap();
    assert_eq!(UPDATERS.load(Ordering::Relaxed), 3, "there are three of them");
}

#[test]
fn results_do_not_depend_on_who_computes_a_part() -> Result<(), Error> {
    parts_of_anybody::<32>()?;
    parts_of_anybody::<80>()
}

/// After 128 steps with the same threads, some are taken by the caller's thread alone.
fn parts_of_anybody<const CAPACITY: usize>() -> Result<(), Error> {
    let mut random = Random::new(Seed(1));
    let inputs: Vec<[f32; 480]> = (0..80).map(|_| [(); 480].map(|()| random.normal() as f32)).collect();
    let classes = [0, 1, 2, 3, 4, 5, 6, 0].map(|class| Class::new(class).unwrap()).repeat(10);
    let run = |steps_of_a_team: usize| {
        let mut trainer = Trainer::<Flat, _, CAPACITY>::new(Sgd::new(0.01), Seed(1)).threads(2);
        for step in 0..200 {
            if step % steps_of_a_team == 0 {
                trainer.set_threads(2)?;
            }
            trainer.step(&inputs, &classes)?;
        }
        Ok::<_, Error>(trainer.network().as_flat().to_vec())
    };
    assert!(run(100)? == run(200)?, "other parameters");
    Ok(())
}

#[test]
fn fit_and_evaluate_go_on_as_before() -> Result<(), Error> {
    let mut random = Random::new(Seed(1));
    let (inputs, tags, lengths) = data(&mut random, 2 * SAMPLES);
    let inputs: Vec<[f32; 480]> =
        inputs.iter().map(|rows| std::array::from_fn(|index| rows[index / 96][index % 96] as f32)).collect();
    let classes: Vec<Class<7>> = tags.iter().map(|tags| tags[0]).collect();
    drop(lengths);
    let data = Dataset::new(inputs, classes)?;
    let mut trainer = Trainer::<Flat, _, 32>::new(Adam::new(1e-3), Seed(2)).threads(2);
    let history = trainer.fit(&data, Fit::epochs(8).batch(SAMPLES))?;
    assert!(history.epochs()[7].loss < 0.5 * history.epochs()[0].loss);
    assert!(trainer.evaluate(&data)?.accuracy() > Some(0.9));
    Ok(())
}

network! {
    pub struct Flat;

    fn forward(x: [480]) -> [7] { x.dense(90).relu().dense(7) }

    fn loss(logits, class: Class<7>) { cross_entropy(logits, class) }
}
