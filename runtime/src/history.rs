//! What happened in training, epoch by epoch.

use alloc::vec::Vec;

/// The course of a training.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    pub(crate) epochs: Vec<Epoch>,
}

/// One pass over the training data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epoch {
    /// Mean loss of the steps, each measured before its update.
    pub loss: f64,
    /// How the network did on the validation data after the epoch.
    pub validation: Option<Validation>,
}

/// How a network did on validation data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Validation {
    /// The loss.
    pub loss: f64,
    /// Share of right answers, 0 to 1, if the network classifies.
    pub accuracy: Option<f64>,
}

impl History {
    /// The epochs in order.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// The last epoch.
    pub fn last(&self) -> Option<&Epoch> {
        self.epochs.last()
    }

    /// Writes the learning curve as SVG: training and validation loss over the epochs and, below, the accuracy.
    ///
    /// # Errors
    /// When the file cannot be written.
    #[cfg(feature = "plot")]
    pub fn plot(&self, path: impl AsRef<std::path::Path>) -> std::io::Result<()> {
        plot::write(self, path.as_ref()).map_err(|error| std::io::Error::other(std::format!("{error}")))
    }
}

#[cfg(feature = "plot")]
mod plot {
    use std::boxed::Box;
    use std::error::Error;
    use std::path::Path;
    use std::string::ToString;
    use std::vec::Vec;

    use plotters::prelude::*;

    use super::History;

    struct Curve {
        name: &'static str,
        color: RGBColor,
        values: Vec<f64>,
    }

    type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

    pub(super) fn write(history: &History, path: &Path) -> Result<(), Box<dyn Error>> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let epochs = &history.epochs;
        let validation = |value: fn(&super::Validation) -> Option<f64>| -> Vec<f64> {
            epochs.iter().filter_map(|epoch| epoch.validation.as_ref().and_then(value)).collect()
        };
        let losses = [
            Curve { name: "training", color: BLUE, values: epochs.iter().map(|epoch| epoch.loss).collect() },
            Curve { name: "validation", color: RED, values: validation(|validation| Some(validation.loss)) },
        ];
        let accuracy = [Curve { name: "validation", color: RED, values: validation(|validation| validation.accuracy) }];
        let root = SVGBackend::new(path, (800, 600)).into_drawing_area();
        root.fill(&WHITE)?;
        if accuracy[0].values.is_empty() {
            draw(&root, "loss", &losses)?;
        } else {
            let (upper, lower) = root.split_vertically(300);
            draw(&upper, "loss", &losses)?;
            draw(&lower, "accuracy", &accuracy)?;
        }
        root.present()?;
        Ok(())
    }

    fn draw(area: &Area<'_>, title: &str, curves: &[Curve]) -> Result<(), Box<dyn Error>> {
        let values = || curves.iter().flat_map(|curve| &curve.values).copied().filter(|value| value.is_finite());
        let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        let (low, high) = if low < high { (low, high) } else { (0.0, 1.0) };
        let margin = 0.05 * (high - low);
        let epochs = curves.iter().map(|curve| curve.values.len()).max().unwrap_or(0).max(2);
        let mut chart = ChartBuilder::on(area)
            .margin(10)
            .x_label_area_size(35)
            .y_label_area_size(60)
            .build_cartesian_2d(1.0..epochs as f64, low - margin..high + margin)?;
        chart
            .configure_mesh()
            .x_desc("epoch")
            .y_desc(title)
            .x_label_formatter(&|epoch| std::format!("{epoch:.0}"))
            .draw()?;
        for curve in curves.iter().filter(|curve| !curve.values.is_empty()) {
            let points = curve.values.iter().enumerate().map(|(epoch, &value)| ((epoch + 1) as f64, value));
            let color = curve.color;
            chart
                .draw_series(LineSeries::new(points, color.stroke_width(2)))?
                .label(curve.name.to_string())
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], color.stroke_width(2)));
        }
        chart.configure_series_labels().background_style(WHITE).border_style(BLACK).draw()?;
        Ok(())
    }
}

#[cfg(all(test, feature = "plot"))]
mod tests {
    use std::format;
    use std::vec;

    use super::*;

    #[test]
    fn the_learning_curve_is_drawn() {
        let path = std::env::temp_dir().join(format!("backprop-{}/curve.svg", std::process::id()));
        let epoch = |loss, accuracy| Epoch { loss, validation: Some(Validation { loss: 2.0 * loss, accuracy }) };
        for (epochs, accuracy) in [
            (vec![epoch(1.0, Some(0.5)), epoch(0.5, Some(0.8)), epoch(0.2, Some(0.9))], true),
            (vec![epoch(1.0, None), Epoch { loss: f64::NAN, validation: None }], false),
            (vec![], false),
        ] {
            History { epochs }.plot(&path).unwrap();
            let drawing = std::fs::read_to_string(&path).unwrap();
            assert!(drawing.contains("<svg") && drawing.contains("epoch"));
            assert_eq!(drawing.contains("accuracy"), accuracy);
        }
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }
}
