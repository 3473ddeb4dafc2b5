//! Random expressions: simplification, derivatives and emitted code must agree with plain arithmetic.

use std::collections::HashMap;

use quote::quote;

use super::Formula;

/// A small generator of its own: tests are the same in every run.
struct Source(u64);

impl Source {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn number(&mut self) -> f64 {
        self.below(4001) as f64 / 1000.0 - 2.0
    }
}

type Plain = Box<dyn Fn(&[f64]) -> f64>;

/// An expression twice: simplified, and as a plain function.
struct Pair {
    formula: Formula,
    plain: Plain,
}

const UNARY: [&str; 11] = ["neg", "exp", "tanh", "sigmoid", "abs", "square", "softplus", "sin", "relu", "elu", "sign"];
const BINARY: [&str; 9] = ["add", "sub", "mul", "add", "sub", "mul", "max", "min", "div"];
const COMPARISONS: [&str; 4] = ["lt", "le", "gt", "ge"];

fn plain(name: &'static str, inner: Vec<Pair>) -> Pair {
    let formulas: Vec<Formula> = inner.iter().map(|pair| pair.formula.clone()).collect();
    let evaluate = move |arguments: &[f64]| {
        let values: Vec<f64> = inner.iter().map(|pair| (pair.plain)(arguments)).collect();
        let [a, b] = [values[0], values.get(1).copied().unwrap_or(0.0)];
        let numbers: Vec<Formula> = values.iter().map(|&value| Formula::constant(value)).collect();
        match name {
            "neg" => -a,
            "add" => a + b,
            "sub" => a - b,
            "mul" => a * b,
            "div" => a / b,
            "square" => a * a,
            _ => Formula::apply(name, &numbers).as_constant().expect("numbers are folded"),
        }
    };
    Pair { formula: Formula::apply(name, &formulas), plain: Box::new(evaluate) }
}

fn expression(source: &mut Source, depth: usize) -> Pair {
    if depth == 0 || source.below(8) == 0 {
        let number = source.number();
        return match source.below(4) {
            0 => Pair { formula: Formula::constant(number), plain: Box::new(move |_| number) },
            index => {
                let index = index - 1;
                Pair { formula: Formula::argument(index), plain: Box::new(move |arguments| arguments[index]) }
            }
        };
    }
    match source.below(10) {
        0..=2 => {
            let name = UNARY[source.below(UNARY.len())];
            plain(name, vec![expression(source, depth - 1)])
        }
        3 => {
            let name = COMPARISONS[source.below(COMPARISONS.len())];
            let sides = vec![expression(source, depth - 1), expression(source, depth - 1)];
            let test = plain(name, sides);
            plain("select", vec![test, expression(source, depth - 1), expression(source, depth - 1)])
        }
        _ => {
            let name = BINARY[source.below(BINARY.len())];
            plain(name, vec![expression(source, depth - 1), expression(source, depth - 1)])
        }
    }
}

fn close(left: f64, right: f64, tolerance: f64) -> bool {
    (left - right).abs() <= tolerance * (1.0 + left.abs().max(right.abs()))
}

/// Runs the test on many random expressions at random places where everything is of moderate size.
fn for_random(seed: u64, mut test: impl FnMut(&Pair, &[f64], f64) -> bool) {
    let mut source = Source(seed);
    let mut tested = 0;
    for _ in 0..1500 {
        let depth = 1 + source.below(5);
        let pair = expression(&mut source, depth);
        let arguments = [source.number(), source.number(), source.number()];
        let value = (pair.plain)(&arguments);
        if value.abs() < 1e3 && test(&pair, &arguments, value) {
            tested += 1;
        }
    }
    assert!(tested > 700, "{tested}");
}

#[test]
fn simplification_keeps_values() {
    for_random(1, |pair, arguments, value| {
        let found = pair.formula.evaluate(arguments);
        assert!(close(found, value, 1e-6), "{} at {arguments:?}: {found}, not {value}", pair.formula);
        true
    });
}

#[test]
fn derivatives_agree_with_differences() {
    for_random(2, |pair, arguments, value| {
        (0..3).all(|argument| {
            let moved = |step: f64| {
                let mut arguments = arguments.to_vec();
                arguments[argument] += step;
                pair.formula.evaluate(&arguments)
            };
            let differences = [1e-6, 1e-4].map(|step| {
                let [left, right] = [-step, step].map(moved);
                ((right - value) / step, (value - left) / step, (right - left) / (2.0 * step))
            });
            let [(right, left, _), (_, _, wide)] = differences;
            let smooth = close(right, left, 1e-3) && close(wide, right, 1e-3) && wide.abs() < 1e4;
            let mut with_output = arguments.to_vec();
            with_output.push(pair.formula.evaluate(arguments));
            let derivative = pair.formula.derivative(argument, 3);
            let found = derivative.evaluate(&with_output);
            assert!(
                !smooth || !found.is_finite() || close(found, wide, 1e-2),
                "{} by x{argument} at {arguments:?}: {found} by {derivative}, not {wide}",
                pair.formula
            );
            smooth
        })
    });
}

#[test]
fn emitted_code_computes_the_same() {
    for_random(3, |pair, arguments, value| {
        let formulas = [pair.formula.clone(), pair.formula.derivative(0, 3), pair.formula.derivative(1, 3)];
        let names: Vec<_> =
            ["x0", "x1", "x2", "x3"].map(|name| syn::Ident::new(name, proc_macro2::Span::call_site())).into();
        let places: Vec<_> = names.iter().map(|name| quote!(#name)).collect();
        let (lets, results) = Formula::tokens(&formulas, &places, &quote!(simd));
        let block: syn::Block = syn::parse2(quote!({ #lets (#(#results,)*) })).expect("valid code");
        let mut all = arguments.to_vec();
        all.push(value);
        let mut known: HashMap<String, f64> = names.iter().map(ToString::to_string).zip(all.iter().copied()).collect();
        let found = run(&block, &mut known);
        for (found, formula) in found.into_iter().zip(&formulas) {
            let expected = formula.evaluate(&all);
            let same = close(found, expected, 1e-9) || !expected.is_finite();
            assert!(same, "{formula} at {all:?}: {found}, not {expected}, by {}", quote!(#block));
        }
        true
    });
}

/// Evaluates emitted code on single numbers; masks are 1 and 0.
fn run(block: &syn::Block, known: &mut HashMap<String, f64>) -> Vec<f64> {
    let mut results = vec![];
    for statement in &block.stmts {
        match statement {
            syn::Stmt::Local(local) => {
                let syn::Pat::Ident(name) = &local.pat else { panic!("names are bound") };
                let value = value(&local.init.as_ref().expect("a value").expr, known);
                known.insert(name.ident.to_string(), value);
            }
            syn::Stmt::Expr(syn::Expr::Tuple(tuple), None) => {
                results = tuple.elems.iter().map(|element| value(element, known)).collect();
            }
            other => panic!("{}", quote!(#other)),
        }
    }
    results
}

fn value(code: &syn::Expr, known: &HashMap<String, f64>) -> f64 {
    use syn::{BinOp, Expr, Lit, UnOp};
    match code {
        Expr::Paren(inner) => value(&inner.expr, known),
        Expr::Path(path) => known[&quote!(#path).to_string()],
        Expr::Lit(literal) => match &literal.lit {
            Lit::Float(number) => number.base10_parse().expect("a number"),
            Lit::Int(number) => number.base10_parse().expect("a number"),
            other => panic!("{}", quote!(#other)),
        },
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => -value(&unary.expr, known),
        Expr::Binary(binary) => {
            let [left, right] = [&binary.left, &binary.right].map(|side| value(side, known));
            match binary.op {
                BinOp::Add(_) => left + right,
                BinOp::Sub(_) => left - right,
                BinOp::Mul(_) => left * right,
                BinOp::Div(_) => left / right,
                BinOp::BitAnd(_) => left * right,
                BinOp::BitOr(_) => left.max(right),
                other => panic!("{}", quote!(#other)),
            }
        }
        // `f64::from_bits(bits)`, `Lanes::constant(simd, number)`
        Expr::Call(call) if call.args.len() == 1 => {
            let bits = &call.args[0];
            f64::from_bits(quote!(#bits).to_string().trim_end_matches("u64").parse().expect("bits"))
        }
        Expr::Call(call) => value(&call.args[1], known),
        Expr::MethodCall(call) => {
            let arguments: Vec<f64> =
                std::iter::once(&*call.receiver).chain(&call.args).map(|argument| value(argument, known)).collect();
            match call.method.to_string().as_str() {
                "mul_add" => arguments[0] * arguments[1] + arguments[2],
                "powi" => arguments[0].powi(arguments[1] as i32),
                "recip" => arguments[0].recip(),
                method => {
                    let name = if method == "softplus" { "log1pexp" } else { method };
                    let numbers: Vec<Formula> = arguments.iter().map(|&number| Formula::constant(number)).collect();
                    Formula::apply(name, &numbers).as_constant().expect("numbers are folded")
                }
            }
        }
        other => panic!("{}", quote!(#other)),
    }
}
