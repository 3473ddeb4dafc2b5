//! What `evaluate` finds in outputs and targets of all kinds.

use backprop::prelude::*;

network! {
    /// Passes its input on, so that the outputs are known.
    pub struct Logits;
    fn forward(x: [1]) -> [1] { x }
    fn loss(y, t: [1]) { judged(y, t) }
    fn judged(y, t) { 2.0 * binary_cross_entropy_with_logits(y, t) }
}

network! {
    pub struct Probability;
    fn forward(x: []) -> [] { x }
    fn loss(p, t: []) { binary_cross_entropy(p, t) }
}

network! {
    /// Labels of which several may hold, beside a number.
    pub struct Labels;
    fn forward(x: [3]) -> ([], [3]) { (x.sum(), x) }
    fn loss(sum, labels, wanted: [], t: [3]) { mse(sum, wanted) + binary_cross_entropy_with_logits(labels, t) }
}

network! {
    /// The loss sees another number than the output.
    pub struct Squared;
    fn forward(x: [1]) -> [1] { x }
    fn loss(y, t: [1]) { binary_cross_entropy(y * y, t) }
}

network! {
    /// More classes than a confusion matrix has.
    pub struct Vocabulary;
    fn forward(word: Class<4000>) -> [4000] { word.one_hot() }
    fn loss(scores, word: Class<4000>) { cross_entropy(scores, word) }
}

/// A trainer that is there to evaluate.
fn trainer<N: Network>() -> Box<Trainer<N, Sgd, 4>> {
    Trainer::new(Sgd::new(0.1), Seed(1))
}

#[test]
fn a_logit_is_a_decision() {
    let logits: Vec<[f32; 1]> = [0.3, -0.3, 0.1, 2.0, -1.0, 0.0].map(|logit| [logit]).into();
    let answers: Vec<[f32; 1]> = [1.0, 0.0, 0.0, 1.0, 1.0, 0.0].map(|answer| [answer]).into();
    let evaluation = trainer::<Logits>().evaluate(&Dataset::new(logits, answers).unwrap()).unwrap();
    let decided = evaluation.classification().unwrap();
    assert_eq!(evaluation.accuracy(), Some(4.0 / 6.0));
    assert_eq!((decided.precision(1), decided.recall(1), decided.f1(1)), (2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0));
    let confusion = evaluation.confusion().unwrap();
    assert_eq!([(0, 0), (0, 1), (1, 0), (1, 1)].map(|(no, yes)| confusion.count(no, yes)), [2, 1, 1, 2]);
    assert_eq!(evaluation.regression(), None);
}

#[test]
fn a_probability_is_a_decision() {
    let data = Dataset::new(vec![0.4, 0.6, 0.9, 0.5], vec![0.0, 1.0, 0.0, 0.0]).unwrap();
    let evaluation = trainer::<Probability<f64>>().evaluate(&data).unwrap();
    assert_eq!(evaluation.accuracy(), Some(0.75));
}

#[test]
fn validation_says_how_many_decisions_are_right() {
    let data = Dataset::new(vec![[2.0], [-2.0]], vec![[1.0], [0.0]]).unwrap();
    let history = trainer::<Logits>().fit(&data, Fit::epochs(1).validate(&data)).unwrap();
    assert_eq!(history.last().unwrap().validation.unwrap().accuracy, Some(1.0));
}

#[test]
fn labels_are_decided_one_by_one() {
    let inputs = vec![[1.0, -1.0, 1.0], [-1.0, -1.0, -1.0]];
    let targets = (vec![1.0, -3.0], vec![[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]);
    let evaluation = trainer::<Labels>().evaluate(&Dataset::new(inputs, targets).unwrap()).unwrap();
    assert_eq!(evaluation.classification().unwrap().total(), 6);
    assert_eq!(evaluation.accuracy(), Some(4.0 / 6.0));
    assert_eq!(evaluation.regression().unwrap().mse(), 0.0);
    assert_eq!(evaluation.parts().len(), 2);
}

#[test]
fn other_numbers_are_none() {
    // Shares instead of answers.
    let data = Dataset::new(vec![[0.3], [-0.3]], vec![[0.9], [0.0]]).unwrap();
    let evaluation = trainer::<Logits>().evaluate(&data).unwrap();
    assert_eq!((evaluation.accuracy(), evaluation.regression().unwrap().count()), (None, 2));
    let data = Dataset::new(vec![[0.3], [-0.3]], vec![[1.0], [0.0]]).unwrap();
    assert_eq!(trainer::<Squared>().evaluate(&data).unwrap().accuracy(), None);
}

#[test]
fn many_classes_have_no_matrix() {
    let words: Vec<Class<4000>> = (0..10).map(|word| Class::new(399 * word).unwrap()).collect();
    let mut answers = words.clone();
    answers[3] = words[4];
    let evaluation = trainer::<Vocabulary>().evaluate(&Dataset::new(words, answers).unwrap()).unwrap();
    assert_eq!((evaluation.accuracy(), evaluation.confusion()), (Some(0.9), None));
    let classification = evaluation.classification().unwrap();
    assert_eq!((classification.recall(399 * 4), classification.precision(399 * 3)), (0.5, 0.0));
}
