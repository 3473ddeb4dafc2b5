//! Where a value's elements lie.

use crate::graph::{Element, Shape};

/// What holds the elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    Buffer(usize),
    /// An argument of the entry point.
    Input(usize),
    /// A per-step number among the arguments.
    PerStep(usize),
    Parameter(usize),
    /// The gradient of a parameter.
    Gradient(usize),
    /// All elements the same; the bits of an `f64`.
    Constant(u64),
    /// The element's offset itself.
    Position,
    /// The number of the step of a loop.
    Step(usize),
}

impl Source {
    /// Whether its numbers lie in memory.
    pub(crate) fn is_memory(self) -> bool {
        matches!(self, Self::Buffer(_) | Self::Input(_) | Self::Parameter(_) | Self::Gradient(_))
    }
}

/// Elements of a source: `offset + sample * sample_stride + sum(index * stride) + sum(step of a loop * stride)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) source: Source,
    pub(crate) element: Element,
    pub(crate) offset: usize,
    pub(crate) shape: Shape,
    pub(crate) strides: Vec<usize>,
    pub(crate) sample_stride: usize,
    /// Enclosing loops, by number, with the stride of a step.
    pub(crate) loops: Vec<(usize, usize)>,
}

/// Row-major strides.
pub(crate) fn dense_strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![0; shape.len()];
    let mut stride = 1;
    for axis in (0..shape.len()).rev() {
        strides[axis] = stride;
        stride *= shape[axis];
    }
    strides
}

impl View {
    /// Row-major elements from the start of a source.
    pub(crate) fn dense(source: Source, element: Element, shape: &[usize], batched: bool) -> Self {
        let size: usize = shape.iter().product();
        View {
            source,
            element,
            offset: 0,
            shape: shape.to_vec(),
            strides: dense_strides(shape),
            sample_stride: if batched { size } else { 0 },
            loops: Vec::new(),
        }
    }

    /// One number for all places.
    pub(crate) fn uniform(source: Source, shape: &[usize]) -> Self {
        View {
            source,
            element: Element::Real,
            offset: 0,
            shape: shape.to_vec(),
            strides: vec![0; shape.len()],
            sample_stride: 0,
            loops: Vec::new(),
        }
    }

    /// The index along one axis.
    pub(crate) fn position(shape: &[usize], axis: usize) -> Self {
        let mut view = View::uniform(Source::Position, shape);
        view.strides[axis] = 1;
        view
    }

    /// The same elements in another shape, if strides can say it.
    pub(crate) fn reshape(&self, shape: &[usize]) -> Option<View> {
        let strides = reshape_strides(&self.shape, &self.strides, shape)?;
        Some(View { shape: shape.to_vec(), strides, ..self.clone() })
    }

    pub(crate) fn transpose(&self, permutation: &[usize]) -> View {
        View {
            shape: permutation.iter().map(|&axis| self.shape[axis]).collect(),
            strides: permutation.iter().map(|&axis| self.strides[axis]).collect(),
            ..self.clone()
        }
    }

    pub(crate) fn slice(&self, axis: usize, start: usize, end: usize) -> View {
        let mut view = self.clone();
        view.offset += start * self.strides[axis];
        view.shape[axis] = end - start;
        view
    }

    /// The first axis becomes the steps of a loop.
    pub(crate) fn at_step(&self, number: usize) -> View {
        let mut view = self.clone();
        view.shape.remove(0);
        view.loops.push((number, view.strides.remove(0)));
        view
    }

    /// Repeated to a shape that it broadcasts to.
    pub(crate) fn broadcast(&self, shape: &[usize]) -> View {
        let missing = shape.len() - self.shape.len();
        let mut strides = vec![0; shape.len()];
        for axis in 0..self.shape.len() {
            if self.shape[axis] != 1 {
                strides[axis + missing] = self.strides[axis];
            }
        }
        View { shape: shape.to_vec(), strides, ..self.clone() }
    }
}

/// Strides of `new` for elements laid out as `old`, in row-major order of both, if there are such.
fn reshape_strides(old: &[usize], old_strides: &[usize], new: &[usize]) -> Option<Vec<usize>> {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for (&size, &stride) in old.iter().zip(old_strides).filter(|(size, _)| **size != 1) {
        match parts.last_mut() {
            Some((whole, inner)) if *inner == size * stride => (*whole, *inner) = (*whole * size, stride),
            _ => parts.push((size, stride)),
        }
    }
    let mut strides = vec![0; new.len()];
    let mut part = parts.pop();
    for axis in (0..new.len()).rev().filter(|&axis| new[axis] != 1) {
        let (size, stride) = part?;
        if size % new[axis] != 0 {
            return None;
        }
        strides[axis] = stride;
        let rest = size / new[axis];
        part = if rest == 1 { parts.pop() } else { Some((rest, stride * new[axis])) };
    }
    Some(strides)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reshape_follows_what_strides_can_say() {
        assert_eq!(reshape_strides(&[4, 6], &[6, 1], &[24]), Some(vec![1]));
        assert_eq!(reshape_strides(&[24], &[1], &[2, 3, 4]), Some(vec![12, 4, 1]));
        assert_eq!(reshape_strides(&[4, 6], &[8, 1], &[24]), None);
        assert_eq!(reshape_strides(&[4, 6], &[8, 1], &[2, 2, 6]), Some(vec![16, 8, 1]));
        assert_eq!(reshape_strides(&[4, 6], &[0, 1], &[4, 1, 6]), Some(vec![0, 0, 1]));
        assert_eq!(reshape_strides(&[4, 6], &[0, 0], &[24]), Some(vec![0]));
    }
}
