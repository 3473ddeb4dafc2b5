use super::*;

fn x() -> Formula {
    Formula::argument(0)
}

fn y() -> Formula {
    Formula::argument(1)
}

fn number(value: f64) -> Formula {
    Formula::constant(value)
}

fn call(name: &str, arguments: &[Formula]) -> Formula {
    Formula::apply(name, arguments)
}

fn text(formula: &Formula) -> String {
    formula.display_with(&["x", "y", "z"].map(String::from))
}

/// The derivative by `x` of a formula of `x`, whose own value is called `y`.
fn slope(formula: &Formula) -> String {
    text(&formula.derivative(0, 1))
}

#[test]
fn sums_and_products_have_one_form() {
    assert_eq!(x() + y(), y() + x());
    assert_eq!((x() + y()) - y(), x());
    assert_eq!(x() * y() * x(), x().powi(2) * y());
    assert_eq!(x() / y() * y(), x());
    assert_eq!(number(2.0) * (x() + y()), number(2.0) * x() + number(2.0) * y());
    assert_eq!(x() - x(), number(0.0));
    assert_eq!(-(-x()), x());
    assert_eq!(x() - x().powi(2), x() * (number(1.0) - x()));
    assert_eq!(number(-0.0), number(0.0));
    assert_ne!(x(), y());
}

#[test]
fn derivatives_are_an_experts() {
    let cases = [
        (call("tanh", &[x()]), "1 - y^2"),
        (call("sigmoid", &[x()]), "y * (1 - y)"),
        (call("relu", &[x()]), "if y > 0 { 1 } else { 0 }"),
        (call("exp", &[x()]), "y"),
        (call("softplus", &[x()]), "sigmoid(x)"),
        (call("sqrt", &[x()]), "0.5 / y"),
        (x().powi(3), "3 * x^2"),
        (call("ln", &[x()]), "1 / x"),
        (number(1.0) / x(), "-y^2"),
        (call("rsqrt", &[x()]), "-0.5 * y^3"),
        (call("silu", &[x()]), "sigmoid(x) * (x * (1 - sigmoid(x)) + 1)"),
        (call("elu", &[x()]), "if x > 0 { 1 } else { y + 1 }"),
        (call("leaky_relu", &[x()]), "if x > 0 { 1 } else { 0.01 }"),
        (call("exp", &[-x().powi(2)]), "-2 * x * y"),
        (call("log_sigmoid", &[x()]), "sigmoid(-x)"),
        (call("relu6", &[x()]), "if y > 0 && y < 6 { 1 } else { 0 }"),
    ];
    for (formula, expected) in cases {
        assert_eq!(slope(&formula), expected, "of {formula}");
    }
    let error = number(0.5) * (x() - y()).powi(2);
    assert_eq!(text(&error.derivative(0, 2)), "x - y");
    assert_eq!(text(&error.derivative(1, 2)), "y - x");
    let quotient = x() / y();
    assert_eq!(text(&quotient.derivative(0, 2)), "1 / y");
    assert_eq!(text(&quotient.derivative(1, 2)), "-z / y");
}

#[test]
fn formulas_are_readable() {
    let cases = [
        (number(0.5) * (x() - y()).powi(2), "0.5 * (x - y)^2"),
        (number(2.0) * x() + number(2.0) * y(), "2 * (x + y)"),
        (-x() - number(1.5), "-x - 1.5"),
        (x() / (y() * call("sqrt", &[x()])), "sqrt(x) / y"),
        (call("clamp", &[x(), number(0.0), number(1.0)]), "min(max(x, 0), 1)"),
        (call("lt", &[x(), y()]).select(x(), y() + number(1.0)), "if x < y { x } else { y + 1 }"),
        (number(3.0) + call("gt", &[x(), y()]) * y(), "(if x > y { y } else { 0 }) + 3"),
        (call("powf", &[x(), y()]), "x^y"),
    ];
    for (formula, expected) in cases {
        assert_eq!(text(&formula), expected);
    }
}

#[test]
fn written_out_functions_are_recognised() {
    let one = || number(1.0);
    let exp = |x: Formula| call("exp", &[x]);
    let cases = [
        (one() / (one() + exp(-x())), call("sigmoid", &[x()])),
        (exp(x()) / (one() + exp(x())), call("sigmoid", &[x()])),
        (x() / (one() + exp(-x())), call("silu", &[x()])),
        (call("ln", &[one() + exp(x())]), call("softplus", &[x()])),
        (-call("ln", &[call("sigmoid", &[-x()])]), call("softplus", &[x()])),
        (call("ln", &[one() - call("sigmoid", &[x()])]), -call("softplus", &[x()])),
        (exp(x()) - one(), call("exp_m1", &[x()])),
        (call("ln", &[one() + x()]), call("ln_1p", &[x()])),
        (call("sqrt", &[x()]) * call("sqrt", &[x()]), x()),
        (call("sqrt", &[x().powi(2)]), call("abs", &[x()])),
        (call("powf", &[x(), number(-0.5)]), call("rsqrt", &[x()])),
        (call("powi", &[x(), number(2.0)]), call("square", &[x()])),
        (call("gt", &[x(), number(0.0)]).select(x(), number(0.0)), call("gt", &[x(), number(0.0)]) * x()),
        (call("gt", &[number(0.0), x()]), call("lt", &[x(), number(0.0)])),
        (call("gt", &[x() - y(), number(0.0)]), call("gt", &[x(), y()])),
        (call("ge", &[x(), y()]).select(x(), y()), call("lt", &[x(), y()]).select(y(), x())),
    ];
    for (written, expected) in cases {
        assert_eq!(written, expected);
    }
}

#[test]
fn conditions_are_known_in_their_arms() {
    let positive = call("gt", &[x(), number(0.0)]);
    let inner = positive.clone().select(x(), y());
    assert_eq!(positive.clone().select(inner, number(3.0)), positive.clone().select(x(), number(3.0)));
    assert_eq!(positive.clone() * positive.clone(), positive);
    assert_eq!(call("not", std::slice::from_ref(&positive)), call("le", &[x(), number(0.0)]));
    let both = call("and", &[positive.clone(), call("lt", &[x(), number(1.0)])]);
    assert_eq!(text(&call("not", &[both])), "if x >= 1 || x <= 0 { 1 } else { 0 }");
}

#[test]
fn a_false_condition_hides_what_is_infinite() {
    let guarded = call("gt", &[x(), number(0.0)]).select(call("ln", &[x()]), number(0.0));
    assert_eq!(guarded.evaluate(&[0.0]), 0.0);
    assert_eq!(guarded.derivative(0, 1).evaluate(&[0.0, 0.0]), 0.0);
}

#[test]
fn costs_count_shared_terms_once() {
    let shared = call("exp", &[x()]);
    assert_eq!((shared.clone() * (shared.clone() + y())).cost(), shared.cost() + 2);
    assert_eq!(x().cost(), 0);
    assert!((x() / y()).cost() > (x() * y()).cost());
}
