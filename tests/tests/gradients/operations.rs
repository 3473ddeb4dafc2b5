//! Every operation that is not elementwise, and broadcasting, on several shapes.

use crate::table::networks;

networks! {
    matmul [w: [3, 4] = normal(0.7), column: [4] = normal(0.7), left: [2, 3] = normal(0.7)] {
        fn forward(x: [3], z: [5, 3]) -> ([4], [5], [2, 5]) {
            (x.matmul(self.w), z.matmul(self.w).matmul(self.column), self.left.matmul(z.transpose()))
        }
        fn loss(a, b, c, t: [4]) { mse(a, t) + b.powi(2).sum() + c.sin().sum() }
    }
    matmul_of_inputs {
        fn forward(x: [3, 4], y: [4, 2], z: [2, 4]) -> ([3, 2], [3, 2], [4, 2]) {
            (x.matmul(y), x.matmul(z.transpose()), x.transpose().matmul(x.matmul(y)))
        }
        fn loss(a, b, c, t: [3, 2]) { mse(a, t) + mae(b, t) + c.powi(2).mean() }
    }
    matmul_batched [w: [2, 4, 3] = normal(0.7)] {
        fn forward(x: [2, 3, 4], y: [2, 4, 2]) -> ([2, 3, 2], [2, 3, 3], [2, 3, 3]) {
            (x.matmul(y), x.matmul(self.w), x.matmul(x.transpose()))
        }
        fn loss(a, b, c, t: [2, 3, 2]) { mse(a, t) + (b * c).sin().sum() }
    }
    matmul_transposed [w: [4, 3] = normal(0.7), v: [2, 2, 2] = normal(0.7)] {
        fn forward(x: [3], y: [2, 3], z: [2, 5, 2]) -> ([4], [2, 4], [2, 5, 2]) {
            (x.matmul(self.w.transpose()), y.matmul(self.w.transpose()), z.matmul(self.v.transpose()))
        }
        fn loss(a, b, c, t: [4]) { mse(a, t) + b.powi(2).sum() + c.sin().sum() }
    }
    attention_by_hand [q: [4, 6] = normal(0.7), k: [4, 6] = normal(0.7), v: [4, 6] = normal(0.7)] {
        fn heads(x, w) { x.matmul(w).reshape([3, 2, 3]).transpose([1, 0, 2]) }
        fn forward(x: [3, 4]) -> [3, 6] {
            let (q, k, v) = (x.heads(self.q), x.heads(self.k), x.heads(self.v));
            let scores = q.matmul(k.transpose()) / 1.7;
            scores.softmax().matmul(v).transpose(axes = [1, 0, 2]).reshape([3, 6])
        }
        fn loss(y, t: [3, 6]) { mse(y, t) }
    }
    sums [w: [2, 3, 4] = normal(0.7)] {
        fn forward(x: [2, 3, 4]) -> ([], [3, 4], [2, 3], [4], [2, 1, 4], [2, 3, 4]) {
            let x = (x * self.w).sin();
            (x.sum(), x.sum(axis = 0), x.sum(axis = -1), x.sum(axes = [0, 1]), x.sum(axis = 1, keep = true),
             x - x.sum(axis = 2, keep = true))
        }
        fn loss(a, b, c, d, e, f, t: [4]) {
            mse(d, t) + a.sin() + b.sin().sum() + c.sin().sum() + e.sin().sum() + f.sin().sum()
        }
    }
    means_and_variances [w: [2, 3] = normal(0.7)] {
        fn forward(x: [2, 3]) -> ([], [3], [2, 1], [], [2], [1, 3]) {
            let x = x * self.w;
            (x.mean(), x.mean(axis = 0), x.mean(axis = 1, keep = true), x.variance(), x.variance(axis = 1),
             x.variance(axes = [0], keep = true))
        }
        fn loss(a, b, c, d, e, f, t: [3]) {
            mse(b, t) + a.sin() + c.sin().sum() + d.sin() + e.sin().sum() + f.sin().sum()
        }
    }
    maxima [w: [3, 4] = normal(0.7)] {
        fn forward(x: [3, 4]) -> ([], [4], [3], [3, 1]) {
            let y = x * self.w;
            (y.max(), y.max(axis = 0), y.min(axis = 1) * x.min(), (x + self.w).max(axis = -1, keep = true))
        }
        fn loss(a, b, c, d, t: [4]) { mse(b, t) + a.sin() + c.sin().sum() + d.sin().sum() }
    }
    softmax [w: [3, 4] = normal(0.7)] {
        fn forward(x: [3, 4]) -> ([3, 4], [3, 4], [4]) {
            let y = x * self.w;
            (y.softmax(), y.softmax(axis = 0), x[1].softmax())
        }
        fn loss(a, b, c, t: [3, 4]) { mse(a, t) + (b * t).sum() + c.powi(2).sum() }
    }
    log_softmax [w: [3, 4] = normal(0.7)] {
        fn forward(x: [3, 4]) -> ([3, 4], [3, 4]) {
            let y = x * self.w;
            (y.log_softmax(), y.log_softmax(axis = -2))
        }
        fn loss(a, b, t: [3, 4]) { mse(a, t) + (b * t).sum() }
    }
    shapes [w: [12] = normal(0.7)] {
        fn forward(x: [2, 3, 2]) -> ([12], [3, 4], [3, 2, 2], [2, 2, 3]) {
            let y = (x * self.w.reshape([2, 3, 2])).sin();
            (y.flatten(), y.reshape([3, 4]), y.transpose([1, 2, 0]), y.transpose())
        }
        fn loss(a, b, c, d, t: [12]) {
            mse(a, t) + b.matmul(b.transpose()).sum() + (c * c.sin()).sum() + (d[0] * d[1].sin()).sum()
        }
    }
    concat [w: [2, 3] = normal(0.7)] {
        fn forward(x: [2, 3], y: [1, 3], z: [2, 2]) -> ([5, 3], [2, 8], [2, 5]) {
            let w = self.w;
            (concat((x.sin(), y, w)), concat((x * w, z.exp(), w), axis = 1), concat([x, z], axis = -1))
        }
        fn loss(a, b, c, t: [5, 3]) { mse(a, t) + b.powi(2).sum() + c.powi(3).sum() }
    }
    parts [w: [4, 3] = normal(0.7), v: [5] = normal(0.7)] {
        fn forward(x: [4, 3], z: [5]) -> ([2, 3], [4], [3], [4, 2], []) {
            let y = x * self.w;
            (y[1..3].sin(), y[(.., 0)] * y[(.., 2)], y[3] * z[2..], y[(.., 1..3)].exp(), self.v[3] * z[0] + x[(2, 1)])
        }
        fn loss(a, b, c, d, e, t: [4]) { mse(b, t) + a.sum() + c.powi(2).sum() + d.powi(2).sum() + e.sin() }
    }
    lookup [table: [5, 3] = normal(0.7), numbers: [4] = normal(0.7), blocks: [3, 2, 2] = normal(0.7)] {
        fn forward(a: Class<5>, b: [Class<5>; 4], c: [Class<4>; 2], d: Class<3>, x: [3]) -> ([5], [4, 3], [2], [2, 2]) {
            let b = b.lookup(self.table);
            let a = (a.lookup(self.table) * x).matmul(self.table.transpose());
            (a, b.sin() * x, c.lookup(self.numbers).exp(), d.lookup(self.blocks).tanh())
        }
        fn loss(a, b, c, d, t: Class<5>) { cross_entropy(a, t) + b.sum() + c.sum() + d.powi(2).sum() }
    }
    lookup_of_a_value [w: [4, 3] = normal(0.7)] {
        fn forward(a: [Class<4>; 3]) -> [3, 3] { a.lookup(self.w.sin() * 2.0) }
        fn loss(y, t: [3, 3]) { mse(y, t) }
    }
    one_hot [w: [4, 2] = normal(0.7)] {
        fn forward(a: Class<4>, b: [Class<4>; 3], x: [4]) -> ([2], [3, 4]) {
            ((a.one_hot() * x).matmul(self.w), b.one_hot() * x.exp())
        }
        fn loss(y, z, t: [2]) { mse(y, t) + z.powi(2).sum() }
    }
    last [w: [3] = normal(0.7)] {
        fn forward(x: [5, 3], n: Length<5>) -> ([3], [3], []) {
            let y = (x * self.w).sin();
            (y.last(), y.last(length = n), y.sum(axis = 1).last(length = n))
        }
        fn loss(a, b, c, t: [3]) { mse(a, t) + b.powi(2).sum() + c.exp() }
    }
    classes_as_numbers [w: [3] = normal(0.7)] {
        fn forward(a: Class<4>, b: [Class<3>; 3], n: Length<6>) -> [3] { (a * self.w + b).sin() * n }
        fn loss(y, t: [3]) { mse(y, t) }
    }
    constants [w: [2, 3] = normal(0.7)] {
        fn forward(x: [2, 3]) -> ([2, 3], [3]) {
            let y = x * self.w + ones([2, 3]) - constant(0.5, [3]) * zeros([1]);
            (y * [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], x[0] + [0.1, 0.2, 0.3])
        }
        fn loss(y, z, t: [2, 3]) { mse(y, t) + z.powi(2).sum() }
    }
    broadcasting [a: [3] = normal(0.7), b: [2, 1] = normal(0.7), c: [] = 0.7, d: [2, 3] = normal(0.7)] {
        fn forward(x: [2, 3], y: [1, 3], z: []) -> ([2, 3], [4, 2, 3]) {
            let first = self.a * x + self.b * y + self.c * z + self.d;
            (first, (first.sin() * self.a).reshape([1, 2, 3]) * [[[1.0]], [[2.0]], [[3.0]], [[4.0]]])
        }
        fn loss(a, b, t: [3]) { (a - t).powi(2).sum() + b.sum() }
    }
    outer_products [a: [3] = normal(0.7), b: [4] = normal(0.7)] {
        fn forward(x: [3], y: [4]) -> ([3, 4], [3, 4]) {
            let left = (x * self.a).reshape([3, 1]);
            (left * (y * self.b), (left + y.reshape([1, 4])).tanh())
        }
        fn loss(a, b, t: [3, 4]) { mse(a, t) + (b * t).sum() }
    }
    unused [used: [3] = normal(0.7), _unused: [2] = normal(0.7)] {
        fn forward(x: [3], _unused: [4], _class: Class<3>) -> ([3], [2]) { (x * self.used, ones([2])) }
        fn loss(y, _z, t: [3], _extra: [2]) { mse(y, t) }
    }
}
