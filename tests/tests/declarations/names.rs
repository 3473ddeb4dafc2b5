//! Names that generated code has, or could have, for something else.

use backprop::prelude::*;

/// That a network can be used as any other, also in a `Box`.
const fn used<N: backprop::Network>()
where
    Box<N>: Clone,
{
}

/// A network of each name, with a function for Rust, layers in functions, and a loss.
macro_rules! called {
    ($($name:ident)*) => {$(
        const _: () = {
            network! {
                /// Called so.
                #[allow(clippy::upper_case_acronyms, reason = "whatever it is called")]
                pub struct $name { gain: [2] = ones(), head: dense(2) }
                fn twice(x) { x.dense(2).dense(2) }
                pub fn encode(x: [2], factor: Scalar) -> [2] { factor * self.gain * x.twice() }
                fn forward(x: [2], word: Class<3>) -> [2] { self.head(encode(x, 1.0)) + word.embedding(2) }
                fn loss(y, t: [2]) { mse(y, t) }
            }

            used::<$name<f32>>();
            used::<$name<f64>>();
            assert!($name::PARAMETERS > 10 && !$name::summary().is_empty());
        };
    )*};
}

// What generated code calls its types, and what stands in its place then.
called! { T X G S Number Declared runtime Formula0 Formula1 Pass_encode kernel_0 Self_ }
// Parameters of traits, and of functions, in the library.
called! { A B C D E F H I J K L M N O P Q R U V W Y Z SAMPLE SHARED }
// What every Rust program can name.
called! { Option Some None Result Ok Err Vec Box String ToString Default Copy Clone Debug PartialEq Eq Ord Hash Iterator }
called! { Into From Drop Fn FnMut FnOnce Send Sync Sized Unpin ToOwned AsRef AsMut Extend core std alloc backprop char }
// What the library calls something.
called! { Scalar Class Length Network Trainer Workspace Program Flat Machine Arena Readable Gradients Kept Tensor Role Const }
called! { Lanes Simd Inputs Targets Outputs Output Sample Terms Memory Adam Dataset Error Held Method }
// What generated code calls its variables and functions.
called! { machine samples memory parameters gradient gradients inputs targets scales key terms accumulate input_0 a0 t0 x0 }
called! { simd product previous workspace network forward loss encode gain head twice f32x4 r#type r#match }

network! {
    /// Fields and layers.
    pub struct Fields {
        T: [2] = ones(),
        CAPACITY: [2] = ones(),
        None: [2] = ones(),
        Some: dense(2),
        Option: dense(2),
        runtime: [2] = ones(),
        predict: [2] = ones(),
        as_flat: [2] = ones(),
        clone: dense(2),
        PARAMETERS: [2] = ones(),
        r#type: [2] = ones(),
        r#plain: [2] = ones(),
        __: dense(2),
        _1: dense(2),
        a_b: dense(2),
        aB: dense(2),
        f32: [2] = ones(),
        usize: dense(2),
    }

    fn None(x) { x.dense(2, name = r#fn) }
    fn r#loop(x) { x.dense(2) }

    fn forward(x: [2]) -> [2] {
        let x = x * self.T * self.CAPACITY * self.None * self.runtime * self.predict * self.as_flat * self.PARAMETERS;
        let x = self.Some(self.Option(self.clone(self.__(self._1(self.a_b(self.aB(self.usize(x))))))));
        let x = x.dense(2, name = Self_).dense(2, name = Result).dense(2, name = union);
        (x * self.r#type * self.plain * self.f32).None().r#loop()
    }
}

network! {
    /// Functions for Rust, and their arguments.
    pub struct Functions;

    pub fn T(T: [2]) -> [2] { T.dense(2) }
    pub fn CAPACITY(CAPACITY: [2], argument_0: [2]) -> [2] { CAPACITY + argument_0 }
    pub fn None(None: [2], Some: [2], Ok: [2], Err: Scalar) -> [2] { None + Some + Err * Ok }
    pub fn runtime(runtime: [2], Formula0: [2], Pass_runtime: [2]) -> [2] { runtime.exp() + Formula0 * Pass_runtime }
    pub fn kernel_0(kernel_0: [2], machine: [2], X: [2], x: [2]) -> [2] { kernel_0 * machine.sin() + X * x }
    pub fn hash(fmt: [2], _argument_1: [2], _: [2], _: [3]) -> [2] { fmt + _argument_1 }
    pub fn run_predict(inputs: [2], r#type: [2], key: Class<2>, n: Length<3>) -> [2] { inputs * key + r#type / n }
    pub fn r#match(samples: [2], memory: [2], parameters: Scalar) -> [2] { samples * parameters - memory }
    pub fn fmt(workspace: [2], a: [2]) -> [2] { workspace + a }

    fn forward(X: [2], T: [2], CAPACITY: Scalar) -> ([2], [2]) { (T(X), CAPACITY * T + kernel_0(X, T, X, T)) }
    fn loss(None, Some, Ok: [2], G: Scalar) { mse(None, Ok) + G * Some.powi(2).sum() }
}

/// What a program around a network may have.
#[derive(Debug, Default)]
struct T;

#[test]
fn fields_have_their_names() {
    let network = Fields::<f64>::boxed(Seed(1));
    assert_eq!((network.T, network.None, network.plain, network.f32), ([1.0; 2], [1.0; 2], [1.0; 2], [1.0; 2]));
    assert_eq!(network.None_1.r#fn.bias, [0.0; 2]);
    assert_eq!(network.loop_1.dense_1.bias, [0.0; 2]);
    assert_eq!(format!("{T:?}"), "T");
}

#[test]
fn functions_take_their_arguments_in_order() {
    let network = Functions::<f32>::boxed(Seed(1));
    let mut workspace = Workspace::<Functions, 1>::boxed();
    let [x, y, z] = [[[1.0, 2.0]], [[10.0, 20.0]], [[100.0, 200.0]]];
    assert_eq!(network.CAPACITY(&x, &y, &mut workspace), Ok(&[[11.0, 22.0]][..]));
    assert_eq!(network.None(&x, &y, &z, 2.0, &mut workspace), Ok(&[[211.0, 422.0]][..]));
    assert_eq!(network.kernel_0(&x, &[[0.0; 2]], &y, &z, &mut workspace), Ok(&[[1000.0, 4000.0]][..]));
    assert_eq!(network.hash(&x, &y, &z, &[[0.0; 3]], &mut workspace), Ok(&[[11.0, 22.0]][..]));
    assert_eq!(network.r#match(&x, &y, 3.0, &mut workspace), Ok(&[[-7.0, -14.0]][..]));
    assert_eq!(network.fmt(&x, &y, &mut workspace), Ok(&[[11.0, 22.0]][..]));
}
