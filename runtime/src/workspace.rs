//! The memory in which a network works.

use core::fmt;
use core::mem::MaybeUninit;
use core::ops::{Deref, DerefMut};

use crate::pass::Key;
use crate::program::Program;
use crate::random::Seed;
use crate::simd::Instructions;

/// Something that begins at a cache line, so that vectors of it do not straddle two.
#[cfg_attr(target_pointer_width = "64", repr(C, align(64)))]
#[cfg_attr(not(target_pointer_width = "64"), repr(C))]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aligned<A>(pub(crate) A);

impl<A> Deref for Aligned<A> {
    type Target = A;

    #[inline(always)]
    fn deref(&self) -> &A {
        &self.0
    }
}

impl<A> DerefMut for Aligned<A> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut A {
        &mut self.0
    }
}

/// Room for a pass over up to `CAPACITY` samples at a time, the vector unit to use, and the seed and step that dropout
/// draws from.
///
/// A longer batch is worked in pieces. The vector unit is chosen here, once. Large workspaces should never be values on
/// the stack: [`boxed`](Self::boxed) makes one in place on the heap, [`new`](Self::new) is for statics.
///
/// ```
/// use std::sync::Mutex;
///
/// use backprop::prelude::*;
/// # network! {
/// #     pub struct Line;
/// #     fn forward(x: [2]) -> [1] { x.dense(1) }
/// #     fn loss(y, t: [1]) { mse(y, t) }
/// # }
///
/// let network = Line::<f32>::boxed(Seed(7));
/// let mut workspace = Workspace::<Line, 4>::boxed();
/// assert_eq!(network.predict_batch(&[[0.0; 2]; 4], &mut workspace)?.len(), 4);
/// // Outputs stay in the workspace, for which five are too many; a loss is summed up piece by piece.
/// assert!(network.predict_batch(&[[0.0; 2]; 5], &mut workspace).is_err());
/// assert!(network.loss(&[[0.0; 2]; 5], &[[1.0]; 5], &mut workspace)? > 0.0);
///
/// static WORKSPACE: Mutex<Workspace<Line, 1>> = Mutex::new(Workspace::new());
/// let mut workspace = WORKSPACE.lock().unwrap();
/// workspace.detect();
/// let [output] = network.predict(&[0.0, 1.0], &mut workspace);
/// # assert!(output.is_finite());
/// # Ok::<(), backprop::Error>(())
/// ```
#[repr(C)]
pub struct Workspace<N: Program, const CAPACITY: usize> {
    pub(crate) memory: Aligned<N::Memory<CAPACITY>>,
    pub(crate) instructions: Instructions,
    pub(crate) key: Key,
    /// Samples of the last `forward`, which `backward` must follow; 0 for none.
    pub(crate) forwarded: usize,
}

impl<N: Program, const CAPACITY: usize> Workspace<N, CAPACITY> {
    /// Size of the workspace.
    pub const BYTES: usize = size_of::<Self>();

    const CHECKED: () = assert!(CAPACITY > 0, "a workspace needs room for one sample");

    /// An empty workspace, made at compile time for a `static`; without a vector unit until
    /// [`detect`](Self::detect) or [`with_instructions`](Self::with_instructions) chooses one.
    pub const fn new() -> Self {
        const { Self::CHECKED }
        Self {
            // SAFETY: `Flat` memory is made of floating-point numbers, for which zero bytes are valid.
            memory: unsafe { MaybeUninit::zeroed().assume_init() },
            instructions: Instructions::scalar(),
            key: Key { seed: 0, step: 0 },
            forwarded: 0,
        }
    }

    /// An empty workspace on the heap, made in place, for the processor's best vector unit.
    #[cfg(feature = "alloc")]
    pub fn boxed() -> alloc::boxed::Box<Self> {
        let mut place = boxed_zeroed::<Self>();
        Self::prepare(&mut place, Seed(0));
        // SAFETY: the memory is zero, which is valid, and `prepare` has written the other fields.
        unsafe { assume_init(place) }
    }

    /// Completes a workspace whose memory is zero.
    pub(crate) fn prepare(place: &mut MaybeUninit<Self>, seed: Seed) {
        const { Self::CHECKED }
        let place = place.as_mut_ptr();
        // SAFETY: the fields lie inside the place, which is exclusively ours; writing them reads nothing.
        unsafe {
            (&raw mut (*place).instructions).write(Instructions::detect());
            (&raw mut (*place).key).write(Key { seed: seed.0, step: 0 });
            (&raw mut (*place).forwarded).write(0);
        }
    }

    /// Chooses the processor's best vector unit.
    pub fn detect(&mut self) -> &mut Self {
        self.with_instructions(Instructions::detect())
    }

    /// Chooses a vector unit.
    pub fn with_instructions(&mut self, instructions: Instructions) -> &mut Self {
        self.instructions = instructions;
        self
    }

    /// The vector unit.
    pub fn instructions(&self) -> Instructions {
        self.instructions
    }

    /// Restarts the random numbers of training, as of dropout. (A trainer goes on counting its steps, by which they
    /// differ, too.) A `backward` must then follow a new `forward`, whose pattern it repeats.
    pub fn reseed(&mut self, seed: Seed) -> &mut Self {
        self.key = Key { seed: seed.0, step: 0 };
        self.forwarded = 0;
        self
    }
}

impl<N: Program, const CAPACITY: usize> Default for Workspace<N, CAPACITY> {
    fn default() -> Self {
        let mut workspace = Self::new();
        workspace.detect();
        workspace
    }
}

impl<N: Program, const CAPACITY: usize> fmt::Debug for Workspace<N, CAPACITY> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Workspace")
            .field("network", &N::NAME)
            .field("capacity", &CAPACITY)
            .field("bytes", &Self::BYTES)
            .field("instructions", &self.instructions)
            .finish_non_exhaustive()
    }
}

/// Zeroed memory on the heap, which the operating system hands out without touching it.
#[cfg(feature = "alloc")]
pub(crate) fn boxed_zeroed<A>() -> alloc::boxed::Box<MaybeUninit<A>> {
    use alloc::boxed::Box;
    let layout = core::alloc::Layout::new::<A>();
    if layout.size() == 0 {
        // SAFETY: a box of nothing owns no memory. (`Box::new` would keep a place for the value on the stack in a
        // debug build, however large the type.)
        return unsafe { Box::from_raw(core::ptr::dangling_mut()) };
    }
    // SAFETY: the size is not zero.
    let pointer = unsafe { alloc::alloc::alloc_zeroed(layout) };
    if pointer.is_null() {
        alloc::alloc::handle_alloc_error(layout);
    }
    // SAFETY: freshly allocated with the layout of `A`, which is that of `MaybeUninit<A>`.
    unsafe { Box::from_raw(pointer.cast()) }
}

/// # Safety
/// The value must have been initialized.
#[cfg(feature = "alloc")]
pub(crate) unsafe fn assume_init<A>(place: alloc::boxed::Box<MaybeUninit<A>>) -> alloc::boxed::Box<A> {
    // SAFETY: same layout; the caller promises a valid value.
    unsafe { alloc::boxed::Box::from_raw(alloc::boxed::Box::into_raw(place).cast()) }
}
