//! What was measured: notes, figures of each round, and ratios with what is wanted of them.

mod files;
mod plot;
mod svg;
mod table;

pub use files::save;

/// The calls of the clients in a second.
pub const CALLS: &str = "calls/s";
/// Processor time of the server's processes that serve the clients.
pub const CPU: &str = "µs of processor/call";

/// What a ratio should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wanted {
    AtLeast(f64),
    AtMost(f64),
    /// It is only there to be read.
    Nothing,
}

impl Wanted {
    /// How much better than wanted a value is, as a factor.
    pub fn margin(self, value: f64) -> Option<f64> {
        match self {
            Wanted::AtLeast(wanted) => Some(value / wanted),
            Wanted::AtMost(wanted) => Some(wanted / value),
            Wanted::Nothing => None,
        }
    }
}

/// One side of a measurement, with a value for each round.
pub struct Figure {
    pub measurement: String,
    pub side: String,
    pub unit: String,
    pub values: Vec<f64>,
}

/// Ours to something else, with a value for each round: what disturbed a round disturbed both sides of it.
pub struct Ratio {
    pub name: String,
    pub wanted: Wanted,
    pub values: Vec<f64>,
}

/// Figures and ratios in the order of their first appearance.
#[derive(Default)]
pub struct Report {
    notes: Vec<String>,
    figures: Vec<Figure>,
    ratios: Vec<Ratio>,
}

impl Report {
    /// A sentence about how it was measured.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// One round's value of one side.
    pub fn figure(&mut self, measurement: &str, side: &str, unit: &str, value: f64) {
        let known = self.figures.iter_mut().find(|figure| {
            figure.measurement == measurement && figure.side == side && figure.unit == unit
        });
        match known {
            Some(figure) => figure.values.push(value),
            None => self.figures.push(Figure {
                measurement: measurement.to_owned(),
                side: side.to_owned(),
                unit: unit.to_owned(),
                values: vec![value],
            }),
        }
    }

    /// One round's ratio.
    pub fn ratio(&mut self, name: &str, wanted: Wanted, value: f64) {
        match self.ratios.iter_mut().find(|ratio| ratio.name == name) {
            Some(ratio) => ratio.values.push(value),
            None => self.ratios.push(Ratio {
                name: name.to_owned(),
                wanted,
                values: vec![value],
            }),
        }
    }

    /// Adds what another part of the benchmark has measured.
    pub fn append(&mut self, mut other: Report) {
        self.notes.append(&mut other.notes);
        self.figures.append(&mut other.figures);
        self.ratios.append(&mut other.ratios);
    }
}

/// The value in the middle.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let (lower, upper) = ((values.len() - 1) / 2, values.len() / 2);
    (values[lower] + values[upper]) / 2.0
}

/// The median of some values, the least and the most of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Range {
    pub fn of(values: &[f64]) -> Self {
        Range {
            median: median(values.iter().copied()),
            least: values.iter().copied().fold(f64::INFINITY, f64::min),
            most: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_two() {
        assert_eq!(median([4.0, 1.0, 3.0, 100.0]), 3.5);
        assert_eq!(median([5.0, 1.0, 2.0]), 2.0);
    }

    #[test]
    fn the_range_reaches_from_the_least_to_the_most() {
        let range = Range::of(&[0.5, 0.9, 0.4]);
        assert_eq!((range.least, range.median, range.most), (0.4, 0.5, 0.9));
    }

    #[test]
    fn rounds_of_one_ratio_come_together() {
        let mut report = Report::default();
        for (name, value) in [("a", 1.0), ("b", 2.0), ("a", 3.0)] {
            report.ratio(name, Wanted::AtLeast(1.0), value);
        }
        assert_eq!(report.ratios.len(), 2);
        assert_eq!(report.ratios[0].values, [1.0, 3.0]);
    }

    #[test]
    fn a_margin_above_one_is_better_than_wanted() {
        assert_eq!(Wanted::AtLeast(2.0).margin(4.0), Some(2.0));
        assert_eq!(Wanted::AtMost(2.0).margin(4.0), Some(0.5));
        assert_eq!(Wanted::Nothing.margin(4.0), None);
    }
}
