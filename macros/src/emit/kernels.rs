//! Kernel calls, and the formulas that they are given as types.

use std::collections::HashMap;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};

use super::parameters::{Layout, role};
use crate::formula::Formula;
use crate::graph::{Element, Reduction};
use crate::plan::{Destination, Extent, Kernel, Operand, Schedule, Source, View};

/// Writes kernel calls; collects the formulas, of which equal ones share a type, and the functions that hold the calls,
/// which calls share that differ only in where their operands lie: rustc's time grows with distinct shapes, not with depth.
pub(super) struct Writer<'a> {
    layout: &'a Layout,
    /// Numbers a sample of the largest entry point.
    sample_size: usize,
    /// Whether the whole network becomes one function.
    pub(super) inlined: bool,
    /// Parameters whose gradients one contraction writes, with nobody else to read them or the parameter after it.
    whole: Vec<usize>,
    formulas: Vec<FormulaType>,
    functions: Vec<Function>,
    numbers: HashMap<String, usize>,
}

/// A function around one kernel call.
struct Function {
    parameters: Vec<TokenStream>,
    /// Whether one of them says where gradients go.
    gradients: bool,
    call: TokenStream,
}

/// What differs between the calls of one function.
#[derive(Default)]
struct Site {
    parameters: Vec<TokenStream>,
    arguments: Vec<TokenStream>,
    /// Whether one of them says where gradients go.
    gradients: bool,
}

impl Site {
    /// A name for an argument of this type within the function.
    fn pass(&mut self, ty: TokenStream, argument: TokenStream) -> Ident {
        let name = format_ident!("a{}", self.arguments.len());
        self.parameters.push(quote!(#name: #ty));
        self.arguments.push(argument);
        name
    }
}

#[derive(PartialEq)]
struct FormulaType {
    formulas: Vec<Formula>,
    /// Number of operands behind the product, if there is one.
    inputs: usize,
    epilogue: bool,
    /// Which results are added to what is there, when asked to.
    accumulates: Vec<bool>,
}

/// The cost of formulas up to which memory decides how long they take: functions that are polynomials cost more.
const LIGHT: usize = 12;

fn number(value: usize) -> Literal {
    Literal::usize_unsuffixed(value)
}

fn step(loop_number: usize) -> Ident {
    format_ident!("t{loop_number}")
}

impl<'a> Writer<'a> {
    pub(super) fn new(layout: &'a Layout, sample_size: usize, inlined: bool) -> Self {
        let (whole, formulas, functions) = (Vec::new(), Vec::new(), Vec::new());
        Writer { layout, sample_size, inlined, whole, formulas, functions, numbers: HashMap::new() }
    }

    /// From now on, gradients that are whole after one kernel of this schedule, from number `first` on, may be applied
    /// there.
    pub(super) fn apply_whole(&mut self, schedule: &Schedule, first: usize) {
        self.whole = schedule.whole_gradients(first);
    }

    /// Whether gradients may be applied by the kernels that write them, in the order of memory.
    pub(super) fn whole(&self) -> Vec<bool> {
        self.layout.order.iter().map(|parameter| self.whole.contains(parameter)).collect()
    }

    pub(super) fn layout(&self) -> &'a Layout {
        self.layout
    }

    /// The calls of some kernels of a schedule.
    pub(super) fn calls(&mut self, schedule: &Schedule, kernels: &[Kernel]) -> TokenStream {
        kernels.iter().map(|kernel| self.call(schedule, kernel)).collect()
    }

    fn call(&mut self, schedule: &Schedule, kernel: &Kernel) -> TokenStream {
        if let Kernel::Loop { number: loop_number, steps, reverse, kernels } = kernel {
            let step = step(*loop_number);
            let steps = number(*steps);
            let inner = self.calls(schedule, kernels);
            let range = if *reverse { quote!((0..#steps).rev()) } else { quote!(0..#steps) };
            return quote!(for #step in #range { #inner });
        }
        let mut site = Site::default();
        let call = self.kernel(schedule, kernel, &mut site);
        let Site { parameters, arguments, gradients } = site;
        let key = quote!((#(#parameters),*) #call).to_string();
        let index = *self.numbers.entry(key).or_insert_with(|| {
            self.functions.push(Function { parameters, gradients, call });
            self.functions.len() - 1
        });
        let name = format_ident!("kernel_{index}");
        quote!(#name(machine, samples, accumulate, #(#arguments),*);)
    }

    fn kernel(&mut self, schedule: &Schedule, kernel: &Kernel, site: &mut Site) -> TokenStream {
        match kernel {
            Kernel::Nest { extents, .. } => {
                if let Some(call) = self.column_sums(schedule, kernel, site) {
                    return call;
                }
                let single = extents.iter().all(|extent| !extent.samples && extent.count == 1);
                let nest = self.nest(schedule, kernel, site);
                if single { quote!(runtime::single(#nest);) } else { quote!(runtime::nest(machine, #nest);) }
            }
            Kernel::Rows { stages } => {
                let stages: Vec<_> = stages.iter().map(|stage| self.nest(schedule, stage, site)).collect();
                let stages = stages.iter().rev().fold(quote!(()), |rest, nest| quote!((#nest, #rest)));
                quote!(runtime::rows(machine, #stages);)
            }
            Kernel::Contract { .. } => self.contract(schedule, kernel, site),
            Kernel::Lookup { extents, table, rows, width, indices, output } => {
                let extents = extents.iter().map(extent);
                let (rows, width) = (number(*rows), number(*width));
                let table = self.place(schedule, table, site);
                let indices = self.placed(schedule, indices, site);
                let output = self.placed(schedule, output, site);
                quote!(runtime::lookup(
                    machine, [#(#extents),*], runtime::Const::<#rows>, runtime::Const::<#width>, #table, #indices, #output
                );)
            }
            Kernel::LookupAdjoint { extents, rows, width, indices, gradient, output } => {
                let extents = extents.iter().map(extent);
                let (rows, width) = (number(*rows), number(*width));
                let accumulate = accumulate(output);
                let output = self.place(schedule, output, site);
                let indices = self.placed(schedule, indices, site);
                let gradient = self.placed(schedule, gradient, site);
                quote!(runtime::lookup_adjoint(
                    machine, [#(#extents),*], runtime::Const::<#rows>, runtime::Const::<#width>, #gradient, #indices, #output,
                    #accumulate
                );)
            }
            Kernel::Random { stream, loops, output } => {
                let place = self.place(schedule, output, site);
                let size = number(output.shape.iter().product());
                let stream = Literal::u64_unsuffixed(*stream as u64);
                let steps = loops.iter().map(|&loop_number| step(loop_number));
                let draws = site.pass(quote!(runtime::Draws), quote!(draws.part(&[#stream #(, #steps as u64)*])));
                quote!(runtime::uniform(machine, #draws, #size, samples, #place);)
            }
            Kernel::Loop { .. } => unreachable!("loops are no kernels"),
        }
    }

    fn nest(&mut self, schedule: &Schedule, kernel: &Kernel, site: &mut Site) -> TokenStream {
        let Kernel::Nest { extents, inputs, outputs, formulas } = kernel else { unreachable!("called for a nest") };
        let body = self.formula(formulas, inputs.len(), false, outputs);
        let inputs: Vec<_> = inputs.iter().map(|input| self.input(schedule, input, site)).collect();
        let outputs: Vec<_> = outputs.iter().map(|output| self.output(schedule, output, site)).collect();
        let rows = extents.last().filter(|length| !length.samples).map(|length| {
            let length = dimension(length);
            quote!(.rows_of(#length))
        });
        let extents = extents.iter().map(extent);
        quote!(runtime::Nest::new([#(#extents),*], (#(#inputs,)*), (#(#outputs,)*), #body) #rows)
    }

    /// Sums over the rows of a matrix that lies in memory, of which the library has compiled the loops for all sizes.
    fn column_sums(&self, schedule: &Schedule, kernel: &Kernel, site: &mut Site) -> Option<TokenStream> {
        let Kernel::Nest { extents, inputs, outputs, formulas } = kernel else { return None };
        let ([rows, columns], [input], [output], [formula]) = (&extents[..], &inputs[..], &outputs[..], &formulas[..])
        else {
            return None;
        };
        let is_sum = output.reduction == Some(Reduction::Sum) && output.operand.strides == [0, 1];
        let is_matrix = input.view.element == Element::Real && input.view.source.is_memory() && input.strides[1] == 1;
        if !(is_sum && is_matrix && formula.as_argument() == Some(0)) {
            return None;
        }
        let matrix = self.place(schedule, &input.view, site);
        let sums = self.place(schedule, &output.operand.view, site);
        let accumulate = accumulate(&output.operand.view);
        let [rows, columns, stride] = [extent(rows), extent(columns), number(input.strides[0]).into_token_stream()]
            .map(|size| site.pass(quote!(usize), size));
        Some(quote!(runtime::sum_columns(machine, [#rows, #columns], #matrix, #stride, #sums, #accumulate);))
    }

    fn contract(&mut self, schedule: &Schedule, kernel: &Kernel, site: &mut Site) -> TokenStream {
        let Kernel::Contract { outer, m, k, n, lhs, rhs, inputs, outputs, formulas, lent } = kernel else {
            unreachable!("called for a contraction")
        };
        let epilogue = self.epilogue(formulas, inputs.len(), outputs);
        let lhs = self.matrix(schedule, lhs, site);
        let rhs = self.matrix(schedule, rhs, site);
        let inputs: Vec<_> = inputs.iter().map(|input| self.input(schedule, input, site)).collect();
        let apart = kernel.keeps_sums_apart();
        let outputs: Vec<_> = outputs
            .iter()
            .map(|output| self.output(schedule, output, site))
            .map(|output| if apart { quote!(#output.apart()) } else { output })
            .collect();
        let outer = outer.iter().map(extent);
        let [m, k, n] = [m, k, n].map(dimension);
        let (function, lent) = match lent {
            None => (quote!(contract), None),
            Some(lent) => (quote!(contract_large), Some(self.lent(schedule, lent, site))),
        };
        let lent = lent.iter();
        quote! {
            runtime::#function(
                machine, #(#lent,)* [#(#outer),*], #m, #k, #n, #lhs, #rhs, (#(#inputs,)*), (#(#outputs,)*), #epilogue
            );
        }
    }

    /// The whole of a buffer.
    fn lent(&self, schedule: &Schedule, view: &View, site: &mut Site) -> TokenStream {
        let (offset, size) = (self.offset(schedule, view), number(view.shape.iter().product()));
        let lent = quote!(memory.get(#offset..#offset + #size * CAPACITY).unwrap_or_default());
        site.pass(quote!(&[::core::cell::Cell<T>]), lent).into_token_stream()
    }

    fn matrix(&self, schedule: &Schedule, operand: &Operand, site: &mut Site) -> TokenStream {
        let place = self.place(schedule, &operand.view, site);
        let (outer, last) = operand.strides.split_at(operand.strides.len() - 2);
        let outer = outer.iter().map(|&stride| number(stride));
        let (row, column) = (number(last[0]), number(last[1]));
        quote!(runtime::Matrix::new(#place, [#(#outer),*], #row, #column))
    }

    /// The slice and the offset at which a view begins.
    fn place(&self, schedule: &Schedule, view: &View, site: &mut Site) -> TokenStream {
        let (ty, slice) = match view.source {
            Source::Buffer(_) => (quote!(&[::core::cell::Cell<T>]), quote!(memory)),
            Source::Gradient(_) => (quote!(&[::core::cell::Cell<T>]), quote!(gradient)),
            Source::Parameter(_) => (quote!(runtime::Readable<'_, T>), quote!(parameters)),
            Source::Input(index) => {
                let element = if view.element == Element::Real { quote!(T) } else { quote!(u32) };
                (quote!(&[#element]), format_ident!("input_{index}").into_token_stream())
            }
            _ => unreachable!("{view} is not in memory"),
        };
        let offset = self.offset(schedule, view);
        let slice = site.pass(ty, slice);
        let offset = site.pass(quote!(usize), offset);
        quote!(#slice, #offset)
    }

    fn offset(&self, schedule: &Schedule, view: &View) -> TokenStream {
        let (scaled, fixed) = match view.source {
            Source::Buffer(index) if schedule.buffers[index].batched => (schedule.buffers[index].offset, view.offset),
            Source::Buffer(index) => (self.sample_size, schedule.buffers[index].offset + view.offset),
            Source::Parameter(index) | Source::Gradient(index) => (0, self.layout.offsets[index] + view.offset),
            _ => (0, view.offset),
        };
        let mut terms = Vec::new();
        if scaled != 0 {
            let scaled = number(scaled);
            terms.push(quote!(#scaled * CAPACITY));
        }
        for &(loop_number, stride) in view.loops.iter().filter(|(_, stride)| *stride != 0) {
            let (step, stride) = (step(loop_number), number(stride));
            terms.push(quote!(#step * #stride));
        }
        if fixed != 0 || terms.is_empty() {
            terms.push(number(fixed).into_token_stream());
        }
        quote!(#(#terms)+*)
    }

    /// Slice, offset and strides.
    fn placed(&self, schedule: &Schedule, operand: &Operand, site: &mut Site) -> TokenStream {
        let place = self.place(schedule, &operand.view, site);
        let strides = operand.strides.iter().map(|&stride| number(stride));
        quote!(#place, [#(#strides),*])
    }

    fn input(&self, schedule: &Schedule, operand: &Operand, site: &mut Site) -> TokenStream {
        let innermost = operand.strides.last().copied().unwrap_or(0);
        match operand.view.source {
            Source::PerStep(index) => {
                let name = format_ident!("input_{index}");
                let name = site.pass(quote!(T), quote!(#name));
                quote!(runtime::scalar(#name))
            }
            Source::Step(loop_number) => {
                let step = step(loop_number);
                let step = site.pass(quote!(usize), quote!(#step));
                quote!(runtime::scalar(runtime::step_number::<T>(#step)))
            }
            Source::Position => {
                let offset = self.offset(schedule, &operand.view);
                let strides = operand.strides.iter().map(|&stride| number(stride));
                quote!(runtime::position(#offset, [#(#strides),*]))
            }
            _ => {
                let placed = self.placed(schedule, operand, site);
                match (operand.view.element, innermost) {
                    (Element::Class(_) | Element::Length(_), 0) => quote!(runtime::broadcast_indices(#placed)),
                    (Element::Class(_) | Element::Length(_), _) => quote!(runtime::indices(#placed)),
                    (Element::Real, 1) => quote!(runtime::contiguous(#placed)),
                    (Element::Real, 0) => quote!(runtime::broadcast(#placed)),
                    (Element::Real, _) => quote!(runtime::strided(#placed)),
                }
            }
        }
    }

    fn output(&self, schedule: &Schedule, output: &Destination, site: &mut Site) -> TokenStream {
        if let Source::Gradient(parameter) = output.operand.view.source
            && output.is_row_by_row()
            && self.whole.contains(&parameter)
        {
            return self.whole_gradient(schedule, &output.operand, parameter, site);
        }
        let placed = self.placed(schedule, &output.operand, site);
        let innermost = output.operand.strides.last().copied().unwrap_or(0);
        let accumulate = accumulate(&output.operand.view);
        let kind = match output.reduction {
            None if innermost == 1 => return quote!(runtime::store(#placed)),
            None => return quote!(runtime::store_strided(#placed)),
            Some(Reduction::Sum) => "sum",
            Some(Reduction::Max) => "max",
            Some(Reduction::Min) => "min",
        };
        let name = match innermost {
            0 => format_ident!("{kind}_inner"),
            1 => format_ident!("{kind}_outer"),
            _ => format_ident!("{kind}_strided"),
        };
        quote!(runtime::#name(#placed, #accumulate))
    }

    /// The destination of a gradient that may be applied.
    fn whole_gradient(&self, schedule: &Schedule, operand: &Operand, parameter: usize, site: &mut Site) -> TokenStream {
        site.gradients = true;
        let gradients = site.pass(quote!(G), quote!(gradients));
        let role = site.pass(quote!(runtime::Role), role(self.layout.roles[parameter]));
        let offset = site.pass(quote!(usize), self.offset(schedule, &operand.view));
        let strides = operand.strides.iter().map(|&stride| number(stride));
        quote!(runtime::Gradients::whole(#gradients, #role, #offset, [#(#strides),*]))
    }

    fn epilogue(&mut self, formulas: &[Formula], inputs: usize, outputs: &[Destination]) -> TokenStream {
        if let ([only], [output], 0) = (formulas, outputs, inputs)
            && only.as_argument() == Some(0)
        {
            return match output.operand.view.source {
                Source::Gradient(_) => quote!(runtime::Accumulate(accumulate)),
                _ => quote!(runtime::Assign),
            };
        }
        if let ([only], [output], 1) = (formulas, outputs, inputs)
            && let Some(biased) = biased(only, output)
        {
            return biased;
        }
        self.formula(formulas, inputs, true, outputs)
    }

    /// The value of the type that stands for these formulas.
    fn formula(&mut self, formulas: &[Formula], inputs: usize, epilogue: bool, outputs: &[Destination]) -> TokenStream {
        let accumulates: Vec<bool> = outputs
            .iter()
            .map(|output| output.reduction.is_none() && matches!(output.operand.view.source, Source::Gradient(_)))
            .collect();
        let ty = FormulaType { formulas: formulas.to_vec(), inputs, epilogue, accumulates };
        let index = self.formulas.iter().position(|other| *other == ty).unwrap_or_else(|| {
            self.formulas.push(ty);
            self.formulas.len() - 1
        });
        let name = format_ident!("Formula{index}");
        if self.formulas[index].accumulates.contains(&true) { quote!(#name(accumulate)) } else { quote!(#name) }
    }

    /// The types of all formulas and the functions of all calls written so far.
    pub(super) fn definitions(&self) -> TokenStream {
        let formulas = self.formulas.iter().enumerate();
        let formulas: TokenStream =
            formulas.map(|(index, ty)| ty.definition(&format_ident!("Formula{index}"))).collect();
        let inline = if self.inlined { quote!(#[inline(always)]) } else { quote!(#[inline(never)]) };
        let functions = self.functions.iter().enumerate().map(|(index, Function { parameters, gradients, call })| {
            let (lifetime, gradients) =
                if *gradients { (quote!('g,), quote!(G: runtime::Gradients<'g, T>)) } else { (quote!(), quote!()) };
            let name = format_ident!("kernel_{index}");
            quote! {
                #inline
                fn #name<#lifetime T: runtime::Scalar, X: runtime::Machine, #gradients>(
                    machine: X, samples: usize, accumulate: bool, #(#parameters),*
                ) {
                    #call
                }
            }
        });
        quote!(#formulas #(#functions)*)
    }
}

impl FormulaType {
    fn definition(&self, name: &Ident) -> TokenStream {
        let names: Vec<Ident> = (0..self.inputs).map(|index| format_ident!("x{index}")).collect();
        let product = self.epilogue.then(|| quote!(product));
        let arguments: Vec<TokenStream> =
            product.into_iter().chain(names.iter().map(ToTokens::to_token_stream)).collect();
        let (lets, results) = Formula::tokens(&self.formulas, &arguments, &quote!(simd));
        let results = results.into_iter().zip(&self.accumulates).enumerate().map(|(index, (result, accumulates))| {
            let index = number(index);
            if *accumulates { quote!(if self.0 { previous[#index] + #result } else { #result }) } else { result }
        });
        let (inputs, outputs) = (number(self.inputs), number(self.formulas.len()));
        let (trait_name, product) = if self.epilogue {
            (quote!(Epilogue), quote!(product: runtime::Lanes<T, S>,))
        } else {
            (quote!(Body), quote!())
        };
        let light = self.formulas.iter().map(Formula::cost).sum::<usize>() <= LIGHT;
        let accumulates = self.accumulates.contains(&true);
        let (fields, previous) = if accumulates { (quote!((bool)), quote!(previous)) } else { (quote!(), quote!(_)) };
        quote! {
            #[derive(Clone, Copy)]
            struct #name #fields;
            impl<T: runtime::Scalar> runtime::#trait_name<T, #inputs, #outputs> for #name {
                const LIGHT: bool = #light;

                #[inline(always)]
                fn evaluate<S: runtime::Simd>(
                    self,
                    simd: S,
                    #product
                    [#(#names),*]: [runtime::Lanes<T, S>; #inputs],
                    #previous: [runtime::Lanes<T, S>; #outputs],
                ) -> [runtime::Lanes<T, S>; #outputs] {
                    #lets
                    [#(#results),*]
                }
            }
        }
    }
}

/// The product plus one input, with or without a rectifier, as most dense layers end: the library has compiled that. It
/// keeps the result, where gradients may have to be added up.
fn biased(formula: &Formula, output: &Destination) -> Option<TokenStream> {
    if output.reduction.is_some() || matches!(output.operand.view.source, Source::Gradient(_)) {
        return None;
    }
    let biased = Formula::argument(0) + Formula::argument(1);
    let rectified = Formula::apply("max", &[Formula::constant(0.0), biased.clone()]);
    let rectifies = *formula == rectified;
    (rectifies || *formula == biased).then(|| quote!(runtime::Biased::<#rectifies>))
}

/// Whether what is written is added to what is there: gradients, when asked to.
fn accumulate(view: &View) -> TokenStream {
    if matches!(view.source, Source::Gradient(_)) { quote!(accumulate) } else { quote!(false) }
}

fn extent(extent: &Extent) -> TokenStream {
    let count = number(extent.count);
    match (extent.samples, extent.count) {
        (true, 1) => quote!(samples),
        (true, _) => quote!(samples * #count),
        (false, _) => quote!(#count),
    }
}

/// A size that is a type where it is known.
fn dimension(size: &Extent) -> TokenStream {
    if size.samples {
        return extent(size);
    }
    let count = number(size.count);
    quote!(runtime::Const::<#count>)
}
