//! The same things written in other ways.

// A network may be called `Network`: the trait needs no name.
use backprop::Network as _;
use backprop::prelude::*;

use crate::has_parameters;

network! {pub struct OneLine;fn forward(x:[3])->[2]{x.dense(4).relu().dense(2)}fn loss(y,t:[2]){mse(y,t)}}

network! {

    pub

    struct
        Spread
    {
        w :
            [ 3 , 2 , ]
            =
            glorot_uniform ( ) ,
    }

    fn
    forward
    (
        x
        :
        [ 3 , ]
        ,
    )
    ->
    [ 2 ]
    {
        (
            ( ( x ) )
                // the product
                . matmul
                (
                    self
                    . w
                    ,
                )
        )
    }
}

network! {
    fn loss(y, t: [WIDTH]) { weighed(mse(y, t)) }
    fn weighed(v) { RATE * v }
    const RATE: f64 = 0.5;
    fn forward(x: [WIDTH]) -> [WIDTH] { x.dense(WIDTH) }
    const WIDTH: usize = 3;
    pub struct LastComesFirst;
}

network! {
    /// A network
    /// of several lines.
    ///
    /// With `code` and [a link](Seed).
    #[doc = "And one more."]
    #[allow(dead_code, reason = "to be seen that it is kept")]
    #[cfg_attr(all(), doc = "Conditional.")]
    pub(crate) struct Documented {
        /// The weights.
        #[doc = "In and out."]
        pub w: [3, 2] = glorot_uniform(),
        /// Not trained.
        #[frozen]
        b: [2] = zeros(),
        /// Kept small.
        #[clamp(-1, 1.0)]
        gain: [] = 0.5,
        /// A layer.
        encoder: dense(3, bias = false, name = ignored),
    }

    /// A number.
    const SCALE: f32 = 2.0;

    /// Doubles.
    fn doubled(v) { SCALE * v }

    /// What the network sees.
    #[allow(unused)]
    pub fn seen(x: [3]) -> [3] { self.encoder(x) }

    /// The values.
    fn forward(x: [3]) -> [2] {
        /* a comment */
        self.gain * seen(x).matmul(self.w).doubled() + self.b // another
    }

    /// The distance.
    fn loss(y, t: [2]) { mae(y, t) }
}

mod inner {
    use backprop::network;

    network! {
        pub(super) struct OfTheParent;
        fn forward(x: [1]) { x.dense(1) }
    }

    network! {
        pub(in crate::forms) struct OfAPath;
        fn forward(x: [1]) { x.dense(1) }
    }
}

backprop::network! {
    struct Private;
    fn forward(x: [1]) { x.dense(1) }
}

backprop::network![
    struct Brackets { }
    fn forward(x: [1]) { x.dense(1) }
];

backprop::network!(
    struct Parentheses { };
    fn forward(x: [1]) { x.dense(1) }
);

network! {
    /// Names that generated code could trip over.
    pub struct Network { memory: [2] = ones(), parameters: [2] = ones(), machine: dense(2), r#type: [2] = ones(), head_1: dense(2), head1: dense(2) }

    fn samples(inputs, gradient) { inputs * gradient }

    pub fn runtime(memory: [2], _: [3], workspace: [2], _: Class<2>) -> [2] {
        let outputs = memory + 2 * workspace;
        outputs
    }

    fn forward(inputs: [2], samples: [2], machine: [2], key: Scalar) -> ([2], [2]) {
        let self_ = samples(inputs, samples) * self.parameters + self.r#type;
        (self.machine(self_ + key) * self.memory, self.head_1(self.head1(machine)))
    }

    fn loss(memory, scales, targets: [2], accumulate: [2]) {
        let input_0 = mse(memory, targets);
        input_0 + mse(scales, accumulate)
    }
}

network! {
    /// With a function of its own in place of one of the library's.
    pub struct Overridden;

    fn relu(v) { max(v, 0.5) }
    fn mse(a, b) { (a - b).powi(4).sum() }

    fn forward(x: [2]) -> [2] { x.relu() }
    fn loss(y, t: [2]) { mse(y, t) }
}

#[test]
fn the_form_changes_nothing() {
    has_parameters::<OneLine>(16 + 10);
    has_parameters::<Spread>(6);
    has_parameters::<LastComesFirst>(12);
    has_parameters::<Documented>(6 + 2 + 1 + 9);
    has_parameters::<inner::OfTheParent>(2);
    has_parameters::<inner::OfAPath>(2);
    has_parameters::<Private>(2);
    has_parameters::<Brackets>(2);
    has_parameters::<Parentheses>(2);
}

#[test]
fn networks_inside_of_functions() {
    network! {
        struct Local { w: [2] = [1, 2] }
        fn forward(x: [2]) { x * self.w }
    }
    let mut workspace = Workspace::<Local, 1>::boxed();
    assert_eq!(Local::<f32>::boxed(Seed(1)).predict(&[3.0, 4.0], &mut workspace), [3.0, 8.0]);
}

#[test]
fn any_name_will_do() {
    let network = Network::<f64>::boxed(Seed(1));
    assert_eq!(network.r#type, [1.0; 2]);
    let mut workspace = Workspace::<Network<f64>, 1>::boxed();
    let sum = network.runtime(&[[1.0; 2]], &[[0.0; 3]], &[[3.0; 2]], &[Class::default()], &mut workspace).unwrap();
    assert_eq!(sum, [[7.0; 2]]);
}

#[test]
fn functions_of_ones_own_come_first() {
    let mut workspace = Workspace::<Overridden, 1>::boxed();
    let network = Overridden::<f32>::boxed(Seed(1));
    assert_eq!(network.predict(&[0.25, 2.0], &mut workspace), [0.5, 2.0]);
    assert_eq!(network.loss(&[[0.25, 2.0]], &[[0.5, 0.0]], &mut workspace), Ok(16.0));
}
