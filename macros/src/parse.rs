//! Tokens -> Declaration: the struct, its fields, constants and functions, as written.

mod prepare;
mod types;

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Block, Expr, Pat, Token, Visibility};

use crate::error::{Diagnostic, Errors, suggestion};
pub(crate) use types::{CONSTANTS, ElementSyntax, NAMES, TypeSyntax};

/// What stands between the braces of `network!`.
#[derive(Debug, Default)]
pub(crate) struct Declaration {
    pub(crate) header: Option<Header>,
    pub(crate) fields: Vec<Field>,
    pub(crate) constants: Vec<Constant>,
    pub(crate) functions: Vec<Function>,
}

/// The struct without its fields.
#[derive(Debug)]
pub(crate) struct Header {
    /// The user's attributes but `dump`.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) dump: Option<String>,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
}

#[derive(Debug)]
pub(crate) struct Field {
    /// Doc comments.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) frozen: Option<Span>,
    pub(crate) clamp: Option<(Expr, Expr, Span)>,
    pub(crate) name: Ident,
    pub(crate) kind: FieldKind,
}

#[derive(Debug)]
pub(crate) enum FieldKind {
    /// `w: [2, 2] = glorot_uniform()`; without a shape it is that of a literal.
    Tensor { ty: Option<TypeSyntax>, value: Option<Expr> },
    /// `encoder: dense(64)`
    Layer { call: Expr },
}

#[derive(Debug)]
pub(crate) struct Constant {
    pub(crate) name: Ident,
    pub(crate) ty: String,
    pub(crate) value: Expr,
}

#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) output: Option<TypeSyntax>,
    /// Nothing, if it could not be read.
    pub(crate) body: Option<Block>,
}

impl Function {
    /// Whether it is a method of the network, too.
    pub(crate) fn is_public(&self) -> bool {
        !matches!(self.visibility, Visibility::Inherited)
    }
}

#[derive(Debug)]
pub(crate) struct Argument {
    pub(crate) pattern: Pat,
    pub(crate) ty: Option<TypeSyntax>,
}

/// Reads a declaration as far as it can be read. `complete` is false where an item was skipped, so that
/// what is missing may only have been misspelt.
pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> (Declaration, bool) {
    let mut declaration = Declaration::default();
    let mut complete = true;
    let tokens = match prepare::prepare(tokens, errors) {
        Ok(tokens) => tokens,
        Err(_) => return (declaration, false),
    };
    let read = |input: ParseStream| -> syn::Result<()> {
        while !input.is_empty() {
            if let Err(error) = item(input, &mut declaration, errors) {
                complete = false;
                for one in error {
                    errors.report(one.span(), Diagnostic::Syntax { message: one.to_string() });
                }
                skip_item(input)?;
            }
        }
        Ok(())
    };
    // What an item with a mistake leaves unread is no mistake of its own.
    if let Err(error) = read.parse2(tokens)
        && complete
    {
        complete = false;
        errors.report(error.span(), Diagnostic::Syntax { message: error.to_string() });
    }
    (declaration, complete)
}

/// Goes on behind a mistake: at the next token that begins an item.
fn skip_item(input: ParseStream) -> syn::Result<()> {
    let begins = |input: ParseStream| {
        input.peek(Token![fn]) || input.peek(Token![pub]) || input.peek(Token![const]) || input.peek(Token![struct])
    };
    while !input.is_empty() && !begins(input) {
        input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}

fn item(input: ParseStream, declaration: &mut Declaration, errors: &mut Errors) -> syn::Result<()> {
    let attributes = input.call(Attribute::parse_outer)?;
    let visibility: Visibility = input.parse()?;
    let ahead = input.lookahead1();
    if ahead.peek(Token![struct]) {
        structure(input, attributes, visibility, declaration, errors)
    } else if ahead.peek(Token![const]) {
        for attribute in &attributes {
            documentation_only(attribute, "above a constant", &[], errors);
        }
        declaration.constants.push(constant(input)?);
        Ok(())
    } else if ahead.peek(Token![fn]) {
        for attribute in &attributes {
            documentation_only(attribute, "above a function", &[], errors);
        }
        declaration.functions.push(function(input, attributes, visibility, errors)?);
        Ok(())
    } else {
        Err(ahead.error())
    }
}

fn constant(input: ParseStream) -> syn::Result<Constant> {
    input.parse::<Token![const]>()?;
    let name = input.parse()?;
    input.parse::<Token![:]>()?;
    let ty: syn::Type = input.parse()?;
    input.parse::<Token![=]>()?;
    let value = input.parse()?;
    input.parse::<Token![;]>()?;
    Ok(Constant { name, ty: ty.to_token_stream().to_string().replace(' ', ""), value })
}

fn structure(
    input: ParseStream,
    attributes: Vec<Attribute>,
    visibility: Visibility,
    declaration: &mut Declaration,
    errors: &mut Errors,
) -> syn::Result<()> {
    input.parse::<Token![struct]>()?;
    let name: Ident = input.parse()?;
    if input.peek(Token![<]) {
        errors.report(name.span(), Diagnostic::GenericStruct { name: name.to_string() });
        input.parse::<syn::Generics>()?;
    }
    let mut fields = Vec::new();
    let mut outcome = Ok(());
    if input.peek(syn::token::Brace) {
        let content;
        syn::braced!(content in input);
        outcome = read_fields(&content, &mut fields, errors);
        let _ = input.parse::<Option<Token![;]>>()?;
    } else {
        input.parse::<Token![;]>()?;
    }
    if let Some(header) = &declaration.header {
        errors.report(name.span(), Diagnostic::SecondStruct { first: header.name.to_string() });
        return Ok(());
    }
    let mut dump = None;
    let mut kept = Vec::new();
    for attribute in attributes {
        if attribute.path().is_ident("dump") {
            match attribute.parse_args::<syn::LitStr>() {
                Ok(folder) => dump = Some(folder.value()),
                Err(_) => malformed(&attribute, "dump", "#[dump(\"folder\")]", errors),
            }
        } else if documentation_only(&attribute, "above a network's struct", &["dump"], errors) {
            kept.push(attribute);
        }
    }
    declaration.header = Some(Header { attributes: kept, dump, visibility, name });
    declaration.fields = fields;
    outcome
}

fn read_fields(content: ParseStream, fields: &mut Vec<Field>, errors: &mut Errors) -> syn::Result<()> {
    while !content.is_empty() {
        fields.push(field(content, errors)?);
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    Ok(())
}

fn malformed(attribute: &Attribute, name: &str, form: &str, errors: &mut Errors) {
    errors.report(attribute.span(), Diagnostic::MalformedAttribute { name: name.into(), form: form.into() });
}

/// True for doc comments and lint levels, which are kept; others are reported.
fn documentation_only(attribute: &Attribute, place: &str, known: &[&str], errors: &mut Errors) -> bool {
    const KEPT: [&str; 6] = ["doc", "allow", "expect", "warn", "deny", "cfg_attr"];
    let name = attribute.path().to_token_stream().to_string();
    if KEPT.contains(&name.as_str()) {
        return true;
    }
    let suggestion = suggestion(&name, known.iter().copied().chain(["doc", "allow"]), || {
        let more: String = known.iter().map(|known| format!(", `#[{known}(…)]`")).collect();
        format!("here can stand doc comments, `#[allow(…)]`{more}")
    });
    errors.report(attribute.path().span(), Diagnostic::UnknownAttribute { name, place: place.into(), suggestion });
    false
}

fn field(input: ParseStream, errors: &mut Errors) -> syn::Result<Field> {
    let mut field_attributes = Vec::new();
    let (mut frozen, mut clamp) = (None, None);
    for attribute in input.call(Attribute::parse_outer)? {
        if attribute.path().is_ident("frozen") {
            frozen = Some(attribute.path().span());
            if !matches!(attribute.meta, syn::Meta::Path(_)) {
                malformed(&attribute, "frozen", "#[frozen]", errors);
            }
        } else if attribute.path().is_ident("clamp") {
            let bounds = |input: ParseStream| {
                let low: Expr = input.parse()?;
                input.parse::<Token![,]>()?;
                let high: Expr = input.parse()?;
                let _ = input.parse::<Option<Token![,]>>()?;
                Ok((low, high))
            };
            match attribute.parse_args_with(bounds) {
                Ok((low, high)) => clamp = Some((low, high, attribute.path().span())),
                Err(_) => malformed(&attribute, "clamp", "#[clamp(0.0, 1.0)]", errors),
            }
        } else if documentation_only(&attribute, "above a parameter", &["frozen", "clamp"], errors) {
            field_attributes.push(attribute);
        }
    }
    let _: Visibility = input.parse()?;
    let name: Ident = input.parse()?;
    let kind = field_kind(input)?;
    Ok(Field { attributes: field_attributes, frozen, clamp, name, kind })
}

fn field_kind(input: ParseStream) -> syn::Result<FieldKind> {
    let ty = if input.parse::<Option<Token![:]>>()?.is_some() {
        let is_type = input.peek(syn::token::Bracket) || input.peek(syn::token::Paren) || types::begins_named(input);
        if !is_type {
            return Ok(FieldKind::Layer { call: input.parse()? });
        }
        Some(input.parse()?)
    } else {
        None
    };
    let value = if input.parse::<Option<Token![=]>>()?.is_some() { Some(input.parse()?) } else { None };
    Ok(FieldKind::Tensor { ty, value })
}

fn function(
    input: ParseStream,
    attributes: Vec<Attribute>,
    visibility: Visibility,
    errors: &mut Errors,
) -> syn::Result<Function> {
    input.parse::<Token![fn]>()?;
    let name: Ident = input.parse()?;
    if input.peek(Token![<]) {
        return Err(input.error("functions of a network have no generics: leave types out to take any shape"));
    }
    let content;
    syn::parenthesized!(content in input);
    let arguments = content.parse_terminated(Argument::parse, Token![,])?.into_iter().collect();
    let output = if input.parse::<Option<Token![->]>>()?.is_some() { Some(input.parse()?) } else { None };
    let body = input.step(|cursor| match cursor.token_tree() {
        Some((proc_macro2::TokenTree::Group(group), rest)) => Ok((group, rest)),
        _ => Err(cursor.error("expected the function's body in braces")),
    })?;
    Ok(Function { attributes, visibility, name, arguments, output, body: block(body, errors) })
}

/// A body by itself, so that a mistake in one leaves the others readable.
fn block(body: Group, errors: &mut Errors) -> Option<Block> {
    match syn::parse2::<Block>(body.to_token_stream()) {
        Ok(block) => Some(block),
        Err(error) => {
            for one in error {
                errors.report(one.span(), Diagnostic::Syntax { message: one.to_string() });
            }
            None
        }
    }
}

impl Parse for Argument {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        if input.peek(Token![self]) || (input.peek(Token![&]) && input.peek2(Token![self])) {
            return Err(input.error("leave out `self`, which every function has: parameters are `self.name`"));
        }
        let pattern = Pat::parse_single(input)?;
        let ty = if input.parse::<Option<Token![:]>>()?.is_some() { Some(input.parse()?) } else { None };
        Ok(Self { pattern, ty })
    }
}
