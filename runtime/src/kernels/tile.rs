//! What happens to the sums of a contraction.
//!
//! A product that is only stored or added goes from the registers to its destination. Other epilogues find it in a buffer,
//! tile by tile, which keeps their code out of the inner loops. The most frequent ones are compiled with this library, and
//! done by the walk over the blocks itself.

use core::cell::Cell;
use core::marker::PhantomData;

use pulp::{Simd, WithSimd};

use super::Epilogue;
use super::ahead::Ahead;
use super::destinations::Outputs;
use super::operands::Inputs;
use super::product::{Finish, Operands, Product, Sums};
use super::reach::{self, Reach};
use super::span::{Part, Span, Whole};
use crate::scalar::Scalar;
use crate::simd::{Instructions, Lanes, Machine};

/// One product with its epilogue.
pub(super) struct Tiles<'a, T, X, In, Out, E, const R: usize> {
    pub(super) machine: X,
    pub(super) operands: Operands<T>,
    /// Memory for a large product.
    pub(super) lent: &'a [Cell<T>],
    pub(super) ending: Ending<In, Out, E, R>,
}

/// The epilogue of a product, and what it reads and writes.
#[derive(Clone, Copy)]
#[doc(hidden)]
pub struct Ending<In, Out, E, const R: usize> {
    /// The outer index, followed by two places for row and column.
    pub(crate) index: [usize; R],
    pub(crate) inputs: In,
    pub(crate) outputs: Out,
    pub(crate) epilogue: E,
}

/// A block whose sums are complete, with its epilogue.
struct Completed<'a, T, In, Out, E, const R: usize, const I: usize, const O: usize> {
    ending: &'a Ending<In, Out, E, R>,
    sums: &'a Sums<T>,
}

impl<T, In, Out, E, const R: usize, const I: usize, const O: usize> WithSimd for Completed<'_, T, In, Out, E, R, I, O>
where
    T: Scalar,
    In: Inputs<T, R, I>,
    Out: Outputs<T, R, O>,
    E: Epilogue<T, I, O>,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // SAFETY: made by `enter`, `finish_apart` and `finish_on` only, whose callers promise that.
        unsafe { self.ending.finish(simd, self.sums) };
    }
}

impl<T: Scalar, X: Machine, In, Out, E, const R: usize> Tiles<'_, T, X, In, Out, E, R> {
    /// Computes the product.
    ///
    /// # Safety
    ///
    /// The matrices must be readable over `m`, `k` and `n`, and inputs and outputs must fit `m` rows and `n` columns at the
    /// outer index.
    #[inline(always)]
    pub(super) unsafe fn run<const I: usize, const O: usize>(&self)
    where
        In: Inputs<T, R, I>,
        Out: Outputs<T, R, O>,
        E: Epilogue<T, I, O>,
    {
        let Ending { ref index, ref inputs, ref outputs, epilogue } = self.ending;
        // The constants say while this is compiled what there is at run time: else the general way would be compiled as well.
        if const { E::BIASED && In::MATRIX && Out::MATRIX } {
            let operands = (epilogue.biased(), inputs.matrix(index), outputs.matrix(index));
            let (Some(epilogue), Some(bias), Some(output)) = operands else {
                debug_assert!(false, "an epilogue is not what its constants say");
                return;
            };
            let ending = Ending { index: [0; 2], inputs: (bias,), outputs: (output,), epilogue };
            // SAFETY: the caller's promise; the ending is that of this product.
            unsafe { self.walk(Finish::Biased(&ending)) };
        } else if const { E::PLAIN && Out::UPDATES } {
            let (unit, add) = (self.machine.instructions(), epilogue.plain().unwrap_or(false));
            // SAFETY: the caller's promise; the only destination finishes blocks of this product.
            outputs.with_update(unit, index, add, |finish| unsafe { self.walk(finish) });
        } else {
            let finish = Finish::Call(Self::enter::<I, O>, core::ptr::from_ref(self).cast_mut().cast(), Ahead::NOTHING);
            // SAFETY: the caller's promise; `enter` is given what it wants.
            unsafe { self.walk(finish) };
        }
    }

    /// Computes the product, of which each block is finished so.
    ///
    /// # Safety
    ///
    /// As for [`run`](Self::run); blocks of this product may be finished so.
    #[inline(always)]
    unsafe fn walk<const I: usize, const O: usize>(&self, finish: Finish<'_, T>)
    where
        In: Inputs<T, R, I>,
        Out: Outputs<T, R, O>,
        E: Epilogue<T, I, O>,
    {
        let Ending { ref index, ref outputs, epilogue, .. } = self.ending;
        let product = Product {
            operands: self.operands,
            direct: epilogue.plain().and_then(|add| outputs.direct(index, add)),
            partial: outputs.partial(index),
            lent: (self.lent.as_ptr().cast_mut().cast(), self.lent.len()),
            finish,
            part: 0,
            origin: [0; 2],
            shared: cfg!(feature = "threads") && self.is_shareable(),
            part_of: None,
            lifetime: PhantomData,
        };
        // SAFETY: the caller's promise. Lent memory is of cells: where operands lie in it, values are spoilt, and nothing else.
        let product = unsafe { product.promise() };
        product.compute(self.machine.instructions());
    }

    /// Whether several threads may compute parts of the product, and it is worth that.
    #[inline(always)]
    fn is_shareable<const I: usize, const O: usize>(&self) -> bool
    where
        In: Inputs<T, R, I>,
        Out: Outputs<T, R, O>,
    {
        let Self { operands: Operands { a, a_row, a_column, b, b_row, b_column, m, k, n }, lent, .. } = *self;
        let Ending { ref index, ref inputs, ref outputs, .. } = self.ending;
        if !reach::is_worth([m, k, n]) {
            return false;
        }
        let Some(written) = outputs.reach(index, [m, n]) else { return false };
        let read = [Reach::of(a, [m, k], [a_row, a_column]), Reach::of(b, [k, n], [b_row, b_column])];
        let lent = Reach::of_memory(lent);
        let is_clear = |written| !read[0].overlaps(written) && !read[1].overlaps(written);
        is_clear(&written)
            && is_clear(&lent)
            && !written.overlaps(&lent)
            && inputs.are_clear_of(index, [m, n], &written)
            && inputs.are_clear_of(index, [m, n], &lent)
    }

    /// Back from the walk over the blocks.
    ///
    /// # Safety
    ///
    /// `tiles` must be of this type, and `sums` those of a block of its product.
    unsafe extern "C" fn enter<const I: usize, const O: usize>(tiles: *mut u8, sums: *const Sums<T>)
    where
        In: Inputs<T, R, I>,
        Out: Outputs<T, R, O>,
        E: Epilogue<T, I, O>,
    {
        // SAFETY: `run` has passed a reference to tiles of this type, which all threads only read.
        let (Self { machine, ending, .. }, sums) = unsafe { (&*tiles.cast::<Self>(), &*sums) };
        let completed = Completed::<'_, T, In, Out, E, R, I, O> { ending, sums };
        if const { E::LIGHT } { machine.call_light(completed) } else { machine.call(completed) }
    }

    /// Computes the product number by number, without buffers or calls: for sizes so small that all loops unroll.
    ///
    /// # Safety
    ///
    /// As for [`run`](Self::run).
    #[inline(always)]
    pub(super) unsafe fn run_plain<const I: usize, const O: usize>(&self)
    where
        In: Inputs<T, R, I>,
        Out: Outputs<T, R, O>,
        E: Epilogue<T, I, O>,
    {
        let simd = pulp::Scalar;
        let Operands { m, n, .. } = self.operands;
        let mut ending = self.ending;
        let mut index = ending.index;
        for row in 0..m {
            index[R - 2] = row;
            let (from, to) = (ending.inputs.bases(&index), ending.outputs.bases(&index));
            let mut states = ending.outputs.begin(simd);
            // SAFETY: the numbers are those of the product.
            unsafe {
                for column in 0..n {
                    let product = self.plain_product(row, column);
                    ending.emit(simd, product, &from, &to, &mut states, column, Whole);
                }
                ending.outputs.finish(states, &to);
            }
        }
    }

    /// One number of the product.
    ///
    /// # Safety
    ///
    /// It must lie within the product.
    #[inline(always)]
    unsafe fn plain_product(&self, row: usize, column: usize) -> Lanes<T, pulp::Scalar> {
        let simd = pulp::Scalar;
        let Operands { a, a_row, a_column, b, b_row, b_column, k, .. } = self.operands;
        let mut sum = Lanes::constant(simd, 0.0);
        for step in 0..k {
            // SAFETY: row, step and column lie within the matrices.
            let (a, b) = unsafe {
                (*a.wrapping_add(row * a_row + step * a_column), *b.wrapping_add(step * b_row + column * b_column))
            };
            let (a, b) = (Lanes::splat(simd, a), Lanes::splat(simd, b));
            // The first product starts the sum: one addition less to wait for.
            sum = if step == 0 { a * b } else { a.mul_add(b, sum) };
        }
        sum
    }
}

impl<In, Out, E, const R: usize> Ending<In, Out, E, R> {
    /// [`finish`](Self::finish) in a function of its own.
    ///
    /// # Safety
    ///
    /// As there.
    #[inline(never)]
    pub(super) unsafe fn finish_apart<T: Scalar, S: Simd, const I: usize, const O: usize>(
        &self,
        simd: S,
        sums: &Sums<T>,
    ) where
        In: Inputs<T, R, I>,
        Out: Outputs<T, R, O>,
        E: Epilogue<T, I, O>,
    {
        simd.vectorize(Completed { ending: self, sums });
    }

    /// [`finish`](Self::finish) on this unit.
    ///
    /// # Safety
    ///
    /// As there.
    #[inline(always)]
    pub(crate) unsafe fn finish_on<T: Scalar, const I: usize, const O: usize>(&self, unit: Instructions, sums: &Sums<T>)
    where
        In: Inputs<T, R, I>,
        Out: Outputs<T, R, O>,
        E: Epilogue<T, I, O>,
    {
        unit.dispatch(Completed { ending: self, sums });
    }

    /// The epilogue of a block.
    ///
    /// # Safety
    ///
    /// The block must lie within the product, and its sums must be readable.
    #[inline(always)]
    pub(super) unsafe fn finish<T: Scalar, S: Simd, const I: usize, const O: usize>(&self, simd: S, sums: &Sums<T>)
    where
        In: Inputs<T, R, I>,
        Out: Outputs<T, R, O>,
        E: Epilogue<T, I, O>,
    {
        let Sums { pointer, row: sums_row, at: [row, column], size: [rows, columns], part } = *sums;
        // A copy of its own, which no store can change: what it holds stays in registers.
        let mut ending = Self { outputs: self.outputs.of_part(part), ..*self };
        let lanes = Lanes::<T, S>::COUNT;
        let last = Part::new(simd, columns % lanes);
        let mut index = ending.index;
        for offset in 0..rows {
            index[R - 2] = row + offset;
            let sums = pointer.wrapping_add(offset * sums_row);
            let (from, to) = (ending.inputs.bases(&index), ending.outputs.bases(&index));
            let mut states = ending.outputs.begin(simd);
            let mut place = 0;
            // SAFETY: the registers are those of the tile; inputs and outputs fit the product.
            unsafe {
                while columns - place >= lanes {
                    let product = Whole.load(simd, sums.wrapping_add(place));
                    ending.emit(simd, product, &from, &to, &mut states, column + place, Whole);
                    place += lanes;
                }
                if const { Lanes::<T, S>::COUNT > 1 } && place < columns {
                    let product = last.load(simd, sums.wrapping_add(place));
                    ending.emit(simd, product, &from, &to, &mut states, column + place, last);
                }
                ending.outputs.finish(states, &to);
            }
        }
    }

    /// The epilogue of one register.
    ///
    /// # Safety
    ///
    /// The register must lie within the product, up to the end of the span.
    #[expect(clippy::too_many_arguments, reason = "a register of a row of a product, and all that is known of each")]
    #[inline(always)]
    unsafe fn emit<T: Scalar, S: Simd, const I: usize, const O: usize>(
        &mut self,
        simd: S,
        product: Lanes<T, S>,
        from: &[usize; I],
        to: &[usize; O],
        states: &mut Out::States<S>,
        position: usize,
        span: impl Span<T, S>,
    ) where
        In: Inputs<T, R, I>,
        Out: Outputs<T, R, O>,
        E: Epilogue<T, I, O>,
    {
        // SAFETY: the caller's promise; inputs and outputs fit the product.
        unsafe {
            let inputs = self.inputs.load(simd, from, position, span);
            let previous = self.outputs.previous(simd, to, position, span);
            let values = self.epilogue.evaluate(simd, product, inputs, previous);
            self.outputs.write(states, to, position, span, values);
        }
    }
}
