//! Every elementwise function and operator, with its options.

use crate::table::elementwise;

elementwise! {
    arithmetic [2, 3] in 0.6..2.0 {
        neg: |x| x.neg() - -x * x,
        add: |x, y| x.add(y) + (x + y) * x,
        sub: |x, y| x.sub(y) + (x - y) * y,
        mul: |x, y| x.mul(y) + x * y,
        div: |x, y| y.div(x + 2.0) + y / (x + 2.0),
        recip: |x| recip(x + 2.0),
        square: |x| x.square(),
        powi: |x| x.powi(2) + (x + 2.0).powi(-3) + x.powi(1) + x.powi(0) + x.powi(5),
        numbers: |x| 2.0 * x - x / 3.0 + 1.0 / (x + 2.0) - (1 - x),
        assigned: |x| { let mut y = x; y *= x; y += 1.0; y -= x; y /= x + 2.0; y },
    }
    positive [5] in 1.2..2.0 {
        sqrt: |x| x.sqrt(),
        rsqrt: |x| rsqrt(x),
        ln: |x| ln(x),
        ln_1p: |x| x.ln_1p(),
        powf: |x, y| x.powf(y) + x.powf(1.7) + x.powf(-0.5),
        powf_number: |x| powf(2.0, x),
        powi_negative: |x| x.powi(-1),
        exp: |x| x.exp(),
        exp_m1: |x| x.exp_m1(),
        log1pexp: |x| x.log1pexp() * x.ln(),
    }
    transcendental [] in -2.0..2.0 {
        sin: |x| x.sin(),
        cos: |x| cos(x),
        tanh: |x| x.tanh(),
        sigmoid: |x| x.sigmoid(),
        softplus: |x| softplus(x),
        softplus_beta: |x| x.softplus(beta = 2.5),
        erf: |x| x.erf(),
        abs: |x| x.abs(),
        sign: |x| x.sign() * x.sin(),
        composed: |x| ((x * x + 1.0).ln() * x.tanh()).exp(),
    }
    ordered [7] in -1.0..1.0 {
        min: |x, y| min(x, y) + x.min(0.3),
        max: |x, y| max(x, y) + y.max(-0.2),
        clamp: |x, y, z| x.clamp(-0.5, 0.5) + clamp(y, z - 1.0, z),
        lt: |x, y| (x < y) * x + x.lt(y) * y,
        le: |x, y| (x <= y) * x + x.le(0.1) * y,
        gt: |x, y| (x > y) * x + x.gt(y) * y,
        ge: |x, y| (x >= 0) * x + x.ge(y) * y,
        eq: |x| select(x.max(0.0) == 0.0, x, x * x) + x.eq(x) * x,
        ne: |x| select(x.max(0.0) != 0.0, x, x * x) + x.ne(x) * x,
    }
    chosen [2, 2] in -1.0..1.0 {
        select: |x, y, z| select(x < y, z * z, x * y),
        conditional: |x, y| if x > 0.0 && y < 0.5 { x * y } else if y > 0.7 { y * y } else { x.sin() },
        and: |x, y| and(x > 0.0, y > 0.0) * x,
        or: |x, y| or(x > 0.0, y > 0.0) * y + (x < -0.5 || y < -0.5) * x,
        not: |x| not(x > 0.0) * x + !(x > 0.1) * x * x,
        known: |x| if true { x } else { x * x },
    }
    rectifiers [3, 1] in -2.0..2.0 {
        relu: |x| x.relu(),
        relu6: |x| relu6(4.0 * x),
        leaky_relu: |x| x.leaky_relu(),
        leaky_relu_slope: |x| x.leaky_relu(slope = 0.3),
        elu: |x| x.elu(),
        elu_alpha: |x| x.elu(alpha = 0.7),
        selu: |x| x.selu(),
        celu: |x| x.celu(),
        celu_alpha: |x| x.celu(alpha = 1.7),
        hard_tanh: |x| x.hard_tanh() + x.hard_tanh(low = -0.3, high = 0.8),
    }
    gated [2, 5] in -2.0..2.0 {
        gelu: |x| x.gelu(),
        gelu_approximate: |x| x.gelu(approximate = true) * 2.0,
        gelu_tanh: |x| x.gelu_tanh(),
        silu: |x| x.silu(),
        swish: |x| swish(x),
        mish: |x| x.mish(),
        softsign: |x| x.softsign(),
        log_sigmoid: |x| x.log_sigmoid(),
        tanhshrink: |x| x.tanhshrink(),
        squareplus: |x| x.squareplus() + x.squareplus(b = 1.0),
    }
    piecewise [17] in -4.0..4.0 {
        hard_sigmoid: |x| x.hard_sigmoid(),
        hard_swish: |x| x.hard_swish(),
        hard_silu: |x| hard_silu(x),
        softshrink: |x| x.softshrink() + x.softshrink(threshold = 1.5),
        hardshrink: |x| x.hardshrink() + x.hardshrink(threshold = 1.5),
        threshold: |x| x.threshold() + x.threshold(threshold = 0.4, value = -2.0),
        option_tensor: |x, y| x.leaky_relu(slope = y) + x.elu(alpha = y * y),
    }
}
