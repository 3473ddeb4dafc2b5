//! The products of a dense layer, each alone.

use std::cell::Cell;

use backprop::kernels::{
    Accumulate, Assign, Biased, Dim, Epilogue, Matrix, contiguous, contract_large, store, store_strided,
};
use backprop::simd::{Instructions, Lanes, Simd};
use backprop::{Random, Scalar, Seed};

use crate::workloads::rows;

/// Which of a layer's products.
#[derive(Debug, Clone, Copy)]
pub enum Product {
    /// `y = x·w`
    Forward,
    /// `y = max(0, x·w + b)`
    Rectified,
    /// `dx = dy·wᵀ`
    InputGradient,
    /// `dw = xᵀ·dy`
    WeightGradient,
    /// `dw = dw + xᵀ·dy`
    AddedGradient,
    /// `y = tanh(x·w + b)`
    Tanh,
    /// `y = x·w`, kept column by column
    Scattered,
}

impl Product {
    /// Those of a layer with a rectifier.
    pub const LAYER: [Self; 4] = [Self::Forward, Self::Rectified, Self::InputGradient, Self::WeightGradient];

    /// What else becomes of a product.
    pub const OTHERS: [Self; 3] = [Self::AddedGradient, Self::Tanh, Self::Scattered];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Rectified => "rectified",
            Self::InputGradient => "input_gradient",
            Self::WeightGradient => "weight_gradient",
            Self::AddedGradient => "added_gradient",
            Self::Tanh => "tanh",
            Self::Scattered => "scattered",
        }
    }
}

/// As the compiler writes what the library has not compiled already.
#[derive(Debug, Clone, Copy)]
struct TanhOfSum;

impl<T: Scalar> Epilogue<T, 1, 1> for TanhOfSum {
    #[inline(always)]
    fn evaluate<S: Simd>(
        self,
        _: S,
        product: Lanes<T, S>,
        [bias]: [Lanes<T, S>; 1],
        _: [Lanes<T, S>; 1],
    ) -> [Lanes<T, S>; 1] {
        [(product + bias).tanh()]
    }
}

/// What the compiler lends: a crate of macros exports no functions.
#[path = "../../macros/src/plan/lent.rs"]
mod lent;

/// Numbers a sample that generated code lends to a product.
fn lent_to(product: Product, inputs: usize, outputs: usize) -> usize {
    let lent = match product {
        Product::Forward | Product::Rectified | Product::Tanh | Product::Scattered => lent::to_product(inputs, outputs),
        Product::InputGradient => lent::to_product(outputs, inputs),
        Product::WeightGradient | Product::AddedGradient => lent::to_gradient(inputs, outputs, inputs),
    };
    lent.unwrap_or(0)
}

/// A layer's matrices and sizes, known at compile time but for the number of samples, as in generated code.
#[derive(Debug)]
pub struct Layer<T: Copy, K, N> {
    samples: usize,
    inputs: K,
    outputs: N,
    x: Vec<T>,
    w: Vec<T>,
    y: Vec<T>,
    bias: Vec<T>,
    lent: Vec<Cell<T>>,
}

impl<T: Scalar, K: Dim, N: Dim> Layer<T, K, N> {
    /// A layer of these sizes with random numbers.
    pub fn new(samples: usize, inputs: K, outputs: N) -> Self {
        let mut random = Random::new(Seed(7));
        let mut numbers = |count| rows::<T, 1>(&mut random, count).into_flattened();
        let (k, n) = (inputs.get(), outputs.get());
        let lent = vec![Cell::new(T::zero()); lent::MOST * samples];
        let [x, w, y, bias] = [samples * k, k * n, samples * n, n].map(&mut numbers);
        Self { samples, inputs, outputs, x, w, y, bias, lent }
    }

    /// Floating-point operations of one product.
    pub fn operations(&self) -> u64 {
        (2 * self.samples * self.inputs.get() * self.outputs.get()) as u64
    }

    /// Computes a product.
    pub fn run(&mut self, product: Product, instructions: Instructions) {
        let Self { samples, inputs, outputs, x, w, y, bias, lent } = self;
        let (machine, samples, inputs, outputs) = (instructions, *samples, *inputs, *outputs);
        let (k, n) = (inputs.get(), outputs.get());
        let lent = &lent[..samples * lent_to(product, k, n)];
        match product {
            Product::Forward => {
                let (a, b) = (Matrix::new(&**x, 0, [], k, 1), Matrix::new(&**w, 0, [], n, 1));
                let place = (store(&mut **y, 0, [n, 1]),);
                contract_large(machine, lent, [], samples, inputs, outputs, a, b, (), place, Assign);
            }
            Product::Rectified => {
                let (a, b) = (Matrix::new(&**x, 0, [], k, 1), Matrix::new(&**w, 0, [], n, 1));
                let place = (store(&mut **y, 0, [n, 1]).apart(),);
                let bias = (contiguous(&**bias, 0, [0, 1]),);
                contract_large(machine, lent, [], samples, inputs, outputs, a, b, bias, place, Biased::<true>);
            }
            Product::InputGradient => {
                let (a, b) = (Matrix::new(&**y, 0, [], n, 1), Matrix::new(&**w, 0, [], 1, n));
                let place = (store(&mut **x, 0, [k, 1]),);
                contract_large(machine, lent, [], samples, outputs, inputs, a, b, (), place, Assign);
            }
            Product::WeightGradient => {
                let (a, b) = (Matrix::new(&**x, 0, [], 1, k), Matrix::new(&**y, 0, [], n, 1));
                let place = (store(&mut **w, 0, [n, 1]),);
                contract_large(machine, lent, [], inputs, samples, outputs, a, b, (), place, Assign);
            }
            Product::AddedGradient => {
                let (a, b) = (Matrix::new(&**x, 0, [], 1, k), Matrix::new(&**y, 0, [], n, 1));
                let place = (store(&mut **w, 0, [n, 1]),);
                contract_large(machine, lent, [], inputs, samples, outputs, a, b, (), place, Accumulate(true));
            }
            Product::Tanh => {
                let (a, b) = (Matrix::new(&**x, 0, [], k, 1), Matrix::new(&**w, 0, [], n, 1));
                let place = (store(&mut **y, 0, [n, 1]).apart(),);
                let bias = (contiguous(&**bias, 0, [0, 1]),);
                contract_large(machine, lent, [], samples, inputs, outputs, a, b, bias, place, TanhOfSum);
            }
            Product::Scattered => {
                let (a, b) = (Matrix::new(&**x, 0, [], k, 1), Matrix::new(&**w, 0, [], n, 1));
                let place = (store_strided(&mut **y, 0, [1, samples]),);
                contract_large(machine, lent, [], samples, inputs, outputs, a, b, (), place, Assign);
            }
        }
    }
}
