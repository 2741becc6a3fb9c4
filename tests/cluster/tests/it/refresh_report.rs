//! What the ledger has found out, in figures and in words.

use std::fmt;
use std::time::Duration;

/// What a check has found.
#[derive(Default)]
pub struct Report {
    pub requests: usize,
    pub repeated: usize,
    pub interruptions: usize,
    pub in_the_middle: usize,
    pub losses: Vec<Loss>,
    pub problems: Vec<String>,
}

/// A grant that a strict provider has ended, because it was asked again after an answer that the vault never had.
pub struct Loss {
    pub subject: String,
    /// For how long the answer had been there when the refresher died; `None`: it had not been sent.
    pub held: Option<Duration>,
}

impl Report {
    pub fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    /// Panics if a grant was lost or asked for twice without need.
    pub fn assert_clean(&self) {
        assert!(
            self.problems.is_empty(),
            "{} problems, for one:\n{}",
            self.problems.len(),
            self.problems[..self.problems.len().min(5)].join("\n")
        );
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held: Vec<Duration> = self.losses.iter().filter_map(|loss| loss.held).collect();
        write!(
            f,
            "{} kills, {} of them with answers under way; {} refreshes, {} of them repeated within a leeway; \
             {} grants of a strict provider lost: {} answers not yet sent, {} not yet durable, after {:?} at most",
            self.interruptions,
            self.in_the_middle,
            self.requests,
            self.repeated,
            self.losses.len(),
            self.losses.len() - held.len(),
            held.len(),
            held.iter().max().copied().unwrap_or_default(),
        )
    }
}
