//! The processor's rate of fused multiply-adds: what no step can surpass.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

use backprop::Scalar;
use backprop::simd::{Instructions, Lanes, Simd, WithSimd};

/// Sums in flight with 16 registers: more than latency times units on processors that have no more,
const CHAINS: usize = 12;
/// and with 32, some of which have four units with a latency of four cycles.
const MANY_CHAINS: usize = 24;
const ROUNDS: usize = 4_000_000;
const REPEATS: usize = 15;

/// Independent multiply-adds on registers, all of zeros: no denormals, and the unit's speed does not depend on values.
#[derive(Clone, Copy)]
struct MultiplyAdds<T>(T);

impl<T: Scalar> WithSimd for MultiplyAdds<T> {
    /// Floating-point operations done.
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        if const { S::REGISTER_COUNT >= 32 } {
            self.chains::<S, MANY_CHAINS>(simd)
        } else {
            self.chains::<S, CHAINS>(simd)
        }
    }
}

impl<T: Scalar> MultiplyAdds<T> {
    /// Operations of so many independent sums.
    #[inline(always)]
    fn chains<S: Simd, const COUNT: usize>(self, simd: S) -> f64 {
        // Hidden from the compiler each by itself, so that no two sums are seen to be the same.
        let mut sums = [(); COUNT].map(|()| Lanes::splat(simd, black_box(self.0)));
        let [left, right] = [(); 2].map(|()| Lanes::splat(simd, black_box(self.0)));
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = left.mul_add(right, *sum);
            }
        }
        let total = sums.into_iter().fold(left, |total, sum| total + sum);
        black_box(total.reduce_sum());
        (2 * ROUNDS * COUNT * Lanes::<T, S>::COUNT) as f64
    }
}

/// The best rate of all threads together, in 10⁹ operations a second (a multiply-add is two), and the vector unit.
pub fn peak<T: Scalar>(threads: usize) -> (f64, Instructions) {
    let instructions = Instructions::detect();
    let best = (0..REPEATS).map(|_| rate::<T>(threads, instructions)).fold(0.0, f64::max);
    (best / 1e9, instructions)
}

/// The rate of all threads together, the caller's among them, for some milliseconds, in operations a second.
pub fn rate<T: Scalar>(threads: usize, instructions: Instructions) -> f64 {
    let gate = Barrier::new(threads);
    let work = || {
        gate.wait();
        let start = Instant::now();
        let operations = instructions.dispatch(MultiplyAdds(T::zero()));
        operations / start.elapsed().as_secs_f64()
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        work() + others.into_iter().map(|worker| worker.join().expect("a worker cannot fail")).sum::<f64>()
    })
}
