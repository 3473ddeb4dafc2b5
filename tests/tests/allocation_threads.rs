//! Steps of several threads allocate on none of them. (The only test of its program, in which all threads are watched.)

mod counting;

use std::time::Duration;

use backprop::prelude::*;

use counting::allocations_of_all_threads;

network! {
    pub struct Classifier;

    fn forward(pixels: [400]) -> [10] {
        pixels.dense(300).relu().dropout(0.2).dense(10)
    }

    fn loss(logits, digit: Class<10>) { cross_entropy(logits, digit) }
}

#[test]
fn steps_of_several_threads() {
    let inputs: Vec<[f32; 400]> =
        (0..50).map(|sample| std::array::from_fn(|pixel| ((sample * pixel) % 17) as f32 / 17.0)).collect();
    let digits: Vec<Class<10>> = (0..50).map(|sample| Class::new(sample % 10).unwrap()).collect();
    // Pieces of the batch, so that threads share samples; and all of it, so that they share products.
    allocate_nothing::<16>(&inputs, &digits);
    allocate_nothing::<50>(&inputs, &digits);
}

fn allocate_nothing<const CAPACITY: usize>(inputs: &[[f32; 400]], digits: &[Class<10>]) {
    let mut trainer = Trainer::<Classifier, _, CAPACITY>::new(Adam::new(1e-3), Seed(1)).threads(3);
    let mut steps = |shared: usize| {
        trainer.set_clip_norm(0.5).unwrap();
        for _ in 0..2 {
            trainer.step(inputs, digits).unwrap();
            // They are asleep by now.
            std::thread::sleep(Duration::from_millis(2));
        }
        trainer.set_clip_norm(f64::INFINITY).unwrap();
        for _ in 0..shared {
            trainer.step(inputs, digits).unwrap();
        }
        trainer.step(&inputs[..3], &digits[..3]).unwrap();
        trainer.step(inputs, &digits[..2]).unwrap_err();
    };
    steps(1);
    // So many that the caller's thread takes some of them alone.
    assert_eq!(allocations_of_all_threads(|| steps(150)), 0);
}
