//! The report as text: aligned for the screen, and as Markdown.

use std::fmt;

use super::{Figure, Range, Ratio, Report, Wanted};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for note in &self.notes {
            writeln!(f, "{note}")?;
        }
        aligned(f, &figure_cells(&self.figures))?;
        aligned(f, &ratio_cells(&self.ratios))?;
        for ratio in &self.ratios {
            let value = number(Range::of(&ratio.values).median);
            writeln!(f, "ratio {} {value}", ratio.name)?;
        }
        Ok(())
    }
}

/// What a reader of the tables has to know.
const INTRODUCTION: &str = "\
# Benchmark

Written by `make bench`; [figures.csv](figures.csv) has every round.

All sides are called by the same small client, which costs less than any driver: prepared statements over Unix sockets
(Redis: `GET`), one request at a time. In each round every side has its turn, and then again in reverse order. A ratio is
the vault's calls (or rows) a second to those of the other side, or, where its name ends with `_cpu`, the processor time of
a call there to that in the vault: more is better. Ratios of WAL, memory and time are the vault's to what it is compared
with: less is better. Shown is the median of the rounds' ratios, with the least and the most. Clients, server and
refresher share the processors; what the refresher writes later about a call is told apart from what the call itself takes.

";

/// The same as Markdown, with the plots in front.
pub fn markdown(report: &Report, plots: &[&str]) -> String {
    let mut text = String::from(INTRODUCTION);
    for plot in plots {
        text.push_str(&format!("![]({plot})\n\n"));
    }
    for cells in [ratio_cells(&report.ratios), figure_cells(&report.figures)] {
        if let Some((heading, rows)) = cells.split_first() {
            text.push_str(&line(heading));
            text.push_str(&format!("|{}\n", " --- |".repeat(heading.len())));
            rows.iter().for_each(|row| text.push_str(&line(row)));
            text.push('\n');
        }
    }
    for note in &report.notes {
        text.push_str(&format!("* {note}\n"));
    }
    text
}

fn line(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// Rows of cells, the first one the heading; none without figures.
fn figure_cells(figures: &[Figure]) -> Vec<Vec<String>> {
    let rows = figures.iter().map(|figure| {
        let range = Range::of(&figure.values);
        vec![
            figure.measurement.clone(),
            figure.side.clone(),
            number(range.median),
            span(range),
            figure.unit.clone(),
        ]
    });
    with_heading(&["measured", "side", "median", "range", "unit"], rows)
}

fn ratio_cells(ratios: &[Ratio]) -> Vec<Vec<String>> {
    let rows = ratios.iter().map(|ratio| {
        let range = Range::of(&ratio.values);
        let (wanted, reached) = judged(ratio.wanted, range.median);
        vec![
            ratio.name.clone(),
            number(range.median),
            span(range),
            wanted,
            reached.to_owned(),
        ]
    });
    with_heading(&["ratio", "median", "range", "wanted", "reached"], rows)
}

fn with_heading(heading: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    let mut cells: Vec<Vec<String>> = rows.collect();
    if !cells.is_empty() {
        cells.insert(0, heading.iter().map(|name| (*name).to_owned()).collect());
    }
    cells
}

/// What is wanted, and whether it is so: by the median.
pub fn judged(wanted: Wanted, median: f64) -> (String, &'static str) {
    let text = match wanted {
        Wanted::AtLeast(value) => format!("≥ {value}"),
        Wanted::AtMost(value) => format!("≤ {value}"),
        Wanted::Nothing => String::new(),
    };
    let reached = match wanted.margin(median) {
        Some(margin) if margin >= 1.0 => "yes",
        Some(_) => "NO",
        None => "",
    };
    (text, reached)
}

/// From the least to the most.
pub fn span(range: Range) -> String {
    format!("{} … {}", number(range.least), number(range.most))
}

/// Three digits, or all of those before the point.
pub fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 || size == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn aligned(f: &mut fmt::Formatter<'_>, rows: &[Vec<String>]) -> fmt::Result {
    let Some(heading) = rows.first() else {
        return Ok(());
    };
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        writeln!(f, "{}", cells.join("  ").trim_end())?;
    }
    writeln!(f)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut report = Report::default();
        report.note("two clients");
        for (rate, ratio) in [(10.0, 0.83), (30.0, 0.99), (20.0, 0.85)] {
            report.figure("reads", "get_token", "calls/s", rate);
            report.ratio("x", Wanted::AtLeast(0.95), ratio);
        }
        report
    }

    #[test]
    fn scripts_find_the_median_of_the_rounds_in_a_line() {
        let text = report().to_string();
        assert!(text.ends_with("\nratio x 0.85\n"), "{text}");
    }

    #[test]
    fn people_find_range_and_target_beside_it() {
        let text = report().to_string();
        assert!(text.contains("0.83 … 0.99  ≥ 0.95  NO"), "{text}");
        assert!(
            text.contains("get_token  20.0    10.0 … 30.0  calls/s"),
            "{text}"
        );
    }

    #[test]
    fn markdown_has_both_tables() {
        let text = markdown(&report(), &["plot.svg"]);
        assert!(text.contains("![](plot.svg)"));
        assert!(
            text.contains("| x | 0.85 | 0.83 … 0.99 | ≥ 0.95 | NO |\n"),
            "{text}"
        );
        assert!(
            text.contains("| reads | get_token | 20.0 | 10.0 … 30.0 | calls/s |\n"),
            "{text}"
        );
    }

    #[test]
    fn a_target_that_is_met_exactly_is_reached() {
        assert_eq!(judged(Wanted::AtMost(1.0), 1.0), ("≤ 1".to_owned(), "yes"));
        assert_eq!(judged(Wanted::Nothing, 1.0), (String::new(), ""));
    }

    #[test]
    fn numbers_have_three_digits() {
        assert_eq!(number(31234.5), "31234");
        assert_eq!(number(0.956), "0.96");
        assert_eq!(number(0.0123), "0.012");
    }
}
