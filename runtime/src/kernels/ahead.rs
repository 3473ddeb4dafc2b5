//! What is fetched into the cache before it is needed.

use crate::simd::prefetch;

/// Bytes of a line of the cache.
pub(super) const LINE: usize = 64;

/// Matrices of the size of a product of which an epilogue will read each element: they are fetched into the cache while the
/// product is computed.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct Ahead<T> {
    /// Where they begin; null for nothing, and behind the last one.
    pub(crate) places: [*const T; 3],
    /// From one row to the next.
    pub(crate) row: usize,
}

impl<T> Ahead<T> {
    /// Nothing.
    pub(crate) const NOTHING: Self = Self { places: [core::ptr::null(); 3], row: 0 };

    /// Whether there is nothing to fetch.
    #[inline(always)]
    pub(super) fn is_nothing(&self) -> bool {
        self.places[0].is_null()
    }

    /// From this row and column on.
    #[inline(always)]
    pub(super) fn at(mut self, row: usize, column: usize) -> Self {
        for place in &mut self.places {
            if !place.is_null() {
                *place = place.wrapping_add(row * self.row + column);
            }
        }
        self
    }

    /// Fetches some rows of so many columns.
    #[inline(always)]
    pub(super) fn fetch(&self, rows: usize, columns: usize) {
        for place in self.places {
            if place.is_null() {
                return;
            }
            fetch(place, self.row, rows, columns);
        }
    }
}

/// Fetches rows, `stride` apart, of so many elements.
#[inline(always)]
pub(super) fn fetch<T>(place: *const T, stride: usize, rows: usize, columns: usize) {
    for row in 0..rows {
        let mut column = 0;
        while column < columns {
            prefetch(place.wrapping_add(row * stride + column));
            column += LINE / size_of::<T>();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Ahead;
    use crate::kernels::store;

    #[test]
    fn places_lie_where_the_destination_does() {
        let (mut gradient, parameters, state) = ([0.0_f32; 100], [0.0_f32; 100], [0.0_f32; 100]);
        let (parameters, state) = (parameters.as_ptr(), state.as_ptr());
        // The second of two matrices of 3 by 4, five from one row to the next, from number 7 on.
        let destination = store(&mut gradient[..], 7, [20, 5, 1]);
        let ahead = destination.ahead(&[1, 0, 0], [parameters, state, core::ptr::null()]);
        let first = 7 + 20;
        assert_eq!(ahead.row, 5);
        assert_eq!(ahead.places, [parameters.wrapping_add(first), state.wrapping_add(first), core::ptr::null()]);
        let place = first + 2 * 5 + 3;
        let ahead = ahead.at(2, 3);
        assert_eq!(ahead.places, [parameters.wrapping_add(place), state.wrapping_add(place), core::ptr::null()]);
        assert!(!ahead.is_nothing() && Ahead::<f32>::NOTHING.is_nothing());
        assert_eq!(Ahead::<f32>::NOTHING.at(2, 3).places, [core::ptr::null(); 3]);
    }
}
