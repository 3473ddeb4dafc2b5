//! Tensors of cases, as the programs in `tests/data` write them: `case;tensor;index;number`.

use backprop::Instructions;
use backprop::memory::Flat;

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
}
