//! The small grammar of types in signatures and fields: shapes, classes, lengths, tuples, constants.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, Token};

/// A type as written; sizes are expressions yet to be evaluated.
#[derive(Debug, Clone)]
pub(crate) enum TypeSyntax {
    /// `[28, 28]`, `[]`, `[Class<65>; 64]`, `Class<10>` (a single one), `Length<64>`
    Tensor {
        element: ElementSyntax,
        sizes: Vec<Expr>,
        span: Span,
    },
    /// `Scalar`
    Scalar(Span),
    /// `usize`, `f32`, `bool`: a constant, known when the function is inlined.
    Constant(Ident),
    Tuple(Vec<TypeSyntax>, Span),
    /// None of these.
    Unknown(Ident),
}

#[derive(Debug, Clone)]
pub(crate) enum ElementSyntax {
    Real,
    Class(Box<Expr>),
    Length(Box<Expr>),
}

impl TypeSyntax {
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Tensor { span, .. } | Self::Scalar(span) | Self::Tuple(_, span) => *span,
            Self::Constant(name) | Self::Unknown(name) => name.span(),
        }
    }
}

const SHAPE: &str = "a shape is one list of sizes, such as `[28, 28]`";

/// Names of types, other than brackets.
pub(crate) const NAMES: [&str; 3] = ["Class", "Length", "Scalar"];
/// Types of constants.
pub(crate) const CONSTANTS: [&str; 15] =
    ["usize", "isize", "u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64", "bool", "u128", "i128"];

/// Whether a type with a name comes next, rather than a layer.
pub(crate) fn begins_named(input: ParseStream) -> bool {
    let ahead = input.fork();
    ahead.parse::<Ident>().is_ok_and(|name| !ahead.peek(syn::token::Paren) || NAMES.iter().any(|known| name == known))
}

impl Parse for TypeSyntax {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        if input.peek(syn::token::Bracket) {
            let content;
            let bracket = syn::bracketed!(content in input);
            let shape = bracketed(&content, bracket.span.join())?;
            // As in C.
            return if input.peek(syn::token::Bracket) { Err(input.error(SHAPE)) } else { Ok(shape) };
        }
        if input.peek(syn::token::Paren) {
            let content;
            let paren = syn::parenthesized!(content in input);
            let items: Punctuated<Self, Token![,]> = content.parse_terminated(Self::parse, Token![,])?;
            let trailing = items.trailing_punct();
            let mut items: Vec<Self> = items.into_iter().collect();
            return Ok(match items.pop() {
                Some(only) if items.is_empty() && !trailing => only,
                last => {
                    items.extend(last);
                    Self::Tuple(items, paren.span.join())
                }
            });
        }
        if input.peek(Token![&]) {
            return Err(input.error("types of a network are values: leave the `&` out"));
        }
        let name: Ident = input.parse()?;
        let written = name.to_string();
        match written.as_str() {
            "Scalar" => Ok(Self::Scalar(name.span())),
            "Class" | "Length" if input.peek(Token![<]) => {
                let span = name.span();
                Ok(Self::Tensor { element: element(&name, input)?, sizes: Vec::new(), span })
            }
            _ if CONSTANTS.contains(&written.as_str()) => Ok(Self::Constant(name)),
            _ => {
                if input.peek(Token![<]) {
                    element(&name, input)?;
                }
                Ok(Self::Unknown(name))
            }
        }
    }
}

/// Behind `Class` or `Length`: `<65>`, `<NAME>`, `<{ 2 * NAME }>`.
fn element(name: &Ident, input: ParseStream) -> syn::Result<ElementSyntax> {
    input.parse::<Token![<]>()?;
    let bound = if input.peek(syn::token::Brace) {
        Expr::Block(input.parse()?)
    } else if input.peek(syn::token::Paren) {
        Expr::Paren(input.parse()?)
    } else if input.peek(syn::Lit) {
        Expr::Lit(input.parse()?)
    } else if input.peek(syn::Ident) {
        let name: Ident = input.parse()?;
        Expr::Path(syn::ExprPath { attrs: Vec::new(), qself: None, path: name.into() })
    } else {
        // What is left are expressions in invisible groups, from a `macro_rules!`.
        input.step(|cursor| match cursor.token_tree() {
            Some((TokenTree::Group(group), rest)) => Ok((syn::parse2::<Expr>(group.stream())?, rest)),
            _ => Err(cursor.error("expected a number or the name of a constant")),
        })?
    };
    input.parse::<Token![>]>()?;
    let bound = Box::new(bound);
    Ok(if name == "Class" { ElementSyntax::Class(bound) } else { ElementSyntax::Length(bound) })
}

/// Between brackets: `28, 28` or `Class<65>; 64`.
fn bracketed(content: ParseStream, span: Span) -> syn::Result<TypeSyntax> {
    if content.peek(syn::token::Bracket) && content.peek2(Token![;]) {
        let (element, sizes) = array(content)?;
        let sizes = sizes.join(", ");
        let shape = if element.contains('<') { format!("[{element}; {sizes}]") } else { format!("[{sizes}]") };
        return Err(syn::Error::new(span, format!("a shape is one list of sizes: write `{shape}`")));
    }
    let ahead = content.fork();
    let named = ahead.parse::<Ident>().ok().filter(|_| ahead.peek(Token![<]) || ahead.peek(Token![;]));
    let mut tensor_element = ElementSyntax::Real;
    if let Some(name) = named {
        if (name == "Class" || name == "Length") && content.peek2(Token![<]) {
            content.parse::<Ident>()?;
            tensor_element = element(&name, content)?;
            content.parse::<Token![;]>()?;
        } else {
            content.parse::<TokenStream>()?;
            return Ok(TypeSyntax::Unknown(name));
        }
    }
    let sizes: Punctuated<Expr, Token![,]> = content.parse_terminated(Expr::parse, Token![,])?;
    if let Some(stray) = sizes.iter().find(|size| matches!(size, Expr::Assign(_))) {
        return Err(syn::Error::new(stray.span(), SHAPE));
    }
    Ok(TypeSyntax::Tensor { element: tensor_element, sizes: sizes.into_iter().collect(), span })
}

/// Inside an array as Rust writes it, `[f32; 6]; 20`: the element of the innermost one, and all sizes, outermost first.
fn array(content: ParseStream) -> syn::Result<(String, Vec<String>)> {
    let (element, inner) = if content.peek(syn::token::Bracket) {
        let within;
        syn::bracketed!(within in content);
        array(&within)?
    } else {
        let mut element = String::new();
        while !content.is_empty() && !content.peek(Token![;]) {
            element.push_str(&content.parse::<TokenTree>()?.to_string());
        }
        (element, Vec::new())
    };
    content.parse::<Token![;]>()?;
    let size = content.parse::<TokenStream>()?.to_string();
    Ok((element, core::iter::once(size).chain(inner).collect()))
}
