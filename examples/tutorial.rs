//! Backpropagation as textbooks teach it, beside what the compiler makes of it.
//!
//! The first part works out a network of two inputs, two hidden units and one output by hand, formula by formula, and
//! holds every number against those of the derived code. The second part trains a network of this size.
//!
//! ```text
//! cargo run --release --example tutorial
//! ```

use std::error::Error;

use backprop::prelude::*;

network! {
    /// Two inputs, two linear hidden units, one output.
    pub struct Tutorial;

    /// The hidden units; a `pub fn` can be called from Rust, too.
    pub fn hidden(x: [2]) -> [2] {
        x.dense(2)
    }

    fn forward(x: [2]) -> [1] {
        hidden(x).dense(1)
    }

    fn loss(y: [1], t: [1]) {
        0.5 * (y - t).powi(2)
    }
}

network! {
    /// The same size, with a kink, which is what makes hidden units worth having.
    pub struct Small;

    fn forward(x: [2]) -> [1] {
        x.dense(2).relu().dense(1)
    }

    fn loss(y: [1], t: [1]) {
        mse(y, t)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    by_hand()?;
    trained()
}

/// One sample forwards and backwards.
fn by_hand() -> Result<(), Box<dyn Error>> {
    let (x, t) = ([0.5, 0.8], [1.0]);
    let (v, a) = ([[0.1, 0.4], [-0.3, 0.2]], [0.05, -0.1]); // hidden weights [in][out] and biases
    let (w, b) = ([0.6, -0.5], 0.2); // output weights and bias

    let mut network = Tutorial::<f64>::boxed(Seed(0));
    network.hidden.dense_1.weight = v;
    network.hidden.dense_1.bias = a;
    network.dense_1.weight = w.map(|weight| [weight]);
    network.dense_1.bias = [b];
    let mut gradient = network.zeros_like();
    let mut workspace = Workspace::<Tutorial<f64>, 1>::boxed();

    let hidden = network.hidden(&[x], &mut workspace)?[0];
    let output = network.predict(&x, &mut workspace)[0];
    let loss = network.loss_and_gradient(&[x], &[t], &mut workspace, &mut gradient)?;
    // For a loss outside of the declaration there are the two halves, which also give the gradient of the inputs.
    let [y] = network.forward(&[x], &mut workspace)?[0];
    let mut again = network.zeros_like();
    let inputs = network.backward(&[x], &[[y - t[0]]], &mut workspace, &mut again)?[0];

    // The textbook: forwards by the definitions, backwards by the chain rule.
    let h = [0, 1].map(|j| x[0] * v[0][j] + x[1] * v[1][j] + a[j]);
    let y = h[0] * w[0] + h[1] * w[1] + b;
    let error = y - t[0];
    let delta = w.map(|weight| error * weight);

    let mut table = Table::new();
    for j in 0..2 {
        table.row(format!("h{j}"), format!("x0 v0{j} + x1 v1{j} + a{j}"), h[j], hidden[j]);
    }
    table.row("y".into(), "h0 w0 + h1 w1 + b".into(), y, output);
    table.row("L".into(), "(y - t)² / 2".into(), error * error / 2.0, loss);
    for j in 0..2 {
        table.row(format!("∂L/∂w{j}"), format!("(y - t) h{j}"), error * h[j], gradient.dense_1.weight[j][0]);
    }
    table.row("∂L/∂b".into(), "y - t".into(), error, gradient.dense_1.bias[0]);
    for j in 0..2 {
        for i in 0..2 {
            let found = gradient.hidden.dense_1.weight[i][j];
            table.row(format!("∂L/∂v{i}{j}"), format!("(y - t) w{j} x{i}"), delta[j] * x[i], found);
        }
        table.row(format!("∂L/∂a{j}"), format!("(y - t) w{j}"), delta[j], gradient.hidden.dense_1.bias[j]);
    }
    for i in 0..2 {
        let formula = format!("(y - t) (w0 v{i}0 + w1 v{i}1)");
        table.row(format!("∂L/∂x{i}"), formula, delta[0] * v[i][0] + delta[1] * v[i][1], inputs[i]);
    }
    table.print();
    assert!(table.largest_difference < 1e-15, "the derived code differs from the textbook");
    assert_eq!(gradient, again, "both ways to the gradient give the same");

    println!("What the compiler derived:\n\n{}", Tutorial::derivation());
    Ok(())
}

/// Two points, 100 epochs of two steps.
fn trained() -> Result<(), Box<dyn Error>> {
    let data = Dataset::new(vec![[0.5_f32, 0.8], [0.2, 0.3]], vec![[1.0_f32], [0.5]])?;
    let mut trainer = Trainer::<Small, _, 1>::new(Adam::new(0.01), Seed(1));
    println!("Training {} parameters on {} points:", Small::PARAMETERS, data.len());
    let history = trainer.fit(&data, Fit::epochs(100))?;
    for (number, epoch) in history.epochs().iter().enumerate().filter(|(number, _)| (number + 1) % 20 == 0) {
        println!("epoch {:>3}: loss {:.6}", number + 1, epoch.loss);
    }
    for (x, t) in data.inputs().iter().zip(data.targets()) {
        println!("{x:?} -> {:.4}, wanted {:.1}", trainer.predict(x)[0], t[0]);
    }
    println!("evaluated loss: {:.6}", trainer.evaluate(&data)?.loss());
    Ok(())
}

/// Numbers worked by hand beside those of the derived code.
struct Table {
    rows: Vec<String>,
    largest_difference: f64,
}

impl Table {
    fn new() -> Self {
        let header = format!("{:8} {:26} {:>13} {:>13} {:>11}", "value", "formula", "by hand", "derived", "difference");
        Self { rows: vec![header], largest_difference: 0.0 }
    }

    fn row(&mut self, name: String, formula: String, by_hand: f64, derived: f64) {
        let difference = (by_hand - derived).abs();
        self.rows.push(format!("{name:8} {formula:26} {by_hand:>13.8} {derived:>13.8} {difference:>11.1e}"));
        self.largest_difference = self.largest_difference.max(difference);
    }

    fn print(&self) {
        println!("{}\n", self.rows.join("\n"));
    }
}
