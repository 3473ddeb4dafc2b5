//! Declaration -> Network: names, constants and shapes; user functions are inlined here. The last place of user errors.

mod bodies;
mod built_in;
mod call;
mod constants;
mod elementwise;
mod entry;
mod expression;
mod fields;
mod formulas;
mod idle;
mod index;
mod parameters;
mod scan;
mod site;
mod statement;
mod types;
mod value;

use std::collections::HashMap;

use proc_macro2::Span;
use syn::{Expr, Ident};

pub(crate) use bodies::{Bodies, Body, Call, Callee, LossBody, Operand, Scan, TensorType, Term, ValueRef};
#[cfg(test)]
pub(crate) use elementwise::form as elementwise_form;
#[cfg(test)]
pub(crate) use fields::forms as initializer_forms;
use parameters::Parameters;
#[cfg(test)]
pub(crate) use scan::MEANING as SCAN_MEANING;
pub(crate) use site::Site;
use value::{Tensor, Value};

use crate::error::{Checked, Diagnostic, Errors, Reported};
use crate::function::Setting;
use crate::graph::{Element, Shape};
use crate::network::{HomeMade, LayerRow, Network};
use crate::parse::{CONSTANTS, Constant, Declaration, Field, Function};

/// More elements than any machine here can hold are a slip of the pen.
const LARGEST: usize = 1 << 32;
/// A network of more operations than this would keep rustc busy for too long.
const OPERATIONS: usize = 20_000;
/// More turns of loops and inlined calls, whatever they do, are refused.
const TURNS: usize = 50_000;
/// Expressions and inlined functions nested deeper are refused, before the compiler's stack ends.
const DEPTH: usize = 128;

/// Checks a declaration; nothing, if there are mistakes. `complete` says that no item was skipped in parsing.
pub(crate) fn check(declaration: &Declaration, complete: bool, errors: &mut Errors) -> Option<Network> {
    let header = match &declaration.header {
        Some(header) => header,
        None => {
            if complete {
                errors.report(Span::call_site(), Diagnostic::MissingStruct {});
            }
            return None;
        }
    };
    let mut checker = Checker::new(declaration, complete, errors);
    checker.names(declaration);
    checker.all_constants();
    checker.declare_fields();
    checker.entry_points(header)
}

/// Methods of every network, or of its boxes: a public function of such a name would hide them, or be hidden.
const METHODS: [&str; 26] = [
    "apply_bounds",
    "as_flat",
    "as_flat_mut",
    "as_mut",
    "as_ref",
    "backward",
    "boxed",
    "clip_norm",
    "clone",
    "clone_from",
    "default",
    "derivation",
    "eq",
    "initialize",
    "into",
    "loss_and_gradient",
    "ne",
    "new",
    "norm",
    "predict",
    "predict_batch",
    "summary",
    "to_boxed",
    "to_owned",
    "try_into",
    "zeros_like",
];

/// Constants of every network, beside which there can be no function of such a name.
const ASSOCIATED: [&str; 4] = ["MULTIPLY_ADDS", "PARAMETERS", "WORKSPACE_PER_SAMPLE", "WORKSPACE_SHARED"];

/// A shape in brackets.
pub(crate) fn display_shape(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("[{}]", sizes.join(", "))
}

/// A variable; without a value, if that had a mistake.
#[derive(Debug)]
struct Variable {
    value: Option<Value>,
    mutable: bool,
}

/// The variables of one function.
#[derive(Debug, Default)]
struct Frame {
    blocks: Vec<HashMap<String, Variable>>,
    /// Blocks before this number belong to the world outside of a branch with a condition at run time.
    barrier: usize,
}

enum ConstantState {
    Waiting,
    Running,
    Done(Option<Value>),
}

pub(crate) struct Checker<'a> {
    errors: &'a mut Errors,
    /// No item was skipped in parsing: names that are unknown are not there.
    complete: bool,
    header_name: String,
    functions: HashMap<String, &'a Function>,
    constants: HashMap<String, (&'a Constant, ConstantState)>,
    fields: HashMap<String, &'a Field>,
    /// The numbers of the parameters that are declared as fields; none where the declaration has a mistake, also of a layer.
    field_parameters: HashMap<String, Option<usize>>,
    parameters: Parameters,
    /// The number of values, and of calls, made so far.
    values: usize,
    count: usize,
    /// Turns of loops and inlined calls so far.
    turns: usize,
    /// Calls of the bodies being written, the innermost last.
    calls: Vec<Vec<Call>>,
    frames: Vec<Frame>,
    /// What users call values.
    value_names: HashMap<ValueRef, String>,
    /// Functions being inlined.
    stack: Vec<String>,
    depth: usize,
    entry: Entry,
    rows: Vec<LayerRow>,
    formulas: Vec<HomeMade>,
    used_fields: std::collections::HashSet<String>,
    /// How often the body being read is run: more than once inside of a scan.
    steps: usize,
}

/// What is being read, for rules that differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Forward,
    Loss,
    Method,
}

impl<'a> Checker<'a> {
    fn new(declaration: &'a Declaration, complete: bool, errors: &'a mut Errors) -> Self {
        let named = |functions: &'a [Function]| functions.iter().map(|function| (function.name.to_string(), function));
        let waiting = |constant: &'a Constant| (constant.name.to_string(), (constant, ConstantState::Waiting));
        Self {
            errors,
            complete,
            header_name: declaration.header.as_ref().map(|header| header.name.to_string()).unwrap_or_default(),
            functions: named(&declaration.functions).collect(),
            constants: declaration.constants.iter().map(waiting).collect(),
            fields: declaration.fields.iter().map(|field| (field.name.to_string(), field)).collect(),
            field_parameters: HashMap::new(),
            parameters: Parameters::default(),
            values: 0,
            count: 0,
            turns: 0,
            calls: Vec::new(),
            frames: Vec::new(),
            value_names: HashMap::new(),
            stack: Vec::new(),
            depth: 0,
            entry: Entry::Forward,
            rows: Vec::new(),
            formulas: Vec::new(),
            used_fields: std::collections::HashSet::new(),
            steps: 1,
        }
    }

    /// Reports names that stand for two things.
    fn names(&mut self, declaration: &'a Declaration) {
        let mut seen: HashMap<String, &'static str> = HashMap::new();
        let functions = declaration.functions.iter().map(|function| (&function.name, "function"));
        let constants = declaration.constants.iter().map(|constant| (&constant.name, "constant"));
        for (name, what) in functions.chain(constants) {
            let written = name.to_string();
            if seen.insert(written.clone(), what).is_some() {
                self.report(name.span(), Diagnostic::DuplicateName { what: what.into(), name: written });
            }
        }
        self.reserved_names(declaration);
        let mut fields: HashMap<String, bool> = HashMap::new();
        for field in &declaration.fields {
            let name = field.name.to_string();
            let public = self.functions.get(&name).is_some_and(|function| function.is_public());
            if fields.insert(name.clone(), true).is_some() {
                self.report(field.name.span(), Diagnostic::DuplicateName { what: "field".into(), name });
            } else if public {
                let owner = format!("the function `{name}`, whose layers' parameters get this name");
                self.report(field.name.span(), Diagnostic::ReservedName { name, owner });
            }
        }
        let public =
            declaration.functions.iter().filter(|function| function.is_public() && !is_special(&function.name));
        let names = declaration.fields.iter().map(|field| &field.name).chain(public.map(|function| &function.name));
        self.parameters.declare_fields(names.map(Ident::to_string));
    }

    /// Reports names of functions and networks that generated code needs.
    fn reserved_names(&mut self, declaration: &'a Declaration) {
        for function in declaration.functions.iter().filter(|function| function.is_public()) {
            let name = function.name.to_string();
            let owner = match name.as_str() {
                name if METHODS.contains(&name) => "a method that every network has".into(),
                name if ASSOCIATED.contains(&name) => "a constant that every network has".into(),
                _ => continue,
            };
            self.report(function.name.span(), Diagnostic::ReservedName { name, owner });
        }
        if let Some(header) = &declaration.header {
            let name = header.name.to_string();
            let owner = match name.as_str() {
                // A type parameter is hidden by nothing, a constant one by any type.
                "CAPACITY" => Some("a constant of the generated code"),
                name if name == "str" || CONSTANTS.contains(&name) => {
                    Some("a type of Rust, which the generated code uses")
                }
                _ => None,
            };
            if let Some(owner) = owner.map(String::from) {
                self.report(header.name.span(), Diagnostic::ReservedName { name, owner });
            }
        }
    }

    fn report(&mut self, span: Span, diagnostic: Diagnostic) -> Reported {
        self.errors.report(span, diagnostic)
    }

    /// Counts a turn of a loop or an inlined call.
    fn turn(&mut self, span: Span) -> Checked<()> {
        self.turns += 1;
        match self.turns.cmp(&(TURNS + 1)) {
            std::cmp::Ordering::Less => Ok(()),
            std::cmp::Ordering::Equal => self.fail(span, Diagnostic::TooManyTurns { limit: TURNS }),
            // Said once.
            std::cmp::Ordering::Greater => Err(Reported),
        }
    }

    fn fail<T>(&mut self, span: Span, diagnostic: Diagnostic) -> Checked<T> {
        Err(self.report(span, diagnostic))
    }

    /// A fresh value of a type.
    fn operand(&mut self, ty: TensorType) -> Operand {
        self.values += 1;
        Operand { value: ValueRef(self.values - 1), ty }
    }

    /// Refuses what no memory holds, also where the product overflows.
    fn allowed(&mut self, span: Span, shape: &[usize]) -> Checked<()> {
        let count = shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size));
        if count.is_some_and(|count| count <= LARGEST) {
            return Ok(());
        }
        let limit = format!("{LARGEST}");
        self.fail(span, Diagnostic::TooLarge { shape: display_shape(shape), limit })
    }

    /// Writes a call into the body.
    fn push(
        &mut self,
        span: Span,
        callee: Callee,
        settings: Vec<Setting>,
        parameters: Vec<usize>,
        results: Vec<TensorType>,
        label: Option<String>,
    ) -> Checked<Vec<Operand>> {
        if self.calls.is_empty() {
            let (what, found) = ("a value outside of functions".into(), "a tensor".into());
            return self.fail(span, Diagnostic::NotConstant { what, found });
        }
        if self.count >= OPERATIONS {
            return self.fail(span, Diagnostic::TooManyOperations { limit: OPERATIONS });
        }
        for ty in &results {
            self.allowed(span, &ty.shape)?;
        }
        let number = self.count;
        self.count += 1;
        let results: Vec<Operand> = results.into_iter().map(|ty| self.operand(ty)).collect();
        let call = Call { callee, settings, parameters, results: results.clone(), label, number, span };
        if let Some(calls) = self.calls.last_mut() {
            calls.push(call);
        }
        Ok(results)
    }

    /// Writes a call with one result.
    fn push_one(&mut self, span: Span, callee: Callee, settings: Vec<Setting>, ty: TensorType) -> Checked<Operand> {
        let mut results = self.push(span, callee, settings, Vec::new(), vec![ty], None)?;
        Ok(results.swap_remove(0))
    }

    fn constant_tensor(&mut self, span: Span, value: f64, shape: Shape) -> Checked<Operand> {
        self.push_one(span, Callee::Constant(value), Vec::new(), TensorType::real(shape))
    }

    /// What a message says about an operand: "`h` is [64, 20], from `lstm` in line 8".
    fn described(expr: &Expr, tensor: &Tensor) -> String {
        let origin = tensor.origin.text();
        match short(expr) {
            Some(text) => format!("`{text}` is {}, {origin}", tensor.ty()),
            None => format!("{} comes {}", tensor.ty(), origin.replace("declared so", "from a declaration")),
        }
    }

    fn note(given: &[(&Expr, &Value)]) -> String {
        let notes = given.iter().filter_map(|(expr, value)| match value {
            Value::Tensor(tensor) => Some(Self::described(expr, tensor)),
            _ => None,
        });
        notes.collect::<Vec<_>>().join("; ")
    }
}

/// `forward` and `loss` are no methods besides.
fn is_special(name: &Ident) -> bool {
    name == "forward" || name == "loss"
}

/// `h` or `self.w`, nothing longer.
fn short(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Path(path) => path.path.get_ident().map(Ident::to_string),
        Expr::Paren(paren) => short(&paren.expr),
        Expr::Group(group) => short(&group.expr),
        Expr::Field(field) => match &field.member {
            syn::Member::Named(name) => Some(format!("{}.{name}", short(&field.base)?)),
            syn::Member::Unnamed(index) => Some(format!("{}.{}", short(&field.base)?, index.index)),
        },
        _ => None,
    }
}

/// Whether messages should speak of real numbers only.
fn is_real(ty: &TensorType) -> bool {
    ty.element == Element::Real
}

impl std::fmt::Display for Bodies {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        bodies::write_body(formatter, "forward", &self.forward)?;
        if let Some(loss) = &self.loss {
            bodies::write_loss(formatter, loss)?;
        }
        for (number, method) in self.methods.iter().enumerate() {
            bodies::write_body(formatter, &format!("method {number}"), method)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
