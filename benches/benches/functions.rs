//! Vectors of elementary functions, over 4096 numbers in the first-level cache, and as many random numbers.

use backprop::__private::Draws;
use backprop::kernels::uniform;
use backprop::simd::{Instructions, Lanes, Simd, WithSimd};
use backprop::{Random, Scalar, Seed};
use benches::workloads::rows;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const COUNT: usize = 4096;

/// Each function with the interval in which its arguments lie.
macro_rules! functions {
    ($($function:ident from $low:literal to $high:literal: |$x:ident| $value:expr;)*) => {
        #[derive(Clone, Copy)]
        #[allow(non_camel_case_types, reason = "named as the benches")]
        enum Function { $($function),* }

        const FUNCTIONS: &[(Function, &str, f64, f64)] = &[
            $((Function::$function, stringify!($function), $low, $high)),*
        ];

        impl<T: Scalar> WithSimd for Apply<'_, T> {
            type Output = ();

            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                let pairs = self.from.chunks(Lanes::<T, S>::COUNT).zip(self.to.chunks_mut(Lanes::<T, S>::COUNT));
                match self.function {
                    $(Function::$function => {
                        for (from, to) in pairs {
                            let $x = Lanes::from_slice(simd, from);
                            $value.to_slice(to);
                        }
                    })*
                }
            }
        }
    };
}

struct Apply<'a, T> {
    function: Function,
    from: &'a [T],
    to: &'a mut [T],
}

functions! {
    exp from -10.0 to 10.0: |x| x.exp();
    exp_m1 from -10.0 to 10.0: |x| x.exp_m1();
    ln from 0.001 to 100.0: |x| x.ln();
    ln_1p from -0.9 to 100.0: |x| x.ln_1p();
    sin from -100.0 to 100.0: |x| x.sin();
    cos from -100.0 to 100.0: |x| x.cos();
    sin_of_large from 2e5 to 2e6: |x| x.sin();
    cos_of_large from 2e5 to 2e6: |x| x.cos();
    tanh from -10.0 to 10.0: |x| x.tanh();
    sigmoid from -10.0 to 10.0: |x| x.sigmoid();
    softplus from -10.0 to 10.0: |x| x.softplus();
    erf from -5.0 to 5.0: |x| x.erf();
    sqrt from 0.0 to 100.0: |x| x.sqrt();
    powi from -10.0 to 10.0: |x| x.powi(3);
    powf from 0.1 to 10.0: |x| x.powf(x);
    recip from 0.1 to 100.0: |x| x.recip();
    sign from -1.0 to 1.0: |x| x.sign();
}

fn scalars<T: Scalar>(criterion: &mut Criterion) {
    let instructions = Instructions::detect();
    let mut group = criterion.benchmark_group(format!("functions/{}", T::NAME));
    group.throughput(Throughput::Elements(COUNT as u64));
    let numbers = rows::<T, 1>(&mut Random::new(Seed(7)), COUNT).into_flattened();
    let mut to = numbers.clone();
    for &(function, name, low, high) in FUNCTIONS {
        let (middle, half) = (T::constant(0.5 * (low + high)), T::constant(0.5 * (high - low)));
        let from: Vec<T> = numbers.iter().map(|&number| middle + half * number).collect();
        group.bench_function(name, |bencher| {
            bencher.iter(|| instructions.dispatch(Apply { function, from: &from, to: &mut to }));
        });
    }
    group.bench_function("uniform", |bencher| {
        bencher.iter(|| uniform(instructions, Draws::new(Seed(7)), 64, COUNT / 64, &mut *to, 0));
    });
    group.finish();
}

fn functions(criterion: &mut Criterion) {
    scalars::<f32>(criterion);
    scalars::<f64>(criterion);
}

criterion_group!(benches, functions);
criterion_main!(benches);
