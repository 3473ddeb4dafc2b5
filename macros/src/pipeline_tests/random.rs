//! Random declarations: maps, contractions, reductions, rearrangements and loops in any order and of any shape. What holds
//! for the canonical declarations holds for them.

use proc_macro2::{Literal, TokenStream};
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, TestRunner};
use quote::{format_ident, quote};

use super::passes::{assert_gradients, assert_passes};
use super::plans::assert_limits;
use crate::canonical::network;
use crate::entries::entry_points;

/// A declaration being written, each choice made by the next number; without any left, the simplest.
struct Writer {
    choices: std::vec::IntoIter<u32>,
    fields: Vec<TokenStream>,
    body: TokenStream,
    /// The variables `v0`, `v1`, … with their shapes, and whether they have been used.
    variables: Vec<(Vec<usize>, bool)>,
}

fn size(value: usize) -> Literal {
    Literal::usize_unsuffixed(value)
}

fn shape_tokens(shape: &[usize]) -> TokenStream {
    let sizes = shape.iter().map(|&extent| size(extent));
    quote!([#(#sizes),*])
}

/// A function of `v` that is smooth and of moderate size.
const SMOOTH: [&str; 8] = ["tanh", "sin", "sigmoid", "gelu", "softplus", "silu", "erf", "squareplus"];

impl Writer {
    fn choose(&mut self, count: usize) -> usize {
        self.choices.next().map_or(0, |choice| choice as usize % count)
    }

    fn has_choices(&self) -> bool {
        self.choices.len() > 0
    }

    fn variable(&mut self, index: usize) -> TokenStream {
        self.variables[index].1 = true;
        let name = format_ident!("v{index}");
        quote!(#name)
    }

    fn define(&mut self, value: TokenStream, shape: Vec<usize>) {
        let (name, ty) = (format_ident!("v{}", self.variables.len()), shape_tokens(&shape));
        self.body.extend(quote!(let #name: #ty = #value;));
        self.variables.push((shape, false));
    }

    /// A parameter, of which nobody may make use.
    fn field(&mut self, shape: &[usize]) -> TokenStream {
        let (name, ty) = (format_ident!("_p{}", self.fields.len()), shape_tokens(shape));
        self.fields.push(quote!(#name: #ty = normal(0.7)));
        quote!(self.#name)
    }

    /// A shape that broadcasts to this one.
    fn smaller(&mut self, shape: &[usize]) -> Vec<usize> {
        let dropped = if self.choose(3) == 1 { self.choose(shape.len() + 1) } else { 0 };
        let narrow = self.choose(1 << shape.len());
        let kept = shape.iter().enumerate().skip(dropped);
        kept.map(|(axis, &extent)| if narrow >> axis & 1 == 1 { 1 } else { extent }).collect()
    }

    fn statement(&mut self) {
        let index = self.choose(self.variables.len());
        let shape = self.variables[index].0.clone();
        let rank = shape.len();
        let v = self.variable(index);
        let axis = if rank > 0 { self.choose(rank) } else { 0 };
        let along = size(axis);
        match self.choose(14) {
            1 => {
                let field_shape = self.smaller(&shape);
                let field = self.field(&field_shape);
                let value = match self.choose(4) {
                    0 => quote!(#v + #field),
                    1 => quote!(#v * #field),
                    2 => quote!(#field - #v),
                    _ => quote!(#v / (1.0 + #field.powi(2))),
                };
                self.define(value, shape);
            }
            2 => {
                // Another variable that broadcasts to this one.
                let fits = |other: &[usize]| {
                    other.len() <= rank && other.iter().rev().zip(shape.iter().rev()).all(|(a, b)| a == b || *a == 1)
                };
                let found: Vec<usize> = (0..self.variables.len()).filter(|&o| fits(&self.variables[o].0)).collect();
                let other = found[self.choose(found.len())];
                let w = self.variable(other);
                let value = match self.choose(4) {
                    0 => quote!(#v * #w),
                    1 => quote!(#v - 0.5 * #w),
                    2 => quote!(max(#v, #w)),
                    _ => quote!(if #v > 0.1 { #w } else { #v * #v }),
                };
                self.define(value, shape);
            }
            3 | 4 if rank > 0 => {
                let width = 1 + self.choose(4);
                let field = self.field(&[shape[rank - 1], width]);
                let result = [&shape[..rank - 1], &[width]].concat();
                self.define(quote!(#v.matmul(#field).tanh()), result);
            }
            5 if rank > 1 => {
                let mut result = shape.clone();
                result[rank - 1] = shape[rank - 2];
                self.define(quote!(#v.matmul(#v.transpose()).sin()), result);
            }
            6 | 7 if rank > 0 => {
                let function = format_ident!("{}", ["sum", "mean", "max", "variance"][self.choose(4)]);
                let keep = self.choose(2) == 1;
                let mut result = shape.clone();
                if keep {
                    result[axis] = 1;
                } else {
                    result.remove(axis);
                }
                self.define(quote!(#v.#function(axis = #along, keep = #keep)), result);
            }
            8 if rank > 0 => {
                let value = match self.choose(3) {
                    0 => quote!(#v.softmax(axis = #along)),
                    1 => quote!(#v.log_softmax(axis = #along)),
                    _ => quote!(#v.layer_norm(epsilon = 0.1)),
                };
                self.define(value, shape);
            }
            9 => {
                let count: usize = shape.iter().product();
                let result = match self.choose(3) {
                    0 => vec![count],
                    1 => [shape.as_slice(), &[1]].concat(),
                    _ if count.is_multiple_of(2) => vec![2, count / 2],
                    _ => vec![1, count],
                };
                if result.len() <= 3 {
                    let sizes = shape_tokens(&result);
                    self.define(quote!(#v.reshape(#sizes)), result);
                }
            }
            10 if rank > 1 => {
                let mut axes: Vec<usize> = (0..rank).collect();
                axes.rotate_left(1 + axis % (rank - 1));
                let result = axes.iter().map(|&axis| shape[axis]).collect();
                let axes = shape_tokens(&axes);
                self.define(quote!(#v.transpose(#axes)), result);
            }
            11 if rank > 0 && shape[0] > 1 => {
                let start = self.choose(shape[0]);
                let end = start + 1 + self.choose(shape[0] - start);
                let mut result = shape;
                result[0] = end - start;
                let (start, end) = (size(start), size(end));
                self.define(quote!(#v[#start..#end]), result);
            }
            12 if rank > 0 => {
                let mut result = shape;
                result[axis] *= 2;
                if result[axis] <= 8 {
                    self.define(quote!(concat((#v, #v.sin()), axis = #along)), result);
                }
            }
            13 if rank > 0 => {
                let reverse = self.choose(2) == 1;
                let start = shape_tokens(&shape[1..]);
                self.define(quote!(#v.scan(cell, initial = zeros(#start), reverse = #reverse)), shape);
            }
            _ => {
                let function = format_ident!("{}", SMOOTH[self.choose(SMOOTH.len())]);
                self.define(quote!(#v.#function()), shape);
            }
        }
    }
}

/// The declaration that these choices make.
fn declaration(choices: Vec<u32>) -> TokenStream {
    let mut writer = Writer {
        choices: choices.into_iter(),
        fields: vec![quote!(gain: [] = 0.5)],
        body: TokenStream::new(),
        variables: Vec::new(),
    };
    let rank = 1 + writer.choose(3);
    let shape: Vec<usize> = (0..rank).map(|_| 1 + writer.choose(4)).collect();
    writer.define(quote!(x.tanh() * self.gain), shape.clone());
    while writer.has_choices() {
        writer.statement();
    }
    let unused: Vec<usize> = (0..writer.variables.len()).filter(|&index| !writer.variables[index].1).collect();
    let unused: Vec<TokenStream> = unused.into_iter().map(|index| writer.variable(index)).collect();
    let Writer { fields, body, .. } = writer;
    let ty = shape_tokens(&shape);
    quote! {
        struct Random { #(#fields,)* }
        fn cell(s, x) { (self.gain * s + x).tanh() }
        fn forward(x: #ty) -> [] { #body #(#unused.sin().sum())+* + 0.1 * cell(self.gain, 0.5) }
        fn loss(y, t: []) { 0.5 * (y - t).powi(2) }
    }
}

#[test]
fn random_declarations_compute_the_same_in_all_forms() {
    let config = Config { cases: 150, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let found = runner.run(&vec(any::<u32>(), 5..60), |choices| {
        let tokens = declaration(choices);
        let text = tokens.to_string();
        let network = network(tokens);
        let entries = entry_points(&network);
        for entry in entries.all() {
            assert_passes(entry, &text);
            assert_limits(&entry.schedule, &text);
        }
        if let Some(loss) = &entries.loss {
            assert_gradients(&network, &loss.training, 4, &text);
        }
        Ok(())
    });
    if let Err(failure) = found {
        panic!("{failure}");
    }
}
