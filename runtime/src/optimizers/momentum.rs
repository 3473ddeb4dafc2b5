use super::update::{compiled, flush};
use super::{Decay, Optimizer, Rule, Ruled};
use crate::program::Program;
use crate::scalar::Scalar;
use crate::simd::{Lanes, Simd};
use crate::tensor::Role;

/// Gradient descent with momentum, as PyTorch's `SGD` defines it:
///
/// ```text
/// g += decay · w
/// v  = momentum · v + (1 - dampening) · g        (at the first step v = g)
/// w -= rate · v                                  (Nesterov: rate · (g + momentum · v))
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Momentum {
    rate: f64,
    momentum: f64,
    dampening: f64,
    nesterov: bool,
    decay: Decay,
}

impl Momentum {
    /// With this learning rate and momentum (0.9, as a rule).
    pub const fn new(rate: f64, momentum: f64) -> Self {
        Self { rate, momentum, dampening: 0.0, nesterov: false, decay: Decay { rate: 0.0, excluded: 0 } }
    }

    /// Looks ahead (Nesterov 1983), in the form of Sutskever et al. 2013.
    #[must_use]
    pub const fn nesterov(mut self, nesterov: bool) -> Self {
        self.nesterov = nesterov;
        self
    }

    /// How much less than fully the gradient enters the momentum, 0 unless set.
    #[must_use]
    pub const fn dampening(mut self, dampening: f64) -> Self {
        self.dampening = dampening;
        self
    }

    /// L2 regularisation, 0 unless set: adds `decay · w` to the gradient.
    #[must_use]
    pub const fn weight_decay(mut self, decay: f64) -> Self {
        self.decay.rate = decay;
        self
    }

    /// Leaves parameters of this role out of the weight decay.
    #[must_use]
    pub const fn exclude(mut self, role: Role) -> Self {
        self.decay = self.decay.without(role);
        self
    }
}

impl<N: Program> Optimizer<N> for Momentum {
    type State = N;
    type Update<'a> = Ruled<'a, N::Scalar, HeavyBall<N::Scalar>, 1>;

    #[inline(always)]
    fn begin<'a>(&mut self, step: u64, rate: f64, network: &'a mut N, state: &'a mut N) -> Self::Update<'a> {
        let rate = -rate * self.rate;
        let rule = HeavyBall {
            momentum: N::Scalar::constant(self.momentum),
            share: N::Scalar::constant(if step <= 1 { 1.0 } else { 1.0 - self.dampening }),
            gradient_rate: N::Scalar::constant(if self.nesterov { rate } else { 0.0 }),
            velocity_rate: N::Scalar::constant(if self.nesterov { rate * self.momentum } else { rate }),
        };
        Ruled::new(rule, self.decay, network.as_flat_mut(), [state.as_flat_mut()])
    }
}

/// The rule of [`Momentum`].
#[derive(Debug, Clone, Copy)]
pub struct HeavyBall<T> {
    momentum: T,
    share: T,
    /// What the gradient adds to a parameter by itself.
    gradient_rate: T,
    /// What the velocity adds to a parameter.
    velocity_rate: T,
}

impl<T: Scalar> Rule<T, 1> for HeavyBall<T> {
    compiled!(finish_heavy_ball, end_heavy_ball, 1);

    #[inline(always)]
    fn update<S: Simd>(
        self,
        parameter: Lanes<T, S>,
        gradient: Lanes<T, S>,
        [velocity]: [Lanes<T, S>; 1],
        decay: Lanes<T, S>,
    ) -> (Lanes<T, S>, [Lanes<T, S>; 1]) {
        let simd = parameter.simd();
        let gradient = decay.mul_add(parameter, flush(gradient));
        let velocity = Lanes::splat(simd, self.momentum).mul_add(velocity, Lanes::splat(simd, self.share) * gradient);
        let step =
            Lanes::splat(simd, self.velocity_rate).mul_add(velocity, Lanes::splat(simd, self.gradient_rate) * gradient);
        (parameter + step, [flush(velocity)])
    }
}
