//! Building values: each method knows its operation's shape rule. Callers have checked what users may get wrong, so that a
//! broken rule here is a bug of the compiler.

use super::{Element, Graph, Node, Op, Reduction, Scan, Shape, Type, ValueId, broadcast_shapes};
use crate::formula::Formula;

impl Graph {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a node, or finds the same one.
    pub(crate) fn add(&mut self, op: Op, inputs: Vec<ValueId>, ty: Type) -> ValueId {
        debug_assert!(inputs.iter().all(|input| input.0 < self.nodes.len()), "inputs come first");
        let node = Node { op, inputs, ty };
        if let Some(&value) = self.interned.get(&node) {
            return value;
        }
        let value = ValueId(self.nodes.len());
        self.interned.insert(node.clone(), value);
        self.nodes.push(node);
        self.names.push(None);
        value
    }

    fn real(shape: Shape, batched: bool) -> Type {
        Type { shape, element: Element::Real, batched }
    }

    fn batched(&self, inputs: &[ValueId]) -> bool {
        inputs.iter().any(|&input| self.ty(input).batched)
    }

    pub(crate) fn input(&mut self, index: usize, ty: Type) -> ValueId {
        self.add(Op::Input(index), vec![], ty)
    }

    pub(crate) fn parameter(&mut self, index: usize, shape: Shape) -> ValueId {
        self.add(Op::Parameter(index), vec![], Self::real(shape, false))
    }

    pub(crate) fn constant(&mut self, value: f64, shape: Shape) -> ValueId {
        self.add(Op::Constant(value.to_bits()), vec![], Self::real(shape, false))
    }

    /// The number that every element of the value is, if that is known.
    pub(crate) fn constant_value(&self, value: ValueId) -> Option<f64> {
        match self.node(value).op {
            Op::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// `0, 1, …, size - 1` along `axis` of a tensor of `rank`.
    pub(crate) fn position(&mut self, size: usize, axis: usize, rank: usize) -> ValueId {
        let mut shape = vec![1; rank];
        shape[axis] = size;
        self.add(Op::Position { axis }, vec![], Self::real(shape, false))
    }

    pub(crate) fn random(&mut self, stream: usize, shape: Shape) -> ValueId {
        self.add(Op::Random(stream), vec![], Self::real(shape, true))
    }

    /// The formula of the inputs (as its arguments), element by element, broadcast.
    pub(crate) fn map(&mut self, formula: Formula, inputs: &[ValueId]) -> ValueId {
        let shape = inputs.iter().fold(vec![], |shape: Shape, &input| {
            broadcast_shapes(&shape, self.shape(input)).expect("checked shapes broadcast")
        });
        self.map_to(formula, inputs, shape)
    }

    /// As `map`, with an output shape that the inputs broadcast to.
    pub(crate) fn map_to(&mut self, formula: Formula, inputs: &[ValueId], shape: Shape) -> ValueId {
        crate::simplify::map(self, formula, inputs, shape)
    }

    /// `[.., m, k] x [.., k, n]`; leading axes equal, or none at the right and the left not transposed (a weight).
    pub(crate) fn matmul(&mut self, lhs: ValueId, rhs: ValueId) -> ValueId {
        self.contract(lhs, rhs, false, false, false)
    }

    pub(crate) fn contract(
        &mut self,
        lhs: ValueId,
        rhs: ValueId,
        lhs_transposed: bool,
        rhs_transposed: bool,
        over_samples: bool,
    ) -> ValueId {
        let (left, right) = (self.shape(lhs).to_vec(), self.shape(rhs).to_vec());
        if left.len() > 2 && right.len() == 2 && !lhs_transposed {
            // A weight shared by all rows: the leading axes are rows, too.
            let (rows, width) = (left[..left.len() - 1].iter().product(), left[left.len() - 1]);
            let flat = self.reshape(lhs, vec![rows, width]);
            let product = self.contract(flat, rhs, false, rhs_transposed, over_samples);
            let mut shape = left;
            *shape.last_mut().expect("rank above 2") = self.shape(product)[1];
            return self.reshape(product, shape);
        }
        assert!(left.len() >= 2 && left.len() == right.len(), "contraction of {left:?} by {right:?}");
        let lead = left.len() - 2;
        assert_eq!(left[..lead], right[..lead], "leading axes of a contraction");
        let (m, k) = if lhs_transposed { (left[lead + 1], left[lead]) } else { (left[lead], left[lead + 1]) };
        let (inner, n) = if rhs_transposed { (right[lead + 1], right[lead]) } else { (right[lead], right[lead + 1]) };
        assert_eq!(k, inner, "inner sizes of a contraction: {left:?} by {right:?}");
        let mut shape = left[..lead].to_vec();
        shape.extend([m, n]);
        let batched = self.batched(&[lhs, rhs]);
        assert!(batched || !over_samples, "a sum over samples of what is the same for all");
        let op = Op::Contract { lhs_transposed, rhs_transposed, over_samples };
        self.add(op, vec![lhs, rhs], Self::real(shape, batched && !over_samples))
    }

    pub(crate) fn reduce(&mut self, reduction: Reduction, input: ValueId, axes: &[usize]) -> ValueId {
        self.reduce_samples(reduction, input, axes, false)
    }

    pub(crate) fn reduce_samples(
        &mut self,
        reduction: Reduction,
        input: ValueId,
        axes: &[usize],
        over_samples: bool,
    ) -> ValueId {
        crate::simplify::reduce(self, reduction, input, axes, over_samples)
    }

    /// The mean over the axes, which are dropped.
    pub(crate) fn mean(&mut self, input: ValueId, axes: &[usize]) -> ValueId {
        let count: usize = axes.iter().map(|&axis| self.shape(input)[axis]).product();
        let sum = self.reduce(Reduction::Sum, input, axes);
        self.map(Formula::argument(0) * Formula::constant(1.0 / count as f64), &[sum])
    }

    pub(crate) fn reshape(&mut self, input: ValueId, shape: Shape) -> ValueId {
        crate::simplify::reshape(self, input, shape)
    }

    /// Puts axes of size 1 where `axes` (in the result's numbering, sorted) say.
    pub(crate) fn unsqueeze(&mut self, input: ValueId, axes: &[usize]) -> ValueId {
        let mut shape = self.shape(input).to_vec();
        for &axis in axes {
            shape.insert(axis, 1);
        }
        self.reshape(input, shape)
    }

    pub(crate) fn transpose(&mut self, input: ValueId, permutation: &[usize]) -> ValueId {
        crate::simplify::transpose(self, input, permutation)
    }

    pub(crate) fn slice(&mut self, input: ValueId, axis: usize, start: usize, end: usize) -> ValueId {
        let ty = self.ty(input).clone();
        assert!(start < end && end <= ty.shape[axis], "slice {start}..{end} of {:?}", ty.shape);
        if start == 0 && end == ty.shape[axis] {
            return input;
        }
        let mut shape = ty.shape;
        shape[axis] = end - start;
        self.add(Op::Slice { axis, start, end }, vec![input], Type { shape, ..ty })
    }

    pub(crate) fn pad(&mut self, input: ValueId, axis: usize, before: usize, after: usize) -> ValueId {
        if before + after == 0 {
            return input;
        }
        let mut ty = self.ty(input).clone();
        ty.shape[axis] += before + after;
        if self.constant_value(input) == Some(0.0) {
            return self.constant(0.0, ty.shape);
        }
        self.add(Op::Pad { axis, before, after }, vec![input], ty)
    }

    pub(crate) fn concat(&mut self, inputs: &[ValueId], axis: usize) -> ValueId {
        if let &[only] = inputs {
            return only;
        }
        let mut ty = self.ty(inputs[0]).clone();
        ty.shape[axis] = inputs.iter().map(|&input| self.shape(input)[axis]).sum();
        ty.batched = self.batched(inputs);
        self.add(Op::Concat { axis }, inputs.to_vec(), ty)
    }

    /// Rows of `table` by `indices`.
    pub(crate) fn lookup(&mut self, table: ValueId, indices: ValueId) -> ValueId {
        let mut shape = self.shape(indices).to_vec();
        shape.extend_from_slice(&self.shape(table)[1..]);
        let batched = self.batched(&[table, indices]);
        self.add(Op::Lookup, vec![table, indices], Self::real(shape, batched))
    }

    pub(crate) fn lookup_adjoint(&mut self, indices: ValueId, gradient: ValueId, rows: usize) -> ValueId {
        let mut shape = vec![rows];
        shape.extend_from_slice(&self.shape(gradient)[self.shape(indices).len()..]);
        self.add(Op::LookupAdjoint { rows }, vec![indices, gradient], Self::real(shape, false))
    }

    pub(crate) fn stop_gradient(&mut self, input: ValueId) -> ValueId {
        let ty = self.ty(input).clone();
        self.add(Op::StopGradient, vec![input], ty)
    }

    /// 1 where the class is the position along a new last axis of size `classes`, else 0.
    pub(crate) fn one_hot(&mut self, class: ValueId, classes: usize) -> ValueId {
        let rank = self.shape(class).len();
        let class = self.unsqueeze(class, &[rank]);
        let position = self.position(classes, rank, rank + 1);
        let hit = Formula::apply("eq", &[Formula::argument(0), Formula::argument(1)]);
        let one = Formula::apply("select", &[hit, Formula::constant(1.0), Formula::constant(0.0)]);
        self.map(one, &[class, position])
    }

    /// The loop, whose results are then taken by `stacked` and `last`. All initial carries have the types that the
    /// body gives back, but for being batched.
    pub(crate) fn scan(&mut self, scan: Scan, inputs: Vec<ValueId>) -> ValueId {
        let batched = self.batched(&inputs) || scan.body.nodes().any(|(_, node)| node.ty.batched);
        self.add(Op::Scan(Box::new(scan)), inputs, Self::real(vec![], batched))
    }

    fn scan_of(&self, scan: ValueId) -> &Scan {
        match &self.node(scan).op {
            Op::Scan(scan) => scan,
            _ => unreachable!("stacked values are taken from a scan"),
        }
    }

    /// The values of the body's `value` in all steps: `[steps, ..]`.
    pub(crate) fn stacked(&mut self, scan: ValueId, value: ValueId) -> ValueId {
        let inner = self.scan_of(scan);
        let mut ty = inner.body.ty(value).clone();
        ty.shape.insert(0, inner.steps);
        self.add(Op::Stacked(value), vec![scan], ty)
    }

    /// The carry after the last step.
    pub(crate) fn last(&mut self, scan: ValueId, carry: usize) -> ValueId {
        let inner = self.scan_of(scan);
        let ty = inner.body.ty(inner.next[carry]).clone();
        self.add(Op::Last(carry), vec![scan], ty)
    }
}
