//! Steps and predictions of all kinds of networks, in a library whose panic handler does not exist.

#![no_std]

#[cfg(not(feature = "panic"))]
mod networks;

use core::panic::PanicInfo;

unsafe extern "C" {
    /// Defined nowhere: where a panic is left in the optimised code, linking fails.
    fn a_step_or_prediction_can_panic() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: never linked.
    unsafe { a_step_or_prediction_can_panic() }
}

/// The precompiled `core` mentions it; nothing unwinds here.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// What the checked functions of one network are.
#[cfg(not(feature = "panic"))]
macro_rules! functions {
    ($($module:ident: $network:ident, $scalar:ty, $optimizer:ty, $capacity:literal;)*) => {$(
        mod $module {
            use backprop::Error;
            use backprop::prelude::*;

            use crate::networks::$network;

            type Net = $network<$scalar>;
            type Inputs<'a> = <Net as backprop::Program>::Inputs<'a>;
            type Targets<'a> = <Net as backprop::Program>::Targets<'a>;
            type OneTrainer = Trainer<Net, $optimizer, $capacity>;

            #[unsafe(export_name = concat!(stringify!($module), "_step"))]
            fn step(trainer: &mut OneTrainer, inputs: Inputs<'_>, targets: Targets<'_>) -> Result<$scalar, Error> {
                trainer.step(inputs, targets)
            }

            #[unsafe(export_name = concat!(stringify!($module), "_predict"))]
            fn predict(
                trainer: &mut OneTrainer,
                sample: <Net as backprop::Program>::Sample<'_>,
            ) -> <Net as backprop::Program>::Output {
                trainer.predict(sample)
            }

            #[unsafe(export_name = concat!(stringify!($module), "_predict_batch"))]
            fn predict_batch(trainer: &mut OneTrainer, inputs: Inputs<'_>) -> bool {
                trainer.predict_batch(inputs).is_ok()
            }

            #[unsafe(export_name = concat!(stringify!($module), "_loss"))]
            fn loss(trainer: &mut OneTrainer, inputs: Inputs<'_>, targets: Targets<'_>) -> Result<$scalar, Error> {
                trainer.loss(inputs, targets)
            }

            #[unsafe(export_name = concat!(stringify!($module), "_forward"))]
            fn forward(network: &Net, inputs: Inputs<'_>, workspace: &mut Workspace<Net, $capacity>) -> bool {
                network.forward(inputs, workspace).is_ok()
            }

            #[unsafe(export_name = concat!(stringify!($module), "_backward"))]
            fn backward(
                network: &Net,
                inputs: Inputs<'_>,
                output_gradients: <Net as backprop::Program>::Outputs<'_>,
                workspace: &mut Workspace<Net, $capacity>,
                gradient: &mut Net,
            ) -> bool {
                network.backward(inputs, output_gradients, workspace, gradient).is_ok()
            }

            /// A loop of one's own.
            #[unsafe(export_name = concat!(stringify!($module), "_pieces"))]
            fn pieces(
                network: &mut Net,
                gradient: &mut Net,
                updater: &mut backprop::optimizers::Updater<Net, $optimizer>,
                workspace: &mut Workspace<Net, $capacity>,
                inputs: Inputs<'_>,
                targets: Targets<'_>,
                rate: f64,
            ) -> Result<$scalar, Error> {
                let loss = network.loss_and_gradient(inputs, targets, workspace, gradient)?;
                gradient.clip_norm(1.0);
                updater.step(network, gradient, rate)?;
                Ok(loss)
            }
        }
    )*};
}

#[cfg(not(feature = "panic"))]
functions! {
    tutorial: Tutorial, f32, Adam, 1;
    by_hand: ByHand, f64, Sgd, 4;
    digits: Digits, f32, Sgd, 32;
    leaky_integrator: LeakyIntegrator, f32, Momentum, 8;
    my_lstm: MyLstm, f32, Adam, 8;
    language_model: LanguageModel, f32, AdamW, 8;
    attention: Attention, f32, AdamW, 8;
    two_heads: TwoHeads, f64, AdamW, 8;
    autoencoder: Autoencoder, f32, Adam, 8;
    regularized: Regularized, f32, Momentum, 8;
    others: Others, f32, Sgd, 8;
    policy: Policy, f32, Sgd, 1;
}

/// A public function of a declaration.
#[cfg(not(feature = "panic"))]
#[unsafe(no_mangle)]
fn autoencoder_decode(
    network: &networks::Autoencoder<f32>,
    codes: &[[f32; 2]],
    workspace: &mut backprop::Workspace<networks::Autoencoder<f32>, 8>,
) -> bool {
    network.decode(codes, workspace).is_ok()
}

/// So that the check is known to fail where it has to. (Alone, since that is quick.)
#[cfg(feature = "panic")]
#[unsafe(no_mangle)]
fn can_panic(numbers: &[f32], index: usize) -> f32 {
    numbers[index]
}
