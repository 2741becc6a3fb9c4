//! What is printed: the conditions, a table of medians, and the ratios, one a line.

use std::fmt;

use postgres::Client;
use token_vault_cluster::Result;

use crate::arguments::Arguments;
use crate::measure::Pair;

/// All measurements of a run, in the order of their first appearance.
#[derive(Default)]
pub struct Report {
    results: Vec<(&'static str, Vec<Pair>)>,
}

impl Report {
    pub fn add(&mut self, pair: Pair) {
        match self.results.iter_mut().find(|(name, _)| *name == pair.name) {
            Some((_, pairs)) => pairs.push(pair),
            None => self.results.push((pair.name, vec![pair])),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:32} {:>12} {:>12} {:>8}",
            "median calls a second", "plain", "vault", "ratio"
        )?;
        for (name, pairs) in &self.results {
            let plain = median(pairs.iter().map(|pair| pair.plain));
            let ours = median(pairs.iter().map(|pair| pair.ours));
            writeln!(f, "{name:32} {plain:12.0} {ours:12.0} {:8.2}", ratio(pairs))?;
        }
        for (name, pairs) in &self.results {
            writeln!(f, "ratio {name} {:.2}", ratio(pairs))?;
        }
        Ok(())
    }
}

/// The conditions, which are the same for both sides.
pub fn settings(admin: &mut Client, arguments: &Arguments) -> Result<String> {
    let mut line = format!(
        "{} rows, {} clients, {} rounds of {} s, library preloaded",
        arguments.rows,
        arguments.clients,
        arguments.rounds,
        arguments.duration.as_secs()
    );
    for name in [
        "server_version",
        "fsync",
        "synchronous_commit",
        "shared_buffers",
    ] {
        let value: String = admin.query_one(&format!("SHOW {name}"), &[])?.get(0);
        line.push_str(&format!(", {name} {value}"));
    }
    Ok(line)
}

/// The median of the rounds' own ratios: what disturbed one round disturbed both sides of it.
fn ratio(pairs: &[Pair]) -> f64 {
    median(pairs.iter().map(|pair| pair.ours / pair.plain))
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (lower, upper) = ((values.len() - 1) / 2, values.len() / 2);
    (values[lower] + values[upper]) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_two() {
        assert_eq!(median([4.0, 1.0, 3.0, 100.0].into_iter()), 3.5);
        assert_eq!(median([5.0, 1.0, 2.0].into_iter()), 2.0);
    }

    #[test]
    fn the_ratio_is_of_rounds_not_of_medians() {
        let pair = |plain, ours| Pair {
            name: "x",
            plain,
            ours,
        };
        assert_eq!(
            ratio(&[pair(10.0, 5.0), pair(100.0, 50.0), pair(1.0, 0.5)]),
            0.5
        );
        let mut report = Report::default();
        report.add(pair(10.0, 8.3));
        assert!(report.to_string().ends_with("\nratio x 0.83\n"));
    }
}
