//! Which memory the matrices of a product take up: threads may compute parts of it at the same time only where what one of
//! them writes, no other reads or writes.

/// Multiply-adds from which on a product is worth handing a part of it over, which takes about a microsecond. (Tests hand over
/// small ones, too.)
const WORTH: usize = if cfg!(test) { 1 << 9 } else { 1 << 18 };

/// Whether a product of so many rows, steps and columns is worth more than one thread.
#[inline(always)]
pub(super) const fn is_worth([m, k, n]: [usize; 3]) -> bool {
    m.saturating_mul(k).saturating_mul(n) >= WORTH
}

/// Where a matrix lies, from its first byte to the one behind its last.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    start: usize,
    end: usize,
    /// Elements from one row to the next, and from one column to the next.
    strides: [usize; 2],
    /// Whether it is a single thread's memory as a whole, of which others must not even read the same element.
    exclusive: bool,
}

impl Reach {
    /// No memory.
    pub(crate) const NOWHERE: Self = Self { start: 0, end: 0, strides: [0; 2], exclusive: false };

    /// Of so many rows and columns from the pointer on, which must lie within one slice.
    #[inline]
    pub(crate) fn of<T>(first: *const T, [rows, columns]: [usize; 2], strides: [usize; 2]) -> Self {
        let start = first.addr();
        if rows == 0 || columns == 0 {
            return Self::NOWHERE;
        }
        // No overflow: the last element lies within a slice.
        let last = (rows - 1).wrapping_mul(strides[0]).wrapping_add((columns - 1).wrapping_mul(strides[1]));
        let end = start.wrapping_add(last.wrapping_add(1).wrapping_mul(size_of::<T>()));
        Self { start, end, strides, exclusive: false }
    }

    /// Of memory in which one thread works.
    #[inline]
    pub(crate) fn of_memory<T>(memory: &[T]) -> Self {
        Self { exclusive: true, ..Self::of(memory.as_ptr(), [1, memory.len()], [0, 1]) }
    }

    /// Whether no two elements share a place.
    #[inline]
    pub(crate) const fn is_injective(&self, columns: usize) -> bool {
        self.strides[1] == 1 && self.strides[0] >= columns
    }

    /// Whether both have memory in common.
    #[inline]
    pub(crate) const fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether no element of this one lies where another row and column of the other one does.
    #[inline]
    pub(crate) fn is_clear_of(&self, other: &Self) -> bool {
        !self.overlaps(other) || self == other
    }
}

#[cfg(test)]
mod tests {
    use super::Reach;

    #[test]
    fn memory_in_common_is_found() {
        let memory = [0.0_f32; 100];
        let at = |first: usize, size, strides| Reach::of(memory[first..].as_ptr(), size, strides);
        // Rows 0 to 2 of ten, 4 columns each: the last element is number 23.
        let matrix = at(0, [3, 4], [10, 1]);
        assert_eq!(matrix.end - matrix.start, 24 * size_of::<f32>());
        assert!(matrix.overlaps(&at(23, [1, 1], [0, 0])) && !matrix.overlaps(&at(24, [9, 4], [4, 1])));
        assert!(at(24, [9, 4], [4, 1]).is_clear_of(&matrix));
        // The very same places, which one may read where it writes, and others among them.
        assert!(at(0, [3, 4], [10, 1]).is_clear_of(&matrix));
        for other in [at(0, [3, 4], [0, 1]), at(1, [3, 4], [10, 1]), at(0, [1, 1], [10, 1]), at(0, [3, 4], [10, 2])] {
            assert!(!other.is_clear_of(&matrix) && !matrix.is_clear_of(&other));
        }
        let work = Reach::of_memory(&memory[..4]);
        assert!(!at(0, [1, 4], [0, 1]).is_clear_of(&work) && at(4, [1, 4], [0, 1]).is_clear_of(&work));
        for empty in [at(3, [0, 4], [10, 1]), at(3, [4, 0], [10, 1]), Reach::NOWHERE] {
            assert!(empty.is_clear_of(&matrix) && matrix.is_clear_of(&empty));
        }
        assert!(matrix.is_injective(10) && !matrix.is_injective(11) && !at(0, [3, 4], [10, 2]).is_injective(4));
    }
}
