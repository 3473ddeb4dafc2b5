//! Training without a heap: everything in one `static` of zeros.

#![no_std]

extern crate std;

use backprop::prelude::*;

network! {
    /// Movements out of 16 readings of three axes.
    pub struct Gesture;

    fn forward(window: [16, 3]) -> [4] {
        window.flatten().dense(16).tanh().dense(4)
    }

    fn loss(logits, gesture: Class<4>) { cross_entropy(logits, gesture) }
}

static TRAINER: StaticTrainer<Gesture, Sgd, 1> = StaticTrainer::new();
const _: () = assert!(StaticTrainer::<Gesture, Sgd, 1>::BYTES < 48 * 1024);

#[test]
fn learning_from_the_last_second() {
    let window = |gesture: usize| {
        core::array::from_fn(|reading| {
            core::array::from_fn(|axis| {
                let slope = if gesture.is_multiple_of(2) { 0.1 } else { -0.1 };
                if axis == gesture / 2 { slope * reading as f32 } else { 0.0 }
            })
        })
    };
    let trainer = TRAINER.init(Sgd::new(0.05), Seed(1));
    assert!(TRAINER.try_init(Sgd::new(0.05), Seed(1)).is_none(), "there is one trainer");
    for step in 0..400 {
        let gesture = step % 4;
        trainer.step(&[window(gesture)], &[Class::new(gesture).unwrap()]).unwrap();
    }
    for gesture in 0..4 {
        assert_eq!(trainer.predict(&window(gesture)).argmax().index(), gesture);
    }
}
