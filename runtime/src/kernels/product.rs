//! A product to be computed, and the way that suits it: copies of both matrices ([`large`](super::large)), of one of them
//! ([`stream`](super::stream)), or blocks of what lies there ([`blocks`]).

use core::marker::PhantomData;

use pulp::Simd;

use super::ahead::Ahead;
use super::blocks;
use super::contract::Floored;
use super::direct::Direct;
use super::large::Large;
use super::operands::Contiguous;
use super::schedule::Assignment;
use super::share::Part;
use super::stores::Store;
use super::stream::Stream;
use super::tile::Ending;
use super::work::Work;
use crate::scalar::Scalar;
use crate::simd::Instructions;

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
    pub(super) operands: Operands<T>,
    /// Where the product goes if it needs no epilogue.
    pub(super) direct: Option<Direct<T>>,
    /// Where it may be kept on the way otherwise.
    pub(super) partial: Option<Direct<T>>,
    /// Memory for what a large product needs on the way, and how many elements it holds.
    pub(super) lent: (*mut T, usize),
    /// What is done to a block otherwise.
    pub(super) finish: Finish<'a, T>,
    /// Which part it is of a product that threads share, and the part's first row and column.
    pub(super) part: usize,
    pub(super) origin: [usize; 2],
    /// Whether threads may compute parts of it at the same time.
    #[cfg_attr(not(feature = "threads"), expect(dead_code, reason = "there is but one"))]
    pub(super) shared: bool,
    /// Which part it is of a whole that threads compute at the same time; pieces of the whole are then computed on the same promise.
    pub(super) part_of: Option<Part<'a, T>>,
    pub(super) lifetime: PhantomData<&'a mut T>,
}

/// What is done to a block of sums.
#[derive(Clone, Copy)]
#[doc(hidden)]
pub enum Finish<'a, T> {
    /// A function, its first argument, and what it reads.
    Call(unsafe extern "C" fn(*mut u8, *const Sums<T>), *mut u8, Ahead<T>),
    /// A bias or a residual, and perhaps a rectifier: so frequent that the library does it on the spot.
    Biased(&'a Ending<(Contiguous<'a, T, 2>,), (Store<'a, T, 2>,), Floored<T>, 2>),
}

impl<T: Scalar> Finish<'_, T> {
    /// What is read where a block is finished.
    #[inline(always)]
    pub(super) fn ahead(self) -> Ahead<T> {
        match self {
            Self::Call(_, _, ahead) => ahead,
            Self::Biased(_) => Ahead::NOTHING,
        }
    }

    /// # Safety
    ///
    /// The block must lie within the product that this belongs to, and its sums must be complete.
    #[inline(always)]
    pub(super) unsafe fn run<S: Simd>(self, simd: S, sums: &Sums<T>) {
        // SAFETY: the product's maker's promise, and the caller's.
        unsafe {
            match self {
                Self::Call(function, argument, _) => function(argument, sums),
                // Without optimisation, what is called does not add to the frame.
                Self::Biased(ending) if cfg!(debug_assertions) => ending.finish_apart(simd, sums),
                Self::Biased(ending) => ending.finish(simd, sums),
            }
        }
    }
}

/// A block of a product.
#[repr(C)]
pub struct Sums<T> {
    pub(super) pointer: *const T,
    /// From one row to the next.
    pub(super) row: usize,
    /// Row and column of the product where the block lies.
    pub(super) at: [usize; 2],
    /// Its rows and columns.
    pub(super) size: [usize; 2],
    /// Which part of a product it belongs to.
    pub(crate) part: usize,
}

impl<'a, T: Scalar> Product<'a, T> {
    /// The product with its maker's promise.
    ///
    /// # Safety
    ///
    /// For `'a`, the matrices must be readable over `m`, `k` and `n`, the places for the product and for sums on the way readable
    /// and writable over `m` rows of `n`, what is added to the former as [`Addition::mark`](super::direct::Addition::mark) wants
    /// it, and lent memory writable over its length; and `finish` may be run on any block of it. If it is `shared`, all this must
    /// hold on up to [`PARTS`](super::direct::PARTS) threads at a time for parts without a common element, of which the first has
    /// the lent memory, and each has marks of its own: what one writes, no other reads or writes, unless a queue has handed it
    /// over. If it is a part of a whole, all this must hold for the whole, of which the thread computes what is its own or what
    /// the [`queues`](super::queues) yield.
    #[inline(always)]
    pub(super) const unsafe fn promise(self) -> Promised<'a, T> {
        Promised(self)
    }

    /// A block of this size, whose complete sums lie there, so many from one row to the next.
    #[inline(always)]
    pub(super) fn block(&self, (pointer, row): (*const T, usize), at: [usize; 2], size: [usize; 2]) -> Sums<T> {
        let at = [self.origin[0] + at[0], self.origin[1] + at[1]];
        Sums { pointer, row, at, size, part: self.part }
    }
}

/// A [`Product`] that may be computed.
pub(super) struct Promised<'a, T>(Product<'a, T>);

impl<T: Scalar> Promised<'_, T> {
    /// Computes the product, with the threads that help if there are any.
    #[inline(always)]
    pub(super) fn compute(&self, unit: Instructions) {
        #[cfg(feature = "threads")]
        if self.0.shared && super::share::share(unit, self) {
            return;
        }
        T::work(unit, Work::Product(self));
    }

    /// What is to be computed.
    #[cfg(feature = "threads")]
    pub(super) const fn product(&self) -> &Product<'_, T> {
        &self.0
    }

    /// Computes the product on this thread.
    #[inline(always)]
    pub(super) fn walk<S: Simd>(&self, simd: S) {
        let Self(product) = self;
        let rows = Assignment::of_rows(product);
        if let Some(large) = Large::new::<S>(rows.product()) {
            // SAFETY: made for this product or the whole that it is a part of, of which its maker has promised what that wants.
            return unsafe { large.walk(simd, &rows) };
        }
        let columns = Assignment::of_columns(product);
        if let Some(stream) = Stream::new::<S>(columns.product()) {
            // SAFETY: as above.
            return unsafe { stream.walk(simd, &columns) };
        }
        // SAFETY: the maker's promise.
        unsafe { blocks::walk(simd, product) };
    }
}
