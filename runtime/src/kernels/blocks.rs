//! The blocks of a product and the order in which they are visited, whatever is done to them afterwards.
//!
//! Where the columns of `b` do not lie side by side (a transposed weight), panels of it are turned into a small buffer on
//! the stack first; a sum too long for the buffer goes through partial sums kept beside it. Few rows do not pay for that:
//! they are dot products, as single columns are.
//!
//! Where they do, but its rows lie on pages of their own, blocks of long rows are copied: a page is visited for 512 bytes at
//! a time. Their sums are kept in the destination if an epilogue allows that, for then a block serves all rows of `a`. For
//! many rows, panels are copied wherever they outgrow the first-level cache.

use core::mem::MaybeUninit;

use pulp::{Simd, WithSimd};

use super::ahead::Ahead;
use super::direct::{Addition, Direct};
use super::dots::{self, Dots};
use super::multiply::{self, Block, WIDTH};
use super::pack::{self, Panel};
use super::product::{Operands, Product};
use crate::scalar::Scalar;
use crate::simd::Lanes;

/// Elements of 8 bytes in the buffer for a panel of `b` and for sums: 128 rows of two AVX-512 registers each, or twice as
/// many of a panel whose sums go to their destination. Without optimisation the frames around it are large, and it is small.
const ROOM: usize = if cfg!(debug_assertions) { 1024 } else { 4096 };
/// Fewer rows than this are dot products rather than worth packing a panel,
const FEW: usize = 4;
/// if they are at least as many registers long as this.
const LONG: usize = 2;

/// From this many rows on, a panel is worth packing only to spare the cache.
const MANY: usize = 24;
/// From this many rows on, a panel is worth packing to spare the first-level cache,
const MORE: usize = 192;
/// which has so many bytes.
const FIRST_LEVEL: usize = 1 << 15;
/// Fewer steps than this are too few to be worth the sums' way to memory and back.
const SHALLOW: usize = 32;
/// Steps times the power of two in their distance, in bytes, from which on a first-level cache has too few places for them.
const CROWDED_BYTES: usize = 1 << 16;
/// Bytes of one operand that are taken to stay in the second-level cache.
const SECOND_LEVEL: usize = 1 << 19;

/// Bytes of sums that are few beside a first-level cache.
const FEW_SUMS_BYTES: usize = 4096;

/// Bytes of a page of memory.
const PAGE_BYTES: usize = 4096;

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

/// How a product is cut into blocks.
#[derive(Clone, Copy)]
struct Blocking<T> {
    way: Way,
    across: bool,
    /// Where the product goes if it is not finished.
    direct: Option<Direct<T>>,
    /// Rows, columns and steps that are computed at once: what the buffer holds.
    size: [usize; 3],
    /// Sums that the buffer has room for, before what is packed.
    room: usize,
}

impl<T: Copy> Blocking<T> {
    /// Where the sums are kept if not in the buffer.
    #[inline]
    fn place(&self, product: &Product<'_, T>) -> Option<Direct<T>> {
        self.direct.or(if self.way == Way::Wide { product.partial } else { None })
    }
}

/// What the blocks of a product have in common, and where the sums of one go.
#[derive(Clone, Copy)]
struct Target<T> {
    way: Way,
    across: bool,
    panel: *mut T,
    sums: *mut T,
    sums_row: usize,
    add: Option<Addition<T>>,
}

/// How `b` is read.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// Where it lies: its columns are neighbours.
    InPlace,
    /// Where it lies, while rows of `a`, whose elements lie apart, are packed.
    Rows,
    /// By way of packed panels, a tile wide.
    Packed,
    /// By way of packed blocks of long rows.
    Wide,
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

/// Computes the product, block by block.
///
/// # Safety
///
/// Its maker's promise: see [`Product::promise`].
#[inline(always)]
pub(super) unsafe fn walk<T: Scalar, S: Simd>(simd: S, product: &Product<'_, T>) {
    let walk = Walk { simd, product };
    // SAFETY: `enter` is given this walk.
    unsafe { with_buffer(Walk::<T, S>::enter, (&raw const walk).cast_mut().cast()) };
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
    unsafe fn blocks(&self, buffer: *mut T) {
        let Product { operands: Operands { m, k, n, .. }, finish, .. } = *self.product;
        let blocking = self.blocking();
        let place = blocking.place(self.product);
        let Blocking { way, across, direct, size: [high, wide, depth], room } = blocking;
        let panel = buffer.wrapping_add(room);
        let mut row = 0;
        while row < m {
            let rows = high.min(m - row);
            let mut column = 0;
            while column < n {
                let columns = wide.min(n - column);
                let mut step = 0;
                loop {
                    let steps = depth.min(k - step);
                    let (sums, sums_row, add) = match place {
                        Some(Direct { pointer, row: stride, add }) => {
                            (pointer.wrapping_add(row * stride + column), stride, Addition::after(add, step))
                        }
                        None => (buffer, columns.next_multiple_of(Lanes::<T, S>::COUNT), Addition::plain(step > 0)),
                    };
                    let is_complete = direct.is_none() && step + steps == k;
                    let target = Target { way, across, panel, sums, sums_row, add };
                    // SAFETY: the product's maker's promise; the block lies within the product, its sums in the destination
                    // or in the buffer, which is large enough by the choice of the block's size.
                    unsafe {
                        self.multiply(target, [row, column, step], [rows, columns, steps]);
                        if is_complete {
                            let block = self.product.block((sums, sums_row), [row, column], [rows, columns]);
                            finish.run(self.simd, &block);
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

    /// How the product is cut into blocks.
    #[inline]
    fn blocking(&self) -> Blocking<T> {
        let Product { operands: Operands { k, .. }, direct, .. } = *self.product;
        let way = self.way();
        let blocking = self.cut(way, direct);
        let [.., depth] = blocking.size;
        match direct {
            Some(direct) if direct.for_steps(depth, k).is_none() => self.cut(way, None),
            _ => blocking,
        }
    }

    /// How the product is cut into blocks this way, if it goes there without an epilogue.
    #[inline]
    fn cut(&self, way: Way, direct: Option<Direct<T>>) -> Blocking<T> {
        let Product { operands: Operands { b_row, m, k, n, .. }, partial, .. } = *self.product;
        let (lanes, whole, size) = (Lanes::<T, S>::COUNT, capacity::<T>(), size_of::<T>());
        let (width, is_direct) = (WIDTH * lanes, direct.is_some());
        let (across, size, room) = match way {
            Way::Packed => {
                // Rows of `a` that stay in the cache while all columns go by.
                let cached = (SECOND_LEVEL / size / k.max(1)).max(128);
                let room = if is_direct { 0 } else { whole / 2 };
                let rows = if is_direct { cached } else { cached.min(room / width) };
                (false, [rows, width, (whole - room) / width], room)
            }
            Way::Wide => {
                let columns = wide::<T>();
                let room = if is_direct || partial.is_some() { 0 } else { whole / 2 };
                let rows = if room == 0 { m } else { room / columns };
                (true, [rows, columns, (whole - room) / columns], room)
            }
            Way::Rows => {
                let rows = multiply::height::<S>(m, false);
                let room = whole / 4 * 3;
                let columns = if is_direct { n } else { room / rows.max(1) / width * width };
                (true, [rows, columns, (whole - room) / lanes], room)
            }
            Way::InPlace if self.is_shallow() => {
                let rows = if is_direct { m } else { whole / n.next_multiple_of(lanes).max(1) };
                (false, [rows, n, shallow::<T>(b_row)], whole)
            }
            Way::InPlace | Way::Dots => {
                // The larger of `b` and the product is walked through once; the other one stays in the cache. Where both do,
                // long rows are quicker than short ones.
                let small = k * n <= SECOND_LEVEL / size / 8;
                let across = way == Way::Dots || m > k || m < FEW || small;
                let block = if is_direct {
                    [m, n, k]
                } else if across {
                    // Several tiles where rows are short: an epilogue is worth a call only for some numbers.
                    let height = multiply::height::<S>(m, false);
                    let rows = (height * (FEW_SUMS_BYTES / size / (height * n).max(1)).max(1)).min(whole / width);
                    [rows, whole / rows.max(1) / width * width, k]
                } else {
                    [whole / 2 / width, width, k]
                };
                (across, block, whole)
            }
        };
        Blocking { way, across, direct, size, room }
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
        let lanes = Lanes::<T, S>::COUNT;
        let a = a.wrapping_add(row * a_row + step * a_column);
        let b = b.wrapping_add(step * b_row + column * b_column);
        // SAFETY: the caller's promise; the panel holds as many steps and columns as a block has.
        unsafe {
            let (a, a_row, a_column, b, b_row) = match way {
                Way::InPlace => (a, a_row, a_column, b, b_row),
                Way::Rows => {
                    let [b_row, b_column] = [a_column, a_row];
                    let source = Panel { b: a, b_row, b_column, rows: steps, columns: rows, panel, width: lanes };
                    pack::pack(self.simd, &source);
                    (panel.cast_const(), 1, lanes, b, self.product.operands.b_row)
                }
                Way::Packed | Way::Wide => {
                    let width = if way == Way::Wide { wide::<T>() } else { WIDTH * lanes };
                    pack::pack(self.simd, &Panel { b, b_row, b_column, rows: steps, columns, panel, width });
                    (a, a_row, a_column, panel.cast_const(), width)
                }
                Way::Dots if columns == 1 => {
                    // Products are the same either way, and four rows share what is loaded of the column.
                    let (a, b, b_column) = (b, a, a_row);
                    dots::dots(
                        self.simd,
                        &Dots { a, b, b_column, steps, sums, sums_column: sums_row, columns: rows, add },
                    );
                    return;
                }
                Way::Dots => {
                    for row in 0..rows {
                        let (a, sums) = (a.wrapping_add(row * a_row), sums.wrapping_add(row * sums_row));
                        dots::dots(self.simd, &Dots { a, b, b_column, steps, sums, sums_column: 1, columns, add });
                    }
                    return;
                }
            };
            let ahead = Ahead::NOTHING;
            let block =
                Block { a, a_row, a_column, b, b_row, steps, sums, sums_row, rows, columns, add, ahead, across };
            multiply::multiply(self.simd, &block);
        }
    }

    #[inline]
    fn way(&self) -> Way {
        let Operands { a_column, b_row, b_column, m, k, n, .. } = self.product.operands;
        let are_rows = k >= LONG * Lanes::<T, S>::COUNT && b_row == 1 && a_column == 1;
        if are_rows && n == 1 {
            return Way::Dots;
        }
        if b_column != 1 && n > 1 {
            return if are_rows && m < FEW { Way::Dots } else { Way::Packed };
        }
        // Rows at a distance of a power of two share few places of the cache, of which a panel then finds too few. Where
        // a row of the panel is two cache lines, they are fetched half as often, and that matters only later, but
        // sooner again where every row lies on a page of its own.
        let distance = b_row.wrapping_mul(size_of::<T>());
        let lines = WIDTH * size_of::<T::Vector<S>>() / 64;
        let most = match (lines > 1, distance > PAGE_BYTES) {
            (false, _) => SECOND_LEVEL,
            (true, false) => 8 * SECOND_LEVEL,
            (true, true) => 2 * SECOND_LEVEL,
        };
        // An update is quicker along rows of all columns than along those of a panel. What is no wider than a panel is one.
        let many = m >= MORE && b_row > WIDTH * Lanes::<T, S>::COUNT && self.product.finish.ahead().is_nothing();
        let most = if many { FIRST_LEVEL } else { most };
        if m >= MANY && n > 1 && k.saturating_mul(common(distance)) > most {
            if distance > PAGE_BYTES && n >= wide::<T>() { Way::Wide } else { Way::Packed }
        } else if self.are_rows_crowded() {
            Way::Rows
        } else {
            Way::InPlace
        }
    }

    /// Whether rows of `a`, whose elements lie apart, share few places of the cache, but are needed for many columns.
    #[inline]
    fn are_rows_crowded(&self) -> bool {
        let Operands { a_row, a_column, m, k, n, .. } = self.product.operands;
        let lanes = Lanes::<T, S>::COUNT;
        let tall = multiply::height::<S>(m, false) <= lanes;
        let crowded = k.saturating_mul(common(a_column.wrapping_mul(size_of::<T>()))) > CROWDED_BYTES;
        a_row == 1 && tall && crowded && m >= MANY && n >= 4 * WIDTH * lanes
    }

    /// Whether all columns of some steps stay in the first-level cache, which a whole panel does not: `b` is then fetched in
    /// the order of memory, once for all rows. With more registers, rows share what they fetch anyway.
    #[inline]
    fn is_shallow(&self) -> bool {
        let Operands { b_row, m, k, n, .. } = self.product.operands;
        let steps = shallow::<T>(b_row);
        S::REGISTER_COUNT < 32 && b_row == n && (FEW..=2 * MANY).contains(&m) && steps >= SHALLOW && k >= 2 * steps
    }
}

/// The largest power of two that divides a distance.
#[inline]
fn common(distance: usize) -> usize {
    distance & distance.wrapping_neg()
}

/// Columns that are packed side by side.
#[inline]
fn wide<T>() -> usize {
    512 / size_of::<T>()
}

/// Rows of this length that leave a quarter of a first-level cache free.
#[inline]
fn shallow<T>(row: usize) -> usize {
    FIRST_LEVEL / 4 * 3 / size_of::<T>() / row.max(1)
}
