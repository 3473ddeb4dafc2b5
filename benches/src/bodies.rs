//! What nests of benches do with each place: the parts of a softmax, of a layer normalisation and of their gradients.

use backprop::Scalar;
use backprop::kernels::Body;
use backprop::simd::{Lanes, Simd};

/// Each body with the numbers of its inputs and results, which may ask the vector unit for constants; and whether they are so few
/// operations that the compiler calls them light.
macro_rules! bodies {
    (
        light: $light:literal;
        $($body:ident from $inputs:literal to $results:literal: |$simd:ident, $arguments:pat_param| $value:expr;)*
    ) => {$(
        #[doc = concat!("`", stringify!($value), "`")]
        #[derive(Clone, Copy, Debug)]
        pub struct $body;

        impl<T: Scalar> Body<T, $inputs, $results> for $body {
            const LIGHT: bool = $light;

            #[inline(always)]
            fn evaluate<S: Simd>(
                self,
                $simd: S,
                $arguments: [Lanes<T, S>; $inputs],
                _: [Lanes<T, S>; $results],
            ) -> [Lanes<T, S>; $results] {
                $value
            }
        }
    )*};
}

bodies! {
    light: false;
    Exponential from 2 to 2: |_simd, [x, maximum]| [(x - maximum).exp(); 2];
}

bodies! {
    light: true;
    Identity from 1 to 1: |_simd, [x]| [x];
    Relu from 1 to 1: |simd, [x]| [x.max(Lanes::constant(simd, 0.0))];
    Reciprocal from 1 to 1: |simd, [sum]| [Lanes::constant(simd, 1.0) / sum];
    Product from 2 to 1: |_simd, [x, factor]| [x * factor];
    Centred from 2 to 2: |_simd, [x, mean]| [x - mean, (x - mean).powi(2)];
    ReciprocalRoot from 2 to 1: |simd, [squares, share]| {
        [Lanes::constant(simd, 1.0) / (share * squares + Lanes::constant(simd, 1e-5)).sqrt()]
    };
    LessOneHot from 4 to 1: |simd, [probability, class, target, scale]| {
        [scale * class.eq(target).select(probability - Lanes::constant(simd, 1.0), probability)]
    };
    Normalized from 4 to 1: |_simd, [bias, weight, x, scale]| [bias + weight * x * scale];
    SoftmaxAdjoint from 3 to 1: |_simd, [probability, gradient, mean]| [probability * (gradient - mean)];
    ScaleAdjoint from 3 to 1: |_simd, [sum, scale, share]| [share * scale.powi(3) * sum];
    CentredAdjoint from 5 to 3: |_simd, [gradient, weight, scale, x, along]| {
        let centred = gradient * weight * scale + x * along;
        [gradient, centred, centred]
    };
    Sum from 2 to 2: |_simd, [a, b]| [a + b; 2];
}
