//! Rows of a table chosen by index: embeddings.

use pulp::{Simd, WithSimd};

use super::{Dim, Part, Readable, Span, Whole, Writable, advance, place, reaches_inline};
use crate::scalar::Scalar;
use crate::simd::{Lanes, Machine};

/// Copies, for each index of the loops, a row of the table to the place of the output.
///
/// The table has `rows` rows of `width` numbers from `table_offset` on. An index beyond it gives zeros. Where anything
/// reaches beyond its slice, nothing is touched.
#[expect(clippy::too_many_arguments, reason = "three operands with slice, offset and strides each")]
#[inline(always)]
pub fn lookup<'a, T: Scalar, X: Machine, const R: usize>(
    machine: X,
    extents: [usize; R],
    rows: impl Dim,
    width: impl Dim,
    table: impl Into<Readable<'a, T>>,
    table_offset: usize,
    indices: impl Into<Readable<'a, u32>>,
    indices_offset: usize,
    indices_strides: [usize; R],
    output: impl Into<Writable<'a, T>>,
    output_offset: usize,
    output_strides: [usize; R],
) {
    let rows_of = Rows {
        extents,
        rows,
        width,
        table_offset,
        indices: indices.into(),
        indices_offset,
        indices_strides,
        others_offset: output_offset,
        others_strides: output_strides,
    };
    machine.call(Lookup { rows: rows_of, table: table.into(), output: output.into() });
}

/// Adds, for each index of the loops in their order, a row of gradients to a row of the table's gradient.
///
/// As [`lookup`] otherwise; an index beyond the table adds nothing. The table's gradient is set to zero first unless `accumulate`.
#[expect(clippy::too_many_arguments, reason = "three operands with slice, offset and strides each")]
#[inline(always)]
pub fn lookup_adjoint<'a, T: Scalar, X: Machine, const R: usize>(
    machine: X,
    extents: [usize; R],
    rows: impl Dim,
    width: impl Dim,
    gradient: impl Into<Readable<'a, T>>,
    gradient_offset: usize,
    gradient_strides: [usize; R],
    indices: impl Into<Readable<'a, u32>>,
    indices_offset: usize,
    indices_strides: [usize; R],
    table: impl Into<Writable<'a, T>>,
    table_offset: usize,
    accumulate: bool,
) {
    let rows_of = Rows {
        extents,
        rows,
        width,
        table_offset,
        indices: indices.into(),
        indices_offset,
        indices_strides,
        others_offset: gradient_offset,
        others_strides: gradient_strides,
    };
    machine.call(LookupAdjoint { rows: rows_of, gradient: gradient.into(), table: table.into(), accumulate });
}

/// The loops over indices, and rows of a table beside rows of something else.
struct Rows<'a, H, W, const R: usize> {
    extents: [usize; R],
    rows: H,
    width: W,
    table_offset: usize,
    indices: Readable<'a, u32>,
    indices_offset: usize,
    indices_strides: [usize; R],
    others_offset: usize,
    others_strides: [usize; R],
}

impl<H: Dim, W: Dim, const R: usize> Rows<'_, H, W, R> {
    /// Whether all that the loops touch lies inside slices of these lengths.
    #[inline(always)]
    fn fit(&self, table: usize, others: usize) -> bool {
        let width = self.width.get();
        let inside = |length: usize, offset: usize, strides| {
            width > 0
                && length
                    .checked_sub(width - 1)
                    .is_some_and(|starts| reaches_inline(starts, offset, &self.extents, strides))
        };
        let fit = reaches_inline(self.indices.len(), self.indices_offset, &self.extents, &self.indices_strides)
            && (self.extents.contains(&0) || inside(others, self.others_offset, &self.others_strides))
            && (self.rows.get().checked_mul(width))
                .and_then(|size| size.checked_add(self.table_offset))
                .is_some_and(|end| end <= table);
        debug_assert!(fit, "an operand of a lookup reaches beyond its slice");
        fit
    }

    /// Calls `each` with the starts of the table's row, if there is one, and of the other row.
    ///
    /// # Safety
    /// [`fit`](Self::fit) must have held.
    #[inline(always)]
    unsafe fn each(&self, mut row: impl RowWork) {
        if self.extents.contains(&0) {
            return;
        }
        let mut index = [0; R];
        loop {
            // SAFETY: `fit` has admitted all indices below the extents.
            let chosen =
                unsafe { self.indices.get(place(self.indices_offset, &index, &self.indices_strides)) } as usize;
            let table = (chosen < self.rows.get()).then(|| self.table_offset + chosen * self.width.get());
            // SAFETY: as above, for both rows.
            unsafe { row.row(table, place(self.others_offset, &index, &self.others_strides)) };
            if !advance(&mut index, &self.extents, 0) {
                return;
            }
        }
    }
}

trait RowWork {
    /// # Safety
    /// Rows from these starts on must lie inside their slices.
    unsafe fn row(&mut self, table: Option<usize>, other: usize);
}

struct Lookup<'a, T, H, W, const R: usize> {
    rows: Rows<'a, H, W, R>,
    table: Readable<'a, T>,
    output: Writable<'a, T>,
}

impl<T: Scalar, H: Dim, W: Dim, const R: usize> WithSimd for Lookup<'_, T, H, W, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.rows.fit(self.table.len(), self.output.len()) {
            let copy = Transfer::<T, S, W, false> { simd, from: self.table, to: self.output, width: self.rows.width };
            // SAFETY: just checked.
            unsafe { self.rows.each(copy) };
        }
    }
}

struct LookupAdjoint<'a, T, H, W, const R: usize> {
    rows: Rows<'a, H, W, R>,
    gradient: Readable<'a, T>,
    table: Writable<'a, T>,
    accumulate: bool,
}

impl<T: Scalar, H: Dim, W: Dim, const R: usize> WithSimd for LookupAdjoint<'_, T, H, W, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if !self.rows.fit(self.table.len(), self.gradient.len()) {
            return;
        }
        if !self.accumulate {
            // SAFETY: `fit` has admitted the whole table, and numbers whose bytes are zero are zero.
            unsafe {
                let first = self.table.as_mut_ptr().add(self.rows.table_offset);
                first.write_bytes(0, self.rows.rows.get() * self.rows.width.get());
            }
        }
        let add = Transfer::<T, S, W, true> { simd, from: self.gradient, to: self.table, width: self.rows.width };
        // SAFETY: just checked.
        unsafe { self.rows.each(add) };
    }
}

/// Copies rows of the table, or zeros where it has none, or adds rows to those that the table has.
struct Transfer<'a, T, S, W, const ADD: bool> {
    simd: S,
    from: Readable<'a, T>,
    to: Writable<'a, T>,
    width: W,
}

impl<T: Scalar, S: Simd, W: Dim, const ADD: bool> RowWork for Transfer<'_, T, S, W, ADD> {
    #[inline(always)]
    unsafe fn row(&mut self, table: Option<usize>, other: usize) {
        let (from, to) = match (ADD, table) {
            (false, Some(from)) => (from, other),
            (true, Some(to)) => (other, to),
            // SAFETY: the row lies inside its slice, as the caller promises, and numbers whose bytes are zero are zero.
            (false, None) => return unsafe { self.to.as_mut_ptr().add(other).write_bytes(0, self.width.get()) },
            (true, None) => return,
        };
        let (width, lanes) = (self.width.get(), Lanes::<T, S>::COUNT);
        let rest = width % lanes;
        // SAFETY: both rows lie inside their slices, as the caller promises, and no register goes beyond them.
        unsafe {
            let (from, to) = (self.from.as_ptr().add(from), self.to.as_mut_ptr().add(to));
            let mut column = 0;
            while column < width - rest {
                transfer::<T, S, ADD>(self.simd, Whole, from.add(column), to.add(column));
                column += lanes;
            }
            if rest > 0 {
                transfer::<T, S, ADD>(self.simd, Part::new(self.simd, rest), from.add(column), to.add(column));
            }
        }
    }
}

/// Copies a register, or adds it to what is there. (By pointers: both operands may be the same cells.)
///
/// # Safety
/// As many values as the span counts must be readable, and writable at `to`.
#[inline(always)]
unsafe fn transfer<T: Scalar, S: Simd, const ADD: bool>(simd: S, span: impl Span<T, S>, from: *const T, to: *mut T) {
    // SAFETY: as the caller promises.
    unsafe {
        let values = span.load(simd, from);
        span.store(to, if ADD { span.load(simd, to) + values } else { values });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Const;
    use crate::simd::Instructions;

    struct Run<F>(F);

    impl<F: FnOnce(&mut [f64], &mut [f64])> Run<F> {
        fn check(self) -> ([f64; 9], [f64; 8]) {
            let (mut output, mut gradient) = ([7.0; 9], [7.0; 8]);
            (self.0)(&mut output, &mut gradient);
            (output, gradient)
        }
    }

    struct Both<'a>(&'a mut [f64], &'a mut [f64]);

    impl WithSimd for Both<'_> {
        type Output = ();

        fn with_simd<S: Simd>(self, simd: S) {
            let table = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
            let indices = [2_u32, 0, 9];
            let machine = Instructions::of(simd);
            let width = Const::<2>;
            lookup(machine, [3], 3, width, &table, 0, &indices, 0, [1], &mut *self.0, 0, [3]);
            let rows = [1.0, 1.0, 10.0, 10.0, 100.0, 100.0];
            let all = [2_u32, 2, 1];
            lookup_adjoint(machine, [3], 3, width, &rows, 0, [2], &all, 0, [1], &mut *self.1, 1, false);
        }
    }

    struct Same<'a>(&'a [core::cell::Cell<f64>]);

    impl WithSimd for Same<'_> {
        type Output = ();

        fn with_simd<S: Simd>(self, simd: S) {
            lookup_adjoint(Instructions::of(simd), [2], 2, 3, self.0, 0, [3], &[0_u32, 1], 0, [1], self.0, 0, true);
        }
    }

    #[test]
    fn gradient_and_table_may_be_the_same_cells() {
        for instructions in Instructions::available() {
            let mut numbers = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
            instructions.dispatch(Same(core::cell::Cell::from_mut(&mut numbers[..]).as_slice_of_cells()));
            assert_eq!(numbers, [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]);
        }
    }

    #[test]
    fn rows_are_copied_and_added_on_every_vector_unit() {
        for instructions in Instructions::available() {
            let (output, gradient) = Run(|a: &mut [f64], b: &mut [f64]| instructions.dispatch(Both(a, b))).check();
            assert_eq!(output, [5.0, 6.0, 7.0, 1.0, 2.0, 7.0, 0.0, 0.0, 7.0]);
            assert_eq!(gradient, [7.0, 0.0, 0.0, 100.0, 100.0, 11.0, 11.0, 7.0]);
        }
    }
}
