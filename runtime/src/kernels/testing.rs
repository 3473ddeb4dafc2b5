//! What the kernels' tests share.

use std::prelude::rust_2024::*;

use pulp::{Simd, WithSimd};

use super::Body;
use crate::scalar::Scalar;
use crate::simd::{Instructions, Lanes};
#[cfg(feature = "threads")]
use crate::workers::Workers;

/// A small generator (xorshift), so that every run tests the same cases.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A whole number in `low..=high`.
    pub(crate) fn within(&mut self, low: usize, high: usize) -> usize {
        low + (self.next() % (high - low + 1) as u64) as usize
    }

    /// Numbers in `-1..1`, short enough that `f32` holds them exactly.
    pub(crate) fn numbers(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| (self.next() % 2001) as f64 / 1024.0 - 1000.0 / 1024.0).collect()
    }
}

/// Runs `operation` on every vector unit that this processor has.
pub(crate) fn on_every_unit<Op: WithSimd>(
    mut operation: impl FnMut() -> Op,
    mut check: impl FnMut(Instructions, Op::Output),
) {
    for instructions in Instructions::available() {
        check(instructions, instructions.dispatch(operation()));
    }
}

/// Computes something with the help of two threads.
#[cfg(feature = "threads")]
pub(crate) fn with_help<R>(compute: impl FnOnce() -> R) -> R {
    use core::cell::RefCell;

    std::thread_local! {
        static WORKERS: RefCell<Workers> = RefCell::new(Workers::start(2).unwrap());
    }

    WORKERS.with_borrow_mut(|workers| with_workers(workers, compute))
}

/// Computes something with the help of two workers.
#[cfg(feature = "threads")]
pub(crate) fn with_workers<R>(workers: &mut Workers, compute: impl FnOnce() -> R) -> R {
    use core::cell::RefCell;
    use core::ptr::NonNull;

    use crate::helpers::{self, Lent};

    /// Numbers of 8 bytes.
    type Memory = [u64; 1 << 16];

    std::thread_local! {
        static MEMORY: RefCell<[Box<Memory>; 2]> = RefCell::new([(); 2].map(|()| Box::new([0; 1 << 16])));
    }

    MEMORY.with_borrow_mut(|memory| {
        // SAFETY: borrowed here, and used as numbers.
        let [first, second] = memory.each_mut().map(|memory| unsafe { Lent::new(NonNull::from(&mut **memory)) });
        helpers::with(workers, &mut [None, Some(first), Some(second)], compute)
    })
}

/// Whether two lists agree to `tolerance`, relative to the larger of 1 and the expected value.
#[track_caller]
pub(crate) fn assert_close(got: impl Iterator<Item = f64>, expected: &[f64], tolerance: f64, context: &str) {
    let mut count = 0;
    for (index, got) in got.enumerate() {
        let expected = expected[index];
        let error = (got - expected).abs() / expected.abs().max(1.0);
        assert!(error <= tolerance || got == expected, "{context}: [{index}] is {got}, expected {expected}");
        count += 1;
    }
    assert_eq!(count, expected.len(), "{context}: length");
}

/// Hands its only input to every destination.
#[derive(Clone, Copy)]
pub(crate) struct Copied;

impl<T: Scalar, const M: usize> Body<T, 1, M> for Copied {
    #[inline(always)]
    fn evaluate<S: Simd>(self, _: S, [value]: [Lanes<T, S>; 1], _: [Lanes<T, S>; M]) -> [Lanes<T, S>; M] {
        [value; M]
    }
}
