//! Sums of columns, as of the gradients of biases.

use pulp::{Simd, WithSimd};

use super::nest::{Body, Nest, nest};
use super::operands::{Contiguous, contiguous};
use super::reductions::{Outer, Sum, sum_outer};
use super::work::Work;
use super::{Readable, Writable};
use crate::scalar::Scalar;
use crate::simd::{Lanes, Machine};

/// The sums of the columns of a matrix, whose rows lie `stride` apart and whose columns are neighbours; added to what is
/// there if `accumulate` says so.
///
/// A [`nest`] that knows of no network: the library has compiled it. Out-of-range operands: nothing is touched.
#[expect(clippy::too_many_arguments, reason = "two places, and what lies there")]
#[inline(always)]
pub fn sum_columns<'a, T: Scalar, X: Machine>(
    machine: X,
    [rows, columns]: [usize; 2],
    matrix: impl Into<Readable<'a, T>>,
    offset: usize,
    stride: usize,
    sums: impl Into<Writable<'a, T>>,
    sums_offset: usize,
    accumulate: bool,
) {
    let inputs = (contiguous(matrix, offset, [stride, 1]),);
    let outputs = (sum_outer(sums, sums_offset, [0, 1], accumulate),);
    let loops = Nest::new([rows, columns], inputs, outputs, Term);
    if X::PLAIN {
        nest(machine, loops);
    } else {
        T::work(machine.instructions(), Work::Columns(&ColumnSums(loops)));
    }
}

/// One nest for all matrices.
type Loops<'a, T> = Nest<T, usize, (Contiguous<'a, T, 2>,), (Outer<'a, T, Sum, 2>,), Term, 2, 1, 1>;

pub(super) struct ColumnSums<'a, T>(Loops<'a, T>);

impl<T: Scalar> WithSimd for &ColumnSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.0.run(simd);
    }
}

/// The number itself.
#[derive(Clone, Copy, Debug)]
struct Term;

impl<T: Scalar> Body<T, 1, 1> for Term {
    #[inline(always)]
    fn evaluate<S: Simd>(self, _: S, inputs: [Lanes<T, S>; 1], _: [Lanes<T, S>; 1]) -> [Lanes<T, S>; 1] {
        inputs
    }
}

#[cfg(test)]
mod tests {
    use std::prelude::rust_2024::*;
    use std::vec;

    use super::*;
    use crate::kernels::testing::on_every_unit;
    use crate::simd::{Instructions, Plain};

    const ROWS: usize = 7;

    /// Sums the columns of this matrix behind its first number; what lies in memory afterwards.
    struct Summed<'a> {
        matrix: &'a [f64],
        columns: usize,
        accumulate: bool,
    }

    impl WithSimd for Summed<'_> {
        type Output = Vec<f64>;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Vec<f64> {
            let Self { matrix, columns, accumulate } = self;
            let mut sums = vec![0.5; columns + 3];
            let size = [ROWS, columns];
            sum_columns(Instructions::of(simd), size, matrix, 1, columns + 2, &mut sums[..], 2, accumulate);
            sums
        }
    }

    #[test]
    fn sums_of_no_rows_are_zero() {
        let mut sums = [0.5; 3];
        sum_columns(Instructions::scalar(), [0, 3], &[0.0; 0][..], 0, 3, &mut sums[..], 0, true);
        assert_eq!(sums, [0.5; 3]);
        sum_columns(Plain(pulp::Scalar), [0, 3], &[0.0; 0][..], 0, 3, &mut sums[..], 0, false);
        assert_eq!(sums, [0.0; 3]);
    }

    #[test]
    fn sums_of_columns() {
        for columns in [1, 3, 8, 29, 70] {
            let stride = columns + 2;
            let matrix: Vec<f64> = (0..1 + ROWS * stride).map(|index| (index * index % 31) as f64).collect();
            for accumulate in [false, true] {
                let mut expected = vec![0.5; columns + 3];
                for column in 0..columns {
                    let start = if accumulate { 0.5 } else { 0.0 };
                    expected[2 + column] = start + (0..ROWS).map(|row| matrix[1 + row * stride + column]).sum::<f64>();
                }
                on_every_unit(
                    || Summed { matrix: &matrix, columns, accumulate },
                    |unit, sums| assert_eq!(sums, expected, "{unit}: {columns} columns"),
                );
            }
        }
    }
}
