//! What may stand in a body.

use backprop::prelude::*;

/// What the network, started with seed 1, makes of an input.
macro_rules! predicted {
    ($network:ident, $sample:expr) => {
        $network::<f32>::boxed(Seed(1)).predict($sample, &mut Workspace::<$network, 1>::boxed())
    };
}

network! {
    /// Functions that call functions, arguments by name, constants as arguments.
    pub struct Nested;

    fn identity(v) { v }
    fn scaled(v, factor: f64) { identity(v) * factor }
    fn widened(v, width: usize, bend: bool) { if bend { v.dense(width).tanh() } else { v.dense(width, name = straight) } }
    fn twice(v) { v.scaled(factor = 2.0).identity() }
    fn both((a, b)) { (b, a.twice()) }

    fn forward(x: [2]) -> ([2], [2]) {
        let (a, b) = both((x, widened(x, 3, true).widened(2, bend = false)));
        (b, scaled(factor = 0.5, v = a) - a.scaled(0.5))
    }
}

network! {
    /// One name for many values.
    pub struct Shadowing;

    fn x(x) { let x = x + 1; { let x = 100; let _ = x; } x }

    fn forward(x: [2]) -> [2] {
        let x = x * 2;
        let x = { let x = x + 1; x * x };
        let (x, _) = (x, 7);
        let mut y = x;
        for x in 0..2 { y += x; }
        x(y)
    }
}

network! {
    /// Loops over constant ranges.
    pub struct Loops;

    const N: usize = 3;

    fn forward(x: [4]) -> [] {
        let mut sum = 0.0;
        for i in 0..N { sum = sum + x[i]; }
        for i in (0..=N).rev() { for j in i..N { sum += 10 * x[j]; } }
        for _ in 0..0 { sum = 1.0e9; }
        for i in 0..4 { if i % 2 == 1 { sum -= x[i]; } }
        let (mut a, mut b) = (sum, 1);
        for _ in 0..3 { (a, b) = (a + b, b + 1); }
        a
    }
}

network! {
    /// Everything that is known before there is a network.
    pub struct Constants { w: [WIDTH] = [SCALE; WIDTH], v: [2, 2] = TABLE, #[clamp(-LIMIT, LIMIT)] c: [] = LIMIT }

    const WIDTH: usize = (1 << 4) / 4 - 2;
    const SCALE: f64 = WIDTH as f64 / 8.0 + 1e-1 - 0.1;
    const LIMIT: f32 = 0.5;
    const DEEP: bool = WIDTH > 1 && !(LIMIT == 1.0);
    const TABLE: [[f64; 2]; 2] = [[1.0, 2.0], [3.0, -4.0]];
    const SMALL: i32 = -3;

    fn forward(x: [WIDTH * 2 - 2]) -> [WIDTH] {
        let half = 1.0.exp().ln() / 2;
        let y = if DEEP { x * self.w } else { x.dense(WIDTH).missing() };
        y.matmul(self.v) * half + SMALL + TABLE[1][0] + self.c - WIDTH as f64
    }
}

network! {
    /// Parts of tensors.
    pub struct Parts { w: [2, 3] = [[1, 2, 3], [4, 5, 6]] }

    fn forward(x: [2, 3]) -> [12] {
        let row: [3] = x[1];
        let column: [2] = x[(.., 0)];
        let block = x[(0..=1, 1..)];
        let element = x[(1, 2)] + self.w[1][2] + self.w[(0, 0)];
        concat((row[..2], column, block.flatten(), element.reshape(1), [1, 2, 3] * row.max()))
    }
}

network! {
    /// Conditions, known now or later.
    pub struct Conditions;

    fn sign_of(v) { if v > 0 { 1 } else if v < 0 { -1 } else { 0 } }

    fn forward(x: [4]) -> ([4], [4], [4]) {
        let inside = x >= -1.0 && x <= 1.0;
        let hard = if inside { x } else { sign_of(x) };
        let soft = select(!inside || x == 0.5, 0.0, { let y = x; y + 1 });
        let (low, high) = if x.mean() != 0.0 { (x.min(0), x.max(0)) } else { (x, x) };
        (hard, soft, low + high)
    }
}

network! {
    /// Every kind of scan.
    pub struct Scans { start: [2] = [1, -1], u: [2, 2] = orthogonal() }

    fn add(s, v) { s + v }
    fn weighed(s: [2], (v, w): ([2], [])) { s + v * w }
    fn counted((sum, count), v, word: Class<3>) { (sum + v.matmul(self.u), count + word) }
    fn layered(s: [2], v) { concat((s, v)).dense(2).tanh() }
    fn rows(s, row: [2, 2]) { row.scan(add, initial = s).last() }

    fn forward(x: [5, 2], w: [5], words: [Class<3>; 5], n: Length<5>) -> ([2], [2], [], [2], [2]) {
        let forwards = x.scan(self.add, initial = self.start, length = n);
        let backwards = scan(x, add, initial = zeros([2]), reverse = true);
        let both = (x, w).scan(weighed, initial = zeros(2)).last();
        let (sums, counts) = (x, words).scan(counted, initial = (zeros([2]), 0.0));
        let deep = forwards.scan(layered, initial = ones([2])).last();
        let nested = x[0..4].reshape([2, 2, 2]).scan(rows, initial = zeros([2])).last();
        (forwards.last(length = n) + backwards[0], both, counts.last(), sums.last() + deep, nested)
    }
}

network! {
    /// Functions as methods and methods as functions.
    pub struct Calls;

    fn forward(x: [2, 3]) -> [3] {
        let a = sum(relu(dense(x, 3)), axis = 0);
        let b = x.matmul(ones([3, 3])).softmax(axis = -1).mean(axes = [0]);
        let c = -x.transpose().matmul(x)[1];
        let d = softmax(x).ln().exp_m1().abs().sqrt().sum(axis = 0, keep = true).flatten();
        (a + b * c / (1 + d)).layer_norm(epsilon = 0.1, weight = false).leaky_relu(slope = 0.2).clamp(-3, 3).stop_gradient()
    }
}

network! {
    /// An activation for every taste, in a loop over layers.
    pub struct Activations;

    fn forward(x: [6]) -> [6] {
        let mut y = x;
        y = y.dense(6).relu() + y.dense(6).elu(alpha = 0.5) + y.selu() + y.celu();
        y = gelu(y) + y.gelu(approximate = true) + y.silu() + y.mish() + y.softplus() + y.softsign();
        y = y.tanh() + y.sigmoid() + y.hard_sigmoid() + y.hard_swish() + y.hard_tanh() + y.softmax();
        y = y.log_softmax() + y.prelu() + concat((y, y)).glu() + y.rms_norm() + y.erf() + y.sin() * y.cos();
        y.dropout(0.5)
    }

    fn loss(y, t: [6]) { mse(y, t) + mae(y, t) + huber(y, t, delta = 2) + binary_cross_entropy_with_logits(y, t) }
}

#[test]
fn functions_call_functions() {
    let (_, zero) = predicted!(Nested, &[1.0, 2.0]);
    assert_eq!(zero, [0.0; 2]);
    let network = Nested::<f32>::boxed(Seed(1));
    assert_eq!((network.widened_1.dense_1.bias, network.widened_2.straight.bias), ([0.0; 3], [0.0; 2]));
}

#[test]
fn inner_names_hide_outer_ones() {
    assert_eq!(predicted!(Shadowing, &[0.0, 1.0]), [3.0, 11.0]);
}

#[test]
fn loops_are_unrolled() {
    let x = [1.0_f32, 2.0, 3.0, 4.0];
    let expected = 6.0 + 10.0 * (1.0 + 2.0 * 2.0 + 3.0 * 3.0) - 6.0 + 6.0;
    assert_eq!(predicted!(Loops, &x), expected);
}

#[test]
fn constants_are_computed() {
    let network = Constants::<f32>::boxed(Seed(1));
    assert_eq!((network.w, network.v, network.c), ([0.25; 2], [[1.0, 2.0], [3.0, -4.0]], 0.5));
    assert_eq!(predicted!(Constants, &[4.0, 8.0]), [3.5 + 3.0 - 4.5 - 0.0, -3.0 + 3.0 - 4.5]);
}

#[test]
fn parts_are_taken() {
    let expected = [4.0, 5.0, 1.0, 4.0, 2.0, 3.0, 5.0, 6.0, 13.0, 6.0, 12.0, 18.0];
    assert_eq!(predicted!(Parts, &[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), expected);
}

#[test]
fn conditions_choose() {
    let (hard, soft, sum) = predicted!(Conditions, &[-2.0, -0.5, 0.5, 3.0]);
    assert_eq!((hard, soft), ([-1.0, -0.5, 0.5, 1.0], [0.0, 0.5, 0.0, 0.0]));
    assert_eq!(sum, [-2.0, -0.5, 0.5, 3.0]);
}

#[test]
fn scans_walk_over_time() {
    let x: [[f32; 2]; 5] = std::array::from_fn(|step| [step as f32, 1.0]);
    let words = [2, 0, 1, 1, 0].map(|class| Class::new(class).unwrap());
    let length = Length::new(2).unwrap();
    let (ends, both, count, _, nested) = predicted!(Scans, (&x, &[1.0, 0.0, 0.0, 0.0, 2.0], &words, &length));
    assert_eq!(ends, [1.0 + 1.0 + 10.0, -1.0 + 2.0 + 5.0]);
    assert_eq!((both, count, nested), ([8.0, 3.0], 4.0, [6.0, 4.0]));
}

#[test]
fn calls_have_two_forms() {
    assert!(predicted!(Calls, &[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]).iter().all(|y| y.is_finite()));
    let mut trainer = Trainer::<Activations, _, 1>::new(Sgd::new(0.01), Seed(1));
    trainer.step(&[[0.1, -0.2, 0.3, -0.4, 0.5, -0.6]], &[[1.0; 6]]).unwrap();
}
