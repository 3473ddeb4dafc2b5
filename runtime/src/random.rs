//! Seeded random numbers for start values, shuffling and test data.

use num_traits::Float;
use pulp::Simd;
use rand_core::Rng;
use rand_pcg::Pcg32;

use crate::simd::Integers;

/// The seed of everything random: the same seed gives the same run, bit for bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Seed(pub u64);

impl Seed {
    /// A seed of its own for part number `part` of what this seed governs.
    pub const fn part(self, part: u64) -> Self {
        Self(branch(self.0, part))
    }
}

/// A bijection of 64-bit numbers that leaves no resemblance (SplitMix64's finalizer, Steele et al. 2014).
#[inline(always)]
pub(crate) const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> MIX_SHIFTS[0])).wrapping_mul(MIX_FACTORS[0]);
    let value = (value ^ (value >> MIX_SHIFTS[1])).wrapping_mul(MIX_FACTORS[1]);
    value ^ (value >> MIX_SHIFTS[2])
}

/// [`mix`] of many numbers at once.
#[inline(always)]
pub(crate) fn mix_lanes<S: Simd>(values: Integers<S>) -> Integers<S> {
    let values = values.xor_shifted(MIX_SHIFTS[0]).times(MIX_FACTORS[0]);
    let values = values.xor_shifted(MIX_SHIFTS[1]).times(MIX_FACTORS[1]);
    values.xor_shifted(MIX_SHIFTS[2])
}

/// 2^64 divided by the golden ratio, made odd: SplitMix64's step.
pub(crate) const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

const MIX_SHIFTS: [u32; 3] = [30, 27, 31];
const MIX_FACTORS: [u64; 2] = [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb];

/// The key of part number `part`. (Without the summand, SplitMix64's step, part 0 would be mixed to 0.)
#[inline(always)]
const fn branch(key: u64, part: u64) -> u64 {
    mix(key ^ mix(part.wrapping_add(GOLDEN)))
}

/// One key from a key and what is drawn with it.
#[inline(always)]
fn combine(key: u64, parts: &[u64]) -> u64 {
    parts.iter().fold(key, |key, &part| branch(key, part))
}

/// What the random numbers of a pass depend on: a key, and the number of the pass's first sample within the batch, so that
/// the numbers of a sample are the same however the batch is cut.
#[derive(Debug, Clone, Copy)]
pub struct Draws {
    pub(crate) key: u64,
    pub(crate) first: usize,
}

impl Draws {
    /// Those of a batch of which nothing came before.
    pub const fn new(seed: Seed) -> Self {
        Self { key: seed.0, first: 0 }
    }

    /// Those of one stream, in one step of each of the loops around it.
    #[inline(always)]
    pub fn part(self, parts: &[u64]) -> Self {
        Self { key: combine(self.key, parts), first: self.first }
    }
}

/// A name's hash (FNV-1a), which does not change with its neighbours.
pub(crate) const fn hash(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        index += 1;
    }
    hash
}

/// A source of random numbers (PCG-XSH-RR 64/32), the same on every machine.
#[derive(Debug, Clone)]
pub struct Random(Pcg32);

impl Random {
    /// Starts at `seed`.
    pub fn new(seed: Seed) -> Self {
        Self(Pcg32::new(mix(seed.0), mix(!seed.0)))
    }

    /// Uniform in `[0, 1)`, in steps of `2^-53`.
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in `[low, high)`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Normal with mean 0 and deviation 1 (Box and Muller 1958, the first of the pair).
    pub fn normal(&mut self) -> f64 {
        let radius = Float::sqrt(-2.0 * Float::ln(1.0 - self.uniform()));
        radius * Float::cos(core::f64::consts::TAU * self.uniform())
    }

    /// Uniform in `0..bound`; 0 where there is no choice (Lemire 2019, without the rejection: the bias is below
    /// `bound / 2^64`).
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.0.next_u64()) * bound as u128) >> 64) as usize
    }

    /// A random order (Fisher and Yates).
    pub fn shuffle<A>(&mut self, items: &mut [A]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of SplitMix64 from state 0, as other implementations give them.
    #[test]
    fn mix_is_that_of_splitmix64() {
        for (step, number) in [(1_u64, 0xe220_a839_7b1d_cdaf), (2, 0x6e78_9e6a_a1b9_65f4), (3, 0x06c4_5d18_8009_454f)] {
            assert_eq!(mix(GOLDEN.wrapping_mul(step)), number);
        }
    }

    #[test]
    fn moments_of_the_distributions() {
        let mut random = Random::new(Seed(1));
        let count = 100_000;
        let (mut uniform, mut normal, mut square) = (0.0, 0.0, 0.0);
        for _ in 0..count {
            uniform += random.uniform();
            let value = random.normal();
            normal += value;
            square += value * value;
        }
        let count = f64::from(count);
        assert!((uniform / count - 0.5).abs() < 0.005);
        assert!((normal / count).abs() < 0.015);
        assert!((square / count - 1.0).abs() < 0.02);
    }

    #[test]
    fn a_shuffle_keeps_all() {
        let mut items = [0, 1, 2, 3, 4, 5, 6, 7];
        Random::new(Seed(3)).shuffle(&mut items);
        assert_ne!(items, [0, 1, 2, 3, 4, 5, 6, 7]);
        items.sort_unstable();
        assert_eq!(items, [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn below_stays_below() {
        let mut random = Random::new(Seed(5));
        let mut seen = [false; 7];
        for _ in 0..500 {
            seen[random.below(7)] = true;
        }
        assert_eq!(seen, [true; 7]);
        assert_eq!(random.below(1), 0);
    }
}
