//! Before `syn` reads them: tokens of bodies whose types are shapes, what `macro_rules!` leaves behind, raw names.

use proc_macro2::{Delimiter, Group, Ident, Spacing, TokenStream, TokenTree};
use syn::ext::IdentExt;

use crate::error::{Checked, Diagnostic, Errors};

/// Deeper nesting is refused, so that no declaration can exhaust the compiler's stack.
const DEPTH: usize = 64;

/// More tokens than this in one statement are refused, as are more than `RUN` without a group or a literal between:
/// `syn` reads them by recursion.
const STATEMENT: usize = 1000;
const RUN: usize = 400;

/// The macro that a shape behind `let h:` is wrapped in, because `[3, 4]` is no type of Rust. Its tokens are read by
/// [`super::TypeSyntax`].
pub(crate) const SHAPE: &str = "__shape";

/// `let h: [3, 4] = …` -> `let h: __shape!([3, 4]) = …`; invisible groups around a single group or token are opened.
pub(crate) fn prepare(tokens: TokenStream, errors: &mut Errors) -> Checked<TokenStream> {
    level(tokens, 0, errors)
}

/// `w` for `r#w`, which is the same name to Rust; what would be a keyword (in some edition) stays.
fn plain(name: Ident) -> Ident {
    let bare = name.unraw();
    if name == bare || bare == "gen" || syn::parse_str::<Ident>(&bare.to_string()).is_err() { name } else { bare }
}

fn level(tokens: TokenStream, depth: usize, errors: &mut Errors) -> Checked<TokenStream> {
    let mut prepared: Vec<TokenTree> = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    // Behind a `let`, before its `=`.
    let mut declaring = false;
    let (mut statement, mut run) = (0, 0);
    while let Some(token) = tokens.next() {
        match &token {
            TokenTree::Punct(end) if matches!(end.as_char(), ';' | ',') => (statement, run) = (0, 0),
            TokenTree::Group(group) => {
                let more = matches!(tokens.peek(), Some(TokenTree::Ident(name)) if name == "else");
                let ends = group.delimiter() == Delimiter::Brace && !more;
                (statement, run) = (if ends { 0 } else { statement + 1 }, 0);
            }
            TokenTree::Literal(_) => (statement, run) = (statement + 1, 0),
            _ => (statement, run) = (statement + 1, run + 1),
        }
        if statement > STATEMENT || run > RUN {
            return Err(errors
                .report(token.span(), Diagnostic::LongStatement { limit: if run > RUN { RUN } else { STATEMENT } }));
        }
        match token {
            TokenTree::Group(group) => prepared.push(open(group, depth, errors)?),
            TokenTree::Ident(name) => {
                declaring |= name == "let";
                prepared.push(plain(name).into());
            }
            TokenTree::Punct(punct) => {
                let (character, alone) = (punct.as_char(), punct.spacing() == Spacing::Alone);
                if character == '=' || character == ';' {
                    declaring = false;
                }
                let span = punct.span();
                let path = character == ':'
                    && matches!(prepared.last(), Some(TokenTree::Punct(last)) if last.as_char() == ':');
                prepared.push(punct.into());
                if declaring && character == ':' && alone && !path {
                    declaring = false;
                    let mut ty = Vec::new();
                    while let Some(next) = tokens.peek() {
                        if matches!(next, TokenTree::Punct(end) if matches!(end.as_char(), '=' | ';')) {
                            break;
                        }
                        ty.extend(tokens.next());
                    }
                    let ty = level(ty.into_iter().collect(), depth + 1, errors)?;
                    let mut exclamation = proc_macro2::Punct::new('!', Spacing::Alone);
                    exclamation.set_span(span);
                    let mut wrapped = Group::new(Delimiter::Parenthesis, ty);
                    wrapped.set_span(span);
                    prepared.extend([Ident::new(SHAPE, span).into(), exclamation.into(), wrapped.into()]);
                }
            }
            literal => prepared.push(literal),
        }
    }
    Ok(prepared.into_iter().collect())
}

fn open(group: Group, depth: usize, errors: &mut Errors) -> Checked<TokenTree> {
    if depth >= DEPTH {
        return Err(errors.report(group.span(), Diagnostic::Nesting { limit: DEPTH }));
    }
    let inner = level(group.stream(), depth + 1, errors)?;
    if group.delimiter() == Delimiter::None {
        let mut items = inner.clone().into_iter();
        if let (Some(only), None) = (items.next(), items.next()) {
            return Ok(only);
        }
    }
    let mut opened = Group::new(group.delimiter(), inner);
    opened.set_span(group.span());
    Ok(TokenTree::Group(opened))
}
