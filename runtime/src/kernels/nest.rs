//! Elementwise maps and reductions: nested loops around a body.

use core::marker::PhantomData;

use pulp::{Simd, WithSimd};

use super::destinations::Outputs;
use super::operands::Inputs;
use super::span::{Part, Span, Whole};
use crate::scalar::Scalar;
use crate::simd::{Lanes, Machine};

/// What a [`nest`] computes at each index: `M` results from `N` inputs.
pub trait Body<T: Scalar, const N: usize, const M: usize>: Copy {
    /// The results; `previous[k]` is what destination `k` held at this place if it is a store, zero if it is a
    /// reduction. Implementations are `#[inline(always)]`.
    fn evaluate<S: Simd>(self, simd: S, inputs: [Lanes<T, S>; N], previous: [Lanes<T, S>; M]) -> [Lanes<T, S>; M];
}

/// Evaluates `body` at every index below `extents`, the last one innermost and vectorised.
///
/// Reductions whose loops are empty give their identity. Out-of-range operands: nothing is touched.
#[inline(always)]
pub fn nest<T, X: Machine, const R: usize, const N: usize, const M: usize>(
    machine: X,
    extents: [usize; R],
    inputs: impl Inputs<T, R, N>,
    outputs: impl Outputs<T, R, M>,
    body: impl Body<T, N, M>,
) where
    T: Scalar,
{
    machine.call(Nest { extents, inputs, outputs, body, scalar: PhantomData::<T> });
}

struct Nest<T, I, O, B, const R: usize, const N: usize, const M: usize> {
    extents: [usize; R],
    inputs: I,
    outputs: O,
    body: B,
    scalar: PhantomData<T>,
}

impl<T, I, O, B, const R: usize, const N: usize, const M: usize> WithSimd for Nest<T, I, O, B, R, N, M>
where
    T: Scalar,
    I: Inputs<T, R, N>,
    O: Outputs<T, R, M>,
    B: Body<T, N, M>,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        const { assert!(R > 0, "a nest has at least one loop") };
        let fit = self.inputs.fit(&self.extents) && self.outputs.fit(&self.extents);
        debug_assert!(fit, "an operand of a nest reaches beyond its slice");
        if !fit {
            return;
        }
        self.outputs.prepare(&self.extents);
        if self.extents.contains(&0) {
            return;
        }
        if S::IS_SCALAR {
            return self.unravelled(simd);
        }
        // Rows that are combined into one are walked through column by column.
        let down = O::FOLDS && self.outputs.are_one_row();
        let inner = if down { 2 } else { 1 };
        let mut index = [0; R];
        'rows: loop {
            if down {
                self.columns(simd, &index);
            } else {
                self.row(simd, &index);
            }
            for (index, &extent) in index.iter_mut().zip(&self.extents).rev().skip(inner) {
                *index += 1;
                if *index < extent {
                    continue 'rows;
                }
                *index = 0;
            }
            return;
        }
    }
}

impl<T, I, O, B, const R: usize, const N: usize, const M: usize> Nest<T, I, O, B, R, N, M>
where
    T: Scalar,
    I: Inputs<T, R, N>,
    O: Outputs<T, R, M>,
    B: Body<T, N, M>,
{
    /// All rows, each found by its number: in loops that unroll, the divisions are done by the compiler.
    #[inline(always)]
    fn unravelled<S: Simd>(&mut self, simd: S) {
        let mut rows = 1;
        for &extent in &self.extents[..R - 1] {
            rows *= extent;
        }
        for row in 0..rows {
            let (mut index, mut rest) = ([0; R], row);
            for axis in (0..R - 1).rev() {
                // None is zero; said so that no check for that remains.
                let extent = self.extents[axis].max(1);
                (index[axis], rest) = (rest % extent, rest / extent);
            }
            self.row(simd, &index);
        }
    }

    /// One run of the innermost loop.
    #[inline(always)]
    fn row<S: Simd>(&mut self, simd: S, index: &[usize; R]) {
        let length = self.extents[R - 1];
        let (from, to) = (self.inputs.bases(index), self.outputs.bases(index));
        let mut states = self.outputs.begin(simd);
        let lanes = Lanes::<T, S>::COUNT;
        let mut position = 0;
        while length - position >= lanes {
            self.step(simd, &from, &to, &mut states, position, Whole);
            position += lanes;
        }
        if position < length {
            self.step(simd, &from, &to, &mut states, position, Part::new(simd, length - position));
        }
        // SAFETY: the operands fit the extents, and `index` lies below them.
        unsafe { self.outputs.finish(states, &to) };
    }

    /// All rows of the last but one loop, combined into one: their sums stay in registers, where they would wait for one
    /// another in memory.
    #[inline(always)]
    fn columns<S: Simd>(&mut self, simd: S, index: &[usize; R]) {
        if !O::FOLDS {
            return;
        }
        const TOGETHER: usize = 4;
        let (length, lanes) = (self.extents[R - 1], Lanes::<T, S>::COUNT);
        let mut position = 0;
        while length - position >= TOGETHER * lanes {
            self.fold::<S, TOGETHER>(simd, index, position, Whole);
            position += TOGETHER * lanes;
        }
        while position < length {
            let part = Part::new(simd, length - position);
            self.fold::<S, 1>(simd, index, position, part);
            position += lanes;
        }
    }

    /// `REGISTERS` neighbouring columns of registers.
    #[inline(always)]
    fn fold<S: Simd, const REGISTERS: usize>(
        &mut self,
        simd: S,
        index: &[usize; R],
        position: usize,
        span: impl Span<T, S>,
    ) {
        let lanes = Lanes::<T, S>::COUNT;
        let mut index = *index;
        let to = self.outputs.bases(&index);
        let previous = [Lanes::constant(simd, 0.0); M];
        let mut folded = [self.outputs.identities(simd); REGISTERS];
        for row in 0..self.extents[R - 2] {
            index[R - 2] = row;
            let from = self.inputs.bases(&index);
            for register in 0..REGISTERS {
                // SAFETY: the operands fit the extents, the index lies below them, and the span ends within the row.
                let inputs = unsafe { self.inputs.load(simd, &from, position + register * lanes, span) };
                let values = self.body.evaluate(simd, inputs, previous);
                folded[register] = self.outputs.combine(folded[register], values);
            }
        }
        let mut states = self.outputs.begin(simd);
        for register in 0..REGISTERS {
            // SAFETY: as above.
            unsafe { self.outputs.write(&mut states, &to, position + register * lanes, span, folded[register]) };
        }
        // SAFETY: as above.
        unsafe { self.outputs.finish(states, &to) };
    }

    #[inline(always)]
    fn step<S: Simd>(
        &mut self,
        simd: S,
        from: &[usize; N],
        to: &[usize; M],
        states: &mut O::States<S>,
        position: usize,
        span: impl Span<T, S>,
    ) {
        // SAFETY: the operands fit the extents, the index lies below them, and the span ends within the row.
        unsafe {
            let inputs = self.inputs.load(simd, from, position, span);
            let previous = self.outputs.previous(simd, to, position, span);
            let values = self.body.evaluate(simd, inputs, previous);
            self.outputs.write(states, to, position, span, values);
        }
    }
}

#[cfg(test)]
mod tests;
