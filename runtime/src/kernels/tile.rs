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
use super::work::Work;
use crate::scalar::Scalar;
use crate::simd::{Lanes, Machine};

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

/// A product to be computed, as the library sees it.
#[derive(Clone, Copy)]
pub(super) struct Product<'a, T> {
    operands: Operands<T>,
    /// Where the product goes if it is kept as it is.
    direct: Option<Direct<T>>,
    /// What is done to a block otherwise,
    finish: unsafe extern "C" fn(*mut u8, *const Sums<T>),
    /// and its first argument.
    tiles: *mut u8,
    lifetime: PhantomData<&'a mut T>,
}

/// A block of a product.
#[repr(C)]
pub(super) struct Sums<T> {
    pointer: *const T,
    /// From one row to the next.
    row: usize,
    /// Row and column of the product where the block lies.
    at: [usize; 2],
    /// Its rows and columns.
    size: [usize; 2],
}

/// One product with its epilogue.
pub(super) struct Tiles<'a, T, X, In, Out, E, const R: usize> {
    pub(super) machine: X,
    pub(super) operands: Operands<T>,
    /// The outer index, followed by two places for row and column.
    pub(super) index: [usize; R],
    pub(super) inputs: In,
    pub(super) outputs: &'a mut Out,
    pub(super) epilogue: E,
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

/// Bytes of sums that are few beside a first-level cache.
const SHORT: usize = 4096;

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

/// The walk over a product on a vector unit.
#[derive(Clone, Copy)]
struct Walk<'a, T, S> {
    simd: S,
    product: &'a Product<'a, T>,
}

/// The walk with its buffer.
struct Buffered<'a, T, S> {
    walk: &'a Walk<'a, T, S>,
    buffer: *mut T,
}

impl<T: Scalar, U: Simd> WithSimd for Buffered<'_, T, U> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        // SAFETY: made by `enter` only.
        unsafe { self.walk.blocks(self.buffer) };
    }
}

impl<T: Scalar> Product<'_, T> {
    /// Computes the product.
    #[inline(always)]
    pub(super) fn walk<S: Simd>(&self, simd: S) {
        let walk = Walk { simd, product: self };
        // SAFETY: `enter` is given this walk.
        unsafe { with_buffer(Walk::<T, S>::enter, (&raw const walk).cast_mut().cast()) };
    }
}

impl<T: Scalar, S: Simd> Walk<'_, T, S> {
    /// Back from [`with_buffer`].
    ///
    /// # Safety
    ///
    /// `walk` must point to one of this type, and the buffer must be one of [`with_buffer`].
    unsafe extern "C" fn enter(walk: *mut u8, buffer: *mut u8) {
        // SAFETY: the caller's promise.
        let walk = unsafe { &*walk.cast::<Self>() };
        walk.simd.vectorize(Buffered { walk, buffer: buffer.cast() });
    }

    /// Computes the product, block by block.
    ///
    /// # Safety
    ///
    /// The buffer must be one of [`with_buffer`].
    #[inline(always)]
    unsafe fn blocks(&self, sums: *mut T) {
        let Product { operands: Operands { m, k, n, .. }, direct, finish, tiles, .. } = *self.product;
        let way = self.way();
        // The larger of `b` and the product is walked through once; the other one stays in the cache. Where both do, long
        // rows are quicker than short ones.
        let small = k * n <= CACHE / size_of::<T>() / 8;
        let across = way == Way::Dots || way == Way::InPlace && (m > k || m < FEW || small);
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
                    // SAFETY: the product's maker's promise; the block lies within the product, its sums in the destination or in
                    // the buffer, which is large enough by the choice of the block's size.
                    unsafe {
                        self.multiply(target, [row, column, step], [rows, columns, steps]);
                        if direct.is_none() && step + steps == k {
                            let block = Sums { pointer: sums, row: sums_row, at: [row, column], size: [rows, columns] };
                            finish(tiles, &block);
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

    /// Rows, columns and steps that are computed at once: what the buffers hold.
    #[inline]
    fn block(&self, way: Way, across: bool, direct: bool) -> [usize; 3] {
        let Operands { m, k, n, .. } = self.product.operands;
        let width = WIDTH * Lanes::<T, S>::COUNT;
        let room = capacity::<T>() / 2;
        // Rows of `a` that stay in the cache while all columns go by.
        let cached = (CACHE / size_of::<T>() / k.max(1)).max(128);
        match way {
            Way::Packed if direct => [cached, width, 2 * room / width],
            Way::Packed => [cached.min(room / width), width, room / width],
            _ if direct => [m, n, k],
            _ if across => {
                // Several tiles where rows are short: an epilogue is worth a call only for some numbers.
                let height = multiply::height::<S>(m, false);
                let rows = height * (SHORT / size_of::<T>() / (height * n).max(1)).max(1);
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
        let Operands { a, a_row, a_column, b, b_row, b_column, .. } = self.product.operands;
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
        let Operands { a_column, b_row, b_column, m, k, n, .. } = self.product.operands;
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
}

/// The epilogue of a block.
struct Finish<'a, 'b, T, X, In, Out, E, const R: usize, const I: usize, const O: usize> {
    tiles: &'a mut Tiles<'b, T, X, In, Out, E, R>,
    sums: &'a Sums<T>,
}

impl<T, X, In, Out, E, const R: usize, const I: usize, const O: usize> WithSimd
    for Finish<'_, '_, T, X, In, Out, E, R, I, O>
where
    T: Scalar,
    X: Machine,
    In: Inputs<T, R, I>,
    Out: Outputs<T, R, O>,
    E: Epilogue<T, I, O>,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // SAFETY: made by `enter` only, of a block whose sums are computed.
        unsafe { self.tiles.finish(simd, self.sums) };
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
    pub(super) unsafe fn run<const I: usize, const O: usize>(&mut self)
    where
        In: Inputs<T, R, I>,
        Out: Outputs<T, R, O>,
        E: Epilogue<T, I, O>,
    {
        let product = Product {
            operands: self.operands,
            direct: self.epilogue.plain().and_then(|add| self.outputs.direct(&self.index, add)),
            finish: Self::enter::<I, O>,
            tiles: core::ptr::from_mut(self).cast(),
            lifetime: PhantomData,
        };
        T::work(self.machine.instructions(), Work::Product(&product));
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
        // SAFETY: `run` has passed a reference to tiles of this type, which nobody else uses meanwhile.
        let (tiles, sums) = unsafe { (&mut *tiles.cast::<Self>(), &*sums) };
        tiles.machine.call(Finish::<'_, '_, T, X, In, Out, E, R, I, O> { tiles, sums });
    }

    /// Computes the product number by number, without buffers or calls: for sizes so small that all loops unroll.
    ///
    /// # Safety
    ///
    /// As for [`run`](Self::run).
    #[inline(always)]
    pub(super) unsafe fn run_plain<const I: usize, const O: usize>(&mut self)
    where
        In: Inputs<T, R, I>,
        Out: Outputs<T, R, O>,
        E: Epilogue<T, I, O>,
    {
        let simd = pulp::Scalar;
        let Operands { m, n, .. } = self.operands;
        let mut index = self.index;
        for row in 0..m {
            index[R - 2] = row;
            let (from, to) = (self.inputs.bases(&index), self.outputs.bases(&index));
            let mut states = self.outputs.begin(simd);
            // SAFETY: the numbers are those of the product.
            unsafe {
                for column in 0..n {
                    let product = self.plain_product(row, column);
                    self.emit(simd, product, &from, &to, &mut states, column, Whole);
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

    /// The epilogue of a block.
    ///
    /// # Safety
    ///
    /// The block must lie within the product, and its sums must be readable.
    #[inline(always)]
    unsafe fn finish<S: Simd, const I: usize, const O: usize>(&mut self, simd: S, sums: &Sums<T>)
    where
        In: Inputs<T, R, I>,
        Out: Outputs<T, R, O>,
        E: Epilogue<T, I, O>,
    {
        let Sums { pointer, row: sums_row, at: [row, column], size: [rows, columns] } = *sums;
        // A copy of its own, which no store can change: what it holds stays in registers.
        let mut outputs = *self.outputs;
        let mut tiles = Tiles { outputs: &mut outputs, ..*self };
        let lanes = Lanes::<T, S>::COUNT;
        let last = Part::new(simd, columns % lanes);
        let mut index = tiles.index;
        for offset in 0..rows {
            index[R - 2] = row + offset;
            let sums = pointer.wrapping_add(offset * sums_row);
            let (from, to) = (tiles.inputs.bases(&index), tiles.outputs.bases(&index));
            let mut states = tiles.outputs.begin(simd);
            let mut place = 0;
            // SAFETY: the registers are those of the tile; inputs and outputs fit the product.
            unsafe {
                while columns - place >= lanes {
                    let product = Whole.load(simd, sums.wrapping_add(place));
                    tiles.emit(simd, product, &from, &to, &mut states, column + place, Whole);
                    place += lanes;
                }
                if const { Lanes::<T, S>::COUNT > 1 } && place < columns {
                    let product = last.load(simd, sums.wrapping_add(place));
                    tiles.emit(simd, product, &from, &to, &mut states, column + place, last);
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
    unsafe fn emit<S: Simd, const I: usize, const O: usize>(
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
