//! The structs that hold the parameters, and the table that describes them.

use std::collections::HashSet;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;

use crate::network::{Initializer, Network, Parameter, Role};

/// Parameters by field: a struct with further structs in it, in the order in which they lie in memory.
#[derive(Debug, Default)]
pub(super) struct Tree {
    fields: Vec<(String, Field)>,
}

#[derive(Debug)]
enum Field {
    Group(Tree),
    Parameter(usize),
}

/// Where parameters lie in the flat view.
#[derive(Debug)]
pub(super) struct Layout {
    tree: Tree,
    /// Parameters in the order of memory.
    pub(super) order: Vec<usize>,
    /// By parameter number.
    pub(super) offsets: Vec<usize>,
    /// By parameter number.
    pub(super) roles: Vec<Role>,
    pub(super) total: usize,
}

impl Layout {
    pub(super) fn new(parameters: &[Parameter]) -> Self {
        let mut tree = Tree::default();
        for (index, parameter) in parameters.iter().enumerate() {
            tree.insert(&parameter.path, index);
        }
        let mut order = Vec::new();
        tree.collect(&mut order);
        let roles = parameters.iter().map(|parameter| parameter.role).collect();
        let mut layout = Layout { tree, order: order.clone(), offsets: vec![0; parameters.len()], roles, total: 0 };
        for index in order {
            layout.offsets[index] = layout.total;
            layout.total += size(&parameters[index]);
        }
        layout
    }
}

fn size(parameter: &Parameter) -> usize {
    parameter.shape.iter().product()
}

impl Tree {
    fn insert(&mut self, path: &[String], index: usize) {
        let [name, rest @ ..] = path else { return };
        if rest.is_empty() {
            self.fields.push((name.clone(), Field::Parameter(index)));
            return;
        }
        let position = self.fields.iter().position(|(other, field)| other == name && matches!(field, Field::Group(_)));
        let position = position.unwrap_or_else(|| {
            self.fields.push((name.clone(), Field::Group(Tree::default())));
            self.fields.len() - 1
        });
        if let Field::Group(group) = &mut self.fields[position].1 {
            group.insert(rest, index);
        }
    }

    fn collect(&self, order: &mut Vec<usize>) {
        for (_, field) in &self.fields {
            match field {
                Field::Group(group) => group.collect(order),
                Field::Parameter(index) => order.push(*index),
            }
        }
    }
}

/// `[[T; 3]; 2]` for the shape `[2, 3]`.
pub(super) fn array(element: TokenStream, shape: &[usize]) -> TokenStream {
    shape.iter().rev().fold(element, |inner, &size| {
        let size = Literal::usize_unsuffixed(size);
        quote!([#inner; #size])
    })
}

/// The definitions of all parameter structs, the user's own first.
pub(super) fn structs(network: &Network, layout: &Layout, documentation: &str) -> TokenStream {
    let mut definitions = Vec::new();
    let mut taken = HashSet::from([network.name.unraw().to_string()]);
    define(network, &layout.tree, &network.name, documentation, true, &mut definitions, &mut taken);
    let (name, total) = (&network.name, Literal::usize_unsuffixed(layout.total));
    quote! {
        #(#definitions)*
        // Attributes that the user keeps, as a `repr` within `cfg_attr`, must not undo what `Flat` promises.
        const _: () = {
            use ::core::mem::{align_of, size_of};
            ::core::assert!(
                size_of::<#name<f32>>() == #total * size_of::<f32>() && align_of::<#name<f32>>() == align_of::<f32>()
                    && size_of::<#name<f64>>() == #total * size_of::<f64>() && align_of::<#name<f64>>() == align_of::<f64>(),
                "an attribute changes the layout of the network, which has to be that of its numbers"
            );
        };
    }
}

fn define(
    network: &Network,
    tree: &Tree,
    name: &Ident,
    documentation: &str,
    outermost: bool,
    definitions: &mut Vec<TokenStream>,
    taken: &mut HashSet<String>,
) {
    let position = definitions.len();
    let visibility = &network.visibility;
    let scalar = scalar(&network.name);
    let mut fields = Vec::new();
    for (field, content) in &tree.fields {
        let ident = format_ident!("{field}");
        let attributes = network.field_attributes.iter().find(|(name, _)| outermost && name == field);
        let attributes = attributes.map(|(_, attributes)| attributes);
        let (ty, text) = match content {
            Field::Parameter(index) => {
                let parameter = &network.parameters[*index];
                (array(quote!(#scalar), &parameter.shape), describe(parameter))
            }
            Field::Group(group) => {
                let inner = inner_name(name, field, taken);
                let path = format!("Parameters of `{field}`.");
                define(network, group, &inner, &path, false, definitions, taken);
                (quote!(#inner<#scalar>), path)
            }
        };
        fields.push(quote!(#attributes #[doc = #text] pub #ident: #ty));
    }
    if tree.fields.is_empty() {
        fields.push(quote!(#[doc(hidden)] pub __scalar: [#scalar; 0]));
    }
    let (attributes, default) =
        if outermost { (network.attributes.clone(), quote!(= f32)) } else { Default::default() };
    // A value that is cloned passes through the stack, for which a network may be too large: boxes of it are cloned instead.
    let clone = (!outermost).then(|| quote!(::core::clone::Clone,));
    let entry_points = outermost.then(|| {
        let forward = section("forward", &network.forward_attributes);
        let loss = section("loss", &network.loss_attributes);
        quote!(#forward #loss)
    });
    definitions.insert(
        position,
        quote! {
            #attributes
            #entry_points
            #[doc = #documentation]
            #[repr(C)]
            #[derive(::core::fmt::Debug, #clone ::core::cmp::PartialEq)]
            #visibility struct #name<#scalar #default> { #(#fields),* }
            // SAFETY: `repr(C)`, and all fields are arrays of one type or structs of such.
            unsafe impl<#scalar: ::backprop::__private::Scalar> ::backprop::__private::Flat<#scalar> for #name<#scalar> {}
        },
    );
}

/// The parameter of the structs, which the network itself may be called.
pub(super) fn scalar(network: &Ident) -> Ident {
    format_ident!("{}", if network == "T" { "Number" } else { "T" })
}

/// What the user says of an entry point that has no item of its own.
fn section(name: &str, attributes: &TokenStream) -> Option<TokenStream> {
    let heading = format!("\n# `{name}`\n");
    (!attributes.is_empty()).then(|| quote!(#[doc = #heading] #attributes))
}

fn describe(parameter: &Parameter) -> String {
    let mut text = format!("Shape `{:?}`", parameter.shape);
    if parameter.frozen {
        text.push_str(", frozen");
    }
    if let Some((low, high)) = parameter.clamp {
        text.push_str(&format!(", kept within {low} and {high}"));
    }
    text + "."
}

/// `NetDense1` for `dense_1` of `Net`; `NetDense1_` if that is what `dense1` is called.
fn inner_name(name: &Ident, field: &str, taken: &mut HashSet<String>) -> Ident {
    let mut inner = format!("{}{}", name.unraw(), camel_case(field.trim_start_matches("r#")));
    while !taken.insert(inner.clone()) {
        inner.push('_');
    }
    format_ident!("{inner}")
}

fn camel_case(name: &str) -> String {
    let part = |part: &str| {
        let mut letters = part.chars();
        letters.next().map_or(String::new(), |first| first.to_uppercase().collect::<String>() + letters.as_str())
    };
    name.split('_').map(part).collect()
}

/// The rows of `Program::TENSORS`.
pub(super) fn tensors(network: &Network, layout: &Layout) -> TokenStream {
    let rows = layout.order.iter().map(|&index| {
        let parameter = &network.parameters[index];
        // A raw identifier is a matter of Rust's alone.
        let name: Vec<&str> = parameter.path.iter().map(|part| part.trim_start_matches("r#")).collect();
        let name = name.join(".");
        let offset = layout.offsets[index];
        let shape = &parameter.shape;
        let role = role(parameter.role);
        let initializer = initializer(&parameter.initializer);
        let frozen = parameter.frozen;
        let clamp = super::optional(parameter.clamp.map(|(low, high)| quote!((#low, #high))));
        quote!(runtime::Tensor {
            name: #name, offset: #offset, shape: &[#(#shape),*], role: #role, initializer: #initializer,
            frozen: #frozen, clamp: #clamp,
        })
    });
    quote!(&[#(#rows),*])
}

pub(super) fn role(role: Role) -> TokenStream {
    let name = format_ident!("{role:?}");
    quote!(runtime::Role::#name)
}

fn initializer(initializer: &Initializer) -> TokenStream {
    let kind = match initializer {
        Initializer::Constant(value) => quote!(Constant(#value)),
        Initializer::Literal(values) => quote!(Literal(&[#(#values),*])),
        Initializer::Uniform(low, high) => quote!(Uniform(#low, #high)),
        Initializer::Normal(deviation) => quote!(Normal(#deviation)),
        plain => {
            let name = format_ident!("{plain:?}");
            quote!(#name)
        }
    };
    quote!(runtime::Initializer::#kind)
}

/// A fingerprint (FNV-1a) of names, shapes and order of all parameters.
pub(super) fn fingerprint(network: &Network, layout: &Layout) -> u64 {
    let text: String = layout
        .order
        .iter()
        .map(|&index| format!("{}{:?};", network.parameters[index].path.join("."), network.parameters[index].shape))
        .collect();
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
