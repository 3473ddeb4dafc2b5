//! Which vector unit to use, and how kernels are entered.

use core::fmt;

use pulp::{Scalar as ScalarUnit, Simd, WithSimd};

/// The vector unit that kernels run on.
///
/// Chosen once, when a workspace or trainer is constructed, and stored there: no step asks the processor again. Where it is
/// AVX-512, kernels that memory decides, not arithmetic, and those of rows too short for its registers share the code for AVX2.
#[derive(Clone, Copy)]
pub struct Instructions(Unit);

#[derive(Clone, Copy)]
enum Unit {
    Scalar,
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    Avx2(pulp::x86::V3),
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    Avx512(pulp::x86::V4),
    #[cfg(target_arch = "aarch64")]
    Neon(pulp::aarch64::Neon),
    #[cfg(target_arch = "wasm32")]
    Simd128(pulp::wasm::Simd128),
}

/// One entry for every vector unit that the library knows on this architecture.
const UNITS: usize = 3;

impl Instructions {
    /// The best vector unit of this processor, which the first call in a process asks what it has.
    pub fn detect() -> Self {
        #[cfg(feature = "std")]
        {
            static BEST: std::sync::OnceLock<Instructions> = std::sync::OnceLock::new();
            *BEST.get_or_init(Self::best)
        }
        #[cfg(not(feature = "std"))]
        Self::best()
    }

    fn best() -> Self {
        let mut best = Self::scalar();
        for unit in Self::available() {
            best = unit;
        }
        best
    }

    /// No vector unit: one number at a time.
    pub const fn scalar() -> Self {
        Self(Unit::Scalar)
    }

    /// Every vector unit that this processor has, the best one last.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::units().into_iter().flatten()
    }

    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    fn units() -> [Option<Self>; UNITS] {
        [
            Some(Self::scalar()),
            pulp::x86::V3::try_new().map(|simd| Self(Unit::Avx2(simd))),
            pulp::x86::V4::try_new().map(|simd| Self(Unit::Avx512(simd))),
        ]
    }

    #[cfg(target_arch = "aarch64")]
    fn units() -> [Option<Self>; UNITS] {
        [Some(Self::scalar()), pulp::aarch64::Neon::try_new().map(|simd| Self(Unit::Neon(simd))), None]
    }

    #[cfg(target_arch = "wasm32")]
    fn units() -> [Option<Self>; UNITS] {
        [Some(Self::scalar()), pulp::wasm::Simd128::try_new().map(|simd| Self(Unit::Simd128(simd))), None]
    }

    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64", target_arch = "wasm32")))]
    fn units() -> [Option<Self>; UNITS] {
        [Some(Self::scalar()), None, None]
    }

    /// The unit that a token belongs to.
    #[cfg(test)]
    pub(crate) fn of<S: Simd>(simd: S) -> Self {
        let simd: &dyn core::any::Any = &simd;
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        {
            if let Some(&simd) = simd.downcast_ref() {
                return Self(Unit::Avx2(simd));
            }
            if let Some(&simd) = simd.downcast_ref() {
                return Self(Unit::Avx512(simd));
            }
        }
        #[cfg(target_arch = "aarch64")]
        if let Some(&simd) = simd.downcast_ref() {
            return Self(Unit::Neon(simd));
        }
        #[cfg(target_arch = "wasm32")]
        if let Some(&simd) = simd.downcast_ref() {
            return Self(Unit::Simd128(simd));
        }
        Self::scalar()
    }

    /// The unit's name, as reports print it.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Unit::Scalar => "scalar",
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Unit::Avx2(_) => "AVX2 + FMA",
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Unit::Avx512(_) => "AVX-512",
            #[cfg(target_arch = "aarch64")]
            Unit::Neon(_) => "NEON",
            #[cfg(target_arch = "wasm32")]
            Unit::Simd128(_) => "wasm simd128",
        }
    }

    /// Runs `operation` compiled for this vector unit.
    #[inline]
    pub fn dispatch<Op: WithSimd>(self, operation: Op) -> Op::Output {
        match self.0 {
            Unit::Scalar => scalar(operation),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Unit::Avx2(simd) => Simd::vectorize(simd, operation),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Unit::Avx512(simd) => Simd::vectorize(simd, operation),
            #[cfg(target_arch = "aarch64")]
            Unit::Neon(simd) => Simd::vectorize(simd, operation),
            #[cfg(target_arch = "wasm32")]
            Unit::Simd128(simd) => Simd::vectorize(simd, operation),
        }
    }

    /// Runs `operation` compiled for this vector unit, or for one with narrower registers that this one includes: where memory
    /// decides how long it takes, or rows are short, the wider ones are not worth their time in the compiler.
    #[inline]
    pub(crate) fn dispatch_light<Op: WithSimd>(self, operation: Op) -> Op::Output {
        match self.0 {
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Unit::Scalar => scalar(operation),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Unit::Avx2(simd) => Simd::vectorize(simd, operation),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Unit::Avx512(simd) => Simd::vectorize(*simd, operation),
            #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
            _ => self.dispatch(operation),
        }
    }
}

/// Runs `operation` without a vector unit, in a function of its own as the vector units do: who dispatches stays small.
#[inline(never)]
fn scalar<Op: WithSimd>(operation: Op) -> Op::Output {
    operation.with_simd(ScalarUnit)
}

impl Default for Instructions {
    fn default() -> Self {
        Self::detect()
    }
}

impl fmt::Debug for Instructions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl fmt::Display for Instructions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// How kernels are entered.
pub trait Machine: Copy + Send + Sync {
    /// Whether kernels are plain loops over single numbers.
    const PLAIN: bool;

    /// Runs a kernel.
    fn call<Op: WithSimd>(self, operation: Op) -> Op::Output;

    /// Runs a kernel that does little with each number, or with few of them in a row, as [`Instructions`] may do with narrower
    /// registers.
    #[inline(always)]
    fn call_light<Op: WithSimd>(self, operation: Op) -> Op::Output {
        self.call(operation)
    }

    /// Runs something as a function of its own, compiled for the vector unit.
    fn outline<Op: WithSimd>(self, operation: Op) -> Op::Output;

    /// The unit for work that is compiled with this library.
    fn instructions(self) -> Instructions;
}

/// Every kernel is a function of its own for each vector unit, compiled once for all calls with the same types. What calls
/// kernels is compiled once for all units.
impl Machine for Instructions {
    const PLAIN: bool = false;

    #[inline(always)]
    fn call<Op: WithSimd>(self, operation: Op) -> Op::Output {
        self.dispatch(operation)
    }

    #[inline(always)]
    fn call_light<Op: WithSimd>(self, operation: Op) -> Op::Output {
        self.dispatch_light(operation)
    }

    #[inline(always)]
    fn outline<Op: WithSimd>(self, operation: Op) -> Op::Output {
        self.dispatch(operation)
    }

    #[inline(always)]
    fn instructions(self) -> Instructions {
        self
    }
}

/// Kernels become part of their caller and work on one number at a time: tiny networks, whose rows fill no register, and
/// whose calls would cost more than their arithmetic. Sizes are constants there, so that all loops unroll and values pass
/// from one kernel to the next in registers; what the compiler then finds to do at once, it does on the vector unit.
#[derive(Clone, Copy, Debug)]
pub struct Plain<S>(pub S);

impl<S: Simd> Machine for Plain<S> {
    const PLAIN: bool = true;

    #[inline(always)]
    fn call<Op: WithSimd>(self, operation: Op) -> Op::Output {
        operation.with_simd(ScalarUnit)
    }

    #[inline(always)]
    fn outline<Op: WithSimd>(self, operation: Op) -> Op::Output {
        self.0.vectorize(operation)
    }

    #[inline(always)]
    fn instructions(self) -> Instructions {
        Instructions::scalar()
    }
}
