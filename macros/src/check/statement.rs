//! Blocks: `let`, assignment, `for`, `if`.

use std::collections::HashMap;

use syn::spanned::Spanned;
use syn::{Block, Expr, ExprForLoop, ExprIf, Local, Pat, Stmt};

use super::types::Expected;
use super::value::Value;
use super::{Checker, TURNS, Variable};
use crate::error::{Checked, Diagnostic, Reported, suggestion};
use crate::parse::TypeSyntax;

impl<'a> Checker<'a> {
    pub(super) fn block(&mut self, block: &'a Block) -> Checked<Value> {
        self.enter_block();
        let value = self.statements(block);
        self.leave_block();
        value
    }

    fn enter_block(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.blocks.push(HashMap::new());
        }
    }

    fn leave_block(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.blocks.pop();
        }
    }

    fn statements(&mut self, block: &'a Block) -> Checked<Value> {
        if self.frames.is_empty() {
            // A block in a constant: `Class<{ 2 * N }>`.
            return match block.stmts.as_slice() {
                [Stmt::Expr(only, None)] => self.value(only),
                _ => self
                    .fail(block.span(), Diagnostic::NotConstant { what: "a constant".into(), found: "a block".into() }),
            };
        }
        let mut failed = None;
        let (last, front) = match block.stmts.split_last() {
            Some((last, front)) => (last, front),
            None => return Ok(Value::Nothing),
        };
        for statement in front {
            failed = self.statement(statement).err().or(failed);
        }
        let value = match last {
            Stmt::Expr(expr, None) if !is_statement(expr) => self.value(expr),
            statement => self.statement(statement).map(|()| Value::Nothing),
        };
        // What follows a failed statement may be right, but the body as a whole is not.
        match failed {
            Some(reported) => Err(reported),
            None => value,
        }
    }

    fn statement(&mut self, statement: &'a Stmt) -> Checked<()> {
        match statement {
            Stmt::Local(local) => self.declare(local),
            Stmt::Expr(expr, _) => self.expression_statement(expr),
            Stmt::Item(item) => {
                if let (syn::Item::Const(constant), Some(frame)) = (item, self.frames.last_mut())
                    && let Some(block) = frame.blocks.last_mut()
                {
                    block.insert(constant.ident.to_string(), Variable { value: None, mutable: false });
                }
                let remedy = "declare functions and constants beside `forward`";
                self.fail(
                    item.span(),
                    Diagnostic::Unsupported { what: "an item in a body".into(), remedy: remedy.into() },
                )
            }
            Stmt::Macro(invocation) => {
                let remedy = "declare a function inside `network!`";
                self.fail(invocation.span(), Diagnostic::Unsupported { what: "a macro".into(), remedy: remedy.into() })
            }
        }
    }

    fn expression_statement(&mut self, expr: &'a Expr) -> Checked<()> {
        match expr {
            Expr::Assign(assign) => {
                let value = self.value(&assign.right);
                self.assign(&assign.left, value)
            }
            Expr::Binary(binary) => match super::elementwise::assigned(&binary.op) {
                Some(op) => {
                    let (left, right) = (self.value(&binary.left), self.value(&binary.right));
                    let value = left.and_then(|left| Ok((left, right?))).and_then(|(left, right)| {
                        match self.number_operation(binary.op.span(), &op, &left, &right) {
                            Some(result) => result,
                            None => self.operator_of(binary, &op, left, right),
                        }
                    });
                    self.assign(&binary.left, value)
                }
                None => self.without_effect(expr),
            },
            Expr::ForLoop(repeated) => self.repeat(repeated),
            Expr::If(conditional) => match self.conditional_statement(conditional)? {
                Value::Nothing => Ok(()),
                _ => self.fail(conditional.if_token.span, Diagnostic::StatementWithoutEffect {}),
            },
            Expr::Block(block) => match self.block(&block.block)? {
                Value::Nothing => Ok(()),
                _ => self.fail(expr.span(), Diagnostic::StatementWithoutEffect {}),
            },
            Expr::Group(group) => self.expression_statement(&group.expr),
            _ => self.without_effect(expr),
        }
    }

    fn without_effect(&mut self, expr: &'a Expr) -> Checked<()> {
        match self.value(expr)? {
            Value::Nothing => Ok(()),
            _ => self.fail(expr.span(), Diagnostic::StatementWithoutEffect {}),
        }
    }

    fn declare(&mut self, local: &'a Local) -> Checked<()> {
        let (pattern, ty) = match &local.pat {
            Pat::Type(typed) => (&*typed.pat, Some(&typed.ty)),
            other => (other, None),
        };
        let value = match &local.init {
            Some(init) => {
                if let Some((token, _)) = &init.diverge {
                    let remedy = "leave the `else` out";
                    self.report(
                        token.span,
                        Diagnostic::Unsupported { what: "`let … else`".into(), remedy: remedy.into() },
                    );
                }
                self.value(&init.expr).and_then(|value| self.annotated(pattern, ty.map(|ty| &**ty), &init.expr, value))
            }
            None => self.fail(local.span(), Diagnostic::MissingValue { what: "this `let`".into() }),
        };
        self.bind(pattern, value)
    }

    /// Holds a value to the shape behind `let h:`.
    fn annotated(&mut self, pattern: &Pat, ty: Option<&'a syn::Type>, expr: &Expr, value: Value) -> Checked<Value> {
        let Some(ty) = ty else { return Ok(value) };
        let syntax = match ty {
            syn::Type::Macro(wrapped) => syn::parse2::<TypeSyntax>(wrapped.mac.tokens.clone()),
            other => Err(syn::Error::new(other.span(), "expected a shape, such as `[28, 28]`")),
        };
        let expected = match syntax {
            Ok(syntax) => self.expected_owned(syntax)?,
            Err(error) => return self.fail(error.span(), Diagnostic::Syntax { message: error.to_string() }),
        };
        if expected.fits(&value) {
            return Ok(value);
        }
        use quote::ToTokens;
        let diagnostic = Diagnostic::AnnotatedShape {
            pattern: pattern.to_token_stream().to_string(),
            declared: expected.to_string(),
            found: value.type_text(),
            note: Self::note_or_value(expr, &value),
        };
        self.fail(pattern.span(), diagnostic)
    }

    pub(super) fn note_or_value(expr: &Expr, value: &Value) -> String {
        match Self::note(&[(expr, value)]) {
            note if note.is_empty() => format!("the value is {}", value.described()),
            note => note,
        }
    }

    /// Names a value, or the parts of a tuple; the names exist afterwards even where there was a mistake.
    pub(super) fn bind(&mut self, pattern: &Pat, value: Checked<Value>) -> Checked<()> {
        match pattern {
            Pat::Ident(name) if name.subpat.is_none() && name.by_ref.is_none() => {
                if let Ok(Value::Tensor(tensor)) = &value {
                    self.value_names.entry(tensor.operand.value).or_insert_with(|| name.ident.to_string());
                }
                let variable = Variable { value: value.clone().ok(), mutable: name.mutability.is_some() };
                if let Some(block) = self.frames.last_mut().and_then(|frame| frame.blocks.last_mut()) {
                    block.insert(name.ident.to_string(), variable);
                }
                value.map(|_| ())
            }
            Pat::Wild(_) => value.map(|_| ()),
            Pat::Paren(paren) => self.bind(&paren.pat, value),
            Pat::Type(typed) => self.bind(&typed.pat, value),
            Pat::Tuple(tuple) => {
                let parts: Vec<Checked<Value>> = match value {
                    Ok(Value::Tuple(items)) if items.len() == tuple.elems.len() => items.into_iter().map(Ok).collect(),
                    Ok(other) => {
                        let expected = tuple.elems.len();
                        let found = other.described();
                        self.report(tuple.span(), Diagnostic::TuplePattern { expected, found });
                        vec![Err(Reported); tuple.elems.len()]
                    }
                    Err(reported) => vec![Err(reported); tuple.elems.len()],
                };
                let bound: Vec<Checked<()>> =
                    tuple.elems.iter().zip(parts).map(|(pattern, part)| self.bind(pattern, part)).collect();
                bound.into_iter().collect()
            }
            other => {
                use quote::ToTokens;
                let found = format!("`{}`", other.to_token_stream());
                let reported = self.report(other.span(), Diagnostic::Pattern { found });
                let inner: Vec<&Pat> = match other {
                    Pat::Slice(slice) => slice.elems.iter().collect(),
                    Pat::TupleStruct(tuple) => tuple.elems.iter().collect(),
                    Pat::Struct(structure) => structure.fields.iter().map(|field| &*field.pat).collect(),
                    Pat::Reference(reference) => vec![&reference.pat],
                    _ => Vec::new(),
                };
                for pattern in inner {
                    let _ = self.bind(pattern, Err(reported));
                }
                Err(reported)
            }
        }
    }

    fn assign(&mut self, place: &'a Expr, value: Checked<Value>) -> Checked<()> {
        use quote::ToTokens;
        match place {
            Expr::Paren(paren) => self.assign(&paren.expr, value),
            Expr::Group(group) => self.assign(&group.expr, value),
            Expr::Infer(_) => value.map(|_| ()),
            Expr::Tuple(tuple) => {
                let parts: Vec<Checked<Value>> = match value {
                    Ok(Value::Tuple(items)) if items.len() == tuple.elems.len() => items.into_iter().map(Ok).collect(),
                    Ok(other) => {
                        let (expected, found) = (tuple.elems.len(), other.described());
                        return self.fail(tuple.span(), Diagnostic::TuplePattern { expected, found });
                    }
                    Err(reported) => vec![Err(reported); tuple.elems.len()],
                };
                let done: Vec<Checked<()>> =
                    tuple.elems.iter().zip(parts).map(|(place, part)| self.assign(place, part)).collect();
                done.into_iter().collect()
            }
            Expr::Path(path) if path.path.get_ident().is_some_and(|name| name != "self") => {
                let name = path.path.get_ident().map(ToString::to_string).unwrap_or_default();
                self.assign_variable(place, name, value)
            }
            other => {
                let found = format!("`{}`", other.to_token_stream().to_string().replace(" . ", "."));
                self.fail(other.span(), Diagnostic::Assignment { found })
            }
        }
    }

    fn assign_variable(&mut self, place: &Expr, name: String, value: Checked<Value>) -> Checked<()> {
        let frame = self.frames.last_mut();
        let barrier = frame.as_ref().map_or(0, |frame| frame.barrier);
        let found = frame.and_then(|frame| {
            frame.blocks.iter_mut().enumerate().rev().find_map(|(depth, block)| Some((depth, block.get_mut(&name)?)))
        });
        match found {
            Some((depth, _)) if depth < barrier => self.fail(place.span(), Diagnostic::AssignmentInBranch { name }),
            Some((_, variable)) if !variable.mutable => self.fail(place.span(), Diagnostic::NotMutable { name }),
            Some((_, variable)) => {
                variable.value = value.clone().ok();
                value.map(|_| ())
            }
            None => {
                let known: Vec<String> = self
                    .frames
                    .last()
                    .map_or(Vec::new(), |frame| frame.blocks.iter().flat_map(|block| block.keys().cloned()).collect());
                let suggestion = suggestion(&name, known.iter().map(String::as_str), || {
                    format!("declare it first: `let mut {name} = …`")
                });
                self.fail(place.span(), Diagnostic::UnknownName { name, suggestion })
            }
        }
    }

    fn repeat(&mut self, repeated: &'a ExprForLoop) -> Checked<()> {
        let range = self.constant_range(&repeated.expr)?;
        for turn in range {
            self.turn(repeated.for_token.span)?;
            self.enter_block();
            let bound = self.bind(&repeated.pat, Ok(Value::Integer(turn)));
            let done = bound.and_then(|()| self.block(&repeated.body));
            self.leave_block();
            // The same mistake would come with each turn.
            match done? {
                Value::Nothing => {}
                _ => return self.fail(repeated.body.span(), Diagnostic::StatementWithoutEffect {}),
            }
        }
        Ok(())
    }

    /// `0..3`, `(0..3).rev()`
    fn constant_range(&mut self, expr: &'a Expr) -> Checked<Vec<i64>> {
        match expr {
            Expr::Paren(paren) => return self.constant_range(&paren.expr),
            Expr::Group(group) => return self.constant_range(&group.expr),
            Expr::MethodCall(call) if call.method == "rev" && call.args.is_empty() => {
                return self.constant_range(&call.receiver).map(|range| range.into_iter().rev().collect());
            }
            _ => {}
        }
        let Expr::Range(range) = expr else {
            let found = match self.value(expr)? {
                Value::Tensor(tensor) => format!("a tensor {}", tensor.ty()),
                other => other.described(),
            };
            return self.fail(expr.span(), Diagnostic::LoopRange { found });
        };
        let start = match &range.start {
            Some(start) => self.whole(start),
            None => Ok(0),
        };
        let end = match &range.end {
            Some(end) => self.whole(end),
            None => self.fail(range.span(), Diagnostic::LoopRange { found: "a range without an end".into() }),
        };
        let (start, mut end) = (start?, end?);
        if matches!(range.limits, syn::RangeLimits::Closed(_)) {
            end = end.saturating_add(1);
        }
        let count = usize::try_from(end.saturating_sub(start)).unwrap_or(0);
        if count > TURNS {
            return self.fail(range.span(), Diagnostic::TooManyTurns { limit: TURNS });
        }
        Ok((start..end).collect())
    }

    fn whole(&mut self, expr: &'a Expr) -> Checked<i64> {
        match self.value(expr)? {
            Value::Integer(value) => Ok(value),
            other => self.fail(expr.span(), Diagnostic::LoopRange { found: other.described() }),
        }
    }

    /// An `if` as a value.
    pub(super) fn conditional(&mut self, conditional: &'a ExprIf) -> Checked<Value> {
        self.choose(conditional, true)
    }

    fn conditional_statement(&mut self, conditional: &'a ExprIf) -> Checked<Value> {
        self.choose(conditional, false)
    }

    fn choose(&mut self, conditional: &'a ExprIf, needs_value: bool) -> Checked<Value> {
        let condition = match &*conditional.cond {
            Expr::Let(_) => return self.fail(conditional.cond.span(), Diagnostic::Condition { found: "`let`".into() }),
            condition => self.value(condition)?,
        };
        let condition = match condition {
            // Known at compile time: the other branch is not there.
            Value::Boolean(true) => return self.block(&conditional.then_branch),
            Value::Boolean(false) => {
                return match &conditional.else_branch {
                    Some((_, otherwise)) => self.value(otherwise),
                    None => Ok(Value::Nothing),
                };
            }
            Value::Tensor(tensor) if tensor.condition => tensor,
            other => return self.fail(conditional.cond.span(), Diagnostic::Condition { found: other.described() }),
        };
        let barrier = self.frames.last().map_or(0, |frame| frame.barrier);
        if let Some(frame) = self.frames.last_mut() {
            frame.barrier = frame.blocks.len();
        }
        let yes = self.block(&conditional.then_branch);
        let no = conditional.else_branch.as_ref().map(|(_, otherwise)| self.value(otherwise));
        if let Some(frame) = self.frames.last_mut() {
            frame.barrier = barrier;
        }
        let yes = yes?;
        let Some(no) = no else {
            return self.fail(conditional.if_token.span, Diagnostic::IfWithoutElse {});
        };
        match (yes, no?) {
            (Value::Nothing, Value::Nothing) if !needs_value => Ok(Value::Nothing),
            (yes, no) => self.selected(conditional.if_token.span, &condition, yes, no),
        }
    }

    pub(super) fn expected_owned(&mut self, syntax: TypeSyntax) -> Checked<Expected> {
        // Types inside of bodies are parsed on the spot; their few expressions live as long as the macro runs.
        let syntax: &'static TypeSyntax = Box::leak(Box::new(syntax));
        self.expected(syntax)
    }
}

/// Expressions that are statements even at the end of a block.
fn is_statement(expr: &Expr) -> bool {
    match expr {
        Expr::Assign(_) | Expr::ForLoop(_) => true,
        Expr::Binary(binary) => super::elementwise::assigned(&binary.op).is_some(),
        Expr::Group(group) => is_statement(&group.expr),
        // Without an `else` it cannot be a value, unless the condition is constant; both work out as a statement.
        Expr::If(conditional) => conditional.else_branch.is_none(),
        _ => false,
    }
}
