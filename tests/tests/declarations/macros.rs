//! Declarations that a user's macros make.

use backprop::prelude::*;

use crate::has_parameters;

macro_rules! dense_classifier {
    ($(#[$attribute:meta])* $visibility:vis $name:ident, $inputs:expr => $($width:expr),* => $classes:literal, $activation:ident) => {
        network! {
            $(#[$attribute])*
            $visibility struct $name;

            fn forward(x: [$inputs]) -> [$classes] {
                x $(.dense($width).$activation())* .dense($classes)
            }

            fn loss(logits, label: Class<$classes>) { cross_entropy(logits, label) }
        }
    };
}

dense_classifier!(
    /// Small.
    pub Small, 2 + 2 => 8 => 3, relu
);
dense_classifier!(#[allow(dead_code)] pub(crate) Deep, 16 => 32, 2 * 8, 8 => 10, gelu);
dense_classifier!(Linear, 5 => => 2, identity);

macro_rules! with_formula {
    ($name:ident, |$x:ident| $formula:expr) => {
        network! {
            pub(super) struct $name;
            fn own($x) { $formula }
            fn forward(v: [3]) -> [3] { own(v) }
        }
    };
}

with_formula!(Squares, |v| v * v + 1);
with_formula!(Branches, |v| if v > 1 { v.powi(2) } else { 2 * v - 1 });

macro_rules! with_parts {
    ($name:ident { $($field:ident: $shape:tt = $start:expr),* } ($($argument:ident: $ty:tt),*) $forward:block $($more:tt)*) => {
        network! {
            struct $name { $($field: $shape = $start),* }
            fn forward($($argument: $ty),*) $forward
            $($more)*
        }
    };
}

with_parts!(Parts { w: [2, 3] = glorot_uniform(), b: [3] = [0.5, 1.5, 2.5] } (x: [2], y: [3]) {
    let h = x.matmul(self.w) * 0;
    h + y + self.b
} fn loss(z, t: [3]) { mse(z, t) });

macro_rules! passed_on {
    ($($tokens:tt)*) => { inner_macro! { $($tokens)* } };
}

macro_rules! inner_macro {
    ($($tokens:tt)*) => { network! { $($tokens)* } };
}

passed_on! {
    /// Tokens of other macros.
    pub struct Passed { #[frozen] w: [2] = [1, 2] }
    fn forward(x: [2]) -> [2] { let y: [2] = x * self.w; y[0..2] }
}

/// The size and the sequence of steps in one place, for Rust and for the network.
macro_rules! sizes {
    ([$($name:ident = $value:expr),*] $($rest:tt)*) => {
        $(const $name: usize = $value;)*
        network! { $(const $name: usize = $value;)* $($rest)* }
    };
}

sizes! {
    [STEPS = 6, STATE = STEPS / 2]
    pub struct Sized;
    fn cell(s: [STATE], v: [STATE]) -> [STATE] { 0.5 * s + v }
    fn forward(x: [STEPS, STATE]) -> [STATE] { x.scan(cell, initial = zeros([STATE])).last() }
}

macro_rules! class_of {
    ($name:ident, $classes:expr, $length:expr) => {
        network! {
            pub(super) struct $name;
            fn forward(x: [Class<$classes>; $length], n: Length<$length>) -> [2] {
                x.embedding(2).last(length = n)
            }
        }
    };
}

class_of!(Few, 3, 4);

#[test]
fn sizes_and_names_come_from_outside() {
    has_parameters::<Small>(5 * 8 + 9 * 3);
    has_parameters::<Deep>(17 * 32 + 33 * 16 + 17 * 8 + 9 * 10);
    has_parameters::<Linear>(6 * 2);
    has_parameters::<Few>(6);
}

#[test]
fn formulas_come_from_outside() {
    let mut workspace = Workspace::<Squares, 1>::boxed();
    assert_eq!(Squares::<f32>::boxed(Seed(1)).predict(&[0.0, 1.0, -3.0], &mut workspace), [1.0, 2.0, 10.0]);
    let mut workspace = Workspace::<Branches, 1>::boxed();
    assert_eq!(Branches::<f32>::boxed(Seed(1)).predict(&[0.0, 1.0, 3.0], &mut workspace), [-1.0, 1.0, 9.0]);
}

#[test]
fn whole_parts_come_from_outside() {
    let mut workspace = Workspace::<Parts, 1>::boxed();
    let sum = Parts::<f32>::boxed(Seed(1)).predict((&[7.0, 8.0], &[1.0; 3]), &mut workspace);
    assert_eq!(sum, [1.5, 2.5, 3.5]);
    let mut workspace = Workspace::<Passed, 1>::boxed();
    assert_eq!(Passed::<f32>::boxed(Seed(1)).predict(&[7.0, 8.0], &mut workspace), [7.0, 16.0]);
}

#[test]
fn constants_serve_rust_and_the_network() {
    let mut workspace = Workspace::<Sized, 1>::boxed();
    let states = [[1.0; STATE]; STEPS];
    assert_eq!(Sized::<f32>::boxed(Seed(1)).predict(&states, &mut workspace), [1.96875; STATE]);
}
