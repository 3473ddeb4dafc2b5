//! A register of scalars and its arithmetic.

use core::fmt;
use core::ops::{Add, AddAssign, BitAnd, BitOr, Div, Mul, MulAssign, Neg, Not, Sub, SubAssign};

use pulp::Simd;

use crate::scalar::Scalar;

/// One vector register of scalars: every operation works on all lanes at once.
pub struct Lanes<T: Scalar, S: Simd> {
    simd: S,
    vector: T::Vector<S>,
}

impl<T: Scalar, S: Simd> Clone for Lanes<T, S> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Scalar, S: Simd> Copy for Lanes<T, S> {}

impl<T: Scalar, S: Simd> fmt::Debug for Lanes<T, S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut vector = self.vector;
        formatter.debug_list().entries(T::as_mut_slice::<S>(&mut vector).iter()).finish()
    }
}

/// A truth value for each lane, the result of a comparison.
pub struct LanesMask<T: Scalar, S: Simd> {
    simd: S,
    mask: T::Mask<S>,
}

impl<T: Scalar, S: Simd> Clone for LanesMask<T, S> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Scalar, S: Simd> Copy for LanesMask<T, S> {}

impl<T: Scalar, S: Simd> Lanes<T, S> {
    /// Number of lanes in a register.
    pub const COUNT: usize = size_of::<T::Vector<S>>() / size_of::<T>();

    #[inline(always)]
    pub(crate) fn wrap(simd: S, vector: T::Vector<S>) -> Self {
        Self { simd, vector }
    }

    #[inline(always)]
    pub(crate) fn unwrap(self) -> T::Vector<S> {
        self.vector
    }

    /// The vector unit.
    #[inline(always)]
    pub fn simd(self) -> S {
        self.simd
    }

    /// `value` in every lane.
    #[inline(always)]
    pub fn splat(simd: S, value: T) -> Self {
        Self::wrap(simd, T::splat(simd, value))
    }

    /// The scalar nearest to `value` in every lane.
    #[inline(always)]
    pub fn constant(simd: S, value: f64) -> Self {
        Self::splat(simd, T::constant(value))
    }

    /// `value` in every lane, on the same vector unit as `self`.
    #[inline(always)]
    pub(crate) fn like(self, value: f64) -> Self {
        Self::constant(self.simd, value)
    }

    /// `0, 1, 2, …`
    #[inline(always)]
    pub fn positions(simd: S) -> Self {
        let mut vector = T::splat(simd, T::zero());
        for (lane, value) in T::as_mut_slice::<S>(&mut vector).iter_mut().enumerate() {
            *value = T::constant(lane as f64);
        }
        Self::wrap(simd, vector)
    }

    /// The values of `slice` in the first lanes, zero in the others; what does not fit is left out.
    #[inline(always)]
    pub fn from_slice(simd: S, slice: &[T]) -> Self {
        if slice.len() >= Self::COUNT {
            // SAFETY: the slice has at least as many values as the register has lanes.
            return Self::wrap(simd, unsafe { T::load(simd, slice.as_ptr()) });
        }
        // SAFETY: the mask holds as many lanes as the slice has values.
        Self::wrap(simd, unsafe { T::load_masked(simd, T::first(simd, slice.len()), slice.as_ptr()) })
    }

    /// Writes the first lanes to `slice`, as many as it takes.
    #[inline(always)]
    pub fn to_slice(self, slice: &mut [T]) {
        if slice.len() >= Self::COUNT {
            // SAFETY: the slice has at least as many values as the register has lanes.
            unsafe { T::store(self.simd, slice.as_mut_ptr(), self.vector) }
        } else {
            let mask = T::first(self.simd, slice.len());
            // SAFETY: the mask holds as many lanes as the slice has values.
            unsafe { T::store_masked(self.simd, mask, slice.as_mut_ptr(), self.vector) }
        }
    }

    /// `function` of each lane, one after the other: for what no vector unit does.
    #[inline(always)]
    pub(crate) fn each(self, function: fn(T) -> T) -> Self {
        let mut vector = self.vector;
        for value in T::as_mut_slice::<S>(&mut vector) {
            *value = function(*value);
        }
        Self::wrap(self.simd, vector)
    }

    /// The sum of all lanes.
    #[inline(always)]
    pub fn reduce_sum(self) -> T {
        T::reduce_sum(self.simd, self.vector)
    }

    /// The largest lane; NaN where there is one.
    #[inline(always)]
    pub fn reduce_max(self) -> T {
        let mut vector = self;
        let mut distance = Self::COUNT / 2;
        while distance > 0 {
            vector = vector.max(vector.rotate(distance));
            distance /= 2;
        }
        vector.first_lane()
    }

    /// The smallest lane; NaN where there is one.
    #[inline(always)]
    pub fn reduce_min(self) -> T {
        let mut vector = self;
        let mut distance = Self::COUNT / 2;
        while distance > 0 {
            vector = vector.min(vector.rotate(distance));
            distance /= 2;
        }
        vector.first_lane()
    }

    #[inline(always)]
    fn first_lane(mut self) -> T {
        match T::as_mut_slice::<S>(&mut self.vector).first() {
            Some(first) => *first,
            None => T::nan(),
        }
    }

    /// Lane `i` of the result is lane `i - amount`, cyclically.
    #[inline(always)]
    pub(crate) fn rotate(self, amount: usize) -> Self {
        Self::wrap(self.simd, T::rotate(self.simd, self.vector, amount))
    }

    /// `self·factor + summand`, rounded once where the vector unit has such an instruction.
    #[inline(always)]
    pub fn mul_add(self, factor: Self, summand: Self) -> Self {
        Self::wrap(self.simd, T::lanes_mul_add(self.simd, self.vector, factor.vector, summand.vector))
    }

    /// The smaller of the two; NaN where either is.
    #[inline(always)]
    pub fn min(self, other: Self) -> Self {
        let smaller = if S::IS_SCALAR {
            other.lt(self).select(other, self)
        } else {
            // x86 returns the second operand where one is NaN, the other units return NaN.
            Self::wrap(self.simd, T::raw_min(self.simd, other.vector, self.vector))
        };
        other.eq(other).select(smaller, other)
    }

    /// The larger of the two; NaN where either is.
    #[inline(always)]
    pub fn max(self, other: Self) -> Self {
        let larger = if S::IS_SCALAR {
            self.lt(other).select(other, self)
        } else {
            // x86 returns the second operand where one is NaN, the other units return NaN.
            Self::wrap(self.simd, T::raw_max(self.simd, other.vector, self.vector))
        };
        other.eq(other).select(larger, other)
    }

    /// `self`, but at least `low` and at most `high`; NaN stays NaN.
    #[inline(always)]
    pub(crate) fn clamp(self, low: Self, high: Self) -> Self {
        let raised = self.lt(low).select(low, self);
        raised.gt(high).select(high, raised)
    }

    /// The absolute value.
    #[inline(always)]
    pub fn abs(self) -> Self {
        Self::wrap(self.simd, T::lanes_abs(self.simd, self.vector))
    }

    /// The square root, correctly rounded; NaN below zero.
    #[inline(always)]
    pub fn sqrt(self) -> Self {
        Self::wrap(self.simd, T::lanes_sqrt(self.simd, self.vector))
    }

    /// `1/x`, correctly rounded.
    #[inline(always)]
    pub fn recip(self) -> Self {
        self.like(1.0) / self
    }

    /// −1, 0 or 1 by the sign; 0 (of either sign) and NaN stay what they are.
    #[inline(always)]
    pub fn sign(self) -> Self {
        let one = self.like(1.0).copy_sign(self);
        let zero = self.like(0.0);
        (self.lt(zero) | zero.lt(self)).select(one, self)
    }

    /// The absolute value of `self` with the sign of `other`.
    #[inline(always)]
    pub(crate) fn copy_sign(self, other: Self) -> Self {
        let sign = self.like(-0.0);
        let magnitude = T::lanes_abs(self.simd, self.vector);
        let sign = T::bit_and(self.simd, other.vector, sign.vector);
        Self::wrap(self.simd, T::bit_or(self.simd, magnitude, sign))
    }

    /// `self` with its sign turned where `other` is negative.
    #[inline(always)]
    pub(crate) fn turn_sign(self, other: Self) -> Self {
        let sign = T::bit_and(self.simd, other.vector, self.like(-0.0).vector);
        Self::wrap(self.simd, T::bit_xor(self.simd, self.vector, sign))
    }

    /// The whole number nearest to `self`, ties to even, for `|self| < 2^22` (`f32`) or `2^51` (`f64`).
    #[inline(always)]
    pub(crate) fn round_small(self) -> Self {
        // 1.5·2^p has no bits left for a fraction: adding it rounds.
        let shift = self.like(1.5 * (1_u64 << (T::DIGITS - 1)) as f64);
        (self + shift) - shift
    }

    /// `2^self` for whole `self` of a normal result.
    #[inline(always)]
    pub(crate) fn power_of_two(self) -> Self {
        Self::wrap(self.simd, T::power_of_two(self.simd, self.vector))
    }

    /// `(e, m)` with `self = m·2^e` and `√½ ≤ m < √2`, for positive normal numbers.
    #[inline(always)]
    pub(crate) fn split_exponent(self) -> (Self, Self) {
        let (exponent, fraction) = T::split_exponent(self.simd, self.vector);
        (Self::wrap(self.simd, exponent), Self::wrap(self.simd, fraction))
    }

    /// `self^exponent` by repeated squaring; negative exponents give the reciprocal. `powi(0)` is 1, also of NaN.
    ///
    /// The error grows with the number of multiplications, at most half an ulp each and twice that for reciprocals.
    #[inline(always)]
    pub fn powi(self, exponent: i32) -> Self {
        let mut remaining = exponent.unsigned_abs();
        let mut square = self;
        let mut power = self.like(1.0);
        while remaining > 0 {
            if remaining & 1 == 1 {
                power *= square;
            }
            remaining >>= 1;
            if remaining > 0 {
                square *= square;
            }
        }
        if exponent < 0 { power.recip() } else { power }
    }

    /// Evaluates the polynomial with these coefficients, the highest power first.
    #[inline(always)]
    pub(crate) fn polynomial<const N: usize>(self, coefficients: [f64; N]) -> Self {
        let mut value = self.like(0.0);
        for (index, &coefficient) in coefficients.iter().enumerate() {
            let coefficient = self.like(coefficient);
            value = if index == 0 { coefficient } else { value.mul_add(self, coefficient) };
        }
        value
    }

    /// `self < other`
    #[inline(always)]
    pub fn lt(self, other: Self) -> LanesMask<T, S> {
        LanesMask { simd: self.simd, mask: T::lanes_lt(self.simd, self.vector, other.vector) }
    }

    /// `self <= other`
    #[inline(always)]
    pub fn le(self, other: Self) -> LanesMask<T, S> {
        LanesMask { simd: self.simd, mask: T::lanes_le(self.simd, self.vector, other.vector) }
    }

    /// `self > other`
    #[inline(always)]
    pub fn gt(self, other: Self) -> LanesMask<T, S> {
        other.lt(self)
    }

    /// `self >= other`
    #[inline(always)]
    pub fn ge(self, other: Self) -> LanesMask<T, S> {
        other.le(self)
    }

    /// `self == other`, false where either is NaN
    #[inline(always)]
    pub fn eq(self, other: Self) -> LanesMask<T, S> {
        LanesMask { simd: self.simd, mask: T::lanes_eq(self.simd, self.vector, other.vector) }
    }

    /// `self != other`, true where either is NaN
    #[inline(always)]
    pub fn ne(self, other: Self) -> LanesMask<T, S> {
        !self.eq(other)
    }
}

impl<T: Scalar, S: Simd> LanesMask<T, S> {
    /// True in the first `count` lanes.
    #[inline(always)]
    pub fn first(simd: S, count: usize) -> Self {
        Self { simd, mask: T::first(simd, count) }
    }

    /// `chosen` where the mask is true, `otherwise` elsewhere.
    #[inline(always)]
    pub fn select(self, chosen: Lanes<T, S>, otherwise: Lanes<T, S>) -> Lanes<T, S> {
        Lanes::wrap(self.simd, T::select(self.simd, self.mask, chosen.vector, otherwise.vector))
    }

    /// True if any lane is.
    #[inline(always)]
    pub(crate) fn any(self) -> bool {
        let one = Lanes::constant(self.simd, 1.0);
        self.select(one, one.like(0.0)).reduce_sum() != T::zero()
    }

    #[inline(always)]
    pub(crate) fn unwrap(self) -> T::Mask<S> {
        self.mask
    }
}

macro_rules! operator {
    ($($trait:ident $method:ident $operation:ident $($assign:ident $assign_method:ident)?;)*) => {$(
        impl<T: Scalar, S: Simd> $trait for Lanes<T, S> {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self::wrap(self.simd, T::$operation(self.simd, self.vector, other.vector))
            }
        }
        $(
            impl<T: Scalar, S: Simd> $assign for Lanes<T, S> {
                #[inline(always)]
                fn $assign_method(&mut self, other: Self) {
                    *self = Self::wrap(self.simd, T::$operation(self.simd, self.vector, other.vector));
                }
            }
        )?
    )*};
}

operator! {
    Add add lanes_add AddAssign add_assign;
    Sub sub lanes_sub SubAssign sub_assign;
    Mul mul lanes_mul MulAssign mul_assign;
    Div div lanes_div;
}

impl<T: Scalar, S: Simd> Neg for Lanes<T, S> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self::wrap(self.simd, T::bit_xor(self.simd, self.vector, self.like(-0.0).vector))
    }
}

impl<T: Scalar, S: Simd> BitAnd for LanesMask<T, S> {
    type Output = Self;

    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self { simd: self.simd, mask: T::mask_and(self.simd, self.mask, other.mask) }
    }
}

impl<T: Scalar, S: Simd> BitOr for LanesMask<T, S> {
    type Output = Self;

    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Self { simd: self.simd, mask: T::mask_or(self.simd, self.mask, other.mask) }
    }
}

impl<T: Scalar, S: Simd> Not for LanesMask<T, S> {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Self { simd: self.simd, mask: T::mask_not(self.simd, self.mask) }
    }
}
