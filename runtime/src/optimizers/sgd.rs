use super::update::compiled;
use super::{Decay, Optimizer, Rule, Ruled};
use crate::program::Program;
use crate::scalar::Scalar;
use crate::simd::{Lanes, Simd};
use crate::tensor::Role;

/// Plain gradient descent: `w -= rate · (g + decay · w)`. Needs no state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgd {
    rate: f64,
    decay: Decay,
}

impl Sgd {
    /// With this learning rate.
    pub const fn new(rate: f64) -> Self {
        Self { rate, decay: Decay { rate: 0.0, excluded: 0 } }
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

impl<N: Program> Optimizer<N> for Sgd {
    type State = [N::Scalar; 0];
    type Update<'a>
        = Ruled<'a, N::Scalar, Descent<N::Scalar>, 0>
    where
        Self::State: 'a;

    #[inline(always)]
    fn begin<'a>(&mut self, _: u64, rate: f64, network: &'a mut N, _: &'a mut Self::State) -> Self::Update<'a> {
        let rule = Descent { rate: N::Scalar::constant(-rate * self.rate) };
        Ruled::new(rule, self.decay, network.as_flat_mut(), [])
    }
}

/// The rule of [`Sgd`].
#[derive(Debug, Clone, Copy)]
pub struct Descent<T> {
    /// Negative.
    rate: T,
}

impl<T: Scalar> Rule<T, 0> for Descent<T> {
    compiled!(finish_descent, end_descent, 0);

    #[inline(always)]
    fn factor(self) -> Option<T> {
        Some(self.rate)
    }

    #[inline(always)]
    fn update<S: Simd>(
        self,
        parameter: Lanes<T, S>,
        gradient: Lanes<T, S>,
        _: [Lanes<T, S>; 0],
        decay: Lanes<T, S>,
    ) -> (Lanes<T, S>, [Lanes<T, S>; 0]) {
        let gradient = decay.mul_add(parameter, gradient);
        (Lanes::splat(parameter.simd(), self.rate).mul_add(gradient, parameter), [])
    }
}
