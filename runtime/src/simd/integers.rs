//! 64-bit integers, as two 32-bit words each: most vector units multiply no larger ones, and `pulp` shifts none.

use core::ops::Add;

use pulp::Simd;
use pulp::bytemuck::cast_slice_mut;

/// As many 64-bit integers as a register has 32-bit words, their lower and their upper words in a register each.
pub(crate) struct Integers<S: Simd> {
    simd: S,
    low: S::u32s,
    high: S::u32s,
}

impl<S: Simd> Clone for Integers<S> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: Simd> Copy for Integers<S> {}

impl<S: Simd> Integers<S> {
    /// Number of integers.
    pub(crate) const COUNT: usize = S::U32_LANES;

    /// `value` everywhere.
    #[inline(always)]
    pub(crate) fn splat(simd: S, value: u64) -> Self {
        Self { simd, low: simd.splat_u32s(value as u32), high: simd.splat_u32s((value >> 32) as u32) }
    }

    /// `0, step, 2·step, …` in the order of the lanes of so many registers, one register after the other, of which register
    /// `r` is made of the words `r`, `r + registers`, `r + 2·registers`, … of these.
    #[inline(always)]
    pub(crate) fn multiples(simd: S, step: u64, registers: usize) -> Self {
        let Self { mut low, mut high, .. } = Self::splat(simd, 0);
        let lows = cast_slice_mut::<S::u32s, u32>(core::slice::from_mut(&mut low));
        let highs = cast_slice_mut::<S::u32s, u32>(core::slice::from_mut(&mut high));
        for (lane, (low, high)) in lows.iter_mut().zip(highs).enumerate() {
            let place = (lane % registers) * (Self::COUNT / registers) + lane / registers;
            let value = step.wrapping_mul(place as u64);
            (*low, *high) = (value as u32, (value >> 32) as u32);
        }
        Self { simd, low, high }
    }

    /// The lower and the upper words.
    #[inline(always)]
    pub(crate) fn words(self) -> [S::u32s; 2] {
        [self.low, self.high]
    }

    /// The product with `factor`, modulo 2^64.
    #[inline(always)]
    pub(crate) fn times(self, factor: u64) -> Self {
        let Self { simd, low, high } = self;
        let factor = Self::splat(simd, factor);
        let (product, carried) = simd.widening_mul_u32s(low, factor.low);
        let crossed = simd.add_u32s(simd.mul_u32s(low, factor.high), simd.mul_u32s(high, factor.low));
        Self { simd, low: product, high: simd.add_u32s(carried, crossed) }
    }

    /// `self ^ (self >> amount)` for an amount above 0 and below 32.
    #[inline(always)]
    pub(crate) fn xor_shifted(self, amount: u32) -> Self {
        let Self { simd, low, high } = self;
        let (down, up) = (simd.splat_u32s(amount), simd.splat_u32s(32 - amount));
        let crossed = simd.wrapping_dyn_shl_u32s(high, up);
        let shifted = simd.or_u32s(simd.wrapping_dyn_shr_u32s(low, down), crossed);
        let high_shifted = simd.wrapping_dyn_shr_u32s(high, down);
        Self { simd, low: simd.xor_u32s(low, shifted), high: simd.xor_u32s(high, high_shifted) }
    }
}

/// Modulo 2^64.
impl<S: Simd> Add for Integers<S> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let simd = self.simd;
        let low = simd.add_u32s(self.low, other.low);
        let carry = simd.select_u32s(simd.less_than_u32s(low, other.low), simd.splat_u32s(1), simd.splat_u32s(0));
        Self { simd, low, high: simd.add_u32s(simd.add_u32s(self.high, other.high), carry) }
    }
}
