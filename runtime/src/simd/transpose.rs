//! Square blocks of registers, transposed.

use pulp::Simd;

use super::{Lanes, LanesMask};
use crate::scalar::Scalar;

/// Transposes a square block: `LANES` must be the number of lanes of a register.
#[inline(always)]
pub(crate) fn transpose<T: Scalar, S: Simd, const LANES: usize>(simd: S, block: &mut [Lanes<T, S>; LANES]) {
    #[cfg(target_arch = "x86_64")]
    if core::any::TypeId::of::<S>() == core::any::TypeId::of::<pulp::x86::V3>() {
        if const { LANES == 8 && size_of::<T>() == 4 } {
            return avx::eight(simd, block);
        }
        if const { LANES == 4 && size_of::<T>() == 8 } {
            return avx::four(simd, block);
        }
    }
    // The off-diagonal quarters are exchanged, then those of each quarter, and so on.
    exchange::<T, S, 8>(simd, block);
    exchange::<T, S, 4>(simd, block);
    exchange::<T, S, 2>(simd, block);
    exchange::<T, S, 1>(simd, block);
}

/// Exchanges the upper right with the lower left quarter of each square of twice `DISTANCE` along the diagonal.
///
/// Rotations and selections by constants are what every vector unit has.
#[inline(always)]
fn exchange<T: Scalar, S: Simd, const DISTANCE: usize>(simd: S, block: &mut [Lanes<T, S>]) {
    let lanes = Lanes::<T, S>::COUNT;
    if const { DISTANCE >= Lanes::<T, S>::COUNT } {
        return;
    }
    let right = right_half(simd, DISTANCE);
    for square in block.chunks_exact_mut(2 * DISTANCE) {
        let (upper, lower) = square.split_at_mut(DISTANCE);
        for (upper, lower) in upper.iter_mut().zip(lower) {
            let (above, below) = (*upper, *lower);
            *upper = right.select(below.rotate(DISTANCE), above);
            *lower = right.select(below, above.rotate(lanes - DISTANCE));
        }
    }
}

/// The lanes whose position has the bit `distance` set.
#[inline(always)]
fn right_half<T: Scalar, S: Simd>(simd: S, distance: usize) -> LanesMask<T, S> {
    let zero = Lanes::constant(simd, 0.0);
    let mut flags = zero.unwrap();
    for (lane, flag) in T::as_mut_slice::<S>(&mut flags).iter_mut().enumerate() {
        *flag = if lane & distance == 0 { T::zero() } else { T::one() };
    }
    Lanes::wrap(simd, flags).gt(zero)
}

/// By the shuffles of AVX: a sixth of the instructions.
#[cfg(target_arch = "x86_64")]
mod avx {
    use core::arch::x86_64::{__m256, __m256d};

    use pulp::Simd;
    use pulp::x86::V3;

    use crate::scalar::Scalar;
    use crate::simd::Lanes;

    /// The unit.
    ///
    /// # Safety
    ///
    /// It must be the one that this is compiled for.
    #[inline(always)]
    const unsafe fn unit() -> V3 {
        // SAFETY: the caller's promise.
        unsafe { V3::new_unchecked() }
    }

    /// # Safety
    ///
    /// `V` must be a register of 32 bytes.
    #[inline(always)]
    unsafe fn get<T: Scalar, S: Simd, V>(lanes: Lanes<T, S>) -> V {
        // SAFETY: the caller's promise; registers may hold anything.
        unsafe { core::mem::transmute_copy(&lanes.unwrap()) }
    }

    /// # Safety
    ///
    /// As for [`get`].
    #[inline(always)]
    unsafe fn set<T: Scalar, S: Simd, V>(simd: S, vector: V) -> Lanes<T, S> {
        // SAFETY: the caller's promise; registers may hold anything.
        Lanes::wrap(simd, unsafe { core::mem::transmute_copy(&vector) })
    }

    // No closures below: they would not be compiled for the unit.

    /// Eight registers of eight numbers: pairs of neighbouring rows, then fours, then all.
    #[inline(always)]
    pub(super) fn eight<T: Scalar, S: Simd, const LANES: usize>(simd: S, block: &mut [Lanes<T, S>; LANES]) {
        // SAFETY: this is compiled for this unit, whose registers hold eight numbers of single precision.
        unsafe {
            let avx = unit().avx;
            let mut rows: [__m256; LANES] = [avx._mm256_setzero_ps(); LANES];
            for (row, &lanes) in rows.iter_mut().zip(block.iter()) {
                *row = get(lanes);
            }
            for four in rows.chunks_exact_mut(4) {
                let left = avx._mm256_unpacklo_ps(four[0], four[1]);
                let right = avx._mm256_unpackhi_ps(four[0], four[1]);
                let below_left = avx._mm256_unpacklo_ps(four[2], four[3]);
                let below_right = avx._mm256_unpackhi_ps(four[2], four[3]);
                four[0] = avx._mm256_shuffle_ps::<0x44>(left, below_left);
                four[1] = avx._mm256_shuffle_ps::<0xee>(left, below_left);
                four[2] = avx._mm256_shuffle_ps::<0x44>(right, below_right);
                four[3] = avx._mm256_shuffle_ps::<0xee>(right, below_right);
            }
            for index in 0..LANES / 2 {
                let (upper, lower) = (rows[index], rows[index + LANES / 2]);
                block[index] = set(simd, avx._mm256_permute2f128_ps::<0x20>(upper, lower));
                block[index + LANES / 2] = set(simd, avx._mm256_permute2f128_ps::<0x31>(upper, lower));
            }
        }
    }

    /// Four registers of four numbers.
    #[inline(always)]
    pub(super) fn four<T: Scalar, S: Simd, const LANES: usize>(simd: S, block: &mut [Lanes<T, S>; LANES]) {
        // SAFETY: this is compiled for this unit, whose registers hold four numbers of double precision.
        unsafe {
            let avx = unit().avx;
            let mut rows: [__m256d; LANES] = [avx._mm256_setzero_pd(); LANES];
            for (row, &lanes) in rows.iter_mut().zip(block.iter()) {
                *row = get(lanes);
            }
            for pair in rows.chunks_exact_mut(2) {
                let [upper, lower] = [pair[0], pair[1]];
                pair[0] = avx._mm256_unpacklo_pd(upper, lower);
                pair[1] = avx._mm256_unpackhi_pd(upper, lower);
            }
            for index in 0..LANES / 2 {
                let (upper, lower) = (rows[index], rows[index + LANES / 2]);
                block[index] = set(simd, avx._mm256_permute2f128_pd::<0x20>(upper, lower));
                block[index + LANES / 2] = set(simd, avx._mm256_permute2f128_pd::<0x31>(upper, lower));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use core::marker::PhantomData;

    use pulp::WithSimd;

    use super::*;
    use crate::kernels::testing::on_every_unit;

    struct Rows<T>(PhantomData<T>);

    impl<T: Scalar> WithSimd for Rows<T> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            match Lanes::<T, S>::COUNT {
                16 => check::<T, S, 16>(simd),
                8 => check::<T, S, 8>(simd),
                4 => check::<T, S, 4>(simd),
                _ => check::<T, S, 2>(simd),
            }
        }
    }

    /// Every number is found where row and column are exchanged.
    fn check<T: Scalar, S: Simd, const LANES: usize>(simd: S) {
        if Lanes::<T, S>::COUNT != LANES {
            return;
        }
        let mut block: [Lanes<T, S>; LANES] = core::array::from_fn(|row| {
            let numbers: [T; LANES] = core::array::from_fn(|column| T::constant((row * LANES + column) as f64));
            Lanes::from_slice(simd, &numbers)
        });
        transpose(simd, &mut block);
        for (row, lanes) in block.into_iter().enumerate() {
            let mut numbers = [T::zero(); LANES];
            lanes.to_slice(&mut numbers);
            let expected: [T; LANES] = core::array::from_fn(|column| T::constant((column * LANES + row) as f64));
            assert_eq!(numbers, expected, "row {row}");
        }
    }

    #[test]
    fn rows_become_columns() {
        on_every_unit(|| Rows::<f32>(PhantomData), |_, ()| ());
        on_every_unit(|| Rows::<f64>(PhantomData), |_, ()| ());
    }
}
