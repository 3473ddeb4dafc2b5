//! Code of a network: the parameter structs, and `Program` with one function an entry point. Emission can't fail.

mod kernels;
mod methods;
mod parameters;
mod signature;
mod summary;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;

use crate::entries::{EntryPoint, EntryPoints, LossEntryPoints, is_differentiable};
use crate::losses;
use crate::network::{Network, Signature};
use crate::plan::{Schedule, Source, View};
use kernels::Writer;
use parameters::Layout;

use summary::is_tiny;
pub(crate) use summary::{derivation, multiply_adds, summary};

/// The code of a network.
pub(crate) fn emit(network: &Network, entries: &EntryPoints) -> TokenStream {
    let layout = Layout::new(&network.parameters);
    let most = |size: fn(&Schedule) -> usize| entries.all().map(|entry| size(&entry.schedule)).max().unwrap_or(0);
    let sample_size = most(|schedule| schedule.sample_size);
    let shared_size = most(|schedule| schedule.shared_size);
    let writer = Writer::new(&layout, sample_size, is_tiny(&entries.predict.schedule));
    let (alias, name) = within(&network.name);
    let mut emitter = Emitter { network, name: &name, entries, writer, sample_size };
    let program = emitter.program(&layout, sample_size, shared_size);
    let methods = methods::methods(network, &name, entries, &mut emitter.writer, sample_size);
    let formulas = emitter.writer.definitions();
    let summary = summary(network, entries);
    let derivation = derivation(network, entries);
    let documentation = format!("\n# What the compiler found\n\n```text\n{summary}\n```\n\n```text\n{derivation}\n```");
    let structs = parameters::structs(network, &layout, &documentation);
    let constants = constants(network, entries, &layout, sample_size, shared_size, &summary, &derivation);
    let lints = quote! {
        #[allow(
            clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction, unused, non_snake_case,
            reason = "generated code"
        )]
    };
    let code = quote! {
        const _: () = {
            use ::backprop::__private as runtime;
            #formulas
            #program
            runtime::clone_boxed!(#name);
            #methods
        };
    };
    let code = if alias.is_empty() { code } else { quote!(const _: () = { #alias #code };) };
    quote!(#structs #constants #lints #code)
}

/// What the network is called within the generated code, where types of that code may have its name, and how it gets there.
fn within(network: &Ident) -> (TokenStream, Ident) {
    let text = network.to_string();
    let taken = ["T", "X", "G", "S", "runtime"].contains(&text.as_str());
    if taken || text.starts_with("Formula") || text.starts_with("Pass_") {
        let scalar = parameters::scalar(network);
        (quote!(type Declared<#scalar> = #network<#scalar>;), format_ident!("Declared"))
    } else {
        (quote!(), network.clone())
    }
}

/// What is known of a network at compile time, for one scalar type so that `Name::summary()` needs none.
fn constants(
    network: &Network,
    entries: &EntryPoints,
    layout: &Layout,
    sample_size: usize,
    shared_size: usize,
    summary: &str,
    derivation: &str,
) -> TokenStream {
    let name = &network.name;
    let multiply_adds = Literal::usize_unsuffixed(multiply_adds(&entries.predict.schedule));
    let [total, sample_size, shared_size] = [layout.total, sample_size, shared_size].map(Literal::usize_unsuffixed);
    quote! {
        impl #name<f32> {
            /// Number of parameters.
            pub const PARAMETERS: usize = #total;
            /// Multiply-adds of one sample's prediction.
            pub const MULTIPLY_ADDS: usize = #multiply_adds;
            /// Numbers that a workspace keeps for each sample of its capacity.
            pub const WORKSPACE_PER_SAMPLE: usize = #sample_size;
            /// Numbers that a workspace keeps besides.
            pub const WORKSPACE_SHARED: usize = #shared_size;

            /// Each layer with its output shape, parameters, multiply-adds and bytes.
            pub const fn summary() -> &'static str {
                #summary
            }

            /// The formulas of the network and their derivatives, as the compiler found them.
            pub const fn derivation() -> &'static str {
                #derivation
            }
        }
    }
}

struct Emitter<'a> {
    network: &'a Network,
    /// See [`within`].
    name: &'a Ident,
    entries: &'a EntryPoints,
    writer: Writer<'a>,
    sample_size: usize,
}

impl Emitter<'_> {
    fn program(&mut self, layout: &Layout, sample_size: usize, shared_size: usize) -> TokenStream {
        let (network, name) = (self.network, self.name);
        let text = network.name.unraw().to_string();
        let inputs: Vec<Signature> = network.inputs.iter().map(|argument| argument.signature.clone()).collect();
        let targets: Vec<Signature> = network.targets.iter().map(|argument| argument.signature.clone()).collect();
        let gradients: Vec<Signature> = inputs.iter().filter(|input| is_differentiable(input)).cloned().collect();
        let types = signature::associated_types(&inputs, &targets, &network.outputs, &gradients);
        let tensors = parameters::tensors(network, layout);
        let fingerprint = Literal::u64_unsuffixed(parameters::fingerprint(network, layout));
        let multiply_adds = Literal::usize_unsuffixed(multiply_adds(&self.entries.predict.schedule));
        let (sample_size, shared_size) =
            (Literal::usize_unsuffixed(sample_size), Literal::usize_unsuffixed(shared_size));
        let tiny = self.writer.inlined;
        let has_loss = network.has_loss;
        let decisions = network.bodies.loss.as_ref().map(|loss| losses::decisions(loss, network.outputs.len()));
        let decisions = decisions.unwrap_or_else(|| vec![None; network.outputs.len()]);
        let decisions = decisions.iter().map(|threshold| optional(threshold.map(|threshold| quote!(#threshold))));
        let terms = Literal::usize_unsuffixed(self.entries.loss.as_ref().map_or(0, |loss| loss.weighted.len()));
        let batch_of_one = signature::batch_of_one(&inputs);
        let first_output = signature::first_output(network.outputs.len());
        let predict = self.predict();
        let loss = self.loss();
        let whole = self.writer.whole();
        let backward = self.backward();
        quote! {
            impl<T: runtime::Scalar> runtime::Held for #name<T> {
                type Network = Self;
            }
            impl<T: runtime::Scalar> runtime::Program for #name<T> {
                type Scalar = T;
                #types
                type Terms = [T; #terms];
                type Memory<const CAPACITY: usize> = runtime::Arena<T, CAPACITY, #sample_size, #shared_size>;
                const NAME: &'static str = #text;
                const ARCHITECTURE: u64 = #fingerprint;
                const TENSORS: &'static [runtime::Tensor] = #tensors;
                const MULTIPLY_ADDS: usize = #multiply_adds;
                const TINY: bool = #tiny;
                const HAS_LOSS: bool = #has_loss;
                const DECISIONS: &'static [::core::option::Option<f64>] = &[#(#decisions),*];
                const WHOLE: &'static [bool] = &[#(#whole),*];
                #[inline(always)]
                fn no_terms() -> Self::Terms {
                    [T::zero(); #terms]
                }
                #batch_of_one
                #first_output
                #predict
                #loss
                #backward
            }
        }
    }

    fn predict(&mut self) -> TokenStream {
        let entry = &self.entries.predict;
        let bind = bind_inputs(&self.network.inputs, &quote!(inputs), 0);
        let body = self.writer.calls(&entry.schedule, &entry.schedule.kernels);
        let outputs = self.outputs(&entry.schedule, 0..self.network.outputs.len());
        quote! {
            #[inline(always)]
            fn run_predict<X: runtime::Machine, const CAPACITY: usize>(
                &self, machine: X, inputs: Self::Inputs<'_>, samples: usize, memory: &mut Self::Memory<CAPACITY>,
            ) {
                let parameters = runtime::Readable::from(runtime::Flat::as_flat(self));
                let memory = runtime::cells(memory);
                let accumulate = false;
                #bind
                #body
            }
            fn predicted<const CAPACITY: usize>(
                memory: &Self::Memory<CAPACITY>, samples: usize,
            ) -> Self::Outputs<'_> {
                let memory = runtime::Flat::as_flat(memory);
                #outputs
            }
        }
    }

    /// A tuple of results in memory, as slices of arrays.
    fn outputs(&self, schedule: &Schedule, range: std::ops::Range<usize>) -> TokenStream {
        let slices = range.map(|index| result_slice(schedule, &schedule.results[index], self.sample_size));
        signature::tuple(slices.collect())
    }

    fn loss(&mut self) -> TokenStream {
        let batch = quote!(inputs: Self::Inputs<'_>, targets: Self::Targets<'_>, samples: usize);
        let arguments = quote!(&self, machine: X, #batch);
        let memory = quote!(memory: &mut Self::Memory<CAPACITY>);
        let more = quote!(scales: Self::Terms, draws: runtime::Draws, #memory, gradient: G, accumulate: bool);
        let header = quote!(<X: runtime::Machine, const CAPACITY: usize>);
        let [weights, loss, training] = match &self.entries.loss {
            Some(loss) => self.losses(loss),
            None => [quote!([]), quote!([]), quote!([])],
        };
        quote! {
            #[inline(always)]
            fn loss_weights #header(#arguments, #memory) -> Self::Terms { #weights }
            #[inline(always)]
            fn run_loss #header(#arguments, #memory) -> Self::Terms { #loss }
            #[inline(always)]
            fn run_loss_and_gradient<'g, X: runtime::Machine, G: runtime::Gradients<'g, T>, const CAPACITY: usize>(
                machine: X, parameters: runtime::Readable<'_, T>, #batch, #more
            ) -> Self::Terms { #training }
        }
    }

    /// The bodies of the three functions of a loss.
    fn losses(&mut self, loss: &LossEntryPoints) -> [TokenStream; 3] {
        let count = self.network.inputs.len();
        let inputs = bind_inputs(&self.network.inputs, &quote!(inputs), 0);
        let targets = bind_inputs(&self.network.targets, &quote!(targets), count);
        let bind = quote! {
            let memory = runtime::cells(memory);
            #inputs
            #targets
        };
        let bind_all = quote! {
            let parameters = runtime::Readable::from(runtime::Flat::as_flat(self));
            #bind
        };
        let terms = loss.weighted.len();
        let mut found = 0..;
        let weight_results: Vec<TokenStream> = loss
            .weighted
            .iter()
            .map(|weighted| match (weighted, found.clone().next()) {
                (true, Some(index)) => {
                    found.next();
                    self.read(&loss.weights, index)
                }
                _ => quote!(runtime::step_number::<T>(samples)),
            })
            .collect();
        let weights = self.writer.calls(&loss.weights.schedule, &loss.weights.schedule.kernels);
        let evaluation = self.writer.calls(&loss.loss.schedule, &loss.loss.schedule.kernels);
        let totals: Vec<_> = (0..terms).map(|index| self.read(&loss.loss, index)).collect();
        let schedule = &loss.training.schedule;
        self.writer.apply_whole(schedule, schedule.results_known());
        let (first, second) = schedule.kernels.split_at(schedule.results_known());
        let (first, second) = (self.writer.calls(schedule, first), self.writer.calls(schedule, second));
        let trained: Vec<_> = (0..terms).map(|index| self.read(&loss.training, index)).collect();
        let scales = (0..terms).map(|index| format_ident!("input_{}", count + self.network.targets.len() + index));
        let clear = self.clear_gradient(schedule);
        [
            quote!(let accumulate = false; #bind_all #weights [#(#weight_results),*]),
            quote!(let accumulate = false; #bind_all #evaluation [#(#totals),*]),
            quote! {
                let (gradients, gradient) = (gradient, runtime::Gradients::cells(gradient));
                #bind
                let [#(#scales),*] = scales;
                #first
                let terms = [#(#trained),*];
                if X::PLAIN || runtime::is_finite(&terms, &scales) {
                    #clear
                    #second
                }
                terms
            },
        ]
    }

    /// Zeros for the gradients that the schedule does not write: of frozen parameters, and of those without effect.
    fn clear_gradient(&self, schedule: &Schedule) -> TokenStream {
        let mut written = vec![false; self.network.parameters.len()];
        for kernel in &schedule.kernels {
            kernel.views(&mut |view, _| {
                if let Source::Gradient(index) = view.source {
                    written[index] = true;
                }
            });
        }
        let parts: Vec<TokenStream> = (0..written.len())
            .filter(|&index| !written[index])
            .map(|index| {
                let offset = Literal::usize_unsuffixed(self.writer.layout().offsets[index]);
                let size: usize = self.network.parameters[index].shape.iter().product();
                let size = Literal::usize_unsuffixed(size);
                quote!(runtime::clear(gradient, #offset, #size);)
            })
            .collect();
        if parts.is_empty() { quote!() } else { quote!(if !accumulate { #(#parts)* }) }
    }

    /// A number that an entry point has left.
    fn read(&self, entry: &EntryPoint, index: usize) -> TokenStream {
        let Source::Buffer(buffer) = entry.schedule.results[index].source else {
            unreachable!("totals lie in buffers")
        };
        let start = Literal::usize_unsuffixed(self.sample_size);
        let offset = Literal::usize_unsuffixed(entry.schedule.buffers[buffer].offset);
        quote!(runtime::read(memory, #start * CAPACITY + #offset))
    }

    fn backward(&mut self) -> TokenStream {
        let entry = &self.entries.backward;
        let count = self.network.inputs.len();
        let outputs = self.network.outputs.len();
        let (first, second) = entry.schedule.kernels.split_at(entry.schedule.first_half);
        self.writer.apply_whole(&entry.schedule, 0);
        let bind = bind_inputs(&self.network.inputs, &quote!(inputs), 0);
        let first = self.writer.calls(&entry.schedule, first);
        let second = self.writer.calls(&entry.schedule, second);
        let names: Vec<_> = (0..outputs).map(|index| format_ident!("input_{}", count + index)).collect();
        let pattern = signature::tuple(names.iter().map(|name| quote!(#name)).collect());
        let forwarded = self.outputs(&entry.schedule, 0..outputs);
        let gradients = self.outputs(&entry.schedule, outputs..entry.schedule.results.len());
        let clear = self.clear_gradient(&entry.schedule);
        quote! {
            #[inline(always)]
            fn run_forward<X: runtime::Machine, const CAPACITY: usize>(
                &self, machine: X, inputs: Self::Inputs<'_>, samples: usize, draws: runtime::Draws,
                memory: &mut Self::Memory<CAPACITY>,
            ) {
                let parameters = runtime::Readable::from(runtime::Flat::as_flat(self));
                let memory = runtime::cells(memory);
                let accumulate = false;
                #bind
                #first
            }
            fn forwarded<const CAPACITY: usize>(
                memory: &Self::Memory<CAPACITY>, samples: usize,
            ) -> Self::Outputs<'_> {
                let memory = runtime::Flat::as_flat(memory);
                #forwarded
            }
            #[inline(always)]
            fn run_backward<X: runtime::Machine, const CAPACITY: usize>(
                &self, machine: X, inputs: Self::Inputs<'_>, output_gradients: Self::Outputs<'_>, samples: usize,
                draws: runtime::Draws, memory: &mut Self::Memory<CAPACITY>, gradient: &mut Self, accumulate: bool,
            ) {
                let gradient = runtime::cells(gradient);
                let gradients = runtime::Kept(gradient);
                let parameters = runtime::Readable::from(runtime::Flat::as_flat(self));
                let memory = runtime::cells(memory);
                #bind
                let #pattern = output_gradients;
                #(let #names = runtime::flatten(#names);)*
                #clear
                #second
            }
            fn input_gradients<const CAPACITY: usize>(
                memory: &Self::Memory<CAPACITY>, samples: usize,
            ) -> Self::InputGradients<'_> {
                let memory = runtime::Flat::as_flat(memory);
                #gradients
            }
        }
    }
}

fn optional(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

/// A batched result in memory, as a slice of arrays with one element a sample.
fn result_slice(schedule: &Schedule, view: &View, sample_size: usize) -> TokenStream {
    let Source::Buffer(index) = view.source else { unreachable!("results lie in buffers") };
    let buffer = &schedule.buffers[index];
    debug_assert!(buffer.batched && buffer.offset + buffer.size <= sample_size);
    let [offset, size] = [buffer.offset, buffer.size].map(Literal::usize_unsuffixed);
    quote!(runtime::results(memory, #offset * CAPACITY, #size * samples))
}

/// `let input_0 = …;` for each argument: a flat slice, or a number.
fn bind_inputs(arguments: &[crate::network::Argument], tuple: &TokenStream, first: usize) -> TokenStream {
    let names: Vec<_> = (0..arguments.len()).map(|index| format_ident!("input_{}", first + index)).collect();
    let pattern = signature::tuple(names.iter().map(|name| quote!(#name)).collect());
    let flat = names.iter().zip(arguments).map(|(name, argument)| {
        let signature = &argument.signature;
        match (signature.per_step, signature.element) {
            (true, _) => quote!(),
            (_, crate::graph::Element::Real) => quote!(let #name = runtime::flatten(#name);),
            _ => quote!(let #name = runtime::flatten_indices(#name);),
        }
    });
    quote!(let #pattern = #tuple; #(#flat)*)
}
