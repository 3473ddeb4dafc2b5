//! `f32` and `f64` as `pulp` sees them: which register type, which operation.

use pulp::bytemuck::{Pod, cast_slice_mut};
use pulp::{MemMask, Simd};

use super::Instructions;
use crate::gradients::Updating;
use crate::init;
use crate::kernels::{Sums, Work};
use crate::optimizers::{Descent, HeavyBall, MomentRule, Rest, Ruled};
use crate::random::Seed;
use crate::tensor::Tensor;

/// The vector operations of one scalar type, and the work that the library has compiled for it.
///
/// This is the binding to `pulp`, whose operations carry the type in their names; everything else is written with
/// [`Lanes`](super::Lanes), generic over this trait. Sealed: `f32` and `f64` only.
#[doc(hidden)]
pub trait Element: Pod + sealed::Sealed {
    type Vector<S: Simd>: Pod;
    type Mask<S: Simd>: Copy;

    /// Bits of the significand, the hidden one included.
    const DIGITS: u32;
    /// 32-bit words of a number.
    const WORDS: usize = size_of::<Self>() / size_of::<u32>();

    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;
    fn lanes_add<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    fn lanes_sub<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    fn lanes_mul<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    fn lanes_div<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// The smaller; what a NaN gives depends on the unit.
    fn raw_min<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// The larger; what a NaN gives depends on the unit.
    fn raw_max<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    fn bit_and<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    fn bit_or<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    fn bit_xor<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    fn lanes_abs<S: Simd>(simd: S, a: Self::Vector<S>) -> Self::Vector<S>;
    fn lanes_sqrt<S: Simd>(simd: S, a: Self::Vector<S>) -> Self::Vector<S>;
    /// `a·b + c`, fused where the unit does it in one instruction.
    fn lanes_mul_add<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;

    fn lanes_lt<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Mask<S>;
    fn lanes_le<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Mask<S>;
    fn lanes_eq<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Mask<S>;
    fn mask_and<S: Simd>(simd: S, a: Self::Mask<S>, b: Self::Mask<S>) -> Self::Mask<S>;
    fn mask_or<S: Simd>(simd: S, a: Self::Mask<S>, b: Self::Mask<S>) -> Self::Mask<S>;
    fn mask_not<S: Simd>(simd: S, a: Self::Mask<S>) -> Self::Mask<S>;
    fn select<S: Simd>(simd: S, mask: Self::Mask<S>, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// The first `count` lanes.
    fn first<S: Simd>(simd: S, count: usize) -> Self::Mask<S>;

    /// # Safety
    ///
    /// All lanes at `pointer` must be readable; alignment is that of a scalar.
    unsafe fn load<S: Simd>(simd: S, pointer: *const Self) -> Self::Vector<S>;
    /// Lanes outside the mask read as zero.
    ///
    /// # Safety
    ///
    /// The masked lanes at `pointer` must be readable; alignment is that of a scalar.
    unsafe fn load_masked<S: Simd>(simd: S, mask: Self::Mask<S>, pointer: *const Self) -> Self::Vector<S>;
    /// # Safety
    ///
    /// All lanes at `pointer` must be writable; alignment is that of a scalar.
    unsafe fn store<S: Simd>(simd: S, pointer: *mut Self, vector: Self::Vector<S>);
    /// # Safety
    ///
    /// The masked lanes at `pointer` must be writable; alignment is that of a scalar.
    unsafe fn store_masked<S: Simd>(simd: S, mask: Self::Mask<S>, pointer: *mut Self, vector: Self::Vector<S>);

    fn reduce_sum<S: Simd>(simd: S, a: Self::Vector<S>) -> Self;
    /// Lane `i` of the result is lane `i - amount` of `a`, cyclically.
    fn rotate<S: Simd>(simd: S, a: Self::Vector<S>, amount: usize) -> Self::Vector<S>;

    /// `2^n` for whole `n` of a normal result.
    fn power_of_two<S: Simd>(simd: S, n: Self::Vector<S>) -> Self::Vector<S>;
    /// `(e, m)` with `a = m·2^e` and `√½ ≤ m < √2`, for positive normal `a`.
    fn split_exponent<S: Simd>(simd: S, a: Self::Vector<S>) -> (Self::Vector<S>, Self::Vector<S>);
    /// Integers `stride` apart in the first `count` lanes, zero in the others.
    ///
    /// # Safety
    ///
    /// `count` integers must be readable so.
    unsafe fn gather_integers<S: Simd>(simd: S, first: *const u32, stride: usize, count: usize) -> Self::Vector<S>;
    /// The upper [`DIGITS`](Self::DIGITS) bits of 64-bit integers, given by their lower and upper words, as numbers in
    /// `[0, 1)`: lane `i` of the result belongs to word `i * WORDS + register`. Not for a unit without registers, nor on
    /// big-endian machines.
    fn fraction<S: Simd>(simd: S, words: [S::u32s; 2], register: usize) -> Self::Vector<S>;

    /// Does work in a function of its own, compiled with this library; what it yields, zero if nothing.
    fn work(unit: Instructions, work: Work<'_, Self>) -> Self;

    /// Applies a block of a gradient: see [`Rule::FINISH`](crate::optimizers::Rule::FINISH).
    ///
    /// # Safety
    ///
    /// The first argument must point to an [`Updating`] of this rule, whose product the block is one of, with complete sums.
    unsafe extern "C" fn finish_descent(updating: *mut u8, sums: *const Sums<Self>);
    /// # Safety
    ///
    /// As for [`finish_descent`](Self::finish_descent).
    unsafe extern "C" fn finish_heavy_ball(updating: *mut u8, sums: *const Sums<Self>);
    /// # Safety
    ///
    /// As for [`finish_descent`](Self::finish_descent).
    unsafe extern "C" fn finish_moments(updating: *mut u8, sums: *const Sums<Self>);

    /// Ends a step: see [`Rule::end`](crate::optimizers::Rule::end).
    fn end_descent(unit: Instructions, rest: &Rest<'_, Self, Ruled<'_, Self, Descent<Self>, 0>>) -> Self;
    fn end_heavy_ball(unit: Instructions, rest: &Rest<'_, Self, Ruled<'_, Self, HeavyBall<Self>, 1>>) -> Self;
    fn end_moments(unit: Instructions, rest: &Rest<'_, Self, Ruled<'_, Self, MomentRule<Self>, 2>>) -> Self;

    /// Draws the start values of tensors, compiled with this library.
    fn initialize(numbers: &mut [Self], tensors: &[Tensor], seed: Seed);

    /// Number of lanes in a register.
    #[inline(always)]
    fn lanes<S: Simd>() -> usize {
        const { size_of::<Self::Vector<S>>() / size_of::<Self>() }
    }

    /// The lanes of a register in memory.
    #[inline(always)]
    fn as_mut_slice<S: Simd>(vector: &mut Self::Vector<S>) -> &mut [Self] {
        cast_slice_mut(core::slice::from_mut(vector))
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// Implements [`Element`]: each row is an operation and the name that `pulp` gives it for this scalar.
macro_rules! element {
    (
        $scalar:ident, $vector:ident, $mask:ident, digits $digits:literal,
        binary { $($binary:ident: $binary_op:ident,)* }
        unary { $($unary:ident: $unary_op:ident,)* }
        sign { $sign:literal }
        compare { $($compare:ident: $compare_op:ident,)* }
        others { $splat:ident $mul_add:ident $select:ident $and:ident $or:ident $not:ident $between:ident $bound:ident
                 $load:ident $store:ident $and_bits:ident $sum:ident $rotate:ident $to_bits:ident $from_bits:ident }
        $($specific:item)*
    ) => {
        impl Element for $scalar {
            type Vector<S: Simd> = S::$vector;
            type Mask<S: Simd> = S::$mask;

            const DIGITS: u32 = $digits;

            $(
                #[inline(always)]
                fn $binary<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                    simd.$binary_op(a, b)
                }
            )*
            $(
                #[inline(always)]
                fn $unary<S: Simd>(simd: S, a: S::$vector) -> S::$vector {
                    simd.$unary_op(a)
                }
            )*
            $(
                #[inline(always)]
                fn $compare<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$mask {
                    simd.$compare_op(a, b)
                }
            )*

            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> S::$vector {
                simd.$splat(value)
            }

            // Not `pulp`'s own, whose parts are not always inlined.
            #[inline(always)]
            fn lanes_abs<S: Simd>(simd: S, a: S::$vector) -> S::$vector {
                simd.$and_bits(a, simd.$splat(Self::from_bits(!$sign)))
            }

            #[inline(always)]
            fn lanes_mul_add<S: Simd>(simd: S, a: S::$vector, b: S::$vector, c: S::$vector) -> S::$vector {
                simd.$mul_add(a, b, c)
            }

            #[inline(always)]
            fn mask_and<S: Simd>(simd: S, a: S::$mask, b: S::$mask) -> S::$mask {
                simd.$and(a, b)
            }

            #[inline(always)]
            fn mask_or<S: Simd>(simd: S, a: S::$mask, b: S::$mask) -> S::$mask {
                simd.$or(a, b)
            }

            #[inline(always)]
            fn mask_not<S: Simd>(simd: S, a: S::$mask) -> S::$mask {
                simd.$not(a)
            }

            #[inline(always)]
            fn select<S: Simd>(simd: S, mask: S::$mask, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$select(mask, a, b)
            }

            #[inline(always)]
            fn first<S: Simd>(simd: S, count: usize) -> S::$mask {
                simd.$between(0, count.min(Self::lanes::<S>()) as $bound).mask()
            }

            #[inline(always)]
            unsafe fn load<S: Simd>(_: S, pointer: *const Self) -> S::$vector {
                // SAFETY: the caller promises readable lanes; the read does not ask for alignment, and the register
                // type is plain data.
                unsafe { pointer.cast::<S::$vector>().read_unaligned() }
            }

            #[inline(always)]
            unsafe fn load_masked<S: Simd>(simd: S, mask: S::$mask, pointer: *const Self) -> S::$vector {
                // SAFETY: the caller promises that the masked lanes are readable.
                unsafe { simd.$load(MemMask::new(mask), pointer) }
            }

            #[inline(always)]
            unsafe fn store<S: Simd>(_: S, pointer: *mut Self, vector: S::$vector) {
                // SAFETY: the caller promises writable lanes; the write does not ask for alignment.
                unsafe { pointer.cast::<S::$vector>().write_unaligned(vector) }
            }

            #[inline(always)]
            unsafe fn store_masked<S: Simd>(simd: S, mask: S::$mask, pointer: *mut Self, vector: S::$vector) {
                // SAFETY: the caller promises that the masked lanes are writable.
                unsafe { simd.$store(MemMask::new(mask), pointer, vector) }
            }

            #[inline(always)]
            fn reduce_sum<S: Simd>(simd: S, a: S::$vector) -> Self {
                simd.$sum(a)
            }

            #[inline(always)]
            fn rotate<S: Simd>(simd: S, a: S::$vector, amount: usize) -> S::$vector {
                simd.$from_bits(simd.$rotate(simd.$to_bits(a), amount))
            }

            fn initialize(numbers: &mut [Self], tensors: &[Tensor], seed: Seed) {
                init::draw(numbers, tensors, seed);
            }

            #[inline(always)]
            fn work(unit: Instructions, work: Work<'_, Self>) -> Self {
                /// The calling convention of C is one that cannot unwind: callers are known not to panic.
                ///
                /// # Safety
                ///
                /// Both must point to what the casts say.
                #[inline(never)]
                unsafe extern "C" fn outlined(unit: *const u8, work: *const u8) -> $scalar {
                    // SAFETY: the caller's promise.
                    let (unit, work) = unsafe { (*unit.cast::<Instructions>(), *work.cast::<Work<'_, $scalar>>()) };
                    unit.dispatch(work)
                }

                // SAFETY: the pointers are those of the very values.
                unsafe { outlined((&raw const unit).cast(), (&raw const work).cast()) }
            }

            update! { $scalar, Descent 0: finish_descent end_descent }
            update! { $scalar, HeavyBall 1: finish_heavy_ball end_heavy_ball }
            update! { $scalar, MomentRule 2: finish_moments end_moments }

            $($specific)*
        }
    };
}

/// The functions for a rule. (Not pieces of [`Work`]: programs that do not train with it need not hold them.)
macro_rules! update {
    ($scalar:ident, $rule:ident $states:literal: $finish:ident $end:ident) => {
        #[inline(never)]
        unsafe extern "C" fn $finish(updating: *mut u8, sums: *const Sums<$scalar>) {
            // SAFETY: the caller's promise.
            unsafe {
                (*updating.cast::<Updating<'_, $scalar, Ruled<'_, $scalar, $rule<$scalar>, $states>>>()).finish(&*sums)
            };
        }

        #[inline(never)]
        fn $end(unit: Instructions, rest: &Rest<'_, $scalar, Ruled<'_, $scalar, $rule<$scalar>, $states>>) -> $scalar {
            unit.dispatch(rest)
        }
    };
}

element! {
    f32, f32s, m32s, digits 24,
    binary {
        lanes_add: add_f32s, lanes_sub: sub_f32s, lanes_mul: mul_f32s, lanes_div: div_f32s, raw_min: min_f32s, raw_max: max_f32s,
        bit_and: and_f32s, bit_or: or_f32s, bit_xor: xor_f32s,
    }
    unary { lanes_sqrt: sqrt_f32s, }
    sign { 0x8000_0000 }
    compare { lanes_lt: less_than_f32s, lanes_le: less_than_or_equal_f32s, lanes_eq: equal_f32s, }
    others { splat_f32s mul_add_e_f32s select_f32s and_m32s or_m32s not_m32s mask_between_m32s u32
             mask_load_ptr_f32s mask_store_ptr_f32s and_f32s reduce_sum_f32s rotate_right_u32s transmute_u32s_f32s
             transmute_f32s_u32s }

    // Adding 2^23 leaves the whole number n + 127 in the low bits; the shift by 23 makes it the exponent.
    #[inline(always)]
    fn power_of_two<S: Simd>(simd: S, n: S::f32s) -> S::f32s {
        let biased = simd.add_f32s(n, simd.splat_f32s(8_388_608.0 + 127.0));
        let bits = simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(biased), simd.splat_u32s(23));
        simd.transmute_f32s_u32s(bits)
    }

    // With the bits of √½ taken off, the exponent field changes at √½·2^e instead of at 2^e.
    #[inline(always)]
    fn split_exponent<S: Simd>(simd: S, a: S::f32s) -> (S::f32s, S::f32s) {
        let root = simd.splat_u32s(core::f32::consts::FRAC_1_SQRT_2.to_bits());
        let bias = simd.splat_u32s(127 << 23);
        let bits = simd.add_u32s(simd.sub_u32s(simd.transmute_u32s_f32s(a), root), bias);
        let field = simd.wrapping_dyn_shr_u32s(bits, simd.splat_u32s(23));
        let biased = simd.transmute_f32s_u32s(simd.or_u32s(field, simd.splat_u32s(8_388_608.0_f32.to_bits())));
        let exponent = simd.sub_f32s(biased, simd.splat_f32s(8_388_608.0 + 127.0));
        let fraction = simd.and_u32s(bits, simd.splat_u32s((1 << 23) - 1));
        (exponent, simd.transmute_f32s_u32s(simd.add_u32s(fraction, root)))
    }

    // Both halves are whole numbers below 2^16, and rounded once, in their sum.
    #[inline(always)]
    unsafe fn gather_integers<S: Simd>(simd: S, first: *const u32, stride: usize, count: usize) -> S::f32s {
        let mut integers = simd.splat_u32s(0);
        let lanes = cast_slice_mut::<S::u32s, u32>(core::slice::from_mut(&mut integers));
        for (lane, integer) in lanes.iter_mut().take(count).enumerate() {
            // SAFETY: as the caller promises.
            *integer = unsafe { first.add(lane * stride).read() };
        }
        let upper = small_integers(simd, simd.wrapping_dyn_shr_u32s(integers, simd.splat_u32s(16)));
        let lower = small_integers(simd, simd.and_u32s(integers, simd.splat_u32s(0xffff)));
        simd.mul_add_e_f32s(upper, simd.splat_f32s(65536.0), lower)
    }

    // 2^-1 has the 24 bits' last one for a unit and room for all but the first of them, which is a half itself.
    #[inline(always)]
    fn fraction<S: Simd>(simd: S, [_, high]: [S::u32s; 2], _: usize) -> S::f32s {
        let rest = simd.and_u32s(simd.wrapping_dyn_shr_u32s(high, simd.splat_u32s(8)), simd.splat_u32s((1 << 23) - 1));
        let placed = simd.transmute_f32s_u32s(simd.or_u32s(rest, simd.splat_u32s(0.5_f32.to_bits())));
        let below_half = simd.less_than_u32s(high, simd.splat_u32s(1 << 31));
        simd.sub_f32s(placed, simd.select_f32s(below_half, simd.splat_f32s(0.5), simd.splat_f32s(0.0)))
    }
}

element! {
    f64, f64s, m64s, digits 53,
    binary {
        lanes_add: add_f64s, lanes_sub: sub_f64s, lanes_mul: mul_f64s, lanes_div: div_f64s, raw_min: min_f64s, raw_max: max_f64s,
        bit_and: and_f64s, bit_or: or_f64s, bit_xor: xor_f64s,
    }
    unary { lanes_sqrt: sqrt_f64s, }
    sign { 0x8000_0000_0000_0000 }
    compare { lanes_lt: less_than_f64s, lanes_le: less_than_or_equal_f64s, lanes_eq: equal_f64s, }
    others { splat_f64s mul_add_e_f64s select_f64s and_m64s or_m64s not_m64s mask_between_m64s u64
             mask_load_ptr_f64s mask_store_ptr_f64s and_f64s reduce_sum_f64s rotate_right_u64s transmute_u64s_f64s
             transmute_f64s_u64s }

    // `pulp` shifts 32-bit words only: the exponent n + 1023 is placed by adding 2^84 (unit 2^32) times 2^64 at the bottom
    // of the upper word, and both words are shifted by 20; the lower one is zero.
    #[inline(always)]
    fn power_of_two<S: Simd>(simd: S, n: S::f64s) -> S::f64s {
        let scaled = simd.mul_f64s(simd.add_f64s(n, simd.splat_f64s(1023.0)), simd.splat_f64s(TWO_64));
        let placed = simd.transmute_u64s_f64s(simd.add_f64s(scaled, simd.splat_f64s(TWO_84)));
        simd.transmute_f64s_u64s(shift_left_20(simd, placed))
    }

    // As for f32; the exponent field, shifted down to the bottom of the upper word, becomes a number by way of 2^84.
    #[inline(always)]
    fn split_exponent<S: Simd>(simd: S, a: S::f64s) -> (S::f64s, S::f64s) {
        let root = simd.splat_u64s(core::f64::consts::FRAC_1_SQRT_2.to_bits());
        let bias = simd.splat_u64s(1023 << 52);
        let bits = simd.add_u64s(simd.sub_u64s(simd.transmute_u64s_f64s(a), root), bias);
        let upper = simd.and_u64s(bits, simd.splat_u64s(0x7ff << 52));
        let field = shift_right_20(simd, upper);
        let biased = simd.transmute_f64s_u64s(simd.or_u64s(field, simd.splat_u64s(TWO_84.to_bits())));
        let scaled = simd.sub_f64s(biased, simd.splat_f64s(TWO_84 + 1023.0 * TWO_64));
        let exponent = simd.mul_f64s(scaled, simd.splat_f64s(1.0 / TWO_64));
        let fraction = simd.and_u64s(bits, simd.splat_u64s((1 << 52) - 1));
        (exponent, simd.transmute_f64s_u64s(simd.add_u64s(fraction, root)))
    }

    #[inline(always)]
    unsafe fn gather_integers<S: Simd>(simd: S, first: *const u32, stride: usize, count: usize) -> S::f64s {
        let mut integers = simd.splat_u64s(TWO_52.to_bits());
        let lanes = cast_slice_mut::<S::u64s, u64>(core::slice::from_mut(&mut integers));
        for (lane, integer) in lanes.iter_mut().take(count).enumerate() {
            // SAFETY: as the caller promises.
            *integer |= u64::from(unsafe { first.add(lane * stride).read() });
        }
        simd.sub_f64s(simd.transmute_f64s_u64s(integers), simd.splat_f64s(TWO_52))
    }

    // A word at the bottom of 2^20 counts 2^-32; the 21 bits that it leaves, at the bottom of 2^-1, count 2^-53. No sum rounds.
    #[inline(always)]
    fn fraction<S: Simd>(simd: S, [low, high]: [S::u32s; 2], register: usize) -> S::f64s {
        let low = simd.wrapping_dyn_shr_u32s(low, simd.splat_u32s(11));
        let coarse = with_words(simd, TWO_20, high, register);
        let fine = with_words(simd, 0.5, low, register);
        simd.add_f64s(simd.sub_f64s(coarse, simd.splat_f64s(TWO_20 + 0.5)), fine)
    }
}

const TWO_20: f64 = (1_u64 << 20) as f64;
const TWO_23: f32 = (1_u32 << 23) as f32;
const TWO_52: f64 = (1_u64 << 52) as f64;
const TWO_64: f64 = (1_u128 << 64) as f64;
const TWO_84: f64 = (1_u128 << 84) as f64;

/// Integers below 2^23 as numbers.
#[inline(always)]
fn small_integers<S: Simd>(simd: S, integers: S::u32s) -> S::f32s {
    let placed = simd.or_u32s(integers, simd.splat_u32s(TWO_23.to_bits()));
    simd.sub_f32s(simd.transmute_f32s_u32s(placed), simd.splat_f32s(TWO_23))
}

/// `number`, whose lower word is zero, with every other word, from that of index `first`, for its lower one.
#[inline(always)]
fn with_words<S: Simd>(simd: S, number: f64, words: S::u32s, first: usize) -> S::f64s {
    let words = simd.rotate_left_u32s(words, first);
    let lower = simd.and_u64s(pulp::bytemuck::cast(words), simd.splat_u64s(u64::from(u32::MAX)));
    simd.transmute_f64s_u64s(simd.or_u64s(lower, simd.splat_u64s(number.to_bits())))
}

/// Both 32-bit words of each lane shifted up by 20 bits.
#[inline(always)]
fn shift_left_20<S: Simd>(simd: S, a: S::u64s) -> S::u64s {
    if S::IS_SCALAR {
        // The words of a scalar are not a register of their own; the lower one is zero in every use.
        return simd.mul_u64s(a, simd.splat_u64s(1 << 20));
    }
    let words = pulp::bytemuck::cast::<S::u64s, S::u32s>(a);
    pulp::bytemuck::cast(simd.wrapping_dyn_shl_u32s(words, simd.splat_u32s(20)))
}

/// Both 32-bit words of each lane shifted down by 20 bits.
#[inline(always)]
fn shift_right_20<S: Simd>(simd: S, mut a: S::u64s) -> S::u64s {
    if S::IS_SCALAR {
        for lane in cast_slice_mut::<S::u64s, u64>(core::slice::from_mut(&mut a)) {
            *lane = (*lane >> 20) & 0xfff_0000_0000;
        }
        return a;
    }
    let words = pulp::bytemuck::cast::<S::u64s, S::u32s>(a);
    pulp::bytemuck::cast(simd.wrapping_dyn_shr_u32s(words, simd.splat_u32s(20)))
}
