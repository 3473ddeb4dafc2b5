//! Every loss with its options, on several shapes.

use crate::table::networks;

networks! {
    mse {
        fn forward(x: [3], z: [2, 3]) -> ([3], [2, 3]) { (x.dense(3), z.dense(3)) }
        fn loss(y, w, t: [3], u: [2, 3]) { mse(y, t) + 0.3 * w.mse(u) }
    }
    mae {
        fn forward(x: [3]) -> [3] { x.dense(3) }
        fn loss(y, t: [3]) { mae(y, t) }
    }
    huber {
        fn forward(x: [3, 2]) -> [3, 2] { 3.0 * x.dense(2) }
        fn loss(y, t: [3, 2]) { huber(y, t) + huber(y, t, 0.3) + y.huber(t, delta = 2.0) }
    }
    binary_cross_entropy {
        fn forward(x: [3]) -> [3] { x.dense(3).sigmoid() }
        fn loss(p, t: [3]) { binary_cross_entropy(p, t) }
    }
    binary_cross_entropy_with_logits {
        fn forward(x: [2, 3]) -> [2, 3] { 3.0 * x.dense(3) }
        fn loss(y, t: [2, 3]) { binary_cross_entropy_with_logits(y, t) }
    }
    cross_entropy {
        fn forward(x: [5]) -> [4] { x.dense(4) }
        fn loss(y, t: Class<4>) { cross_entropy(y, t) }
    }
    cross_entropy_binary {
        fn forward(x: [5]) -> [2] { x.dense(2) }
        fn loss(y, t: Class<2>) { cross_entropy(y, t, label_smoothing = 0.2) }
    }
    cross_entropy_places {
        fn forward(x: [3, 5]) -> [3, 4] { x.dense(4) }
        fn loss(y, t: [Class<4>; 3]) { cross_entropy(y, t, label_smoothing = 0.1) }
    }
    cross_entropy_grid {
        fn forward(x: [2, 3, 5]) -> [2, 3, 4] { x.dense(4) }
        fn loss(y, t: [Class<4>; 2, 3]) { cross_entropy(y, t) }
    }
    cross_entropy_probabilities {
        fn forward(x: [3, 5]) -> [3, 4] { x.dense(4) }
        fn loss(y, t: [3, 4]) { cross_entropy(y, t, label_smoothing = 0.1) }
    }
    cross_entropy_weights {
        fn forward(x: [5]) -> [4] { x.dense(4) }
        fn loss(y, t: Class<4>) { cross_entropy(y, t, weights = [0.5, 1.0, 2.0, 0.1]) }
    }
    cross_entropy_length {
        fn forward(x: [3, 5]) -> [3, 4] { x.dense(4) }
        fn loss(y, t: [Class<4>; 3], n: Length<3>) { cross_entropy(y, t, length = n) }
    }
    cross_entropy_all_options {
        fn forward(x: [4, 5]) -> [4, 3] { x.dense(3) }
        fn loss(y, t: [Class<3>; 4], n: Length<4>) {
            cross_entropy(y, t, length = n, weights = [0.5, 1.0, 2.0], label_smoothing = 0.1)
        }
    }
    by_hand_cross_entropy {
        fn forward(x: [5]) -> [4] { x.dense(4) }
        fn loss(y, t: Class<4>) {
            let shifted = y - y.max().stop_gradient();
            -((shifted - shifted.exp().sum().ln()) * t.one_hot()).sum()
        }
    }
    terms_of_several_weights [w: [3, 4] = normal(0.5), v: [4] = normal(0.5)] {
        fn forward(x: [2, 3]) -> [2, 4] { x.matmul(self.w) }
        fn loss(y, t: [Class<4>; 2], n: Length<2>, u: [4]) {
            0.5 * cross_entropy(y, t, length = n) + 0.01 * self.w.powi(2).sum() - mse(y[0], u)
                + 0.1 * cross_entropy(y[1] + self.v, t[1], weights = [1.0, 2.0, 3.0, 4.0])
        }
    }
    penalty_alone [w: [3] = normal(0.5)] {
        fn forward(x: [3]) -> [3] { x * self.w }
        fn loss(y, t: [3]) { self.w.powi(2).sum() + self.w[1].exp() }
    }
    parameters_in_the_loss [scale: [] = 1.5, q: [2, 3] = normal(1.0)] {
        fn forward(x: [2]) -> [2] { x.dense(2) }
        fn loss(y, t: [3]) { mse(y.matmul(self.q) * self.scale, t) }
    }
}
