//! Fields of the struct: explicit parameters, their start values, layers.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Expr, Ident};

use super::call::Given;
use super::types::Expected;
use super::value::Value;
use super::{Checker, display_shape, is_real};
use crate::error::{Checked, Diagnostic, suggestion};
use crate::function::Kind;
use crate::network::{Initializer, Parameter, Role};
use crate::parse::{Field, FieldKind, TypeSyntax};

/// A way to start a parameter: name, names of its numbers, and what it makes of them.
struct InitializerRow {
    name: &'static str,
    arguments: &'static [&'static str],
    make: fn(&[f64]) -> Initializer,
}

const fn plain(name: &'static str, make: fn(&[f64]) -> Initializer) -> InitializerRow {
    InitializerRow { name, arguments: &[], make }
}

/// Fans are counted on matrices `[in, out]`; see the runtime's `Initializer` for the formulas.
static INITIALIZERS: &[InitializerRow] = &[
    plain("zeros", |_| Initializer::Zeros),
    plain("ones", |_| Initializer::Constant(1.0)),
    InitializerRow { name: "constant", arguments: &["value"], make: |x| Initializer::Constant(x[0]) },
    InitializerRow { name: "uniform", arguments: &["low", "high"], make: |x| Initializer::Uniform(x[0], x[1]) },
    InitializerRow { name: "normal", arguments: &["deviation"], make: |x| Initializer::Normal(x[0]) },
    plain("glorot_uniform", |_| Initializer::GlorotUniform),
    plain("glorot_normal", |_| Initializer::GlorotNormal),
    plain("he_uniform", |_| Initializer::HeUniform),
    plain("he_normal", |_| Initializer::HeNormal),
    plain("lecun_uniform", |_| Initializer::LecunUniform),
    plain("lecun_normal", |_| Initializer::LecunNormal),
    plain("orthogonal", |_| Initializer::Orthogonal),
];

/// For the reference.
#[cfg(test)]
pub(crate) fn forms() -> impl Iterator<Item = String> {
    INITIALIZERS.iter().map(|row| format!("{}({})", row.name, row.arguments.join(", ")))
}

impl<'a> Checker<'a> {
    /// Makes the parameters that are declared; those of layers come when they are called.
    pub(super) fn declare_fields(&mut self) {
        let mut fields: Vec<&'a Field> = self.fields.values().copied().collect();
        fields.sort_by_key(|field| self.parameters.place(&field.name.to_string()));
        for field in fields {
            match &field.kind {
                FieldKind::Tensor { ty, value } => {
                    let number = self.declare_parameter(field, ty.as_ref(), value.as_ref()).ok();
                    self.field_parameters.insert(field.name.to_string(), number);
                }
                FieldKind::Layer { call } => self.declare_layer(field, call),
            }
        }
    }

    fn declare_parameter(
        &mut self,
        field: &'a Field,
        ty: Option<&'a TypeSyntax>,
        value: Option<&'a Expr>,
    ) -> Checked<usize> {
        let name = field.name.to_string();
        let shape = ty.map(|syntax| self.parameter_shape(&name, syntax));
        let Some(value) = value else {
            let _ = shape.transpose()?;
            return self.fail(field.name.span(), Diagnostic::FieldWithoutValue { name });
        };
        let start = self.start(value);
        let clamp = self.bounds(field);
        let (shape, initializer) = match (shape.transpose()?, start?) {
            (Some(shape), Start::Initializer(initializer)) => (shape, initializer),
            (Some(shape), Start::Literal(found, numbers)) if found == shape => (shape, Initializer::Literal(numbers)),
            // One number stands for every element.
            (Some(shape), Start::Literal(found, numbers)) if found.is_empty() => {
                (shape, Initializer::Constant(numbers[0]))
            }
            (Some(shape), Start::Literal(found, _)) => {
                let (declared, found) = (display_shape(&shape), display_shape(&found));
                return self.fail(value.span(), Diagnostic::LiteralShape { name, declared, found });
            }
            (None, Start::Literal(found, numbers)) => (found, Initializer::Literal(numbers)),
            (None, Start::Initializer(_)) => {
                return self.fail(field.name.span(), Diagnostic::FieldWithoutType { name });
            }
        };
        let rank = shape.len();
        let parameter = Parameter {
            path: vec![name],
            shape,
            role: if rank < 2 { Role::Other } else { Role::Weight },
            initializer,
            frozen: field.frozen.is_some(),
            clamp: clamp?,
        };
        match self.parameters.get_or_make(parameter) {
            Ok(number) => Ok(number),
            // Two fields of one name are reported already.
            Err(_) => Err(crate::error::Reported),
        }
    }

    fn parameter_shape(&mut self, name: &str, syntax: &'a TypeSyntax) -> Checked<Vec<usize>> {
        if let TypeSyntax::Unknown(layer) = syntax
            && crate::function::find(&layer.to_string()).is_some_and(has_parameters)
        {
            let suggestion = format!("a layer has parentheses, with or without arguments: `{name}: {layer}(…)`");
            return self.fail(layer.span(), Diagnostic::UnknownType { found: layer.to_string(), suggestion });
        }
        match self.expected(syntax)? {
            Expected::Tensor(ty) if is_real(&ty) => Ok(ty.shape),
            other => {
                let found = other.to_string();
                self.fail(syntax.span(), Diagnostic::FieldNotReal { name: name.into(), found })
            }
        }
    }

    /// `#[clamp(low, high)]`
    fn bounds(&mut self, field: &'a Field) -> Checked<Option<(f64, f64)>> {
        let Some((low, high, span)) = &field.clamp else { return Ok(None) };
        let (low, high) = (self.number(low, "a bound"), self.number(high, "a bound"));
        let (low, high) = (low?, high?);
        if low >= high {
            return self.fail(*span, Diagnostic::ClampBounds { low, high });
        }
        Ok(Some((low, high)))
    }

    /// The start value of a parameter: a way to draw it, or its numbers.
    fn start(&mut self, expr: &'a Expr) -> Checked<Start> {
        let named = match expr {
            Expr::Call(_) => true,
            Expr::Path(path) => {
                path.path.get_ident().is_some_and(|name| !self.constants.contains_key(&name.to_string()))
            }
            Expr::Group(group) => return self.start(&group.expr),
            _ => false,
        };
        if named {
            return self.initializer(expr).map(Start::Initializer);
        }
        let value = self.value(expr)?;
        let (shape, numbers) = self.list_numbers(expr.span(), &value)?;
        if numbers.is_empty() {
            return self.fail(expr.span(), Diagnostic::Size { found: "an empty list".into() });
        }
        Ok(Start::Literal(shape, numbers))
    }

    /// `glorot_uniform()`, `normal(0.02)`, `zeros`, or a number for all.
    pub(super) fn initializer(&mut self, expr: &'a Expr) -> Checked<Initializer> {
        match expr {
            Expr::Group(group) => self.initializer(&group.expr),
            Expr::Paren(paren) => self.initializer(&paren.expr),
            Expr::Call(call) => match &*call.func {
                Expr::Path(path) if path.path.get_ident().is_some() => {
                    let name = path.path.get_ident().unwrap_or_else(|| unreachable!("just looked"));
                    self.initializer_row(name, Given::new(None, &call.args))
                }
                other => self.unknown_initializer(other.span(), "this"),
            },
            Expr::Path(path) => match path.path.get_ident() {
                Some(name) if INITIALIZERS.iter().any(|row| name == row.name) => {
                    self.initializer_row(name, Given { receiver: None, positional: Vec::new(), named: Vec::new() })
                }
                _ => self.constant_initializer(expr),
            },
            _ => self.constant_initializer(expr),
        }
    }

    fn constant_initializer(&mut self, expr: &'a Expr) -> Checked<Initializer> {
        if let Expr::Path(path) = expr
            && let Some(name) = path.path.get_ident()
            && !self.constants.contains_key(&name.to_string())
            && name.to_string().chars().any(char::is_lowercase)
        {
            return self.unknown_initializer(name.span(), &name.to_string());
        }
        self.number(expr, "a start value").map(Initializer::Constant)
    }

    fn unknown_initializer<T>(&mut self, span: Span, name: &str) -> Checked<T> {
        let known = || INITIALIZERS.iter().map(|row| row.name);
        let suggestion = suggestion(name, known(), || format!("there are {}", crate::error::listed(known())));
        self.fail(span, Diagnostic::UnknownInitializer { name: name.into(), suggestion })
    }

    fn initializer_row(&mut self, name: &'a Ident, given: Given<'a>) -> Checked<Initializer> {
        let written = name.to_string();
        let Some(row) = INITIALIZERS.iter().find(|row| row.name == written) else {
            return self.unknown_initializer(name.span(), &written);
        };
        let form = format!("`{written}({})`", row.arguments.join(", "));
        let mut numbers: Vec<Option<f64>> = Vec::new();
        for expr in &given.positional {
            let number = self.number(expr, "a start value")?;
            numbers.push(Some(number));
        }
        if numbers.len() > row.arguments.len() {
            let count = numbers.len();
            return self.fail(name.span(), Diagnostic::TooManyArguments { function: written, count, form });
        }
        numbers.resize(row.arguments.len(), None);
        for (option, expr) in given.named {
            let number = self.number(expr, "a start value")?;
            match row.arguments.iter().position(|argument| option == argument) {
                Some(place) if numbers[place].is_none() => numbers[place] = Some(number),
                Some(_) => {
                    let name = option.to_string();
                    return self.fail(option.span(), Diagnostic::RepeatedOption { function: written, name });
                }
                None => {
                    let suggestion =
                        suggestion(&option.to_string(), row.arguments.iter().copied(), || format!("write {form}"));
                    let name = option.to_string();
                    return self.fail(option.span(), Diagnostic::UnknownOption { function: written, name, suggestion });
                }
            }
        }
        let mut complete = Vec::new();
        for (argument, number) in row.arguments.iter().zip(numbers) {
            match number {
                Some(number) => complete.push(number),
                None => {
                    let argument = format!("`{argument}`");
                    return self.fail(name.span(), Diagnostic::MissingArgument { function: written, argument, form });
                }
            }
        }
        let problem = match (row.name, complete.as_slice()) {
            ("uniform", [low, high]) if low >= high => Some(("high", *high, "above `low`")),
            ("normal", [deviation]) if *deviation < 0.0 => Some(("deviation", *deviation, "at least 0")),
            _ => None,
        };
        if let Some((argument, value, range)) = problem {
            let (argument, value, range) = (argument.into(), format!("{value:?}"), range.into());
            return self.fail(name.span(), Diagnostic::ArgumentRange { function: written, argument, value, range });
        }
        Ok((row.make)(&complete))
    }

    /// Looks at a layer's name and attributes; its arguments are read where it is called.
    fn declare_layer(&mut self, field: &'a Field, call: &'a Expr) {
        let name = field.name.to_string();
        if let Some(span) = field.frozen.or_else(|| field.clamp.as_ref().map(|clamp| clamp.2)) {
            let attribute = if field.frozen.is_some() { "frozen" } else { "clamp" };
            self.report(span, Diagnostic::AttributeOnLayer { name: attribute.into() });
        }
        let known = match call {
            Expr::Assign(assign) => self.fail(assign.right.span(), Diagnostic::LayerWithValue { name: name.clone() }),
            other => self.layer_of(&name, other).map(|_| ()),
        };
        if known.is_err() {
            self.field_parameters.insert(name, None);
        }
    }

    /// The layer that a field is declared as.
    fn layer_of(&mut self, field: &str, call: &'a Expr) -> Checked<(&'static crate::function::Function, Given<'a>)> {
        use quote::ToTokens;
        if let Expr::Group(group) = call {
            return self.layer_of(field, &group.expr);
        }
        if let Expr::Call(call) = call
            && let Expr::Path(path) = &*call.func
            && let Some(name) = path.path.get_ident()
        {
            let written = name.to_string();
            if let Some(function) = crate::function::find(&written).filter(|function| has_parameters(function)) {
                return Ok((function, Given::new(None, &call.args)));
            }
            let known: Vec<&str> =
                crate::function::all().filter(|function| has_parameters(function)).map(|layer| layer.name).collect();
            let suggestion = suggestion(&written, known.iter().copied(), || {
                format!("layers with parameters are {}", crate::error::listed(known.iter().copied()))
            });
            return self.fail(name.span(), Diagnostic::FieldLayer { name: field.into(), found: written, suggestion });
        }
        let found = call.to_token_stream().to_string();
        let suggestion = "write a shape such as `[16]`, or a layer such as `dense(16)`".into();
        self.fail(call.span(), Diagnostic::FieldLayer { name: field.into(), found, suggestion })
    }

    /// `self.encoder(x)`
    pub(super) fn layer_field(
        &mut self,
        at: &'a Ident,
        field: &'a Field,
        call: &'a Expr,
        given: Given<'a>,
    ) -> Checked<Value> {
        let name = field.name.to_string();
        if self.field_parameters.contains_key(&name) {
            return Err(crate::error::Reported);
        }
        let (function, declared) = self.layer_of(&name, call)?;
        if let Some((option, _)) = given.named.first() {
            let suggestion = format!("options of `{name}` stand where it is declared");
            let option_name = option.to_string();
            return self
                .fail(option.span(), Diagnostic::UnknownOption { function: name, name: option_name, suggestion });
        }
        // The tensors come from the call, the rest from the declaration.
        let mut values = Vec::new();
        for expr in &given.positional {
            let value = self.value(expr);
            values.push((*expr, value));
        }
        let tensors =
            function.arguments.iter().filter(|argument| argument.accepts.is_tensor() && !argument.named).count();
        if values.len() != tensors {
            let form = format!("`self.{name}(x)`");
            let (count, span) = (values.len(), at.span());
            return match count < tensors {
                true => {
                    let argument = "a tensor".into();
                    self.fail(span, Diagnostic::MissingArgument { function: name, argument, form })
                }
                false => self.fail(span, Diagnostic::TooManyArguments { function: name, count, form }),
            };
        }
        let mut receiver = None;
        if let Some((expr, value)) = values.pop() {
            receiver = Some((expr, value?));
        }
        let given = Given { receiver, positional: declared.positional, named: declared.named };
        self.call_built_in(at.span(), function, given, Some(field))
    }
}

/// Whether a field can be declared as this layer.
fn has_parameters(function: &crate::function::Function) -> bool {
    function.kind == Kind::Layer && function.arguments.iter().any(|argument| argument.name == "name")
}

enum Start {
    Initializer(Initializer),
    /// Shape and elements.
    Literal(Vec<usize>, Vec<f64>),
}
