//! Products that are added to a destination by way of a factor, and marked where they are not finite.

use std::prelude::rust_2024::*;
use std::vec;

use super::*;
use crate::kernels::ahead::Ahead;
use crate::kernels::direct::{Addition, Direct, LANES, PARTS};
use crate::kernels::product::{Finish, Product, Sums};

/// As [`product`](super::product), by way of a factor for what is added to a destination; it is seen whether products are finite.
#[inline(always)]
pub(super) fn added<T: Scalar>(unit: Instructions, case: &Case) -> Vec<f64> {
    let [a, mut b, mut c] = case.data.clone().map(constants::<T>);
    for number in &mut b {
        *number = *number + *number;
    }
    if !case.accumulate {
        for row in c.chunks_mut(case.n + case.gap) {
            row[..case.n].fill(T::zero());
        }
    }
    let flaws = add_half(unit, case, &a, &b, &mut c);
    assert!(flaws.iter().all(|flaw| flaw.is_zero()), "all is finite");
    let result = c.clone().into_iter().map(Scalar::widen).collect();
    if case.m * case.k * case.n > 0 {
        // A single number of the product overflows.
        let large = T::max_value().sqrt() * T::constant(4.0);
        let mut random = Random((case.m * 1000 + case.n * 7 + 1) as u64);
        for first in [true, false, false] {
            let sizes = [case.outer, case.m, case.k, case.n];
            let [o, i, k, j] = sizes.map(|size| if first { 0 } else { random.within(0, size - 1) });
            let (mut a, mut b) = (a.clone(), b.clone());
            a[o * case.a[0] + i * case.a[1] + k * case.a[2]] = large;
            b[o * case.b[0] + k * case.b[1] + j * case.b[2]] = large;
            let flaws = add_half(unit, case, &a, &b, &mut c);
            assert!(flaws.iter().any(|flaw| !flaw.is_finite()), "an infinite product went unseen");
        }
    }
    result
}

/// What [`add_half`] adds to, and where it marks.
struct Half<T> {
    sums: *mut T,
    row: usize,
    flaws: *mut T,
}

impl<T: Scalar> Half<T> {
    /// Adds half of a block, as an epilogue.
    ///
    /// # Safety
    ///
    /// `half` must be one of [`add_half`]'s, and `block` a complete one of its product.
    unsafe extern "C" fn finish(half: *mut u8, block: *const Sums<T>) {
        // SAFETY: the caller's promise.
        unsafe {
            let (Self { sums, row, flaws }, block) = (&*half.cast::<Self>(), &*block);
            for i in 0..block.size[0] {
                for j in 0..block.size[1] {
                    let product = *block.pointer.add(i * block.row + j);
                    *sums.add((block.at[0] + i) * row + block.at[1] + j) += T::constant(0.5) * product;
                    *flaws.add(block.part * LANES) += product * T::zero();
                }
            }
        }
    }
}

/// Adds half of each product; what was marked.
fn add_half<T: Scalar>(unit: Instructions, case: &Case, a: &[T], b: &[T], c: &mut [T]) -> [T; LANES * PARTS] {
    let mut marks = [T::zero(); LANES * PARTS];
    let flaws = marks.as_mut_ptr();
    let [_, row, _] = case.strides();
    let memory = vec![Cell::new(T::zero()); case.lent];
    for outer in 0..case.outer {
        let operands = Operands {
            a: a[outer * case.a[0]..].as_ptr(),
            a_row: case.a[1],
            a_column: case.a[2],
            b: b[outer * case.b[0]..].as_ptr(),
            b_row: case.b[1],
            b_column: case.b[2],
            m: case.m,
            k: case.k,
            n: case.n,
        };
        let sums = c[outer * case.m * row..].as_mut_ptr();
        let mut half = Half { sums, row, flaws };
        let add = Addition { factor: T::constant(0.5), flaws };
        let product = Product {
            operands,
            direct: Some(Direct { pointer: sums, row, add: Some(add) }),
            partial: None,
            lent: (memory.as_ptr().cast_mut().cast(), memory.len()),
            finish: Finish::Call(Half::<T>::finish, (&raw mut half).cast(), Ahead::NOTHING),
            part: 0,
            origin: [0; 2],
            shared: cfg!(feature = "threads"),
            part_of: None,
            lifetime: core::marker::PhantomData,
        };
        // SAFETY: the case has room for its matrices, and `half` adds to the destination's places only, of which each has its
        // own, and marks where its part does.
        let product = unsafe { product.promise() };
        product.compute(unit);
    }
    marks
}
