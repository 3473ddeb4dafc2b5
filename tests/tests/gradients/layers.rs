//! Every layer with its options, on several shapes.

use crate::table::networks;

networks! {
    dense {
        fn forward(x: [3]) -> [2] { x.dense(4).tanh().dense(2) }
        fn loss(y, t: [2]) { mse(y, t) }
    }
    dense_single {
        fn forward(x: [1]) -> [1] { x.dense(1, bias_start = uniform(-1.0, 1.0)) }
        fn loss(y: [1], t: [1]) { 0.5 * (y - t).powi(2) }
    }
    dense_rows {
        fn forward(x: [3, 5]) -> [3, 2] {
            x.dense(19, weight = he_normal()).relu().dense(2, bias = false, weight = lecun_uniform())
        }
        fn loss(y, t: [3, 2]) { mse(y, t) }
    }
    dense_deep {
        fn forward(x: [2, 3, 4]) -> [2, 3, 4] {
            let mut x = x;
            for _ in 0..3 { x = x + x.dense(4, weight = orthogonal()).silu(); }
            x
        }
        fn loss(y, t: [2, 3, 4]) { mse(y, t) }
    }
    dense_wide {
        fn forward(x: [33]) -> [3] { x.dense(40).relu().dense(3) }
        fn loss(y, t: [3]) { mse(y, t) }
    }
    dense_frozen {
        fn forward(x: [3]) -> [2] { x.dense(4).tanh().dense(5, frozen = true).tanh().dense(2, name = head) }
        fn loss(y, t: [2]) { mse(y, t) }
    }
    embedding {
        fn forward(a: Class<7>, b: [Class<3>; 4], c: [Class<3>; 3, 2]) -> [2, 3] {
            let a = a.embedding(6, weight = normal(1.0)).reshape([2, 3]);
            a * b.embedding(3).sum(axis = 0) + c.embedding(3, weight = uniform(-1.0, 1.0)).sum(axis = 0)
        }
        fn loss(y, t: [2, 3]) { mse(y, t) }
    }
    dropout {
        fn forward(x: [3, 4]) -> [3, 2] { x.dropout(0.3).dense(5).relu().dropout(0.5).dense(2).dropout(0.0) }
        fn loss(y, t: [3, 2]) { mse(y, t) }
    }
    layer_norm {
        fn forward(x: [3, 5]) -> [3, 5] { x.layer_norm().dense(5).layer_norm(epsilon = 0.1) }
        fn loss(y, t: [3, 5]) { mse(y, t) }
    }
    layer_norm_options {
        fn forward(x: [2, 2, 3]) -> [2, 2, 3] {
            let a = x.layer_norm(weight = false, bias = false);
            let b = x.layer_norm(bias = false);
            let c = x.layer_norm(weight = false);
            a * x + b * c + x.layer_norm(frozen = true) * x.layer_norm(name = last)
        }
        fn loss(y, t: [2, 2, 3]) { mse(y, t) }
    }
    rms_norm {
        fn forward(x: [3, 5]) -> [5] {
            let rows = x.rms_norm().dense(5) * x.rms_norm(weight = false, epsilon = 0.01);
            rows.sum(axis = 0).rms_norm()
        }
        fn loss(y, t: [5]) { mse(y, t) }
    }
    prelu {
        fn forward(x: [2, 3]) -> [2, 3] { x.prelu() + (x * x).dense(3).prelu(slope = uniform(0.1, 0.9)) }
        fn loss(y, t: [2, 3]) { mse(y, t) }
    }
    glu {
        fn forward(x: [6], z: [2, 3, 4]) -> [3] { x.glu() + z.dense(6).glu().sum(axes = [0, 1]) }
        fn loss(y, t: [3]) { mse(y, t) }
    }
}
