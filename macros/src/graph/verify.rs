//! Which graphs are legal: what every pass may rely on, and must leave.

use super::{Element, Graph, Node, Op, Scan, Shape, Type, ValueId, broadcast_shapes};

/// The first fault found, in words.
type Verdict = Result<(), String>;

impl Graph {
    /// Whether values come before their uses, and types, formulas and loops agree with the operations' rules.
    pub(crate) fn verify(&self) -> Verdict {
        for (value, node) in self.nodes() {
            if let Some(input) = node.inputs.iter().find(|&&input| input >= value) {
                return Err(format!("{value} uses {input}, which comes later"));
            }
            self.verify_node(node).map_err(|fault| format!("{value}: {fault}, in\n{self}"))?;
        }
        Ok(())
    }

    fn verify_node(&self, node: &Node) -> Verdict {
        let expected = match inputs_expected(&node.op) {
            Some(count) if count != node.inputs.len() => return Err(format!("{} inputs", node.inputs.len())),
            _ => self.expected_type(node)?,
        };
        if expected == node.ty { Ok(()) } else { Err(format!("has type {}, expected {expected}", node.ty)) }
    }

    fn any_batched(&self, node: &Node) -> bool {
        node.inputs.iter().any(|&input| self.ty(input).batched)
    }

    /// What the rule of the operation says, for comparison.
    fn expected_type(&self, node: &Node) -> Result<Type, String> {
        let real = |shape: Shape| Type { shape, element: Element::Real, batched: self.any_batched(node) };
        let first = || self.ty(node.inputs[0]).clone();
        let second = || self.shape(node.inputs[1]);
        Ok(match &node.op {
            Op::Input(_) => node.ty.clone(),
            Op::Parameter(_) | Op::Constant(_) => real(node.ty.shape.clone()),
            Op::Random(_) => Type { batched: true, ..real(node.ty.shape.clone()) },
            Op::Position { axis } => {
                demand(
                    node.ty.shape.iter().enumerate().all(|(other, &size)| other == *axis || size == 1),
                    "wide axes",
                )?;
                real(node.ty.shape.clone())
            }
            Op::Map(formula) => {
                demand(formula.arguments().into_iter().eq(0..node.inputs.len()), "a formula of other arguments")?;
                let fits = |&input: &ValueId| {
                    broadcast_shapes(self.shape(input), &node.ty.shape).as_ref() == Some(&node.ty.shape)
                };
                demand(node.inputs.iter().all(fits), "inputs that do not broadcast")?;
                real(node.ty.shape.clone())
            }
            Op::Contract { lhs_transposed, rhs_transposed, over_samples } => {
                let flags = [*lhs_transposed, *rhs_transposed];
                let shape = contracted(&first().shape, second(), flags).ok_or("operands that do not fit")?;
                demand(!over_samples || self.any_batched(node), "sum over samples of what is the same for all")?;
                Type { batched: self.any_batched(node) && !over_samples, ..real(shape) }
            }
            Op::Reduce { axes, over_samples, .. } => {
                let input = first();
                demand(axes.is_sorted_by(|left, right| left < right), "unsorted axes")?;
                demand(axes.last().is_none_or(|&axis| axis < input.shape.len()), "axes out of range")?;
                let kept = input.shape.iter().enumerate().filter(|(axis, _)| !axes.contains(axis));
                let shape = kept.map(|(_, &size)| size).collect();
                Type { batched: input.batched && !over_samples, ..real(shape) }
            }
            Op::Reshape => {
                let size = |shape: &[usize]| shape.iter().product::<usize>();
                demand(size(&first().shape) == size(&node.ty.shape), "another number of elements")?;
                Type { shape: node.ty.shape.clone(), ..first() }
            }
            Op::Transpose(permutation) => {
                let mut sorted = permutation.clone();
                sorted.sort_unstable();
                demand(sorted.into_iter().eq(0..first().shape.len()), "no permutation")?;
                Type { shape: permutation.iter().map(|&axis| first().shape[axis]).collect(), ..first() }
            }
            Op::Slice { axis, start, end } => {
                demand(start < end && *end <= first().shape[*axis], "a slice out of range")?;
                with_size(first(), *axis, end - start)
            }
            Op::Pad { axis, before, after } => {
                let size = first().shape[*axis] + before + after;
                with_size(first(), *axis, size)
            }
            Op::Concat { axis } => {
                let size = node.inputs.iter().map(|&input| self.shape(input)[*axis]).sum();
                let ty = with_size(first(), *axis, size);
                let fits = |&input: &ValueId| with_size(self.ty(input).clone(), *axis, size).shape == ty.shape;
                demand(node.inputs.iter().all(fits), "parts of other shapes")?;
                Type { batched: self.any_batched(node), ..ty }
            }
            Op::Lookup => {
                let fits =
                    matches!(self.ty(node.inputs[1]).element, Element::Class(bound) if bound <= first().shape[0]);
                demand(fits, "indices that are not rows of the table")?;
                real([second(), &first().shape[1..]].concat())
            }
            Op::LookupAdjoint { rows } => {
                demand(
                    matches!(first().element, Element::Class(bound) if bound <= *rows),
                    "indices that are not rows",
                )?;
                let row = second().strip_prefix(first().shape.as_slice()).ok_or("gradients of other rows")?;
                Type { batched: false, ..real([&[*rows], row].concat()) }
            }
            Op::StopGradient => first(),
            Op::Scan(scan) => {
                self.verify_scan(scan, &node.inputs)?;
                let inside = scan.body.nodes().any(|(_, node)| node.ty.batched);
                Type { batched: inside || self.any_batched(node), ..real(vec![]) }
            }
            Op::Stacked(value) => {
                let scan = self.scan_input(node)?;
                demand(value.0 < scan.body.len(), "no such value in the body")?;
                let ty = scan.body.ty(*value).clone();
                Type { shape: [&[scan.steps], ty.shape.as_slice()].concat(), ..ty }
            }
            Op::Last(carry) => {
                let scan = self.scan_input(node)?;
                scan.body.ty(*scan.next.get(*carry).ok_or("no such carry")?).clone()
            }
        })
    }

    fn scan_input(&self, node: &Node) -> Result<&Scan, String> {
        match &self.node(node.inputs[0]).op {
            Op::Scan(scan) => Ok(scan),
            _ => Err("a result of what is no scan".into()),
        }
    }

    /// Inputs of the body are those of the scan, for one step; carries keep their shape, and are batched if they become so.
    fn verify_scan(&self, scan: &Scan, inputs: &[ValueId]) -> Verdict {
        scan.body.verify().map_err(|fault| format!("in the body, {fault}"))?;
        let carries = scan.next.len();
        demand(carries + scan.sequences <= inputs.len(), "too few inputs")?;
        demand(scan.next.iter().all(|next| next.0 < scan.body.len()), "no such next carry")?;
        for (_, node) in scan.body.nodes() {
            let Op::Input(index) = node.op else {
                continue;
            };
            let outer = match inputs.get(index) {
                Some(&input) => self.ty(input).clone(),
                None => Type { shape: vec![], element: Element::Real, batched: false },
            };
            demand(index <= inputs.len(), "an input of the body too much")?;
            let is_sequence = (carries..carries + scan.sequences).contains(&index);
            let shape = if is_sequence {
                demand(outer.shape.first() == Some(&scan.steps), "a sequence of another length")?;
                &outer.shape[1..]
            } else {
                outer.shape.as_slice()
            };
            demand(node.ty.shape == shape && node.ty.element == outer.element, "an input of another type in the body")?;
            demand(node.ty.batched || !outer.batched, "a batched input that is unbatched in the body")?;
            if index < carries {
                let next = scan.body.ty(scan.next[index]);
                demand(next.shape == shape && next.element == outer.element, "a carry that changes its shape")?;
                demand(node.ty.batched || !next.batched, "a carry that becomes batched")?;
            }
        }
        Ok(())
    }
}

fn demand(condition: bool, fault: &str) -> Verdict {
    if condition { Ok(()) } else { Err(fault.into()) }
}

/// The number of inputs, where the operation fixes it.
fn inputs_expected(op: &Op) -> Option<usize> {
    match op {
        Op::Input(_) | Op::Parameter(_) | Op::Constant(_) | Op::Position { .. } | Op::Random(_) => Some(0),
        Op::Map(_) | Op::Concat { .. } | Op::Scan(_) => None,
        Op::Contract { .. } | Op::Lookup | Op::LookupAdjoint { .. } => Some(2),
        _ => Some(1),
    }
}

fn with_size(mut ty: Type, axis: usize, size: usize) -> Type {
    ty.shape[axis] = size;
    ty
}

fn contracted(left: &[usize], right: &[usize], [lhs_transposed, rhs_transposed]: [bool; 2]) -> Option<Shape> {
    let (lead, left) = left.split_at_checked(left.len().checked_sub(2)?)?;
    let (other, right) = right.split_at_checked(right.len().checked_sub(2)?)?;
    let (m, k) = if lhs_transposed { (left[1], left[0]) } else { (left[0], left[1]) };
    let (inner, n) = if rhs_transposed { (right[1], right[0]) } else { (right[0], right[1]) };
    (lead == other && k == inner).then(|| [lead, &[m, n]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formula::Formula;

    #[test]
    fn builders_make_legal_graphs() {
        let mut graph = Graph::new();
        let x = graph.input(0, Type { shape: vec![2, 3], element: Element::Real, batched: true });
        let weight = graph.parameter(0, vec![3, 4]);
        let product = graph.matmul(x, weight);
        let mean = graph.mean(product, &[1]);
        graph.map(Formula::apply("tanh", &[Formula::argument(0)]), &[mean]);
        assert_eq!(graph.verify(), Ok(()));
    }

    #[test]
    fn faults_are_found() {
        let fault = |make: fn(&mut Graph, ValueId)| {
            let mut graph = Graph::new();
            let x = graph.parameter(0, vec![2, 3]);
            make(&mut graph, x);
            graph.verify().unwrap_err()
        };
        fn real(shape: &[usize]) -> Type {
            Type { shape: shape.to_vec(), element: Element::Real, batched: false }
        }
        let wrong = fault(|graph, x| {
            graph.add(Op::Reshape, vec![x], real(&[5]));
        });
        assert!(wrong.contains("another number of elements"), "{wrong}");
        let wrong = fault(|graph, x| {
            graph.add(Op::Map(Formula::argument(1)), vec![x], real(&[2, 3]));
        });
        assert!(wrong.contains("a formula of other arguments"), "{wrong}");
        let wrong = fault(|graph, x| {
            graph.add(Op::Transpose(vec![1, 0]), vec![x], real(&[2, 3]));
        });
        assert!(wrong.contains("expected [3, 2]"), "{wrong}");
        let wrong = fault(|graph, x| {
            graph.add(Op::Last(0), vec![x], real(&[2, 3]));
        });
        assert!(wrong.contains("no scan"), "{wrong}");
    }
}
