//! Contractions: products of matrices with an epilogue.

use core::cell::Cell;

use pulp::Simd;

use super::destinations::Outputs;
use super::operands::Inputs;
use super::product::Operands;
use super::sealed::Sealed;
use super::tile::{Ending, Tiles};
use super::{Readable, advance, place, reaches_inline};
use crate::scalar::Scalar;
use crate::simd::{Lanes, Machine};

/// A size: known at compile time ([`Const`]) or at run time (`usize`).
pub trait Dim: Copy + Sealed {
    /// The size, if it is known at compile time.
    const KNOWN: Option<usize>;

    /// The size.
    fn get(self) -> usize;
}

impl Sealed for usize {}

impl Dim for usize {
    const KNOWN: Option<usize> = None;

    #[inline(always)]
    fn get(self) -> usize {
        self
    }
}

/// A size known at compile time. Loops over elements are specialised for it, and contractions where they are inlined whole, as
/// in tiny networks; all others share their code.
#[derive(Clone, Copy, Debug)]
pub struct Const<const SIZE: usize>;

impl<const SIZE: usize> Sealed for Const<SIZE> {}

impl<const SIZE: usize> Dim for Const<SIZE> {
    const KNOWN: Option<usize> = Some(SIZE);

    #[inline(always)]
    fn get(self) -> usize {
        SIZE
    }
}

/// A matrix, or one for each index of `D` outer loops. Offset and strides count elements.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T, const D: usize> {
    /// Where the elements lie.
    pub slice: Readable<'a, T>,
    /// Where the first element lies.
    pub offset: usize,
    /// From one matrix to the next, for each outer loop.
    pub outer: [usize; D],
    /// From one row to the next.
    pub row: usize,
    /// From one column to the next.
    pub column: usize,
}

impl<'a, T, const D: usize> Matrix<'a, T, D> {
    /// The matrix of these elements.
    #[inline(always)]
    pub fn new(slice: impl Into<Readable<'a, T>>, offset: usize, outer: [usize; D], row: usize, column: usize) -> Self {
        Self { slice: slice.into(), offset, outer, row, column }
    }
}

/// What happens to an element of the product: `O` results from it and `I` inputs. Threads may share a product.
pub trait Epilogue<T: Scalar, const I: usize, const O: usize>: Copy + Send + Sync {
    /// Whether it is so few operations that memory decides how long they take, with what the destinations do besides: the
    /// divisions and roots of an optimizer gain nothing from wider registers either.
    const LIGHT: bool = false;

    /// The results; `previous[k]` is what destination `k` held at this place. Implementations are `#[inline(always)]`.
    fn evaluate<S: Simd>(
        self,
        simd: S,
        product: Lanes<T, S>,
        inputs: [Lanes<T, S>; I],
        previous: [Lanes<T, S>; O],
    ) -> [Lanes<T, S>; O];

    /// Whether [`plain`](Self::plain) is something.
    const PLAIN: bool = false;

    /// Whether [`biased`](Self::biased) is something.
    const BIASED: bool = false;

    /// What the library has compiled to the same effect, if all operands are matrices in memory.
    #[doc(hidden)]
    #[inline(always)]
    fn biased(self) -> Option<Floored<T>> {
        None
    }

    /// Whether the result is nothing but the product (`Some(false)`), or that added to what a single destination holds
    /// (`Some(true)`): such products need no second look. [`evaluate`](Self::evaluate) must agree.
    #[inline(always)]
    fn plain(self) -> Option<bool> {
        None
    }
}

/// The epilogue that stores the product.
#[derive(Clone, Copy, Debug)]
pub struct Assign;

impl<T: Scalar> Epilogue<T, 0, 1> for Assign {
    const LIGHT: bool = true;

    const PLAIN: bool = true;

    #[inline(always)]
    fn evaluate<S: Simd>(
        self,
        _: S,
        product: Lanes<T, S>,
        _: [Lanes<T, S>; 0],
        _: [Lanes<T, S>; 1],
    ) -> [Lanes<T, S>; 1] {
        [product]
    }

    #[inline(always)]
    fn plain(self) -> Option<bool> {
        Some(false)
    }
}

/// The epilogue of most dense layers: the product plus an input, a bias or a residual; then its rectifier if true.
#[derive(Clone, Copy, Debug)]
pub struct Biased<const RELU: bool>;

impl<T: Scalar, const RELU: bool> Epilogue<T, 1, 1> for Biased<RELU> {
    const LIGHT: bool = true;

    const BIASED: bool = true;

    #[inline(always)]
    fn biased(self) -> Option<Floored<T>> {
        Some(Floored { least: if RELU { T::zero() } else { T::neg_infinity() } })
    }

    #[inline(always)]
    fn evaluate<S: Simd>(
        self,
        simd: S,
        product: Lanes<T, S>,
        [input]: [Lanes<T, S>; 1],
        _: [Lanes<T, S>; 1],
    ) -> [Lanes<T, S>; 1] {
        let sum = product + input;
        [if RELU { Lanes::constant(simd, 0.0).max(sum) } else { sum }]
    }
}

/// [`Biased`] with or without a rectifier in the same code: a sum that is at least so much.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Floored<T> {
    least: T,
}

impl<T: Scalar> Epilogue<T, 1, 1> for Floored<T> {
    #[inline(always)]
    fn evaluate<S: Simd>(
        self,
        simd: S,
        product: Lanes<T, S>,
        [input]: [Lanes<T, S>; 1],
        _: [Lanes<T, S>; 1],
    ) -> [Lanes<T, S>; 1] {
        [Lanes::splat(simd, self.least).max(product + input)]
    }
}

/// The epilogue that adds the product to what the destination holds if true, and stores it otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Accumulate(pub bool);

impl<T: Scalar> Epilogue<T, 0, 1> for Accumulate {
    const LIGHT: bool = true;

    const PLAIN: bool = true;

    #[inline(always)]
    fn evaluate<S: Simd>(
        self,
        _: S,
        product: Lanes<T, S>,
        _: [Lanes<T, S>; 0],
        [previous]: [Lanes<T, S>; 1],
    ) -> [Lanes<T, S>; 1] {
        [if self.0 { previous + product } else { product }]
    }

    #[inline(always)]
    fn plain(self) -> Option<bool> {
        Some(self.0)
    }
}

/// `product[i][j] = Σ a[i][k]·b[k][j]` for each outer index, given to `epilogue` with the inputs at `[outer…, i, j]`.
///
/// `a` has `m` rows and `k` columns, `b` has `k` rows and `n` columns; either may be transposed, that is have any strides.
/// `R` is the number of outer loops `D` plus two. Destinations are usually stores, reductions over `i`, `j` or outer loops
/// are possible as well. Out-of-range operands: nothing is touched.
#[allow(clippy::too_many_arguments, reason = "a contraction has as many parts")]
#[inline(always)]
pub fn contract<T, X, M, K, N, const D: usize, const R: usize, const I: usize, const O: usize>(
    machine: X,
    outer: [usize; D],
    m: M,
    k: K,
    n: N,
    a: Matrix<'_, T, D>,
    b: Matrix<'_, T, D>,
    inputs: impl Inputs<T, R, I>,
    outputs: impl Outputs<T, R, O>,
    epilogue: impl Epilogue<T, I, O>,
) where
    T: Scalar,
    X: Machine,
    M: Dim,
    K: Dim,
    N: Dim,
{
    contract_large(machine, &[], outer, m, k, n, a, b, inputs, outputs, epilogue);
}

/// As [`contract`], for matrices so large that they are copied on the way, into memory that is `lent`.
///
/// What that memory held is lost: where operands lie in it, their product is wrong.
#[allow(clippy::too_many_arguments, reason = "a contraction has as many parts")]
#[inline(always)]
pub fn contract_large<T, X, M, K, N, const D: usize, const R: usize, const I: usize, const O: usize>(
    machine: X,
    lent: &[Cell<T>],
    outer: [usize; D],
    m: M,
    k: K,
    n: N,
    a: Matrix<'_, T, D>,
    b: Matrix<'_, T, D>,
    inputs: impl Inputs<T, R, I>,
    outputs: impl Outputs<T, R, O>,
    epilogue: impl Epilogue<T, I, O>,
) where
    T: Scalar,
    X: Machine,
    M: Dim,
    K: Dim,
    N: Dim,
{
    const { assert!(R == D + 2, "operands have the outer loops, rows and columns") };
    let sizes = [m.get(), k.get(), n.get()];
    let contract = Contract { machine, lent, outer, sizes, a, b, inputs, outputs, epilogue };
    if X::PLAIN { contract.run() } else { contract.run_apart() }
}

/// A contraction.
struct Contract<'a, T, X, In, Out, E, const D: usize> {
    machine: X,
    lent: &'a [Cell<T>],
    outer: [usize; D],
    sizes: [usize; 3],
    a: Matrix<'a, T, D>,
    b: Matrix<'a, T, D>,
    inputs: In,
    outputs: Out,
    epilogue: E,
}

impl<T: Scalar, X: Machine, In, Out, E, const D: usize> Contract<'_, T, X, In, Out, E, D> {
    /// In a function that contractions of all sizes share.
    #[inline(never)]
    fn run_apart<const R: usize, const I: usize, const O: usize>(self)
    where
        In: Inputs<T, R, I>,
        Out: Outputs<T, R, O>,
        E: Epilogue<T, I, O>,
    {
        self.run();
    }

    /// Whether all operands fit, and there is something to compute. Sets reductions to their start.
    #[inline(always)]
    fn is_ready<const R: usize, const I: usize, const O: usize>(&mut self) -> bool
    where
        In: Inputs<T, R, I>,
        Out: Outputs<T, R, O>,
    {
        let [m, _, n] = self.sizes;
        let extents: [usize; R] = extend(&self.outer, m, n);
        let fit = fit::<T, X, D, R>(&self.a, &self.b, &self.outer, &self.sizes)
            && self.inputs.fit::<X>(&extents)
            && self.outputs.fit::<X>(&extents);
        debug_assert!(fit, "an operand of a contraction reaches beyond its slice");
        if fit {
            self.outputs.prepare::<X>(&extents);
        }
        fit && !extents.contains(&0)
    }

    #[inline(always)]
    fn run<const R: usize, const I: usize, const O: usize>(mut self)
    where
        In: Inputs<T, R, I>,
        Out: Outputs<T, R, O>,
        E: Epilogue<T, I, O>,
    {
        if !self.is_ready() {
            return;
        }
        let [m, k, n] = self.sizes;
        let mut index = [0; D];
        loop {
            // A product over nothing reads neither matrix, whose slices may then be empty.
            let operands = Operands {
                a: self.a.slice.as_ptr().wrapping_add(place(self.a.offset, &index, &self.a.outer)),
                a_row: self.a.row,
                a_column: self.a.column,
                b: self.b.slice.as_ptr().wrapping_add(place(self.b.offset, &index, &self.b.outer)),
                b_row: self.b.row,
                b_column: self.b.column,
                m,
                k,
                n,
            };
            let tiles = Tiles {
                machine: self.machine,
                operands,
                lent: self.lent,
                ending: Ending {
                    index: extend(&index, 0, 0),
                    inputs: self.inputs,
                    outputs: self.outputs,
                    epilogue: self.epilogue,
                },
            };
            // SAFETY: both matrices, the inputs and the outputs fit the extents, and the index lies below them.
            unsafe { if X::PLAIN { tiles.run_plain() } else { tiles.run() } };
            if !advance(&mut index, &self.outer, 0) {
                return;
            }
        }
    }
}

/// Whether both matrices lie inside their slices.
#[inline(always)]
fn fit<T: Scalar, X: Machine, const D: usize, const R: usize>(
    a: &Matrix<'_, T, D>,
    b: &Matrix<'_, T, D>,
    outer: &[usize; D],
    sizes: &[usize; 3],
) -> bool {
    /// One function for all contractions.
    #[inline(never)]
    fn apart<T: Scalar, const D: usize, const R: usize>(
        a: &Matrix<'_, T, D>,
        b: &Matrix<'_, T, D>,
        outer: &[usize; D],
        &[m, k, n]: &[usize; 3],
    ) -> bool {
        fits::<T, D, R>(a, outer, m, k) && fits::<T, D, R>(b, outer, k, n)
    }

    let [m, k, n] = *sizes;
    if X::PLAIN {
        fits::<T, D, R>(a, outer, m, k) && fits::<T, D, R>(b, outer, k, n)
    } else {
        apart::<T, D, R>(a, b, outer, sizes)
    }
}

#[inline(always)]
fn fits<T: Scalar, const D: usize, const R: usize>(
    matrix: &Matrix<'_, T, D>,
    outer: &[usize; D],
    rows: usize,
    columns: usize,
) -> bool {
    let extents: [usize; R] = extend(outer, rows, columns);
    let strides: [usize; R] = extend(&matrix.outer, matrix.row, matrix.column);
    reaches_inline(matrix.slice.len(), matrix.offset, &extents, &strides)
}

/// `[outer…, row, column]`
#[inline(always)]
fn extend<const D: usize, const R: usize>(outer: &[usize; D], row: usize, column: usize) -> [usize; R] {
    let mut extended = [0; R];
    extended[..D].copy_from_slice(outer);
    [extended[R - 2], extended[R - 1]] = [row, column];
    extended
}

#[cfg(test)]
mod tests;
