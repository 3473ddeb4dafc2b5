//! Elementwise maps and reductions: nested loops around a body.

use core::marker::PhantomData;

use pulp::{Simd, WithSimd};

use super::advance;
use super::contract::{Const, Dim};
use super::destinations::Outputs;
use super::operands::Inputs;
use super::sealed::Sealed;
use super::span::{Part, Span, Whole};
use crate::scalar::Scalar;
use crate::simd::{Instructions, Lanes, Machine, Plain};

/// What a [`nest`] computes at each index: `M` results from `N` inputs.
pub trait Body<T: Scalar, const N: usize, const M: usize>: Copy {
    /// Whether it is so few operations that memory decides how long they take.
    const LIGHT: bool = false;

    /// The results; `previous[k]` is what destination `k` held at this place if it is a store, zero if it is a
    /// reduction. Implementations are `#[inline(always)]`.
    fn evaluate<S: Simd>(self, simd: S, inputs: [Lanes<T, S>; N], previous: [Lanes<T, S>; M]) -> [Lanes<T, S>; M];
}

/// Evaluates the nest's body at every index below its extents, the last one innermost and vectorised.
///
/// Reductions whose loops are empty give their identity. Out-of-range operands: nothing is touched.
#[inline(always)]
pub fn nest<T, X: Machine, L, I, O, B, const R: usize, const N: usize, const M: usize>(
    machine: X,
    mut nest: Nest<T, L, I, O, B, R, N, M>,
) where
    T: Scalar,
    L: Dim,
    I: Inputs<T, R, N>,
    O: Outputs<T, R, M>,
    B: Body<T, N, M>,
{
    if !nest.is_ready::<X>() {
        return;
    }
    if X::PLAIN {
        nest.unravelled(pulp::Scalar);
    } else {
        if const { B::LIGHT || is_short(L::KNOWN) } {
            machine.call_light(Loops(&nest));
        } else {
            machine.call(Loops(&nest));
        }
    }
}

/// [`nest`] for a single place, which no vector unit computes faster.
#[inline(always)]
pub fn single<T: Scalar, const R: usize, const N: usize, const M: usize>(
    nest: Nest<T, impl Dim, impl Inputs<T, R, N>, impl Outputs<T, R, M>, impl Body<T, N, M>, R, N, M>,
) {
    self::nest(Plain(pulp::Scalar), nest);
}

/// Loops over `extents`, and what is computed in them from which operands to which destinations.
#[derive(Clone, Copy, Debug)]
pub struct Nest<T, L, I, O, B, const R: usize, const N: usize, const M: usize> {
    extents: [usize; R],
    /// The last extent.
    length: L,
    inputs: I,
    outputs: O,
    body: B,
    scalar: PhantomData<T>,
}

/// A nest whose operands fit, none of whose loops is empty.
struct Loops<'a, T, L, I, O, B, const R: usize, const N: usize, const M: usize>(&'a Nest<T, L, I, O, B, R, N, M>);

impl<T, L, I, O, B, const R: usize, const N: usize, const M: usize> WithSimd for Loops<'_, T, L, I, O, B, R, N, M>
where
    T: Scalar,
    L: Dim,
    I: Inputs<T, R, N>,
    O: Outputs<T, R, M>,
    B: Body<T, N, M>,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // A copy of its own, which no store can change: what it holds stays in registers.
        let mut nest = *self.0;
        // Rows that are combined into one are walked through column by column.
        let mut index = [0; R];
        if const { O::FOLDS && !S::IS_SCALAR } && nest.outputs.are_one_row() {
            loop {
                nest.columns(simd, &index);
                if !advance(&mut index, &nest.extents, 2) {
                    return;
                }
            }
        }
        loop {
            nest.row(simd, &index);
            if !advance(&mut index, &nest.extents, 1) {
                return;
            }
        }
    }
}

/// Registers whose columns are combined together.
const TOGETHER: usize = 4;

/// Numbers of a row that is short: the widest register holds no more.
const SHORT: usize = 16;

/// Whether a row of this length, if it is known, is not worth code of its own for the widest registers, nor for whole ones
/// beside what is left.
const fn is_short(length: Option<usize>) -> bool {
    match length {
        Some(length) => length <= SHORT,
        None => false,
    }
}

/// Whether a row of this length, if it is known, is gone through in whole registers as far as possible.
const fn is_any_whole(length: Option<usize>, lanes: usize) -> bool {
    match length {
        Some(size) => is_at_least(length, lanes) && (size.is_multiple_of(lanes) || !is_short(length)),
        None => true,
    }
}

/// Whether a row of this length, if it is known, may be so long.
const fn is_at_least(length: Option<usize>, least: usize) -> bool {
    match length {
        Some(length) => length >= least,
        None => true,
    }
}

/// Whether something may be left of a row of this length, if it is known, after the last whole register.
const fn is_any_left(length: Option<usize>, lanes: usize) -> bool {
    match length {
        Some(length) => !length.is_multiple_of(lanes),
        None => lanes > 1,
    }
}

/// How many rows there are.
#[inline(always)]
fn count_rows<const R: usize>(extents: &[usize; R]) -> usize {
    let mut rows = 1;
    for &extent in &extents[..R - 1] {
        rows *= extent;
    }
    rows
}

/// The index of a row by its number: in loops that unroll, the divisions are done by the compiler.
#[inline(always)]
fn index_of_row<const R: usize>(row: usize, extents: &[usize; R]) -> [usize; R] {
    let (mut index, mut rest) = ([0; R], row);
    for axis in (0..R - 1).rev() {
        // None is zero; said so that no check for that remains.
        let extent = extents[axis].max(1);
        (index[axis], rest) = (rest % extent, rest / extent);
    }
    index
}

impl<T, I, O, B, const R: usize, const N: usize, const M: usize> Nest<T, usize, I, O, B, R, N, M> {
    /// A nest with these loops.
    #[inline(always)]
    pub fn new(extents: [usize; R], inputs: I, outputs: O, body: B) -> Self {
        const { assert!(R > 0, "a nest has at least one loop") };
        Self { extents, length: extents[R - 1], inputs, outputs, body, scalar: PhantomData }
    }

    /// The nest specialised for its innermost loop, which must be this long: another length is taken for a mistake, and
    /// replaced by this one.
    #[inline(always)]
    pub fn rows_of<const LENGTH: usize>(self, length: Const<LENGTH>) -> Nest<T, Const<LENGTH>, I, O, B, R, N, M> {
        let Self { mut extents, inputs, outputs, body, scalar, .. } = self;
        debug_assert!(extents[R - 1] == LENGTH, "a nest's rows have another length");
        extents[R - 1] = LENGTH;
        Nest { extents, length, inputs, outputs, body, scalar }
    }
}

impl<T, L, I, O, B, const R: usize, const N: usize, const M: usize> Nest<T, L, I, O, B, R, N, M>
where
    T: Scalar,
    L: Dim,
    I: Inputs<T, R, N>,
    O: Outputs<T, R, M>,
    B: Body<T, N, M>,
{
    /// Whether all operands lie inside their slices.
    #[inline(always)]
    fn fits<X: Machine>(&self) -> bool {
        let fit = self.inputs.fit::<X>(&self.extents) && self.outputs.fit::<X>(&self.extents);
        debug_assert!(fit, "an operand of a nest reaches beyond its slice");
        fit
    }

    /// Whether there is something to compute. Sets reductions to their start.
    #[inline(always)]
    fn is_ready<X: Machine>(&mut self) -> bool {
        let fit = self.fits::<X>();
        if fit {
            self.outputs.prepare::<X>(&self.extents);
        }
        fit && !self.extents.contains(&0)
    }

    /// [`nest`] on a vector unit.
    #[inline(always)]
    pub(super) fn run<S: Simd>(mut self, simd: S) {
        if self.is_ready::<Instructions>() {
            Loops(&self).with_simd(simd);
        }
    }

    /// All rows, each found by its number.
    #[inline(always)]
    fn unravelled<S: Simd>(&mut self, simd: S) {
        for row in 0..count_rows(&self.extents) {
            self.row(simd, &index_of_row(row, &self.extents));
        }
    }

    /// One run of the innermost loop.
    #[inline(always)]
    fn row<S: Simd>(&mut self, simd: S, index: &[usize; R]) {
        // A few registers in a row: the compiler is not to lay them out one by one.
        let length =
            if const { is_short(L::KNOWN) && !S::IS_SCALAR } { self.extents[R - 1] } else { self.length.get() };
        let (from, to) = (self.inputs.bases(index), self.outputs.bases(index));
        let mut states = self.outputs.begin(simd);
        let lanes = Lanes::<T, S>::COUNT;
        let mut position = 0;
        // What never happens is not even compiled.
        while const { is_any_whole(L::KNOWN, Lanes::<T, S>::COUNT) } && length - position >= lanes {
            self.step(simd, &from, &to, &mut states, position, Whole);
            position += lanes;
        }
        while const { is_any_left(L::KNOWN, Lanes::<T, S>::COUNT) } && position < length {
            self.step(simd, &from, &to, &mut states, position, Part::new(simd, length - position));
            position += lanes;
        }
        // SAFETY: the operands fit the extents, and `index` lies below them.
        unsafe { self.outputs.finish(states, &to) };
    }

    /// All rows of the last but one loop, combined into one: their sums stay in registers, where they would wait for one
    /// another in memory.
    #[inline(always)]
    fn columns<S: Simd>(&mut self, simd: S, index: &[usize; R]) {
        let (length, lanes) = (self.length.get(), Lanes::<T, S>::COUNT);
        let mut position = 0;
        while const { is_at_least(L::KNOWN, TOGETHER * Lanes::<T, S>::COUNT) } && length - position >= TOGETHER * lanes
        {
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

/// Nests with the same outer loops: `()`, or a nest and the others.
pub trait Stages<const R: usize>: Copy + Sealed {
    /// As [`Body::LIGHT`], of all together.
    #[doc(hidden)]
    const LIGHT: bool;

    /// Whether all operands lie inside their slices, and all outer loops are these.
    #[doc(hidden)]
    fn fit<X: Machine>(&self, outer: &[usize]) -> bool;

    /// Sets reductions to their start.
    #[doc(hidden)]
    fn prepare<X: Machine>(&mut self);

    /// The loops of the first nest.
    #[doc(hidden)]
    fn extents(&self) -> [usize; R];

    /// Whether some nest has nothing to run over.
    #[doc(hidden)]
    fn is_empty(&self) -> bool;

    /// Runs each nest on one row.
    ///
    /// # Safety
    ///
    /// The nests must [`fit`](Self::fit), none may be empty, and the index must lie below their outer loops, with a zero for
    /// the innermost one.
    #[doc(hidden)]
    unsafe fn row<S: Simd>(&mut self, simd: S, index: &[usize; R]);
}

impl<const R: usize> Stages<R> for () {
    const LIGHT: bool = true;

    #[inline(always)]
    fn fit<X: Machine>(&self, _: &[usize]) -> bool {
        true
    }

    #[inline(always)]
    fn prepare<X: Machine>(&mut self) {}

    #[inline(always)]
    fn extents(&self) -> [usize; R] {
        [0; R]
    }

    #[inline(always)]
    fn is_empty(&self) -> bool {
        false
    }

    #[inline(always)]
    unsafe fn row<S: Simd>(&mut self, _: S, _: &[usize; R]) {}
}

impl<T, L, I, O, B, Rest, const R: usize, const N: usize, const M: usize> Stages<R>
    for (Nest<T, L, I, O, B, R, N, M>, Rest)
where
    T: Scalar,
    L: Dim,
    I: Inputs<T, R, N>,
    O: Outputs<T, R, M>,
    B: Body<T, N, M>,
    Rest: Stages<R>,
{
    const LIGHT: bool = (B::LIGHT || is_short(L::KNOWN)) && Rest::LIGHT;

    #[inline(always)]
    fn fit<X: Machine>(&self, outer: &[usize]) -> bool {
        self.0.extents[..R - 1] == *outer && self.0.fits::<X>() && self.1.fit::<X>(outer)
    }

    #[inline(always)]
    fn prepare<X: Machine>(&mut self) {
        self.0.outputs.prepare::<X>(&self.0.extents);
        self.1.prepare::<X>();
    }

    #[inline(always)]
    fn extents(&self) -> [usize; R] {
        self.0.extents
    }

    #[inline(always)]
    fn is_empty(&self) -> bool {
        self.0.extents.contains(&0) || self.1.is_empty()
    }

    #[inline(always)]
    unsafe fn row<S: Simd>(&mut self, simd: S, index: &[usize; R]) {
        self.0.row(simd, index);
        // SAFETY: the caller's promise.
        unsafe { self.1.row(simd, index) };
    }
}

/// Runs several nests with the same outer loops row by row: all of them on the first row, then on the second. What one
/// leaves for another of the same row is found in the cache.
///
/// Reductions are set to their start before the first row; nothing else is done if a nest has an empty loop. Out-of-range
/// operands or different outer loops: nothing is touched.
#[inline(always)]
pub fn rows<X: Machine, Q: Stages<R>, const R: usize>(machine: X, mut stages: Q) {
    let extents = stages.extents();
    if !stages.fit::<X>(&extents[..R - 1]) {
        debug_assert!(false, "the outer loops of nests that run row by row differ");
        return;
    }
    stages.prepare::<X>();
    if stages.is_empty() {
        return;
    }
    if X::PLAIN {
        for row in 0..count_rows(&extents) {
            // SAFETY: the nests fit and are not empty, and rows are numbered below their outer loops.
            unsafe { stages.row(pulp::Scalar, &index_of_row(row, &extents)) };
        }
    } else {
        if const { Q::LIGHT } { machine.call_light(Rows(&stages)) } else { machine.call(Rows(&stages)) }
    }
}

/// Nests that fit, none of which is empty.
struct Rows<'a, Q, const R: usize>(&'a Q);

impl<Q: Stages<R>, const R: usize> WithSimd for Rows<'_, Q, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        const { assert!(R > 0, "a nest has at least one loop") };
        // A copy of its own, which no store can change: what it holds stays in registers.
        let mut stages = *self.0;
        let extents = stages.extents();
        let mut index = [0; R];
        loop {
            // SAFETY: the nests fit and are not empty, and the index runs over their outer loops.
            unsafe { stages.row(simd, &index) };
            if !advance(&mut index, &extents, 1) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
