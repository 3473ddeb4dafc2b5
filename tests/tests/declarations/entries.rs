//! Inputs, outputs, targets and further entry points.

use backprop::prelude::*;

use crate::has_parameters;

network! {
    pub struct Several;

    fn forward(image: [4, 4], word: Class<5>, past: [Class<3>; 2], length: Length<4>, annealing: Scalar) -> ([2], [], [4, 3]) {
        let seen = concat((image.last(length = length), word.one_hot(), past.one_hot().flatten()));
        (seen.dense(2) * annealing, seen.mean(), image.dense(3))
    }

    fn loss(scores, level, rows, label: Class<2>, wanted: [], words: [Class<3>; 4], weight: Scalar) {
        cross_entropy(scores, label) + weight * (level - wanted).powi(2) + 0.5 * cross_entropy(rows, words)
    }
}

network! {
    /// Nothing but classes.
    pub struct Words;

    fn forward(text: [Class<7>; 3]) -> [3, 4] { text.embedding(4) }
    fn loss(y, t: [3, 4]) { mse(y, t) }
}

network! {
    /// One number in, one out.
    pub struct Number { a: [] = 2.0, b: [] = -1.0 }

    fn forward(x: []) -> [] { self.a * x + self.b }
    fn loss(y: [], t: []) { (y - t).powi(2) }
}

network! {
    /// Without a loss: for a critic or a loss outside.
    pub struct Critic { head: dense(1) }

    fn forward(state: [4], action: [2]) -> [1] { self.head(concat((state, action)).dense(8).tanh()) }
}

network! {
    /// Targets that are not used, and arguments without a name.
    pub struct Ignoring;

    fn forward(x: [2], _: [3], _unused: Class<4>) -> ([1], [1]) { (x.dense(1), x.dense(1)) }
    fn loss(y, _, t: [1], _: [5]) { mse(y, t) }
}

network! {
    /// Several functions of one network that Rust calls.
    pub struct Autoencoder {
        inward: dense(2),
        outward: dense(6),
        scale: [2] = [1, 10],
    }

    /// The code of an input.
    pub fn encode(x: [6]) -> [2] { self.inward(x) * self.scale }

    /// An input for a code.
    pub fn decode(code: [2]) -> [6] { self.outward(code / self.scale) }

    pub fn both(x: [6]) -> ([2], [6]) {
        let code = encode(x);
        (code, code.decode())
    }

    /// Its layer belongs to it, whoever calls.
    pub(crate) fn judge(x: [6], t: Scalar) { t * x.dense(1) }

    fn forward(x: [6]) -> [6] { x.encode().decode() + judge(x, 0.0) }
    fn loss(y, t: [6]) { mse(y, t) }
}

network! {
    /// A step at a time, as a microcontroller would.
    pub struct Streaming { w: [3, 4] = glorot_uniform(), u: [4, 4] = orthogonal() }

    pub fn step(state: [4], frame: [3]) -> [4] { tanh(frame.matmul(self.w) + state.matmul(self.u)) }

    fn forward(frames: [9, 3]) -> [2] { frames.scan(step, initial = zeros([4])).last().dense(2) }
    fn loss(y, label: Class<2>) { cross_entropy(y, label) }
}

network! {
    /// A loss that looks at the parameters only.
    pub struct Penalty { w: [3] = ones() }

    fn forward(x: [3]) -> [3] { x * self.w }
    fn loss(_) { self.w.powi(2).sum() }
}

#[test]
fn several_inputs_outputs_and_targets_are_tuples() {
    let mut trainer = Trainer::<Several, _, 2>::new(Sgd::new(0.1), Seed(1));
    let images = [[[0.5; 4]; 4]; 2];
    let words = [Class::<5>::new(4).unwrap(); 2];
    let past = [[Class::<3>::new(2).unwrap(); 2]; 2];
    let lengths = [Length::<4>::new(1).unwrap(); 2];
    let labels = [Class::<2>::new(1).unwrap(); 2];
    let next = [[Class::<3>::new(0).unwrap(); 4]; 2];
    let (scores, level, rows): ([f32; 2], f32, [[f32; 3]; 4]) =
        trainer.predict((&images[0], &words[0], &past[0], &lengths[0], 0.0));
    assert_eq!(scores, [0.0; 2]);
    assert_eq!(level, (4.0 * 0.5 + 1.0 + 2.0) / 15.0);
    assert_eq!(rows[0], rows[3]);
    let inputs = (&images[..], &words[..], &past[..], &lengths[..], 1.0);
    let first = trainer.step(inputs, (&labels, &[0.5; 2], &next, 0.1)).unwrap();
    let second = trainer.step(inputs, (&labels, &[0.5; 2], &next, 0.1)).unwrap();
    assert!(second < first);
}

#[test]
fn classes_and_numbers_alone() {
    let mut workspace = Workspace::<Words, 1>::boxed();
    let words = Words::<f32>::boxed(Seed(1));
    let row = |class| Class::new(class).unwrap();
    let rows: [[f32; 4]; 3] = words.predict(&[row(6), row(0), row(6)], &mut workspace);
    assert_eq!((rows[0], rows[1]), (words.embedding_1.weight[6], words.embedding_1.weight[0]));
    let mut workspace = Workspace::<Number, 1>::boxed();
    let number = Number::<f32>::boxed(Seed(1));
    assert_eq!(number.predict(&3.0, &mut workspace), 5.0);
    assert_eq!(number.loss(&[3.0], &[4.0], &mut workspace), Ok(1.0));
}

#[test]
fn without_a_loss_there_is_backward() {
    let critic = Critic::<f32>::boxed(Seed(1));
    let mut gradient = critic.zeros_like();
    let mut workspace = Workspace::<Critic, 1>::boxed();
    let inputs = (&[[0.5; 4]][..], &[[0.1; 2]][..]);
    critic.forward(inputs, &mut workspace).unwrap();
    let (state, action) = critic.backward(inputs, &[[1.0]], &mut workspace, &mut gradient).unwrap();
    assert!(state[0] != [0.0; 4] && action[0] != [0.0; 2]);
    assert_eq!(gradient.head.bias, [1.0]);
}

#[test]
fn what_is_ignored_is_given_all_the_same() {
    let mut trainer = Trainer::<Ignoring, _, 1>::new(Sgd::new(0.1), Seed(1));
    let class = Class::new(3).unwrap();
    trainer.step((&[[1.0; 2]], &[[1.0; 3]], &[class]), (&[[1.0]], &[[0.0; 5]])).unwrap();
}

#[test]
fn public_functions_are_methods() {
    let network = Autoencoder::<f32>::boxed(Seed(1));
    let mut workspace = Workspace::<Autoencoder, 2>::boxed();
    let inputs = [[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]; 2];
    let codes: Vec<[f32; 2]> = network.encode(&inputs, &mut workspace).unwrap().to_vec();
    let decoded: Vec<[f32; 6]> = network.decode(&codes, &mut workspace).unwrap().to_vec();
    let (again, output) = network.both(&inputs, &mut workspace).unwrap();
    assert_eq!(again, codes);
    // Where the code is scaled and back in one function, nothing of that is left: equal up to rounding.
    let same = |found: &[f32; 6]| found.iter().zip(&decoded[0]).all(|(found, part)| (found - part).abs() < 1e-6);
    assert!(output.iter().all(same), "{output:?}, in two steps {decoded:?}");
    assert!(same(&network.predict(&inputs[0], &mut workspace)));
    assert_eq!(network.judge.dense_1.bias, [0.0]);
    assert_eq!(network.judge(&inputs, 0.0, &mut workspace).unwrap(), [[0.0]; 2]);
    assert!(network.encode(&[[0.0; 6]; 3], &mut workspace).is_err());
}

#[test]
fn steps_one_by_one_are_the_scan() {
    let network = Streaming::<f32>::boxed(Seed(1));
    let mut workspace = Workspace::<Streaming, 1>::boxed();
    let frames: [[f32; 3]; 9] = std::array::from_fn(|step| [0.1 * step as f32, 0.5, -0.2]);
    let mut state = [0.0; 4];
    for frame in frames {
        state = network.step(&[state], &[frame], &mut workspace).unwrap()[0];
    }
    let scores = network.predict(&frames, &mut workspace);
    for (class, score) in scores.into_iter().enumerate() {
        let sum: f32 = (0..4).map(|unit| state[unit] * network.dense_1.weight[unit][class]).sum();
        assert!((score - sum).abs() < 1e-6);
    }
}

#[test]
fn a_loss_needs_no_target() {
    has_parameters::<Penalty>(3);
    let mut trainer = Trainer::<Penalty, _, 1>::new(Sgd::new(0.25), Seed(1));
    assert_eq!(trainer.step(&[[1.0; 3]], ()).unwrap(), 3.0);
    assert_eq!(trainer.network().w, [0.5; 3]);
}
