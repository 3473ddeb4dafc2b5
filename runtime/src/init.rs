//! Start values, drawn in place.

use num_traits::Float;

use crate::flat;
use crate::program::Program;
use crate::random::{Random, Seed, hash};
use crate::scalar::Scalar;
use crate::simd::{Element, Instructions, Machine};
use crate::tensor::{Initializer, Tensor};

/// Gives every parameter its start value.
///
/// Each tensor has a random sequence of its own, found by its name: adding or removing a layer does not change how
/// the others start. `f32` and `f64` start alike, but for rounding.
pub(crate) fn initialize<N: Program>(network: &mut N, seed: Seed) {
    N::Scalar::initialize(network.as_flat_mut(), N::TENSORS, seed);
    // Before any unit is chosen.
    bound(Instructions::scalar(), network);
}

/// Brings every bounded parameter back within its bounds.
#[inline(always)]
pub(crate) fn bound<N: Program, X: Machine>(machine: X, network: &mut N) {
    if const { is_any_bounded(N::TENSORS) } {
        bound_each(machine, network);
    }
}

const fn is_any_bounded(tensors: &[Tensor]) -> bool {
    let mut index = 0;
    while index < tensors.len() {
        if tensors[index].clamp.is_some() && !tensors[index].frozen {
            return true;
        }
        index += 1;
    }
    false
}

fn bound_each<N: Program, X: Machine>(machine: X, network: &mut N) {
    let numbers = network.as_flat_mut();
    for tensor in N::TENSORS {
        let (Some((low, high)), false) = (tensor.clamp, tensor.frozen) else {
            continue;
        };
        let (low, high) = (N::Scalar::constant(low), N::Scalar::constant(high));
        if let Some(numbers) = numbers.get_mut(tensor.offset..tensor.offset + tensor.len()) {
            flat::bound(machine, numbers, low, high);
        }
    }
}

/// Draws the start values of all tensors, which lie in `numbers` at their offsets.
pub(crate) fn draw<T: Scalar>(numbers: &mut [T], tensors: &[Tensor], seed: Seed) {
    for tensor in tensors {
        if let Some(values) = numbers.get_mut(tensor.offset..tensor.offset + tensor.len()) {
            fill(values, tensor, &mut Random::new(seed.part(hash(tensor.name))));
        }
    }
}

/// Numbers of incoming and outgoing connections, as [`Initializer`] defines them.
fn fans(shape: &[usize]) -> (f64, f64) {
    let (fan_in, fan_out) = match *shape {
        [] => (1, 1),
        [size] => (size, size),
        [ref others @ .., rows, columns] => {
            let field: usize = others.iter().product();
            (rows * field, columns * field)
        }
    };
    (fan_in.max(1) as f64, fan_out.max(1) as f64)
}

fn fill<T: Scalar>(values: &mut [T], tensor: &Tensor, random: &mut Random) {
    let (fan_in, fan_out) = fans(tensor.shape);
    match tensor.initializer {
        Initializer::Zeros => values.fill(T::zero()),
        Initializer::Constant(value) => values.fill(T::constant(value)),
        Initializer::Literal(numbers) => {
            for (value, &number) in values.iter_mut().zip(numbers) {
                *value = T::constant(number);
            }
        }
        Initializer::Uniform(low, high) => uniform(values, low, high, random),
        Initializer::Normal(deviation) => normal(values, deviation, random),
        Initializer::GlorotUniform => symmetric(values, 6.0 / (fan_in + fan_out), random),
        Initializer::GlorotNormal => normal(values, Float::sqrt(2.0 / (fan_in + fan_out)), random),
        Initializer::HeUniform => symmetric(values, 6.0 / fan_in, random),
        Initializer::HeNormal => normal(values, Float::sqrt(2.0 / fan_in), random),
        Initializer::LecunUniform => symmetric(values, 3.0 / fan_in, random),
        Initializer::LecunNormal => normal(values, Float::sqrt(1.0 / fan_in), random),
        Initializer::Orthogonal => {
            normal(values, 1.0, random);
            let columns = tensor.shape.last().copied().unwrap_or(1).max(1);
            orthogonal(values, values.len() / columns, columns);
        }
    }
}

fn uniform<T: Scalar>(values: &mut [T], low: f64, high: f64, random: &mut Random) {
    for value in values {
        *value = T::constant(random.between(low, high));
    }
}

fn symmetric<T: Scalar>(values: &mut [T], square: f64, random: &mut Random) {
    let bound = Float::sqrt(square);
    uniform(values, -bound, bound, random);
}

fn normal<T: Scalar>(values: &mut [T], deviation: f64, random: &mut Random) {
    for value in values {
        *value = T::constant(deviation * random.normal());
    }
}

/// Makes a random matrix orthogonal, square block by square block where it is made of such.
fn orthogonal<T: Scalar>(values: &mut [T], rows: usize, columns: usize) {
    if rows > 0 && columns > rows && columns.is_multiple_of(rows) {
        for block in 0..columns / rows {
            let matrix =
                Strided { start: block * rows, vectors: rows, vector_stride: columns, length: rows, stride: 1 };
            matrix.orthonormalize(values);
        }
    } else if columns > rows {
        let matrix = Strided { start: 0, vectors: rows, vector_stride: columns, length: columns, stride: 1 };
        matrix.orthonormalize(values);
    } else {
        let matrix = Strided { start: 0, vectors: columns, vector_stride: 1, length: rows, stride: columns };
        matrix.orthonormalize(values);
    }
}

/// Rows or columns of a part of a matrix.
struct Strided {
    start: usize,
    vectors: usize,
    vector_stride: usize,
    length: usize,
    stride: usize,
}

impl Strided {
    const fn at(&self, vector: usize, index: usize) -> usize {
        self.start + vector * self.vector_stride + index * self.stride
    }

    fn dot<T: Scalar>(&self, values: &[T], first: usize, second: usize) -> f64 {
        (0..self.length).map(|i| values[self.at(first, i)].widen() * values[self.at(second, i)].widen()).sum()
    }

    /// Gram and Schmidt's process, each vector twice, which leaves them orthogonal to rounding ("twice is enough",
    /// Giraud et al. 2005).
    fn orthonormalize<T: Scalar>(&self, values: &mut [T]) {
        for vector in 0..self.vectors {
            for _ in 0..2 {
                for earlier in 0..vector {
                    let projection = T::constant(self.dot(values, vector, earlier));
                    for i in 0..self.length {
                        let part = projection * values[self.at(earlier, i)];
                        values[self.at(vector, i)] -= part;
                    }
                }
                let norm = T::constant(Float::sqrt(self.dot(values, vector, vector)));
                for i in 0..self.length {
                    values[self.at(vector, i)] /= norm;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Role;

    fn drawn<const N: usize>(initializer: Initializer, shape: &'static [usize]) -> [f64; N] {
        let tensor =
            Tensor { name: "w", offset: 0, shape, role: Role::Weight, initializer, frozen: false, clamp: None };
        let mut values = [f64::NAN; N];
        fill(&mut values, &tensor, &mut Random::new(Seed(11)));
        values
    }

    fn moments(values: &[f64]) -> (f64, f64, f64) {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| value * value).sum::<f64>() / count;
        (mean, variance, values.iter().fold(0.0, |largest, value| f64::max(largest, value.abs())))
    }

    #[test]
    fn variances_are_as_published() {
        let shape = &[100, 60];
        for (initializer, expected, bound) in [
            (Initializer::GlorotUniform, 2.0 / 160.0, (6.0_f64 / 160.0).sqrt()),
            (Initializer::GlorotNormal, 2.0 / 160.0, f64::INFINITY),
            (Initializer::HeUniform, 2.0 / 100.0, (6.0_f64 / 100.0).sqrt()),
            (Initializer::HeNormal, 2.0 / 100.0, f64::INFINITY),
            (Initializer::LecunUniform, 1.0 / 100.0, (3.0_f64 / 100.0).sqrt()),
            (Initializer::LecunNormal, 1.0 / 100.0, f64::INFINITY),
            (Initializer::Normal(0.5), 0.25, f64::INFINITY),
            (Initializer::Uniform(-3.0, 3.0), 3.0, 3.0),
        ] {
            let (mean, variance, largest) = moments(&drawn::<6000>(initializer, shape));
            assert!(mean.abs() < 0.06 * expected.sqrt(), "{initializer:?}: mean {mean}");
            assert!((variance / expected - 1.0).abs() < 0.06, "{initializer:?}: variance {variance}");
            assert!(largest <= bound, "{initializer:?}: {largest}");
        }
    }

    #[test]
    fn fixed_values() {
        assert_eq!(drawn::<3>(Initializer::Zeros, &[3]), [0.0; 3]);
        assert_eq!(drawn::<3>(Initializer::Constant(0.5), &[3]), [0.5; 3]);
        assert_eq!(drawn::<2>(Initializer::Literal(&[0.3, -0.1]), &[2, 1]), [0.3, -0.1]);
    }

    #[test]
    fn other_axes_count_into_both_fans() {
        assert_eq!(fans(&[3, 5, 7]), (15.0, 21.0));
        assert_eq!(fans(&[]), (1.0, 1.0));
        assert_eq!(fans(&[4]), (4.0, 4.0));
    }

    /// Inner products of rows (or columns) against the identity.
    fn assert_orthonormal(values: &[f64], matrix: &Strided) {
        for first in 0..matrix.vectors {
            for second in 0..matrix.vectors {
                let expected = if first == second { 1.0 } else { 0.0 };
                assert!((matrix.dot(values, first, second) - expected).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn orthogonal_matrices() {
        let tall = drawn::<60>(Initializer::Orthogonal, &[10, 6]);
        assert_orthonormal(&tall, &Strided { start: 0, vectors: 6, vector_stride: 1, length: 10, stride: 6 });
        let wide = drawn::<60>(Initializer::Orthogonal, &[6, 10]);
        assert_orthonormal(&wide, &Strided { start: 0, vectors: 6, vector_stride: 10, length: 10, stride: 1 });
        let gates = drawn::<64>(Initializer::Orthogonal, &[4, 16]);
        for start in [0, 4, 8, 12] {
            assert_orthonormal(&gates, &Strided { start, vectors: 4, vector_stride: 16, length: 4, stride: 1 });
        }
    }
}
