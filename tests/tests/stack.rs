//! Large networks never pass through the stack.

use std::thread;

use backprop::prelude::*;

network! {
    /// 25 million parameters: 100 MB.
    pub struct Large;

    fn forward(x: [5000]) -> [5000] { x.dense(5000) }

    fn loss(y, t: [5000]) { mse(y, t) }
}

static SAMPLE: [f32; 5000] = [0.5; 5000];
static INPUTS: [[f32; 5000]; 1] = [SAMPLE];
static TARGETS: [[f32; 5000]; 1] = [[1.0; 5000]];

/// Runs `work` on a thread with a stack of 64 KiB.
fn on_a_small_stack(work: fn()) {
    thread::Builder::new().stack_size(64 * 1024).spawn(work).unwrap().join().unwrap();
}

#[test]
fn a_trainer_of_hundreds_of_megabytes() {
    assert!(size_of::<Large>() > 100_000_000);
    on_a_small_stack(|| {
        let mut trainer = Trainer::<Large, _, 1>::new(Sgd::new(0.1), Seed(1));
        let first = trainer.step(&INPUTS, &TARGETS).unwrap();
        let second = trainer.step(&INPUTS, &TARGETS).unwrap();
        assert!(second < first, "{second} after {first}");
    });
}

#[test]
fn the_parts_of_a_loop_of_ones_own() {
    on_a_small_stack(|| {
        let mut network = Large::<f32>::boxed(Seed(1));
        let mut gradient = network.zeros_like();
        let mut workspace = Workspace::<Large, 1>::boxed();
        let mut optimizer = Momentum::new(0.1, 0.9).boxed_for(&network);
        network.loss_and_gradient(&INPUTS, &TARGETS, &mut workspace, &mut gradient).unwrap();
        gradient.clip_norm(1.0);
        optimizer.step(&mut network, &gradient, 1.0).unwrap();
    });
}

#[test]
fn copies_of_a_network() {
    on_a_small_stack(|| {
        let network = Large::<f32>::boxed(Seed(1));
        let mut copy = network.clone();
        assert!(copy == network);
        copy.as_flat_mut().fill(0.5);
        copy.clone_from(&network);
        assert!(copy == network);
    });
}
