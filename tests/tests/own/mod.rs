//! An optimizer of one's own.

use backprop::__private::{Lanes, Readable, Role, Simd, Span};
use backprop::optimizers::{Optimizer, Sgd, Update};
use backprop::{Program, Scalar};

/// [`Sgd`] as somebody else's optimizer: nothing of it is compiled with the library.
#[derive(Clone)]
pub(crate) struct Own {
    sgd: Sgd,
    /// Called when a step begins to update, and for each register of parameters that is updated.
    begins: fn(),
    applies: fn(),
}

impl Own {
    pub(crate) fn new(sgd: Sgd, begins: fn(), applies: fn()) -> Self {
        Self { sgd, begins, applies }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct OwnUpdate<U> {
    update: U,
    applies: fn(),
}

impl<N: Program> Optimizer<N> for Own {
    type State = <Sgd as Optimizer<N>>::State;
    type Update<'a>
        = OwnUpdate<<Sgd as Optimizer<N>>::Update<'a>>
    where
        Self::State: 'a;

    fn begin<'a>(&mut self, step: u64, rate: f64, network: &'a mut N, state: &'a mut Self::State) -> Self::Update<'a> {
        (self.begins)();
        OwnUpdate { update: self.sgd.begin(step, rate, network, state), applies: self.applies }
    }
}

impl<T: Scalar, U: Update<T>> Update<T> for OwnUpdate<U> {
    fn parameters(&self) -> Readable<'_, T> {
        self.update.parameters()
    }

    fn decay(self, role: Role) -> T {
        self.update.decay(role)
    }

    fn same_decay(&self) -> Option<T> {
        self.update.same_decay()
    }

    #[inline(always)]
    unsafe fn apply<S: Simd, P: Span<T, S>>(self, at: usize, gradient: Lanes<T, S>, decay: T, span: P) {
        (self.applies)();
        // SAFETY: the caller's promise.
        unsafe { self.update.apply(at, gradient, decay, span) }
    }
}
