//! Tensors of cases, as the programs in `tests/data` write them: `case;tensor;index;number`.

use std::ops::Range;

use backprop::memory::Flat;
use backprop::{Instructions, Program};

use super::agrees;

/// The tensors of one case.
pub(crate) struct Case {
    name: &'static str,
    lines: Vec<(&'static str, f64)>,
}

impl Case {
    /// # Panics
    /// When the file has no such case.
    pub(crate) fn find(file: &'static str, name: &'static str) -> Self {
        let columns = file.lines().map(|line| line.split(';').collect::<Vec<_>>());
        let of_case = columns.filter(|columns| columns[0] == name);
        let lines: Vec<_> = of_case.map(|columns| (columns[1], columns[3].parse().unwrap())).collect();
        assert!(!lines.is_empty(), "there is no case `{name}`");
        Self { name, lines }
    }

    pub(crate) fn has(&self, tensor: &str) -> bool {
        self.lines.iter().any(|(name, _)| *name == tensor)
    }

    /// The numbers of a tensor, row by row; none if the case does not have it.
    pub(crate) fn numbers(&self, tensor: &str) -> Vec<f64> {
        self.lines.iter().filter(|(name, _)| *name == tensor).map(|(_, number)| *number).collect()
    }

    /// The numbers of a tensor, in the type of a parameter or of a sample.
    pub(crate) fn tensor<A: Flat<f64> + Clone>(&self, tensor: &str) -> Vec<A> {
        backprop::memory::arrays(&self.numbers(tensor)).to_vec()
    }

    /// # Panics
    /// When the numbers are not those of the tensor.
    #[track_caller]
    pub(crate) fn assert_agrees(&self, unit: Instructions, tensor: &str, found: &[f64]) {
        let expected = self.numbers(tensor);
        assert_eq!(found.len(), expected.len(), "{}: the size of {tensor}", self.name);
        for (index, (&found, &expected)) in found.iter().zip(&expected).enumerate() {
            let case = self.name;
            assert!(agrees(found, expected), "{case}, {unit}: {tensor} {index} is {found}, not {expected}");
        }
    }

    /// Gives their numbers to all trained parameters whose names begin with the prefix, which the file leaves out.
    pub(crate) fn fill_parameters<N: Program<Scalar = f64>>(&self, network: &mut N, prefix: &str) {
        for (name, range) in parameters::<N>(prefix) {
            network.as_flat_mut()[range].copy_from_slice(&self.numbers(name));
        }
    }

    /// # Panics
    /// When the gradient of one of those parameters differs.
    #[track_caller]
    pub(crate) fn assert_gradient_agrees<N: Program<Scalar = f64>>(
        &self,
        unit: Instructions,
        gradient: &N,
        prefix: &str,
    ) {
        for (name, range) in parameters::<N>(prefix) {
            self.assert_agrees(unit, &format!("{name}.gradient"), &gradient.as_flat()[range]);
        }
    }
}

/// Names without the prefix, and places in the flat view.
fn parameters<N: Program>(prefix: &str) -> impl Iterator<Item = (&'static str, Range<usize>)> {
    let trained = N::TENSORS.iter().filter(|tensor| !tensor.frozen);
    trained.filter_map(move |tensor| {
        let range = tensor.offset..tensor.offset + tensor.len();
        tensor.name.strip_prefix(prefix).map(|name| (name, range))
    })
}
