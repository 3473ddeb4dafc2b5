//! A step or a prediction allocates nothing, over whole epochs; a counting allocator watches.

mod counting;

use backprop::prelude::*;

use counting::allocations;

network! {
    pub struct Classifier;

    fn forward(pixels: [64]) -> [10] {
        pixels.dense(32).relu().dropout(0.2).dense(10)
    }

    fn loss(logits, digit: Class<10>) { cross_entropy(logits, digit) }
}

fn data() -> Dataset<Vec<[f32; 64]>, Vec<Class<10>>> {
    let inputs = (0..100).map(|sample| std::array::from_fn(|pixel| ((sample * pixel) % 17) as f32 / 17.0)).collect();
    let labels = (0..100).map(|sample| Class::new(sample % 10).unwrap()).collect();
    Dataset::new(inputs, labels).unwrap()
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
}

#[test]
fn an_epoch_with_a_trainer() {
    let data = data();
    let mut trainer = Trainer::<Classifier, _, 16>::new(Adam::new(1e-3), Seed(1));
    trainer.set_clip_norm(0.5).unwrap();
    let found = allocations(|| {
        // 40 does not fit the capacity of 16: such a batch is worked in pieces.
        for size in [16, 7, 40] {
            for batch in data.batches(size).unwrap() {
                trainer.step(batch.inputs, batch.targets).unwrap();
            }
        }
        for pixels in data.inputs() {
            trainer.predict(pixels).argmax();
        }
        trainer.predict_batch(&data.inputs()[..16]).unwrap();
        trainer.loss(data.inputs(), data.targets()).unwrap();
        trainer.step(&data.inputs()[..3], &data.targets()[..2]).unwrap_err();
    });
    assert_eq!(found, 0);
}

#[test]
fn an_epoch_in_a_loop_of_ones_own() {
    let mut data = data();
    let mut network = Classifier::<f32>::boxed(Seed(1));
    let mut gradient = network.zeros_like();
    let mut workspace = Workspace::<Classifier, 16>::boxed();
    let mut optimizer = AdamW::new(1e-3).exclude(Bias).boxed_for(&network);
    let schedule = Cosine::over(20).with_warmup(5);
    let found = allocations(|| {
        data.shuffle(Seed(2));
        for (step, batch) in data.batches(16).unwrap().enumerate() {
            network.loss_and_gradient(batch.inputs, batch.targets, &mut workspace, &mut gradient).unwrap();
            gradient.clip_norm(1.0);
            optimizer.step(&mut network, &gradient, schedule.rate(step)).unwrap();
        }
        let outputs = network.forward(&data.inputs()[..4], &mut workspace).unwrap();
        let error = [outputs[0], outputs[1], outputs[2], outputs[3]];
        network.backward(&data.inputs()[..4], &error, &mut workspace, &mut gradient).unwrap();
    });
    assert_eq!(found, 0);
}

/// `fit` allocates beforehand and for its history, but not by the step.
#[test]
fn fit_allocates_the_same_for_any_number_of_steps() {
    let data = data();
    let mut trainer = Trainer::<Classifier, _, 16>::new(Sgd::new(0.1), Seed(1));
    let mut fit = |batch| allocations(|| drop(trainer.fit(&data, Fit::epochs(2).batch(batch)).unwrap()));
    assert_eq!(fit(50), fit(2));
}
