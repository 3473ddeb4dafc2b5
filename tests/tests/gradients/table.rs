//! What makes a test of a row.

/// Networks, each a test of its name: fields in brackets (if there are any), then the functions of the declaration.
/// Gradients for parameters and inputs are checked at three random places each.
macro_rules! networks {
    ($($(#[$attribute:meta])* $name:ident $([$($field:tt)*])? { $($function:tt)* })*) => {
        $(mod $name {
            use backprop::prelude::*;

            network! {
                $(#[$attribute])*
                pub(super) struct Net { $($($field)*)? }
                $($function)*
            }

            #[test]
            fn gradients() {
                for seed in 1..4 {
                    backprop::check::gradients::<Net<f64>>(Seed(seed)).assert_below(crate::table::TOLERANCE);
                }
            }
        })*

        /// How many networks stand here.
        pub(crate) const CASES: usize = [$(stringify!($name)),*].len();
    };
}

/// Elementwise functions, by groups of one shape: each row has a parameter of its name, which a failure mentions. Its first
/// variable is `input + parameter`, its second `input - parameter / 2`, its third `parameter / 3 - input`, where the
/// parameters are drawn in the group's range and the inputs in -1..1.
macro_rules! elementwise {
    ($($group:ident $shape:tt in $low:literal..$high:literal {
        $($name:ident: |$x:ident $(, $y:ident $(, $z:ident)?)?| $value:expr,)*
    })*) => {
        $(mod $group {
            use backprop::prelude::*;

            network! {
                pub(super) struct Net { $($name: $shape = uniform($low, $high),)* }

                fn forward(input: $shape) -> $shape {
                    let mut total = zeros($shape);
                    $(
                        let $x = input + self.$name;
                        $(
                            let $y = input - 0.5 * self.$name;
                            $(let $z = self.$name / 3.0 - input;)?
                        )?
                        total += $value;
                    )*
                    total
                }

                fn loss(y, t: $shape) { (y - t).powi(2).sum() }
            }

            #[test]
            fn gradients() {
                for seed in 1..4 {
                    backprop::check::gradients::<Net<f64>>(Seed(seed)).assert_below(crate::table::TOLERANCE);
                }
            }
        })*

        /// How many functions stand here.
        pub(crate) const CASES: usize = [$($(stringify!($name)),*),*].len();
    };
}

/// The largest relative error.
pub(crate) const TOLERANCE: f64 = 1e-7;

pub(crate) use {elementwise, networks};
