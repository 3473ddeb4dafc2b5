//! Declarations with one mistake each (and some with none), by the code of its diagnostic.

use proc_macro2::TokenStream;
use quote::quote;

use super::{lower_all, read};

/// Codes of the mistakes in a declaration of these items.
fn mistakes(items: TokenStream) -> String {
    let (network, errors) = read(items);
    network.iter().for_each(lower_all);
    errors.diagnostics().map(|diagnostic| diagnostic.code()).collect::<Vec<_>>().join(" ")
}

/// Codes of the mistakes in a body of `forward(x: [2, 3], c: Class<5>, n: Length<2>)` with a parameter `w: [3, 4]`.
fn in_body(body: TokenStream) -> String {
    mistakes(quote! {
        struct Mistakes { w: [3, 4] = zeros(), layer: dense(4) }
        const N: usize = 3;
        fn half(v) { v / 2 }
        fn cell(s, v) { s + v.sum() }
        fn grow(s, v) { s + v }
        fn again(v) { v.again() }
        fn typed(v: [3]) -> [3] { v }
        fn forward(x: [2, 3], c: Class<5>, n: Length<2>) { let used = self.layer(x.matmul(self.w)); #body }
    })
}

#[test]
fn mistakes_in_bodies() {
    check(bodies(), in_body);
}

fn bodies() -> Vec<(&'static str, TokenStream)> {
    vec![
        ("outer-constant", quote!(x.dense(WIDTH))),
        ("unknown-name", quote!(y + 1)),
        ("unknown-name", quote!(x.matmul(w))),
        ("unknown-function", quote!(x.conv2d(3, kernel = 5))),
        ("unknown-function", quote!(x.relv())),
        ("unknown-field", quote!(x.matmul(self.v))),
        ("unknown-field", quote!(self.decoder(x))),
        ("self-alone", quote!(self + x)),
        ("field-is-layer", quote!(x + self.layer)),
        ("field-is-parameter", quote!(self.w(x))),
        ("function-as-value", quote!(x + half)),
        ("missing-argument", quote!(x.dense())),
        ("missing-argument", quote!(x.leaky_relu().max(0) + half())),
        ("too-many-arguments", quote!(x.dense(3, true))),
        ("function-as-argument", quote!(x.dense(3, relu))),
        ("function-as-argument", quote!(x.dense(3, rellu))),
        ("input-width-given", quote!(x.dense(4, 3))),
        ("input-width-given", quote!(x.dense(4, LN))),
        ("too-many-arguments", quote!(let relu = 3; x.dense(3, relu))),
        ("too-many-arguments", quote!(x.relu(3))),
        ("too-many-arguments", quote!(x.half(3))),
        ("unknown-option", quote!(x.dense(3, bais = true))),
        ("unknown-option", quote!(x.dense(units = 3))),
        ("unknown-option", quote!(x.leaky_relu(slop = 0.1))),
        ("repeated-option", quote!(x.dense(3, bias = true, bias = false))),
        ("argument-kind", quote!(x.dense(3, bias = 3))),
        ("argument-kind", quote!(x.dense(3.5))),
        ("argument-kind", quote!(x.powi(2.5))),
        ("argument-range", quote!(x.dropout(1.5))),
        ("unknown-initializer", quote!(x.dense(3, weight = glorot()))),
        ("recursion", quote!(x.again())),
        (
            "too-many-turns",
            quote!({
                for _ in 0..4000 {
                    for _ in 0..4000 {}
                }
                x
            }),
        ),
        (
            "too-many-turns",
            quote!({
                for _ in 0..400000 {}
                x
            }),
        ),
        ("list-too-long", quote!(x + [[0; 4096]; 4096])),
        (
            "too-many-operations",
            quote!({
                let mut y = x;
                for _ in 0..4000 {
                    for _ in 0..4000 {
                        y = y + x;
                    }
                }
                y
            }),
        ),
        ("number-method", quote!(true.softmax())),
        ("broadcast", quote!(x + zeros([2]))),
        ("matmul-inner", quote!(x.matmul(self.w.transpose()))),
        ("matmul-rank", quote!(x.matmul(zeros([2, 3, 4])))),
        ("rank", quote!(x.sum().dense(3))),
        ("rank", quote!(x.glu())),
        ("needs-real", quote!(c.dense(3))),
        ("needs-class", quote!(x.one_hot())),
        ("needs-length", quote!(x.last(length = c))),
        ("classes", quote!(c.lookup(self.w))),
        ("same-shape", quote!(mse(x, x[0]))),
        ("class-target", quote!(cross_entropy(x, c))),
        ("axis", quote!(x.sum(axis = 2))),
        ("repeated-axis", quote!(x.sum(axes = [0, -2]))),
        ("permutation", quote!(x.transpose([0]))),
        ("reshape", quote!(x.reshape([5]))),
        ("concat", quote!(concat((x, self.w), axis = 0))),
        ("index-range", quote!(x[2])),
        ("index-range", quote!(x[(.., 0..4)])),
        ("index-empty", quote!(x[1..1])),
        ("index-count", quote!(x[(0, 0, 0)])),
        ("index-kind", quote!(x[c])),
        ("not-indexable", quote!((x, x)[0])),
        ("ragged-list", quote!(x[0] + [[1, 2], [3]])),
        ("list-entry", quote!(x + [x[0], x[1]])),
        ("list-too-long", quote!(x + [0.5; 2000])),
        ("annotated-shape", quote!({ let y: [3, 2] = x; y })),
        ("argument-shape", quote!(x.typed())),
        ("unsupported", quote!(&x)),
        ("unsupported", quote!(half(|v| v))),
        (
            "unsupported",
            quote!({
                while true {}
                x
            }),
        ),
        ("unsupported", quote!(std::f64::consts::PI * x)),
        (
            "pattern",
            quote!({
                let [a, b] = x;
                a
            }),
        ),
        (
            "tuple-pattern",
            quote!({
                let (a, b) = x;
                a
            }),
        ),
        (
            "missing-value",
            quote!({
                let y;
                x
            }),
        ),
        (
            "statement-without-effect",
            quote!({
                x + 1;
                x
            }),
        ),
        (
            "not-mutable",
            quote!({
                let y = x;
                y = y + 1;
                y
            }),
        ),
        (
            "assignment",
            quote!({
                self.w = x;
                x
            }),
        ),
        (
            "assignment-in-branch assignment-in-branch",
            quote!({
                let mut y = x;
                if x[(0, 0)] > 0 {
                    y = -y;
                } else {
                    y = y + 1;
                }
                y
            }),
        ),
        (
            "loop-range",
            quote!({
                for i in x {}
                x
            }),
        ),
        (
            "loop-range",
            quote!({
                for i in 0.. {}
                x
            }),
        ),
        ("condition", quote!(if x { x } else { -x })),
        (
            "if-without-else",
            quote!({
                let y = if x > 0 {
                    x
                };
                y
            }),
        ),
        ("branch-mismatch", quote!(if x > 0 { x } else { (x, x) })),
        ("operand", quote!(x % 2)),
        ("unsupported", quote!(x ^ 2)),
        ("unsupported", quote!(x * *2)),
        ("operand", quote!(x + (x, x))),
        ("literal", quote!(x + "one")),
        ("constant-overflow", quote!(x.dense(9223372036854775807 + N))),
        ("division-by-zero", quote!(x.dense(N / (N - 3)))),
        ("too-large", quote!(x.dense(1 << 40))),
        ("size", quote!(zeros([0]))),
        ("scan-cell", quote!(x.scan(|s, v| s, initial = 0.0))),
        ("scan-cell", quote!(x.scan(sigmoid, initial = 0.0))),
        ("scan-cell-arguments", quote!(x.scan(half, initial = 0.0))),
        ("scan-sequence", quote!(x.sum().scan(cell, initial = 0.0))),
        ("scan-steps", quote!((x, self.w).scan(cell, initial = 0.0))),
        ("scan-state", quote!(x.scan(grow, initial = 0.0))),
        ("needs-length", quote!(x.transpose().scan(cell, initial = 0.0, length = n))),
        ("unknown-option", quote!(x.scan(cell, start = 0.0))),
        ("repeated-option", quote!(x.scan(cell, initial = 0.0, initial = 1.0))),
        ("repeated-option", quote!(x.scan(cell, cell = cell, initial = 0.0))),
        ("missing-argument", quote!(x.scan(cell))),
        ("layer-name", quote!(x.dense(3, name = a).dense(3, name = a))),
        ("shared-shape", quote!(self.layer(x))),
        ("long-statement", {
            let links = vec![quote!(.tanh()); 600];
            quote!(x #(#links)*)
        }),
        ("long-statement", {
            let signs = vec![quote!(-); 500];
            quote!(#(#signs)* x)
        }),
        ("nesting", {
            let mut deep = quote!(x);
            for _ in 0..70 {
                deep = quote!((#deep));
            }
            deep
        }),
    ]
}

#[test]
fn mistakes_in_declarations() {
    check(declarations(), mistakes);
}

fn declarations() -> Vec<(&'static str, TokenStream)> {
    let forward = || quote!(fn forward(x: [2]) -> [1] { x.dense(1) });
    let with = |items: TokenStream| {
        let forward = forward();
        quote!(struct A; #forward #items)
    };
    let field = |field: TokenStream| quote! { struct A { #field } fn forward(x: [2]) { x * self.w } };
    let loss = |arguments: TokenStream, body: TokenStream| {
        quote! { struct A; fn forward(x: [2, 2]) { x } fn loss(#arguments) { #body } }
    };
    let masked = |body: TokenStream| loss(quote!(y, t: [Class<2>; 2], n: Length<2>), body);
    vec![
        ("", with(quote!())),
        ("missing-struct", forward()),
        (
            "second-struct",
            with(quote!(
                struct B;
            )),
        ),
        ("generic-struct", quote! { struct A<T>; fn forward(x: [2]) { x } }),
        (
            "missing-forward",
            quote!(
                struct A;
            ),
        ),
        ("syntax", quote!(struct A; fn backward(x: [2]) { x } fun forward(x: [2]) { x })),
        ("syntax", with(quote!(fn f(x) { x + }))),
        (
            "syntax",
            with(quote!(
                enum E {}
            )),
        ),
        ("syntax", with(quote!(fn f(self, x) { x }))),
        ("unknown-type", quote! { struct A; fn forward(x: Klass<3>) { x } }),
        ("unknown-type", quote! { struct A; fn forward(x: [f32; 3]) { x } }),
        ("syntax", quote! { struct A; fn forward(x: &[3]) { x } }),
        ("unknown-type", quote! { struct A; fn forward(x: Class) { x } }),
        ("duplicate-name", with(quote!(fn f(x) { x } fn f(x) { x }))),
        (
            "duplicate-name",
            quote! { struct A { w: [2] = zeros(), w: [2] = zeros() } fn forward(x: [2]) { x * self.w } },
        ),
        ("duplicate-name", quote! { struct A; fn forward(x: [2], x: [2]) { x } }),
        (
            "reserved-name",
            quote! { struct A { w: [2] = zeros() } fn forward(x: [2]) { x * self.w } pub fn w(x: [2]) { x } },
        ),
        ("reserved-name", with(quote!(pub fn predict(x: [2]) { x }))),
        ("unknown-attribute", quote! { #[dmp("x")] struct A; fn forward(x: [2]) { x } }),
        ("unknown-attribute", field(quote!(#[forzen] w: [2] = zeros()))),
        (
            "unknown-attribute",
            with(quote!(
                #[frozen]
                const N: usize = 1;
            )),
        ),
        ("malformed-attribute", field(quote!(#[clamp(0.1)] w: [2] = zeros()))),
        ("malformed-attribute", quote! { #[dump] struct A; fn forward(x: [2]) { x } }),
        ("clamp-bounds", field(quote!(#[clamp(1.0, 0.1)] w: [2] = zeros()))),
        ("attribute-on-layer", quote! { struct A { #[frozen] w: dense(2) } fn forward(x: [2]) { self.w(x) } }),
        ("field-without-value", field(quote!(w: [2]))),
        ("field-without-type", field(quote!(w = zeros()))),
        ("", field(quote!(w = [0.5, 1]))),
        ("field-not-real", field(quote!(w: [Class<3>; 2] = zeros()))),
        ("field-not-real", field(quote!(w: Scalar = 0.0))),
        ("layer-with-value", quote! { struct A { w: dense(2) = zeros() } fn forward(x: [2]) { self.w(x) } }),
        ("literal-shape", field(quote!(w: [2] = [0.5, 1, 2]))),
        ("unknown-initializer", field(quote!(w: [2] = he_unifrom()))),
        ("argument-range", field(quote!(w: [2] = uniform(1.0, 0.5)))),
        ("not-constant", field(quote!(w: [2] = normal(zeros([2]))))),
        ("missing-argument", field(quote!(w: [2] = normal()))),
        ("repeated-option", field(quote!(w: [2] = normal(0.1, deviation = 0.2)))),
        ("too-many-arguments", field(quote!(w: [2] = zeros(1)))),
        ("field-layer", quote! { struct A { w: densely(2) } fn forward(x: [2]) { self.w(x) } }),
        ("field-layer", quote! { struct A { w: dropout(0.5) } fn forward(x: [2]) { self.w(x) } }),
        (
            "unused-parameter",
            quote! { struct A { w: [2] = zeros(), v: [2] = ones() } fn forward(x: [2]) { x * self.w } },
        ),
        ("", quote! { struct A { w: [2] = zeros(), _v: [2] = ones() } fn forward(x: [2]) { x * self.w } }),
        (
            "constant-type",
            with(quote!(
                const N: usize = 1.5;
            )),
        ),
        (
            "constant-type",
            with(quote!(
                const N: f64 = 1;
            )),
        ),
        (
            "constant-type",
            with(quote!(
                const N: int = 1;
            )),
        ),
        (
            "recursive-constant",
            with(quote!(
                const N: usize = N + 1;
            )),
        ),
        (
            "outer-constant",
            with(quote!(
                const N: usize = M + 1;
            )),
        ),
        ("outer-constant", quote! { struct A; fn forward(x: [WIDTH]) -> [1] { x } }),
        ("size", quote! { struct A; fn forward(x: [0]) -> [1] { x } }),
        ("size", quote! { struct A; fn forward(x: [2.5]) -> [1] { x } }),
        ("entry-argument", quote! { struct A; fn forward((x, y): ([2], [3])) { x } }),
        ("entry-argument", quote! { struct A; fn forward(x: ([2], [3])) { x } }),
        ("entry-constant", quote! { struct A; fn forward(x: usize) { x } }),
        ("entry-constant", loss(quote!(y, t: f64), quote!(mse(y, t)))),
        ("logits-activated", loss(quote!(y, t: Class<2>), quote!(y.softmax().cross_entropy(t)))),
        ("entry-type", quote! { struct A; fn forward(x) { x } }),
        ("entry-type", loss(quote!(y, t), quote!(mse(y, t)))),
        ("entry-output", quote! { struct A; fn forward(x: [2]) { (x, (x, x)) } }),
        ("entry-output", quote! { struct A; fn forward(x: Class<2>) { x } }),
        (
            "entry-count",
            quote! { struct A; fn forward(x: [9]) { (x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8]) } },
        ),
        ("no-input", quote! { struct A; fn forward(x: Scalar) { x } }),
        ("no-input", quote! { struct A; fn forward() { zeros([2]) } }),
        ("missing-value", quote! { struct A; fn forward(x: [2]) { let y = x; } }),
        ("result-shape", quote! { struct A; fn forward(x: [2]) -> [3] { x } }),
        ("loss-arguments", loss(quote!(), quote!(0.0))),
        ("argument-shape", loss(quote!(y: [3], t: [2]), quote!(y.sum()))),
        ("loss-not-scalar", loss(quote!(y, t: [2, 2]), quote!((y - t).powi(2)))),
        ("loss-not-scalar", loss(quote!(y, t: [2, 2]), quote!((mse(y, t), mse(y, t))))),
        ("loss-layer", loss(quote!(y, t: [2, 2]), quote!(mse(y.dense(2), t)))),
        ("", quote! { struct A; fn two() { 2 } fn forward(x: [two()]) -> [2] { x } }),
        ("not-constant", quote! { struct A; fn two() { zeros([2]).dense(2) } fn forward(x: [two()]) -> [2] { x } }),
        ("idle-layer", quote! { struct A; fn forward(x: [2]) -> [2] { x } pub fn f(x: [2]) { x.dense(3) } }),
        ("idle-layer", quote! { struct A; fn forward(x: [2]) -> [2] { let h = x.dense(3).relu(); x } }),
        ("idle-layer", quote! { struct A { f: dense(3) } fn forward(x: [2]) -> [2] { let h = self.f(x); x } }),
        (
            "idle-parameter",
            quote! { struct A { w: [2] = ones() } fn forward(x: [2]) -> [2] { x } pub fn f(x: [2]) { x * self.w } },
        ),
        (
            "",
            quote! {
                struct A { #[frozen] w: [2] = ones(), _v: [2] = ones() }
                fn forward(x: [2]) -> [2] { x }
                pub fn f(x: [2]) { x * self.w }
            },
        ),
        ("", quote! { struct A; fn forward(x: [2]) -> [2] { x } pub fn f(x: [2]) { x.dense(3, frozen = true) } }),
        ("", quote! { struct A; fn forward(x: [2]) -> [3] { x.f() } pub fn f(x: [2]) { x.dense(3) } }),
        ("", quote! { struct A { f: dense(2) } fn forward(x: [2]) { x } fn loss(y, t: [2]) { mse(self.f(y), t) } }),
        (
            "",
            quote! {
                struct A;
                fn cell(s, v) { (s + v).dense(3).tanh() }
                fn forward(x: [5, 3], n: Length<5>) -> [3] {
                    x.dense(3).scan(cell, initial = x.last().dense(3), length = n).last()
                }
            },
        ),
        ("masked-loss", masked(quote!(cross_entropy(y, t, length = n).exp()))),
        ("masked-loss", masked(quote!(cross_entropy(y, t, length = n) * cross_entropy(y, t, weights = [1, 2])))),
        ("", masked(quote!(3 * cross_entropy(y, t, length = n) / 2 - cross_entropy(y, t, weights = [1, 2])))),
        (
            "masked-loss-outside",
            quote! { struct A; fn forward(x: [2], t: Class<2>) { cross_entropy(x, t, weights = [1, 2]) } },
        ),
        ("loss-not-scalar", masked(quote!(cross_entropy(y, t, length = n) + y))),
        // Independent mistakes come out together.
        (
            "unknown-attribute unknown-function unknown-name outer-constant",
            quote! {
                #[derive(Debug)]
                struct A;
                fn forward(x: [2]) -> [1] { let h = x.danse(3); let g = y + 1; (h + g).dense(1) }
                fn loss(y, t: [1]) { mse(y, t) * WEIGHT }
            },
        ),
    ]
}

fn check(cases: Vec<(&str, TokenStream)>, found: fn(TokenStream) -> String) {
    let wrong: Vec<String> = cases
        .into_iter()
        .map(|(code, tokens)| (code, found(tokens.clone()), tokens))
        .filter(|(code, found, _)| code != found)
        .map(|(code, found, tokens)| format!("{code}: {found:?} for {tokens}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_kind_of_mistake_has_a_case() {
    let cases: Vec<(&str, TokenStream)> = bodies().into_iter().chain(declarations()).collect();
    let known: Vec<&str> = cases.iter().flat_map(|(codes, _)| codes.split(' ')).collect();
    let missing: Vec<&&str> = crate::error::Diagnostic::CODES.iter().filter(|code| !known.contains(code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
