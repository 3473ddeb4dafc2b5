//! The tiles of a contraction and the order in which they are visited.
//!
//! A tile is a part of the product whose sums fit the register file: 12 rows of two vectors with 32 registers, 6 with 16.
//! The rest of the rows is covered by lower tiles, ragged columns by masked lanes. A single row takes wider tiles.
//!
//! Where the columns of `b` do not lie side by side (a transposed weight), panels of it are turned into a small buffer on
//! the stack first; a sum too long for the buffer goes through partial sums kept beside it. Few rows do not pay for that:
//! they are dot products.
//!
//! A product that is only stored or added goes from the registers to its destination. Other epilogues find it in a buffer,
//! tile by tile, which keeps their code out of the inner loops.

use core::marker::PhantomData;
use core::mem::MaybeUninit;

use pulp::{Simd, WithSimd};

use super::Epilogue;
use super::destinations::{Direct, Outputs};
use super::multiply::{self, Block, Dots, Panel, WIDTH};
use super::operands::Inputs;
use super::span::{Part, Span, Whole};
use crate::scalar::Scalar;
use crate::simd::Lanes;

/// Two matrices whose product is wanted; strides count elements.
#[derive(Clone, Copy)]
pub(super) struct Operands<T> {
    pub(super) a: *const T,
    pub(super) a_row: usize,
    pub(super) a_column: usize,
    pub(super) b: *const T,
    pub(super) b_row: usize,
    pub(super) b_column: usize,
    pub(super) m: usize,
    pub(super) k: usize,
    pub(super) n: usize,
}

/// One product, tile by tile.
pub(super) struct Tiles<'a, T, S, In, Out, E, const R: usize, const I: usize, const O: usize> {
    pub(super) simd: S,
    pub(super) operands: Operands<T>,
    /// The outer index, followed by two places for row and column.
    pub(super) index: [usize; R],
    pub(super) inputs: In,
    pub(super) outputs: &'a mut Out,
    pub(super) epilogue: E,
    pub(super) scalar: PhantomData<T>,
}

/// Elements of 8 bytes in the buffer for a panel of `b` and for sums: 128 rows of two AVX-512 registers each, or twice as
/// many of a panel whose sums go to their destination. Without optimisation the frames around it are large, and it is small.
const ROOM: usize = if cfg!(debug_assertions) { 1024 } else { 4096 };
/// Fewer rows than this are dot products rather than worth packing a panel,
const FEW: usize = 4;
/// if they are at least as many registers long as this.
const LONG: usize = 2;

/// From this many rows on, a panel is worth packing only to spare the cache.
const MANY: usize = 24;
/// Bytes of one operand that are taken to stay in the second-level cache.
const CACHE: usize = 1 << 19;

/// Bytes of a page of memory.
const PAGE: usize = 4096;

/// Room for scalars.
#[repr(align(64))]
struct Buffer(#[allow(dead_code, reason = "it is memory")] [u64; ROOM]);

/// Number of scalars that fit the buffer.
#[inline(always)]
fn capacity<T>() -> usize {
    size_of::<Buffer>() / size_of::<T>()
}

/// Calls `user` with a buffer.
///
/// The buffer has a stack frame of its own, entered unconditionally: in a function that returns early, LLVM 22 moves the
/// prologue behind the checks, where its probing of a large frame overwrites `r11` while that holds a value. The calling
/// convention of C is one that cannot unwind, so that callers are known not to panic.
///
/// # Safety
///
/// That `user` may be called with `data` and memory as large as [`Buffer`].
#[inline(never)]
unsafe extern "C" fn with_buffer(user: unsafe extern "C" fn(*mut u8, *mut u8), data: *mut u8) {
    let mut buffer = MaybeUninit::<Buffer>::uninit();
    // SAFETY: the caller's promise.
    unsafe { user(data, buffer.as_mut_ptr().cast()) };
}

/// What the blocks of a product have in common, and where the sums of one go.
#[derive(Clone, Copy)]
struct Target<T> {
    way: Way,
    across: bool,
    panel: *mut T,
    sums: *mut T,
    sums_row: usize,
    add: bool,
}

/// How `b` is read.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// Where it lies: its columns are neighbours.
    InPlace,
    /// By way of packed panels.
    Packed,
    /// As dot products along its columns.
    Dots,
}

/// The walk over a product, with its buffer.
struct Blocks<'a, 'b, T, S, In, Out, E, const R: usize, const I: usize, const O: usize> {
    tiles: &'a mut Tiles<'b, T, S, In, Out, E, R, I, O>,
    buffer: *mut T,
}

impl<T, U, In, Out, E, const R: usize, const I: usize, const O: usize> WithSimd
    for Blocks<'_, '_, T, U, In, Out, E, R, I, O>
where
    T: Scalar,
    U: Simd,
    In: Inputs<T, R, I>,
    Out: Outputs<T, R, O>,
    E: Epilogue<T, I, O>,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        // SAFETY: made by `enter` only, which passes on the promise of `run`.
        unsafe { self.tiles.blocks(self.buffer) };
    }
}

/// The epilogue of a block: a step of its own, lest an unoptimised build has all of its values on the stack at once.
struct Finish<'a, 'b, T, S, In, Out, E, const R: usize, const I: usize, const O: usize> {
    tiles: &'a mut Tiles<'b, T, S, In, Out, E, R, I, O>,
    sums: *const T,
    sums_row: usize,
    at: [usize; 2],
    size: [usize; 2],
}

impl<T, U, In, Out, E, const R: usize, const I: usize, const O: usize> WithSimd
    for Finish<'_, '_, T, U, In, Out, E, R, I, O>
where
    T: Scalar,
    U: Simd,
    In: Inputs<T, R, I>,
    Out: Outputs<T, R, O>,
    E: Epilogue<T, I, O>,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        // SAFETY: made by `blocks` only, of a block whose sums it has computed.
        unsafe { self.tiles.finish(self.sums, self.sums_row, self.at, self.size) };
    }
}

impl<T, S, In, Out, E, const R: usize, const I: usize, const O: usize> Tiles<'_, T, S, In, Out, E, R, I, O>
where
    T: Scalar,
    S: Simd,
    In: Inputs<T, R, I>,
    Out: Outputs<T, R, O>,
    E: Epilogue<T, I, O>,
{
    /// Computes the product.
    ///
    /// # Safety
    ///
    /// The matrices must be readable over `m`, `k` and `n`, and inputs and outputs must fit `m` rows and `n` columns at the
    /// outer index.
    #[inline(always)]
    pub(super) unsafe fn run(&mut self) {
        // SAFETY: `enter` is given these tiles, and the caller's promise holds for them.
        unsafe { with_buffer(Self::enter, core::ptr::from_mut(self).cast()) };
    }

    /// Back from [`with_buffer`].
    ///
    /// # Safety
    ///
    /// `tiles` must be of this type, and [`run`](Self::run)'s promise must hold for them.
    unsafe extern "C" fn enter(tiles: *mut u8, buffer: *mut u8) {
        // SAFETY: `run` has passed a reference to tiles of this type, which nobody else uses meanwhile.
        let tiles = unsafe { &mut *tiles.cast::<Self>() };
        tiles.simd.vectorize(Blocks { tiles, buffer: buffer.cast() });
    }

    /// Computes the product, block by block.
    ///
    /// # Safety
    ///
    /// As for [`run`](Self::run), with a buffer as large as [`Buffer`].
    #[inline(always)]
    unsafe fn blocks(&mut self, sums: *mut T) {
        let (simd, Operands { m, k, n, .. }) = (self.simd, self.operands);
        let way = self.way();
        // The larger of `b` and the product is walked through once; the other one stays in the cache. Where both do, long
        // rows are quicker than short ones.
        let small = k * n <= CACHE / size_of::<T>() / 8;
        let across = way == Way::Dots || way == Way::InPlace && (m > k || m < FEW || small);
        let direct = self.epilogue.plain().and_then(|add| self.outputs.direct(&self.index, add));
        let [high, wide, depth] = self.block(way, across, direct.is_some());
        let panel = if direct.is_some() { sums } else { sums.wrapping_add(capacity::<T>() / 2) };
        let mut row = 0;
        while row < m {
            let rows = high.min(m - row);
            let mut column = 0;
            while column < n {
                let columns = wide.min(n - column);
                let mut step = 0;
                loop {
                    let steps = depth.min(k - step);
                    let (sums, sums_row, add) = match direct {
                        Some(Direct { pointer, row: stride, add }) => {
                            (pointer.wrapping_add(row * stride + column), stride, add || step > 0)
                        }
                        None => (sums, columns.next_multiple_of(Lanes::<T, S>::COUNT), step > 0),
                    };
                    let target = Target { way, across, panel, sums, sums_row, add };
                    // SAFETY: the caller's promise; the block lies within the product, its sums in the destination or in
                    // the buffer, which is large enough by the choice of the block's size.
                    unsafe {
                        self.multiply(target, [row, column, step], [rows, columns, steps]);
                        if direct.is_none() && step + steps == k {
                            let block =
                                Finish { tiles: self, sums, sums_row, at: [row, column], size: [rows, columns] };
                            simd.vectorize(block);
                        }
                    }
                    step += steps;
                    if step >= k {
                        break;
                    }
                }
                column += columns;
            }
            row += rows;
        }
    }

    /// Computes the product number by number, without buffers or calls: for sizes so small that all loops unroll.
    ///
    /// # Safety
    ///
    /// As for [`run`](Self::run).
    #[inline(always)]
    pub(super) unsafe fn run_plain(&mut self) {
        debug_assert!(S::IS_SCALAR, "numbers, not vectors");
        let Operands { m, n, .. } = self.operands;
        let mut index = self.index;
        for row in 0..m {
            index[R - 2] = row;
            let (from, to) = (self.inputs.bases(&index), self.outputs.bases(&index));
            let mut states = self.outputs.begin(self.simd);
            // SAFETY: the numbers are those of the product.
            unsafe {
                for column in 0..n {
                    let product = self.plain_product(row, column);
                    self.emit(product, &from, &to, &mut states, column, Whole);
                }
                self.outputs.finish(states, &to);
            }
        }
    }

    /// One number of the product.
    ///
    /// # Safety
    ///
    /// It must lie within the product.
    #[inline(always)]
    unsafe fn plain_product(&self, row: usize, column: usize) -> Lanes<T, S> {
        let Operands { a, a_row, a_column, b, b_row, b_column, k, .. } = self.operands;
        let mut sum = Lanes::constant(self.simd, 0.0);
        for step in 0..k {
            // SAFETY: row, step and column lie within the matrices.
            let (a, b) = unsafe {
                (*a.wrapping_add(row * a_row + step * a_column), *b.wrapping_add(step * b_row + column * b_column))
            };
            let (a, b) = (Lanes::splat(self.simd, a), Lanes::splat(self.simd, b));
            // The first product starts the sum: one addition less to wait for.
            sum = if step == 0 { a * b } else { a.mul_add(b, sum) };
        }
        sum
    }

    /// Rows, columns and steps that are computed at once: what the buffers hold.
    #[inline]
    fn block(&self, way: Way, across: bool, direct: bool) -> [usize; 3] {
        let Operands { m, k, n, .. } = self.operands;
        let width = WIDTH * Lanes::<T, S>::COUNT;
        let room = capacity::<T>() / 2;
        // Rows of `a` that stay in the cache while all columns go by.
        let cached = (CACHE / size_of::<T>() / k.max(1)).max(128);
        match way {
            Way::Packed if direct => [cached, width, 2 * room / width],
            Way::Packed => [cached.min(room / width), width, room / width],
            _ if direct => [m, n, k],
            _ if across => {
                let rows = multiply::height::<S>(m, false);
                // There is no panel beside the sums.
                [rows, 2 * room / rows / width * width, k]
            }
            _ => [room / width, width, k],
        }
    }

    /// Computes a block of the product, or some steps of it.
    ///
    /// # Safety
    ///
    /// The block of this size must lie at this row, column and step within the product, and its sums at `sums`.
    #[inline]
    unsafe fn multiply(&self, target: Target<T>, [row, column, step]: [usize; 3], [rows, columns, steps]: [usize; 3]) {
        let Operands { a, a_row, a_column, b, b_row, b_column, .. } = self.operands;
        let Target { way, across, panel, sums, sums_row, add } = target;
        let a = a.wrapping_add(row * a_row + step * a_column);
        let b = b.wrapping_add(step * b_row + column * b_column);
        // SAFETY: the caller's promise; the panel holds as many steps and columns as a block has.
        unsafe {
            match way {
                Way::InPlace => {
                    let block =
                        Block { a, a_row, a_column, b, b_row, steps, sums, sums_row, rows, columns, add, across };
                    multiply::multiply(self.simd, &block);
                }
                Way::Packed => {
                    let width = WIDTH * Lanes::<T, S>::COUNT;
                    let source = Panel { b, b_row, b_column, rows: steps, columns, panel, width };
                    multiply::pack(self.simd, &source);
                    let (b, b_row) = (panel.cast_const(), width);
                    let block =
                        Block { a, a_row, a_column, b, b_row, steps, sums, sums_row, rows, columns, add, across };
                    multiply::multiply(self.simd, &block);
                }
                Way::Dots => {
                    for row in 0..rows {
                        let (a, sums) = (a.wrapping_add(row * a_row), sums.wrapping_add(row * sums_row));
                        multiply::dots(self.simd, &Dots { a, b, b_column, steps, sums, columns, add });
                    }
                }
            }
        }
    }

    #[inline]
    fn way(&self) -> Way {
        let Operands { a_column, b_row, b_column, m, k, n, .. } = self.operands;
        if b_column == 1 || n == 1 {
            // Rows at a distance of a power of two share few places of the cache, of which a panel then finds too few. Where
            // a row of the panel is two cache lines, they are fetched half as often, and that matters only later, but
            // sooner again where every row lies on a page of its own.
            let distance = b_row * size_of::<T>();
            let lines = WIDTH * size_of::<T::Vector<S>>() / 64;
            let most = match (lines > 1, distance > PAGE) {
                (false, _) => CACHE,
                (true, false) => 8 * CACHE,
                (true, true) => 2 * CACHE,
            };
            let crowded = k * (distance & distance.wrapping_neg()) > most;
            if m >= MANY && n > 1 && crowded { Way::Packed } else { Way::InPlace }
        } else if m < FEW && k >= LONG * Lanes::<T, S>::COUNT && b_row == 1 && a_column == 1 {
            Way::Dots
        } else {
            Way::Packed
        }
    }

    /// The epilogue of a block, whose product lies at `sums`.
    ///
    /// # Safety
    ///
    /// The block must lie within the product, and its sums must be readable.
    #[inline(always)]
    unsafe fn finish(
        &mut self,
        sums: *const T,
        sums_row: usize,
        [row, column]: [usize; 2],
        [rows, columns]: [usize; 2],
    ) {
        // A copy of its own, which no store can change: what it holds stays in registers.
        let mut outputs = *self.outputs;
        let mut tiles = Tiles { outputs: &mut outputs, ..*self };
        let lanes = Lanes::<T, S>::COUNT;
        let last = Part::new(tiles.simd, columns % lanes);
        let mut index = tiles.index;
        for offset in 0..rows {
            index[R - 2] = row + offset;
            let sums = sums.wrapping_add(offset * sums_row);
            let (from, to) = (tiles.inputs.bases(&index), tiles.outputs.bases(&index));
            let mut states = tiles.outputs.begin(tiles.simd);
            let mut place = 0;
            // SAFETY: the registers are those of the tile; inputs and outputs fit the product.
            unsafe {
                while columns - place >= lanes {
                    let product = Whole.load(tiles.simd, sums.wrapping_add(place));
                    tiles.emit(product, &from, &to, &mut states, column + place, Whole);
                    place += lanes;
                }
                if place < columns {
                    let product = last.load(tiles.simd, sums.wrapping_add(place));
                    tiles.emit(product, &from, &to, &mut states, column + place, last);
                }
                tiles.outputs.finish(states, &to);
            }
        }
    }

    /// The epilogue of one register.
    ///
    /// # Safety
    ///
    /// The register must lie within the product, up to the end of the span.
    #[inline(always)]
    unsafe fn emit(
        &mut self,
        product: Lanes<T, S>,
        from: &[usize; I],
        to: &[usize; O],
        states: &mut Out::States<S>,
        position: usize,
        span: impl Span<T, S>,
    ) {
        // SAFETY: the caller's promise; inputs and outputs fit the product.
        unsafe {
            let inputs = self.inputs.load(self.simd, from, position, span);
            let previous = self.outputs.previous(self.simd, to, position, span);
            let values = self.epilogue.evaluate(self.simd, product, inputs, previous);
            self.outputs.write(states, to, position, span, values);
        }
    }
}
