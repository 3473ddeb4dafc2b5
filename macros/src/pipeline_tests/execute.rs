//! A slow and simple execution of plans in double precision. Every place of memory knows the buffer that it was last
//! written for, so that a plan in which buffers that are still needed overlap is found out.

use std::collections::{BTreeMap, HashMap};

use crate::formula::Formula;
use crate::graph::Reduction;
use crate::graph::interpret::{Example, Samples};
use crate::plan::{Destination, Extent, Kernel, Operand, Schedule, Source, View};

/// What a plan left.
pub(super) struct Outcome {
    pub(super) results: Vec<Samples>,
    /// By parameter.
    pub(super) gradients: BTreeMap<usize, Vec<f64>>,
}

#[derive(Clone, Copy)]
struct Cell {
    value: f64,
    /// The buffer that it was written for.
    owner: Option<usize>,
}

/// Runs a plan on an example; `random` gives the next number of a stream.
pub(super) fn execute(schedule: &Schedule, example: &Example, random: &mut dyn FnMut(usize) -> f64) -> Outcome {
    let empty = Cell { value: f64::NAN, owner: None };
    let mut machine = Machine {
        schedule,
        example,
        random,
        memory: vec![empty; schedule.sample_size * example.batch + schedule.shared_size],
        gradients: BTreeMap::new(),
        steps: HashMap::new(),
    };
    machine.kernels(&schedule.kernels);
    let results = schedule.results.iter().map(|view| machine.samples(view)).collect();
    let gradients = machine.gradients.into_iter().map(|(parameter, cells)| {
        let values = cells.into_values().collect();
        (parameter, values)
    });
    Outcome { results, gradients: gradients.collect() }
}

struct Machine<'a> {
    schedule: &'a Schedule,
    example: &'a Example,
    random: &'a mut dyn FnMut(usize) -> f64,
    memory: Vec<Cell>,
    /// By parameter and place.
    gradients: BTreeMap<usize, BTreeMap<usize, f64>>,
    /// The current step of each loop.
    steps: HashMap<usize, usize>,
}

/// Calls `each` with the indices of all places of a loop nest, innermost last.
fn each_place(extents: &[usize], mut each: impl FnMut(&[usize])) {
    let mut place = vec![0; extents.len()];
    for _ in 0..extents.iter().product() {
        each(&place);
        for axis in (0..extents.len()).rev() {
            place[axis] += 1;
            if place[axis] < extents[axis] {
                break;
            }
            place[axis] = 0;
        }
    }
}

fn dot(place: &[usize], strides: &[usize]) -> usize {
    assert_eq!(place.len(), strides.len(), "a stride for each loop");
    place.iter().zip(strides).map(|(index, stride)| index * stride).sum()
}

impl Machine<'_> {
    fn kernels(&mut self, kernels: &[Kernel]) {
        for kernel in kernels {
            match kernel {
                Kernel::Loop { number, steps, reverse, kernels } => {
                    for step in 0..*steps {
                        self.steps.insert(*number, if *reverse { steps - 1 - step } else { step });
                        self.kernels(kernels);
                    }
                    self.steps.remove(number);
                }
                _ => self.kernel(kernel),
            }
        }
    }

    fn extent(&self, extent: &Extent) -> usize {
        if extent.samples { extent.count * self.example.batch } else { extent.count }
    }

    fn kernel(&mut self, kernel: &Kernel) {
        match kernel {
            Kernel::Nest { extents, inputs, outputs, formulas } => {
                let extents: Vec<usize> = extents.iter().map(|extent| self.extent(extent)).collect();
                self.check_apart(&extents, inputs, outputs);
                self.start(&extents, outputs);
                each_place(&extents, |place| {
                    let arguments: Vec<f64> = inputs.iter().map(|input| self.read(input, place)).collect();
                    self.finish(place, outputs, formulas, &arguments);
                });
            }
            Kernel::Rows { stages } => self.rows(stages),
            Kernel::Contract { outer, m, k, n, lhs, rhs, inputs, outputs, formulas, lent } => {
                let extents: Vec<usize> = outer.iter().chain([m, n]).map(|extent| self.extent(extent)).collect();
                let inner = self.extent(k);
                self.check_apart(&extents, inputs, outputs);
                if let Some(view) = lent {
                    let size = self.example.batch * view.shape.iter().product::<usize>();
                    (0..size).for_each(|place| self.store(view, place, |_| f64::NAN));
                }
                let products = self.products(&extents, inner, lhs, rhs);
                self.start(&extents, outputs);
                let mut products = products.into_iter();
                each_place(&extents, |place| {
                    let mut arguments = vec![products.next().expect("one product a place")];
                    arguments.extend(inputs.iter().map(|input| self.read(input, place)));
                    self.finish(place, outputs, formulas, &arguments);
                });
            }
            Kernel::Lookup { extents, table, rows, width, indices, output } => {
                let extents: Vec<usize> = extents.iter().map(|extent| self.extent(extent)).collect();
                each_place(&extents, |place| {
                    let row = self.read(indices, place) as usize;
                    assert!(row < *rows, "a row of the table");
                    for column in 0..*width {
                        let value = self.load(table, row * width + column);
                        self.store(&output.view, dot(place, &output.strides) + column, |_| value);
                    }
                });
            }
            Kernel::LookupAdjoint { extents, rows, width, indices, gradient, output } => {
                let extents: Vec<usize> = extents.iter().map(|extent| self.extent(extent)).collect();
                (0..rows * width).for_each(|place| self.store(output, place, |_| 0.0));
                each_place(&extents, |place| {
                    let row = self.read(indices, place) as usize;
                    for column in 0..*width {
                        let value = self.load(&gradient.view, dot(place, &gradient.strides) + column);
                        self.store(output, row * width + column, |before| before + value);
                    }
                });
            }
            Kernel::Random { stream, output, .. } => {
                let samples = if output.sample_stride == 0 { 1 } else { self.example.batch };
                for place in 0..samples * output.shape.iter().product::<usize>() {
                    let value = (self.random)(*stream);
                    self.store(output, place, |_| value);
                }
            }
            Kernel::Loop { .. } => unreachable!("loops are no kernels"),
        }
    }

    fn rows(&mut self, stages: &[Kernel]) {
        let mut outer = Vec::new();
        for stage in stages {
            let Kernel::Nest { extents, inputs, outputs, .. } = stage else { panic!("a stage is a nest") };
            let extents: Vec<usize> = extents.iter().map(|extent| self.extent(extent)).collect();
            self.check_apart(&extents, inputs, outputs);
            self.start(&extents, outputs);
            let rows = extents[..extents.len() - 1].to_vec();
            assert!(outer.is_empty() || outer == rows, "stages have the same rows, in\n{}", self.schedule);
            outer = rows;
        }
        each_place(&outer, |row| {
            for stage in stages {
                let Kernel::Nest { extents, inputs, outputs, formulas } = stage else { unreachable!("seen above") };
                for column in 0..extents.last().map_or(1, |extent| extent.count) {
                    let place = [row, &[column]].concat();
                    let arguments: Vec<f64> = inputs.iter().map(|input| self.read(input, &place)).collect();
                    self.finish(&place, outputs, formulas, &arguments);
                }
            }
        });
    }

    fn products(&self, extents: &[usize], inner: usize, lhs: &Operand, rhs: &Operand) -> Vec<f64> {
        let outer = extents.len() - 2;
        let mut products = Vec::new();
        each_place(extents, |place| {
            let terms = (0..inner).map(|k| {
                let (left, right) =
                    ([&place[..=outer], &[k]].concat(), [&place[..outer], &[k, place[outer + 1]]].concat());
                self.read(lhs, &left) * self.read(rhs, &right)
            });
            products.push(terms.sum());
        });
        products
    }

    /// A kernel may write over what it reads only element by element.
    fn check_apart(&self, extents: &[usize], inputs: &[Operand], outputs: &[Destination]) {
        for output in outputs {
            let Source::Buffer(_) = output.operand.view.source else { continue };
            let mut written = HashMap::new();
            each_place(extents, |place| {
                let at = self.address(&output.operand.view, dot(place, &output.operand.strides));
                written.entry(at).or_insert_with(|| place.to_vec());
            });
            for input in inputs.iter().filter(|input| matches!(input.view.source, Source::Buffer(_))) {
                each_place(extents, |place| {
                    let at = self.address(&input.view, dot(place, &input.strides));
                    let fine = written.get(&at).is_none_or(|writer| writer == place);
                    assert!(fine, "a place is written before it is read, in\n{}", self.schedule);
                });
            }
        }
    }

    /// Gives destinations of reductions the value that they start with.
    fn start(&mut self, extents: &[usize], outputs: &[Destination]) {
        for output in outputs {
            let start = match output.reduction {
                None => continue,
                Some(Reduction::Sum) => 0.0,
                Some(Reduction::Max) => f64::NEG_INFINITY,
                Some(Reduction::Min) => f64::INFINITY,
            };
            each_place(extents, |place| {
                self.store(&output.operand.view, dot(place, &output.operand.strides), |_| start);
            });
        }
    }

    fn finish(&mut self, place: &[usize], outputs: &[Destination], formulas: &[Formula], arguments: &[f64]) {
        let values: Vec<f64> = formulas.iter().map(|formula| formula.evaluate(arguments)).collect();
        for (output, value) in outputs.iter().zip(values) {
            let at = dot(place, &output.operand.strides);
            self.store(&output.operand.view, at, |before| match output.reduction {
                None => value,
                Some(Reduction::Sum) => before + value,
                Some(Reduction::Max) => before.max(value),
                Some(Reduction::Min) => before.min(value),
            });
        }
    }

    fn offset(&self, view: &View, index: usize) -> usize {
        let steps = view.loops.iter().map(|(number, stride)| self.steps[number] * stride);
        view.offset + index + steps.sum::<usize>()
    }

    fn address(&self, view: &View, index: usize) -> usize {
        let Source::Buffer(number) = view.source else { unreachable!("only buffers have an address") };
        let buffer = &self.schedule.buffers[number];
        let (base, size) = if buffer.batched {
            (buffer.offset * self.example.batch, buffer.size * self.example.batch)
        } else {
            (self.schedule.sample_size * self.example.batch + buffer.offset, buffer.size)
        };
        let offset = self.offset(view, index);
        assert!(offset < size, "{offset} lies outside of buffer {number} of {size}, in\n{}", self.schedule);
        base + offset
    }

    fn read(&self, operand: &Operand, place: &[usize]) -> f64 {
        self.load(&operand.view, dot(place, &operand.strides))
    }

    fn load(&self, view: &View, index: usize) -> f64 {
        let offset = self.offset(view, index);
        match view.source {
            Source::Buffer(number) => {
                let cell = self.memory[self.address(view, index)];
                let owner = cell.owner;
                assert_eq!(owner, Some(number), "{view} is read, but holds another buffer, in\n{}", self.schedule);
                cell.value
            }
            Source::Input(argument) => {
                let samples = &self.example.inputs[argument];
                samples[offset / samples[0].len()][offset % samples[0].len()]
            }
            Source::PerStep(argument) => self.example.inputs[argument][0][0],
            Source::Parameter(parameter) => self.example.parameters[parameter][offset],
            Source::Gradient(_) => panic!("a gradient is not to be read, in\n{}", self.schedule),
            Source::Constant(bits) => f64::from_bits(bits),
            Source::Position => offset as f64,
            Source::Step(number) => self.steps[&number] as f64,
        }
    }

    fn store(&mut self, view: &View, index: usize, value: impl FnOnce(f64) -> f64) {
        match view.source {
            Source::Buffer(number) => {
                let address = self.address(view, index);
                let before = self.memory[address].value;
                self.memory[address] = Cell { value: value(before), owner: Some(number) };
            }
            Source::Gradient(parameter) => {
                let offset = self.offset(view, index);
                let place = self.gradients.entry(parameter).or_default().entry(offset).or_insert(f64::NAN);
                *place = value(*place);
            }
            _ => panic!("{view} can't be written"),
        }
    }

    fn samples(&self, view: &View) -> Samples {
        let samples = if view.sample_stride == 0 { 1 } else { self.example.batch };
        let one = |sample: usize| {
            let mut values = Vec::new();
            each_place(&view.shape, |place| {
                values.push(self.load(view, sample * view.sample_stride + dot(place, &view.strides)));
            });
            values
        };
        (0..samples).map(one).collect()
    }
}
