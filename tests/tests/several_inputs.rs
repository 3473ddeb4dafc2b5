//! Several inputs, outputs and targets, numbers for the whole step, classes and lengths: tuples of slices all the way.

use backprop::prelude::*;

network! {
    pub struct Mixed;

    fn forward(a: [3], b: [2], factor: Scalar) -> ([2], [1]) {
        let h = (a, b).concat().dense(4).tanh() * factor;
        (h.dense(2), h.dense(1).sigmoid())
    }

    fn loss(y, z, t: [2], u: [1]) { mse(y, t) + 0.3 * mae(z, u) }
}

network! {
    pub struct Tagger;

    fn forward(text: [Class<7>; 5]) -> [5, 7] { text.embedding(4).dense(7) }

    fn loss(logits, tags: [Class<7>; 5], length: Length<5>) { cross_entropy(logits, tags, length = length) }
}

#[test]
fn training_on_tuples() {
    let a: Vec<[f32; 3]> = (0..40).map(|i| [i as f32 / 40.0; 3]).collect();
    let b: Vec<[f32; 2]> = (0..40).map(|i| [(i % 7) as f32 / 7.0; 2]).collect();
    let t: Vec<[f32; 2]> = a.iter().map(|a| [a[0], -a[1]]).collect();
    let u: Vec<[f32; 1]> = (0..40).map(|i| [(i % 2) as f32]).collect();
    let (train, test) = Dataset::new((a, b, 0.5_f32), (t, u)).unwrap().split(0.7, Seed(1));

    let mut trainer = Trainer::<Mixed, _, 16>::new(AdamW::new(1e-2), Seed(1));
    let history = trainer.fit(&train, Fit::epochs(30).batch(8).validate(&test)).unwrap();
    assert!(history.last().unwrap().loss < 0.5 * history.epochs()[0].loss);
    let evaluation = trainer.evaluate(&test).unwrap();
    assert_eq!(evaluation.parts().len(), 2, "one regression for each output");
    assert!(evaluation.regression().unwrap().r2() > 0.8);

    let (y, z) = trainer.predict((&[0.1; 3], &[0.2; 2], 0.5));
    assert!(y.iter().chain(&z).all(|number| number.is_finite()));
}

#[test]
fn mistakes_in_any_part_are_found() {
    let mut trainer = Trainer::<Mixed, _, 4>::new(Sgd::new(0.1), Seed(1));
    let (a, b, t, u) = ([[0.5; 3]; 6], [[0.5; 2]; 6], [[0.5; 2]; 6], [[0.5]; 6]);
    trainer.step((&a, &b, 1.0), (&t, &u)).unwrap();
    let before = trainer.network().as_flat().to_vec();
    let lengths = |expected, found| Err(backprop::Error::UnequalLengths { expected, found });
    assert_eq!(trainer.step((&a, &b[..5], 1.0), (&t, &u)), lengths(6, 5));
    assert_eq!(trainer.step((&a, &b, 1.0), (&t, &u[..2])), lengths(6, 2));
    assert_eq!(trainer.step((&a, &b, f32::NAN), (&t, &u)), Err(backprop::Error::NonFiniteInput));
    assert_eq!(trainer.step((&a, &b, 1.0), (&t, &[[f32::INFINITY]; 6])), Err(backprop::Error::NonFiniteTarget));
    assert_eq!(trainer.network().as_flat(), before);
}

/// Places beyond a sample's length count neither in the loss nor in the evaluation, whether or not the batch fits the
/// workspace at once.
#[test]
fn masked_sequences() {
    let class = |index: usize| Class::<7>::new(index % 7).unwrap();
    let text: Vec<[Class<7>; 5]> = (0..9).map(|i| std::array::from_fn(|place| class(i + place))).collect();
    let lengths: Vec<Length<5>> = (0..9).map(|i| Length::new(i % 5 + 1).unwrap()).collect();
    let counted: usize = lengths.iter().map(|length| length.steps()).sum();
    let data = Dataset::new(text.clone(), (text, lengths)).unwrap();

    let mut whole = Trainer::<Tagger<f64>, _, 9>::new(Adam::new(0.05), Seed(1));
    let mut pieces = Trainer::<Tagger<f64>, _, 2>::new(Adam::new(0.05), Seed(1));
    for _ in 0..60 {
        let loss = whole.step(data.inputs(), data.targets()).unwrap();
        assert!((pieces.step(data.inputs(), data.targets()).unwrap() - loss).abs() < 1e-12);
    }
    let evaluation = whole.evaluate(&data).unwrap();
    assert_eq!(evaluation.classification().unwrap().total(), counted as u64);
    assert_eq!(evaluation.accuracy(), Some(1.0));
}
