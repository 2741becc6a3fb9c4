//! What is kept of a run: every figure of every round, the tables, the plots.

use std::fs;
use std::path::Path;

use token_vault_cluster::Result;

use super::table::{judged, markdown};
use super::{Report, plot};

const READS: &str = "reads.svg";
const RATIOS: &str = "ratios.svg";

/// Writes all files into a folder, which is made if it is not there.
///
/// # Errors
/// If one cannot be written.
pub fn save(report: &Report, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("figures.csv"), csv(report))?;
    let mut plots = Vec::new();
    for (name, drawing) in [(READS, plot::reads(report)), (RATIOS, plot::ratios(report))] {
        if let Some(drawing) = drawing {
            fs::write(folder.join(name), drawing)?;
            plots.push(name);
        }
    }
    Ok(fs::write(
        folder.join("README.md"),
        markdown(report, &plots),
    )?)
}

/// One line for each value.
fn csv(report: &Report) -> String {
    let mut text = String::from("measured,side,unit,round,value\n");
    let mut add = |measured: &str, side: &str, unit: &str, values: &[f64]| {
        for (round, value) in (1..).zip(values) {
            let [measured, side, unit] = [measured, side, unit].map(quoted);
            text.push_str(&format!("{measured},{side},{unit},{round},{value}\n"));
        }
    };
    for figure in &report.figures {
        add(
            &figure.measurement,
            &figure.side,
            &figure.unit,
            &figure.values,
        );
    }
    for ratio in &report.ratios {
        let (wanted, _) = judged(ratio.wanted, 1.0);
        add("ratio", &ratio.name, &wanted, &ratio.values);
    }
    text
}

fn quoted(text: &str) -> String {
    match text.contains([',', '"']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reads;
    use crate::report::{CALLS, Wanted};

    #[test]
    fn every_round_has_a_line() {
        let mut report = Report::default();
        report.figure("reads", "plain", CALLS, 10.5);
        report.figure("reads", "plain", CALLS, 11.0);
        report.figure("reads", "plain, again", CALLS, 12.0);
        report.ratio("x", Wanted::AtMost(1.15), 0.5);
        assert_eq!(
            csv(&report),
            "measured,side,unit,round,value\n\
             reads,plain,calls/s,1,10.5\nreads,plain,calls/s,2,11\n\
             reads,\"plain, again\",calls/s,1,12\nratio,x,≤ 1.15,1,0.5\n"
        );
    }

    #[test]
    fn all_files_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut report = Report::default();
        report.figure(reads::THROUGH_CLIENTS, "plain", CALLS, 10.5);
        report.ratio("x", Wanted::AtMost(1.15), 0.5);
        save(&report, folder.path()).unwrap();
        for name in ["figures.csv", "README.md", READS, RATIOS] {
            assert!(folder.path().join(name).exists(), "{name}");
        }
    }
}
