// mistake: entry-type

use backprop::prelude::*;

network! {
    pub struct Net {
        /// Codes.
        encoder: dense(8),
        gain: [2] = ones(),
    }

    /// What the network sees in an input.
    pub fn encode(x: [4]) -> [8] { self.encoder(x).tanh() }

    fn forward(x) -> [2] { self.gain * self.encoder(x).tanh().dense(2) }

    fn loss(y, label: Class<2>) { cross_entropy(y, label) }
}

static LEARNER: StaticTrainer<Net, Sgd, 1> = StaticTrainer::new();
const _: () = assert!(Net::PARAMETERS < 100);

struct Robot {
    brain: Box<Net>,
    workspace: Box<Workspace<Net, 4>>,
}

impl Robot {
    fn decide(&mut self, reading: &[f32; 4]) -> usize {
        self.brain.predict(reading, &mut self.workspace).argmax().index()
    }
}

fn bias(network: &Net<f64>) -> f64 {
    network.dense_1.bias[0] + network.encoder.weight[3][7] * network.gain[1]
}

fn main() -> Result<(), backprop::Error> {
    let mut trainer = Trainer::<Net, _, 4>::new(Adam::new(1e-3), Seed(1));
    let labels = [Class::new(0)?, Class::new(1)?];
    let loss: f32 = trainer.step(&[[0.0; 4], [1.0; 4]], &labels)?;
    let (network, workspace) = trainer.parts();
    for code in network.encode(&[[0.5; 4]], workspace)? {
        println!("{loss} {}", code[0] + code[7]);
    }
    for scores in trainer.predict_batch(&[[0.5; 4]])? {
        println!("{}", scores[0].max(scores[1]));
    }
    let mut robot = Robot { brain: Net::boxed(Seed(1)), workspace: Workspace::boxed() };
    println!("{} {}", robot.decide(&[0.1; 4]), bias(&Net::boxed(Seed(2))));
    println!("{} {}", Net::summary(), Net::<f32>::derivation());
    println!("{}", LEARNER.init(Sgd::new(0.1), Seed(1)).network().as_flat().len());
    Ok(())
}
