//! A slow and simple evaluation of graphs in double precision: what every later stage must agree with.

use super::{Element, Graph, Node, Op, Reduction, Scan, Shape, ValueId};

/// A value's elements for each sample; one entry if it is the same for all.
pub(crate) type Samples = Vec<Vec<f64>>;

/// What a graph is evaluated on.
pub(crate) struct Environment<'a> {
    pub(crate) batch: usize,
    /// By the numbers of `Op::Input`.
    pub(crate) inputs: &'a [Samples],
    /// By the numbers of `Op::Parameter`.
    pub(crate) parameters: &'a [Vec<f64>],
    /// The next number of a stream.
    pub(crate) random: &'a mut dyn FnMut(usize) -> f64,
}

enum Outcome {
    Value(Samples),
    /// All values of the body in each step (at its place in the sequences), and the last carries.
    Loop {
        steps: Vec<Vec<Outcome>>,
        carries: Vec<Samples>,
    },
}

/// The value of every node.
pub(crate) struct Interpretation(Vec<Outcome>);

impl Interpretation {
    pub(crate) fn value(&self, value: ValueId) -> &Samples {
        self.0[value.0].value()
    }
}

impl Outcome {
    fn value(&self) -> &Samples {
        match self {
            Outcome::Value(value) => value,
            Outcome::Loop { .. } => panic!("a loop is no tensor"),
        }
    }
}

/// Evaluates all nodes, in order.
pub(crate) fn interpret(graph: &Graph, environment: &mut Environment<'_>) -> Interpretation {
    let mut values: Vec<Outcome> = Vec::with_capacity(graph.len());
    for (_, node) in graph.nodes() {
        let outcome = match &node.op {
            Op::Scan(scan) => {
                let inputs: Vec<&Samples> = node.inputs.iter().map(|input| values[input.0].value()).collect();
                scan_loop(scan, &inputs, environment)
            }
            Op::Stacked(value) => Outcome::Value(stacked(&values[node.inputs[0].0], *value)),
            Op::Last(carry) => match &values[node.inputs[0].0] {
                Outcome::Loop { carries, .. } => Outcome::Value(carries[*carry].clone()),
                Outcome::Value(_) => panic!("carries come from a loop"),
            },
            _ => {
                let inputs: Vec<&Samples> = node.inputs.iter().map(|input| values[input.0].value()).collect();
                let shapes: Vec<&[usize]> = node.inputs.iter().map(|&input| graph.shape(input)).collect();
                Outcome::Value(over_batch(node, &inputs, &shapes, environment))
            }
        };
        values.push(outcome);
    }
    Interpretation(values)
}

fn sample(samples: &Samples, index: usize) -> &[f64] {
    &samples[if samples.len() == 1 { 0 } else { index }]
}

fn over_batch(node: &Node, inputs: &[&Samples], shapes: &[&[usize]], environment: &mut Environment<'_>) -> Samples {
    let over_samples = match node.op {
        Op::Contract { over_samples, .. } | Op::Reduce { over_samples, .. } => over_samples,
        Op::LookupAdjoint { .. } => true,
        _ => false,
    };
    let count = if node.ty.batched || over_samples { environment.batch } else { 1 };
    let samples: Samples = (0..count)
        .map(|index| {
            let arguments: Vec<&[f64]> = inputs.iter().map(|input| sample(input, index)).collect();
            let value = one_sample(node, &arguments, shapes, environment, index);
            assert_eq!(value.len(), size(&node.ty.shape), "elements of {:?}", node.op);
            value
        })
        .collect();
    if over_samples {
        let add = |left: Vec<f64>, right: Vec<f64>| left.iter().zip(&right).map(|(left, right)| left + right).collect();
        return vec![samples.into_iter().reduce(add).expect("a batch has samples")];
    }
    samples
}

fn one_sample(
    node: &Node,
    inputs: &[&[f64]],
    shapes: &[&[usize]],
    environment: &mut Environment<'_>,
    index: usize,
) -> Vec<f64> {
    let shape = &node.ty.shape;
    match &node.op {
        Op::Input(input) => sample(&environment.inputs[*input], index).to_vec(),
        Op::Parameter(parameter) => environment.parameters[*parameter].clone(),
        Op::Constant(bits) => vec![f64::from_bits(*bits); size(shape)],
        Op::Position { .. } => (0..size(shape)).map(|position| position as f64).collect(),
        Op::Random(stream) => (0..size(shape)).map(|_| (environment.random)(*stream)).collect(),
        Op::Map(formula) => each_place(shape, |place| {
            let arguments: Vec<f64> =
                inputs.iter().zip(shapes).map(|(input, shape)| input[broadcast_offset(shape, place)]).collect();
            formula.evaluate(&arguments)
        }),
        Op::Contract { lhs_transposed, rhs_transposed, .. } => {
            contract(inputs, shapes, [*lhs_transposed, *rhs_transposed], shape)
        }
        Op::Reduce { reduction, axes, .. } => reduce(*reduction, inputs[0], shapes[0], axes, shape),
        Op::Reshape | Op::StopGradient => inputs[0].to_vec(),
        Op::Transpose(permutation) => each_place(shape, |place| {
            let mut source = vec![0; place.len()];
            for (axis, &from) in permutation.iter().enumerate() {
                source[from] = place[axis];
            }
            inputs[0][broadcast_offset(shapes[0], &source)]
        }),
        Op::Slice { axis, start, .. } => each_place(shape, |place| {
            let mut source = place.to_vec();
            source[*axis] += start;
            inputs[0][broadcast_offset(shapes[0], &source)]
        }),
        Op::Pad { axis, before, .. } => each_place(shape, |place| {
            let mut source = place.to_vec();
            match source[*axis].checked_sub(*before) {
                Some(inside) if inside < shapes[0][*axis] => source[*axis] = inside,
                _ => return 0.0,
            }
            inputs[0][broadcast_offset(shapes[0], &source)]
        }),
        Op::Concat { axis } => each_place(shape, |place| {
            let mut source = place.to_vec();
            for (input, shape) in inputs.iter().zip(shapes) {
                if source[*axis] < shape[*axis] {
                    return input[broadcast_offset(shape, &source)];
                }
                source[*axis] -= shape[*axis];
            }
            unreachable!("places lie in a part")
        }),
        Op::Lookup => {
            let width = size(&shapes[0][1..]);
            let row = |&class: &f64| inputs[0][class as usize * width..][..width].to_vec();
            inputs[1].iter().flat_map(row).collect()
        }
        Op::LookupAdjoint { .. } => {
            let width = size(&shape[1..]);
            let mut table = vec![0.0; size(shape)];
            for (class, row) in inputs[0].iter().zip(inputs[1].chunks(width)) {
                for (sum, value) in table[*class as usize * width..].iter_mut().zip(row) {
                    *sum += value;
                }
            }
            table
        }
        Op::Scan(_) | Op::Stacked(_) | Op::Last(_) => unreachable!("loops are handled before"),
    }
}

fn size(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// The value at each place of a tensor of this shape.
fn each_place(shape: &[usize], mut value: impl FnMut(&[usize]) -> f64) -> Vec<f64> {
    let mut place = vec![0; shape.len()];
    (0..size(shape))
        .map(|_| {
            let element = value(&place);
            for axis in (0..shape.len()).rev() {
                place[axis] += 1;
                if place[axis] < shape[axis] {
                    break;
                }
                place[axis] = 0;
            }
            element
        })
        .collect()
}

/// Where the element for a place of a tensor that this one is broadcast to lies.
fn broadcast_offset(shape: &[usize], place: &[usize]) -> usize {
    let place = &place[place.len() - shape.len()..];
    let step = |offset: usize, (&size, &at): (&usize, &usize)| offset * size + if size == 1 { 0 } else { at };
    shape.iter().zip(place).fold(0, step)
}

fn contract(inputs: &[&[f64]], shapes: &[&[usize]], transposed: [bool; 2], shape: &[usize]) -> Vec<f64> {
    let lead = shape.len() - 2;
    let inner = shapes[0][if transposed[0] { lead } else { lead + 1 }];
    let at = |operand: usize, place: &[usize], row: usize, column: usize| {
        let (row, column) = if transposed[operand] { (column, row) } else { (row, column) };
        let place = [&place[..lead], &[row, column]].concat();
        inputs[operand][broadcast_offset(shapes[operand], &place)]
    };
    each_place(shape, |place| (0..inner).map(|k| at(0, place, place[lead], k) * at(1, place, k, place[lead + 1])).sum())
}

fn reduce(reduction: Reduction, input: &[f64], from: &[usize], axes: &[usize], shape: &[usize]) -> Vec<f64> {
    let start = match reduction {
        Reduction::Sum => 0.0,
        Reduction::Max => f64::NEG_INFINITY,
        Reduction::Min => f64::INFINITY,
    };
    let mut reduced = vec![start; size(shape)];
    let mut elements = input.iter();
    each_place(from, |place| {
        let kept = place.iter().enumerate().filter(|(axis, _)| !axes.contains(axis));
        let kept: Shape = kept.map(|(_, &at)| at).collect();
        let total = &mut reduced[broadcast_offset(shape, &kept)];
        let element = *elements.next().expect("as many as places");
        *total = match reduction {
            Reduction::Sum => *total + element,
            Reduction::Max => total.max(element),
            Reduction::Min => total.min(element),
        };
        0.0
    });
    reduced
}

fn scan_loop(scan: &Scan, inputs: &[&Samples], environment: &mut Environment<'_>) -> Outcome {
    let mut carries: Vec<Samples> = inputs[..scan.next.len()].iter().map(|&initial| initial.clone()).collect();
    let sequences = &inputs[scan.next.len()..][..scan.sequences];
    let captured = &inputs[scan.next.len() + scan.sequences..];
    let mut steps: Vec<Vec<Outcome>> = (0..scan.steps).map(|_| vec![]).collect();
    for step in 0..scan.steps {
        let step = if scan.reverse { scan.steps - 1 - step } else { step };
        let mut arguments = carries;
        for &sequence in sequences {
            let element = |sample: &Vec<f64>| {
                let width = sample.len() / scan.steps;
                sample[step * width..][..width].to_vec()
            };
            arguments.push(sequence.iter().map(element).collect());
        }
        arguments.extend(captured.iter().map(|&value| value.clone()));
        arguments.push(vec![vec![step as f64]]);
        let mut inner = Environment {
            batch: environment.batch,
            inputs: &arguments,
            parameters: environment.parameters,
            random: environment.random,
        };
        let Interpretation(values) = interpret(&scan.body, &mut inner);
        carries = scan.next.iter().map(|next| values[next.0].value().clone()).collect();
        steps[step] = values;
    }
    Outcome::Loop { steps, carries }
}

fn stacked(outcome: &Outcome, value: ValueId) -> Samples {
    let Outcome::Loop { steps, .. } = outcome else {
        panic!("stacked values come from a loop");
    };
    let values: Vec<&Samples> = steps.iter().map(|step| step[value.0].value()).collect();
    let samples = values.iter().map(|value| value.len()).max().expect("a scan has steps");
    (0..samples).map(|index| values.iter().flat_map(|value| sample(value, index)).copied().collect()).collect()
}

/// Numbers from 0 to 1 that depend on nothing but the key and the index.
fn hashed(key: usize, index: usize) -> f64 {
    let mut bits =
        (key as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (index as u64).wrapping_mul(0xd1b5_4a32_d192_ed03);
    for _ in 0..3 {
        bits = (bits ^ (bits >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// Inputs, parameters and random numbers for a graph, the same for every graph that has the same inputs.
pub(crate) struct Example {
    pub(crate) batch: usize,
    pub(crate) inputs: Vec<Samples>,
    pub(crate) parameters: Vec<Vec<f64>>,
}

impl Example {
    /// Numbers from -1 to 1, and any classes and lengths.
    pub(crate) fn new(graph: &Graph, batch: usize) -> Self {
        let mut example = Self { batch, inputs: vec![], parameters: vec![] };
        for (_, node) in graph.nodes() {
            let size = size(&node.ty.shape);
            match node.op {
                Op::Input(index) => {
                    let element = |sample: usize, place: usize| {
                        let number = hashed(index, sample * size + place);
                        match node.ty.element {
                            Element::Real => 2.0 * number - 1.0,
                            Element::Class(bound) => (number * bound as f64).floor(),
                            Element::Length(bound) => (number * bound as f64).floor() + 1.0,
                        }
                    };
                    let samples = if node.ty.batched { batch } else { 1 };
                    let value = (0..samples).map(|sample| (0..size).map(|place| element(sample, place)).collect());
                    set(&mut example.inputs, index, value.collect());
                }
                Op::Parameter(index) => {
                    let value = (0..size).map(|place| 2.0 * hashed(1000 + index, place) - 1.0);
                    set(&mut example.parameters, index, value.collect());
                }
                _ => {}
            }
        }
        example
    }

    /// The values of the roots.
    pub(crate) fn evaluate(&self, graph: &Graph, roots: &[ValueId]) -> Vec<Samples> {
        let (batch, inputs, parameters) = (self.batch, &self.inputs, &self.parameters);
        let values =
            self.with_random(|random| interpret(graph, &mut Environment { batch, inputs, parameters, random }));
        roots.iter().map(|&root| values.value(root).clone()).collect()
    }

    /// Calls `work` with what gives the next number of a stream.
    pub(crate) fn with_random<R>(&self, work: impl FnOnce(&mut dyn FnMut(usize) -> f64) -> R) -> R {
        let mut drawn = std::collections::HashMap::new();
        work(&mut |stream: usize| {
            let count = drawn.entry(stream).or_insert(0);
            *count += 1;
            hashed(2000 + stream, *count)
        })
    }
}

fn set<V: Default>(values: &mut Vec<V>, index: usize, value: V) {
    while values.len() <= index {
        values.push(V::default());
    }
    values[index] = value;
}

#[cfg(test)]
mod tests {
    use super::super::Type;
    use super::*;
    use crate::formula::Formula;

    fn real(shape: &[usize], batched: bool) -> Type {
        Type { shape: shape.to_vec(), element: Element::Real, batched }
    }

    #[test]
    fn contractions_sum_products_of_each_sample() {
        let mut graph = Graph::new();
        let x = graph.input(0, real(&[1, 2], true));
        let weight = graph.parameter(0, vec![2, 2]);
        let product = graph.matmul(x, weight);
        let gradient = graph.contract(x, product, true, false, true);
        let example = Example {
            batch: 2,
            inputs: vec![vec![vec![1.0, 2.0], vec![3.0, 4.0]]],
            parameters: vec![vec![1.0, 10.0, 100.0, 1000.0]],
        };
        let values = example.evaluate(&graph, &[product, gradient]);
        assert_eq!(values[0], [[201.0, 2010.0], [403.0, 4030.0]]);
        assert_eq!(values[1], [[201.0 + 1209.0, 2010.0 + 12090.0, 402.0 + 1612.0, 4020.0 + 16120.0]]);
    }

    #[test]
    fn shapes_are_moved() {
        let mut graph = Graph::new();
        let x = graph.parameter(0, vec![2, 3]);
        let transposed = graph.transpose(x, &[1, 0]);
        let slice = graph.slice(x, 1, 1, 3);
        let pad = graph.pad(slice, 1, 0, 1);
        let concat = graph.concat(&[slice, x], 1);
        let most = graph.reduce(Reduction::Max, x, &[0]);
        let position = graph.position(3, 1, 2);
        let sum = graph.map(Formula::argument(0) + Formula::argument(1), &[x, position]);
        let example = Example { batch: 1, inputs: vec![], parameters: vec![vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]] };
        let values = example.evaluate(&graph, &[transposed, slice, pad, concat, most, sum]);
        let expected: [&[f64]; 6] = [
            &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0],
            &[2.0, 3.0, 5.0, 6.0],
            &[2.0, 3.0, 0.0, 5.0, 6.0, 0.0],
            &[2.0, 3.0, 1.0, 2.0, 3.0, 5.0, 6.0, 4.0, 5.0, 6.0],
            &[4.0, 5.0, 6.0],
            &[1.0, 3.0, 5.0, 4.0, 6.0, 8.0],
        ];
        for (value, expected) in values.iter().zip(expected) {
            assert_eq!(value[0], expected);
        }
    }

    #[test]
    fn tables_are_looked_up_and_added_to() {
        let mut graph = Graph::new();
        let table = graph.parameter(0, vec![3, 2]);
        let ty = Type { shape: vec![2], element: Element::Class(3), batched: true };
        let classes = graph.input(0, ty);
        let rows = graph.lookup(table, classes);
        let adjoint = graph.lookup_adjoint(classes, rows, 3);
        let example = Example {
            batch: 2,
            inputs: vec![vec![vec![0.0, 2.0], vec![2.0, 2.0]]],
            parameters: vec![vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]],
        };
        let values = example.evaluate(&graph, &[rows, adjoint]);
        assert_eq!(values[0], [[1.0, 2.0, 5.0, 6.0], [5.0, 6.0, 5.0, 6.0]]);
        assert_eq!(values[1], [[1.0, 2.0, 0.0, 0.0, 15.0, 18.0]]);
    }

    #[test]
    fn loops_carry_their_state() {
        let mut body = Graph::new();
        let carry = body.input(0, real(&[], true));
        let element = body.input(1, real(&[], true));
        let step = body.input(2, real(&[], false));
        let weighted = body.map(Formula::argument(0) * Formula::argument(1), &[element, step]);
        let next = body.map(Formula::argument(0) + Formula::argument(1), &[carry, weighted]);
        for (reverse, expected) in [(false, [0.0, 10.0, 70.0]), (true, [70.0, 70.0, 60.0])] {
            let mut graph = Graph::new();
            let sequence = graph.input(0, real(&[3], true));
            let start = graph.constant(0.0, vec![]);
            let scan = Scan { body: body.clone(), next: vec![next], sequences: 1, steps: 3, reverse };
            let scan = graph.scan(scan, vec![start, sequence]);
            let (all, last) = (graph.stacked(scan, next), graph.last(scan, 0));
            assert_eq!(graph.verify(), Ok(()));
            let example = Example { batch: 1, inputs: vec![vec![vec![5.0, 10.0, 30.0]]], parameters: vec![] };
            let values = example.evaluate(&graph, &[all, last]);
            assert_eq!(values[0][0], expected);
            assert_eq!(values[1][0], [70.0]);
        }
    }
}
