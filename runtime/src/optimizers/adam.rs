use num_traits::Float;

use super::update::{compiled, flush, flush_below};
use super::{Decay, Optimizer, Rule, Ruled};
use crate::memory::Flat;
use crate::program::Program;
use crate::scalar::Scalar;
use crate::simd::{Lanes, Simd};
use crate::tensor::Role;

/// Adam (Kingma and Ba 2015), as PyTorch defines it:
///
/// ```text
/// g += decay · w
/// m  = beta1 · m + (1 - beta1) · g
/// v  = beta2 · v + (1 - beta2) · g²
/// w -= rate · m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
/// ```
///
/// With betas 0.9 and 0.999 and epsilon 1e-8 unless set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam(Settings);

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019), as PyTorch defines it: `w -= rate · decay · w` comes
/// first, then [`Adam`]'s update without the decay in its gradient. The decay is 0.01 unless set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamW(Settings);

#[derive(Debug, Clone, Copy)]
struct Settings {
    rate: f64,
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    decay: Decay,
    powers: Powers,
}

/// `beta1^step` and `beta2^step` of the last step: one multiplication each leads to the next.
///
/// Aligned, lest what one step stores straddle two cache lines, from which the next one could not read it at once.
#[repr(C, align(32))]
#[derive(Debug, Clone, Copy)]
struct Powers {
    first: f64,
    second: f64,
    step: u64,
}

impl Powers {
    const UNKNOWN: Self = Self { step: u64::MAX, first: f64::NAN, second: f64::NAN };

    // Part of a tiny network's step.
    #[inline(always)]
    fn advance(&mut self, step: u64, beta1: f64, beta2: f64) {
        let exponent = i32::try_from(step).unwrap_or(i32::MAX);
        *self = if self.step.checked_add(1) == Some(step) {
            Self { step, first: vanishing(self.first * beta1), second: vanishing(self.second * beta2) }
        } else {
            Self { step, first: Float::powi(beta1, exponent), second: Float::powi(beta2, exponent) }
        };
    }
}

/// Zero for what no longer differs from it beside 1: powers would soon be denormal, and stay so.
fn vanishing(power: f64) -> f64 {
    if power < 1e-30 { 0.0 } else { power }
}

impl PartialEq for Settings {
    /// What was computed from the settings does not count.
    fn eq(&self, other: &Self) -> bool {
        let Self { rate, beta1, beta2, epsilon, decay, powers: _ } = *self;
        (rate, beta1, beta2, epsilon, decay) == (other.rate, other.beta1, other.beta2, other.epsilon, other.decay)
    }
}

impl Settings {
    const fn new(rate: f64, decay: f64) -> Self {
        let decay = Decay { rate: decay, excluded: 0 };
        Self { rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay, powers: Powers::UNKNOWN }
    }

    #[inline(always)]
    fn rule<T: Scalar>(&mut self, step: u64, rate: f64, decoupled: bool) -> MomentRule<T> {
        let rate = rate * self.rate;
        self.powers.advance(step, self.beta1, self.beta2);
        let (first_correction, second_correction) = (1.0 - self.powers.first, 1.0 - self.powers.second);
        MomentRule {
            beta1: T::constant(self.beta1),
            rest1: T::constant(1.0 - self.beta1),
            beta2: T::constant(self.beta2),
            rest2: T::constant(1.0 - self.beta2),
            step: T::constant(-rate / first_correction),
            root: T::constant(1.0 / Float::sqrt(second_correction)),
            epsilon: T::constant(self.epsilon),
            least: T::constant(64.0) * T::min_positive_value().sqrt(),
            gradient_decay: T::constant(if decoupled { 0.0 } else { 1.0 }),
            parameter_decay: T::constant(if decoupled { -rate } else { 0.0 }),
        }
    }
}

macro_rules! settings {
    ($name:ident, $decay:literal, $decay_text:literal) => {
        impl $name {
            /// With this learning rate.
            pub const fn new(rate: f64) -> Self {
                Self(Settings::new(rate, $decay))
            }

            /// How slowly the means of the gradient and of its square forget.
            #[must_use]
            pub const fn betas(mut self, beta1: f64, beta2: f64) -> Self {
                (self.0.beta1, self.0.beta2, self.0.powers) = (beta1, beta2, Powers::UNKNOWN);
                self
            }

            /// What keeps the denominator from zero.
            #[must_use]
            pub const fn epsilon(mut self, epsilon: f64) -> Self {
                self.0.epsilon = epsilon;
                self
            }

            #[doc = $decay_text]
            #[must_use]
            pub const fn weight_decay(mut self, decay: f64) -> Self {
                self.0.decay.rate = decay;
                self
            }

            /// Leaves parameters of this role out of the weight decay.
            #[must_use]
            pub const fn exclude(mut self, role: Role) -> Self {
                self.0.decay = self.0.decay.without(role);
                self
            }
        }
    };
}

settings!(Adam, 0.0, "L2 regularisation: adds `decay · w` to the gradient.");
settings!(AdamW, 0.01, "Decoupled weight decay.");

/// The running means of the gradient and of its square.
#[repr(C)]
#[derive(Debug, Clone)]
pub struct Moments<N> {
    /// Mean of the gradient.
    pub first: N,
    /// Mean of its square.
    pub second: N,
}

// SAFETY: two values behind each other that are made of `T` alone, `repr(C)`.
unsafe impl<T: Scalar, N: Flat<T>> Flat<T> for Moments<N> {}

macro_rules! optimizer {
    ($name:ident, $decoupled:literal) => {
        impl<N: Program> Optimizer<N> for $name {
            type State = Moments<N>;
            type Update<'a> = Ruled<'a, N::Scalar, MomentRule<N::Scalar>, 2>;

            #[inline(always)]
            fn begin<'a>(
                &mut self,
                step: u64,
                rate: f64,
                network: &'a mut N,
                state: &'a mut Moments<N>,
            ) -> Self::Update<'a> {
                let states = [state.first.as_flat_mut(), state.second.as_flat_mut()];
                let rule = self.0.rule(step, rate, $decoupled);
                Ruled::new(rule, self.0.decay, network.as_flat_mut(), states)
            }
        }
    };
}

optimizer!(Adam, false);
optimizer!(AdamW, true);

/// The rule of [`Adam`] and [`AdamW`].
#[derive(Debug, Clone, Copy)]
pub struct MomentRule<T> {
    beta1: T,
    rest1: T,
    beta2: T,
    rest2: T,
    /// `-rate / (1 - beta1^t)`
    step: T,
    /// `1 / sqrt(1 - beta2^t)`
    root: T,
    epsilon: T,
    /// Gradients smaller than this, whose share of the mean of squares would be denormal, count as zero.
    least: T,
    /// What of the decay goes into the gradient.
    gradient_decay: T,
    /// What of the decay is added to the parameter first.
    parameter_decay: T,
}

impl<T: Scalar> Rule<T, 2> for MomentRule<T> {
    compiled!(finish_moments, end_moments, 2);

    #[inline(always)]
    fn update<S: Simd>(
        self,
        parameter: Lanes<T, S>,
        gradient: Lanes<T, S>,
        [first, second]: [Lanes<T, S>; 2],
        decay: Lanes<T, S>,
    ) -> (Lanes<T, S>, [Lanes<T, S>; 2]) {
        let simd = parameter.simd();
        // The squares of gradients that stay tiny would be denormal at every step. (Not in plain code, whose registers the
        // compiler no longer fills if numbers are chosen from: a fifth of a tiny network's step.)
        let gradient = if S::IS_SCALAR { gradient } else { flush_below(gradient, self.least) };
        let gradient = (Lanes::splat(simd, self.gradient_decay) * decay).mul_add(parameter, gradient);
        let parameter = (Lanes::splat(simd, self.parameter_decay) * decay).mul_add(parameter, parameter);
        let first = Lanes::splat(simd, self.beta1).mul_add(first, Lanes::splat(simd, self.rest1) * gradient);
        let second =
            Lanes::splat(simd, self.beta2).mul_add(second, Lanes::splat(simd, self.rest2) * gradient * gradient);
        let denominator = second.sqrt().mul_add(Lanes::splat(simd, self.root), Lanes::splat(simd, self.epsilon));
        (Lanes::splat(simd, self.step).mul_add(first / denominator, parameter), [flush(first), flush(second)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_settings_are_equal_before_and_after_steps() {
        let mut stepped = Adam::new(0.1);
        assert_eq!(stepped, Adam::new(0.1));
        let _ = stepped.0.rule::<f32>(1, 1.0, false);
        assert_eq!(stepped, Adam::new(0.1));
        assert_ne!(stepped, Adam::new(0.1).betas(0.9, 0.99));
    }

    #[test]
    fn powers_end_at_zero_without_denormal_numbers() {
        let mut powers = Powers::UNKNOWN;
        for step in 1..100_000 {
            powers.advance(step, 0.9, 0.999);
            for (power, beta) in [(powers.first, 0.9_f64), (powers.second, 0.999)] {
                assert!(power == 0.0 || power.is_normal(), "step {step}: {power}");
                let expected = 1.0 - beta.powi(step as i32);
                assert!((1.0 - power - expected).abs() < 1e-12, "step {step}: {power}");
            }
        }
        assert_eq!((powers.first, powers.second), (0.0, 0.0));
    }
}
