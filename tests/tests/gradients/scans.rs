//! Loops over time.

use crate::table::networks;

networks! {
    leaky_integrator [leak: [3] = constant(0.1), w: [2, 3] = glorot_uniform()] {
        fn cell(state: [3], u: [2]) -> [3] {
            let a = sigmoid(self.leak);
            (1.0 - a) * state + a * tanh(u.matmul(self.w))
        }
        fn forward(u: [7, 2]) -> [1] { u.scan(cell, initial = zeros([3])).last().dense(1) }
        fn loss(y, t: [1]) { mse(y, t) }
    }
    lstm [w: [3, 16] = glorot_uniform(), u: [4, 16] = orthogonal(), b: [16] = zeros()] {
        fn cell((h, c): ([4], [4]), x: [3]) -> ([4], [4]) {
            let z = x.matmul(self.w) + h.matmul(self.u) + self.b;
            let (i, f, g, o) = (z[0..4].sigmoid(), z[4..8].sigmoid(), z[8..12].tanh(), z[12..16].sigmoid());
            let c = f * c + i * g;
            (o * c.tanh(), c)
        }
        fn forward(frames: [5, 3], length: Length<5>) -> [2] {
            let (h, _) = frames.scan(cell, initial = (zeros([4]), zeros([4])), length = length);
            h.last(length = length).dense(2)
        }
        fn loss(logits, digit: Class<2>) { cross_entropy(logits, digit) }
    }
    gru [w: [3, 12] = glorot_uniform(), u: [4, 12] = orthogonal(), b: [12] = normal(0.5)] {
        fn cell(h: [4], x: [3]) -> [4] {
            let (x, r) = (x.matmul(self.w) + self.b, h.matmul(self.u[(.., 0..8)]));
            let z = (x[0..4] + r[0..4]).sigmoid();
            let r = (x[4..8] + r[4..8]).sigmoid();
            let n = (x[8..12] + (r * h).matmul(self.u[(.., 8..12)])).tanh();
            (1.0 - z) * n + z * h
        }
        fn forward(x: [4, 3], y: [4, 3]) -> [4, 4] {
            x.scan(cell, initial = zeros([4])) + y.scan(cell, initial = ones([4]), reverse = true)
        }
        fn loss(y, t: [4, 4]) { mse(y, t) }
    }
    reversed_with_length [w: [2] = normal(0.7)] {
        fn cell(s: [2], x: [2]) -> [2] { (s * self.w + x).tanh() }
        fn forward(x: [5, 2], n: Length<5>) -> ([5, 2], [2]) {
            let s = x.scan(cell, initial = zeros([2]), reverse = true, length = n);
            (s, s[0])
        }
        fn loss(y, z, t: [5, 2]) { mse(y, t) + z.powi(3).sum() }
    }
    several_sequences [w: [3, 2] = normal(0.7), table: [4, 2] = normal(0.7)] {
        fn cell(s: [2], a: [3], b: [], c: Class<4>) -> [2] {
            (s + a.matmul(self.w) * b + c.lookup(self.table)).sin()
        }
        fn forward(a: [3, 3], b: [3], c: [Class<4>; 3]) -> [3, 2] { (a, b, c).scan(cell, initial = zeros([2])) }
        fn loss(y, t: [3, 2]) { mse(y, t) }
    }
    initial_states [start: [2] = normal(0.7), w: [2, 2] = normal(0.7)] {
        fn cell((a, b): ([2], [2]), x: [2]) -> ([2], [2]) { ((a * b).sin() + x, (b + x).matmul(self.w).tanh()) }
        fn forward(x: [4, 2], z: [2]) -> ([2], [4, 2]) {
            let (a, b) = x.scan(cell, initial = (self.start, z * 2.0));
            (a.last(), b)
        }
        fn loss(a, b, t: [2]) { mse(a, t) + b.powi(2).sum() }
    }
    layers_inside {
        fn cell(s: [3], x: [2]) -> [3] { concat((s, x)).dense(4).layer_norm().gelu().dense(3).tanh() }
        fn forward(x: [3, 2]) -> [3] { x.dense(2).scan(cell, initial = zeros([3])).last() }
        fn loss(y, t: [3]) { mse(y, t) }
    }
    dropout_inside {
        fn cell(s: [3], x: [3]) -> [3] { (s.dropout(0.4) + x.dense(3)).tanh() }
        fn forward(x: [4, 3]) -> [3] { x.scan(cell, initial = zeros([3])).last() }
        fn loss(y, t: [3]) { mse(y, t) }
    }
    after_the_loop [w: [2, 2] = normal(0.7), v: [2, 3] = normal(0.7)] {
        fn cell(s: [2], x: [2]) -> [2] { (s.matmul(self.w) + x).tanh() }
        fn forward(x: [4, 2]) -> ([4, 3], [2], [4]) {
            let s = x.scan(cell, initial = zeros([2]));
            (s.matmul(self.v).softmax(), s.mean(axis = 0), s[(.., 0)] * s[(.., 1)])
        }
        fn loss(y, m, p, t: [4, 3]) { mse(y, t) + m.sum() + p.sum() }
    }
    loop_in_a_loop [w: [2] = normal(0.7), v: [2] = normal(0.7)] {
        fn inner(s: [2], x: [2]) -> [2] { (s * self.w + x).sin() }
        fn outer(s: [2], xs: [3, 2]) -> [2] { (s * self.v + xs.scan(inner, initial = s).last()).tanh() }
        fn forward(x: [2, 3, 2]) -> [2] { x.scan(outer, initial = zeros([2])).last() }
        fn loss(y, t: [2]) { mse(y, t) }
    }
    dropout_in_a_loop_in_a_loop {
        fn inner(s: [2], x: [2]) -> [2] { (s.dropout(0.5) + x).sin() }
        fn outer(s: [2], xs: [3, 2]) -> [2] { (s + xs.scan(inner, initial = s.dense(2)).last()).tanh() }
        fn forward(x: [2, 3, 2]) -> [2] { x.scan(outer, initial = zeros([2])).last() }
        fn loss(y, t: [2]) { mse(y, t) }
    }
    one_after_another [w: [2] = normal(0.7), v: [2] = normal(0.7)] {
        fn first(s: [2], x: [2]) -> [2] { (s * self.w + x).sin() }
        fn second(s: [2], x: [2]) -> [2] { (s * self.v + x).tanh() }
        fn forward(x: [4, 2]) -> [2] {
            let forwards = x.scan(first, initial = zeros([2]));
            let backwards = x.scan(first, initial = zeros([2]), reverse = true);
            (forwards * backwards).scan(second, initial = zeros([2]), reverse = true)[0]
        }
        fn loss(y, t: [2]) { mse(y, t) }
    }
    a_single_step [w: [2] = normal(0.7)] {
        fn cell(s: [2], x: [2]) -> [2] { s * self.w + x }
        fn forward(x: [1, 2], s: [2]) -> [2] { x.scan(cell, initial = s).last() }
        fn loss(y, t: [2]) { mse(y, t) }
    }
    the_same_for_all_samples [w: [4, 2] = normal(0.7), v: [2, 2] = normal(0.5)] {
        fn cell(s: [2], x: [2]) -> [2] { (s.matmul(self.v) + x).tanh() }
        fn forward(x: [2]) -> [2] { x * self.w.scan(cell, initial = zeros([2])).last() }
        fn loss(y, t: [2]) { mse(y, t) }
    }
    matrices_as_states [w: [2, 2] = normal(0.7)] {
        fn cell(s: [3, 2], x: [2]) -> [3, 2] { (s.matmul(self.w) + x).tanh() + x.sum() }
        fn forward(x: [3, 2], s: [3, 2]) -> [2] { x.scan(cell, initial = s).last().max(axis = 0) }
        fn loss(y, t: [2]) { mse(y, t) }
    }
    untrained_initial_sums {
        fn add(s: [], x: []) -> [] { s + x }
        fn forward(x: [6]) -> [6] { x.scan(add, initial = 0.0).sin() }
        fn loss(y, t: [6]) { mse(y, t) }
    }
}
