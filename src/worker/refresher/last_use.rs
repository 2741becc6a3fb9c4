//! Writing when and how often tokens were used, once in a while.

use std::time::{Duration, Instant};

use super::Refresher;
use crate::pg::transaction;
use crate::worker::usage;

/// How long reads are collected before they are written.
const USAGE_INTERVAL: Duration = Duration::from_secs(1);

impl Refresher {
    /// Writes what is due.
    pub(super) fn write_usage(&mut self) {
        if !usage::is_pending() {
            self.usage_due = None;
            return;
        }
        let due = *self
            .usage_due
            .get_or_insert_with(|| Instant::now() + USAGE_INTERVAL);
        if due <= Instant::now() {
            self.usage_due = None;
            self.write_usage_now();
        }
    }

    fn write_usage_now(&mut self) {
        let database = self.database;
        match transaction::run(|| usage::write(database)) {
            Ok(wanted) => wanted
                .into_iter()
                .for_each(|(lane, due_at)| self.agenda.note_again(lane, due_at)),
            Err(aborted) => warn_of_usage(&aborted.0),
        }
    }

    /// Writes all that there is, before this process ends.
    pub(super) fn write_all_usage(&self) {
        let database = self.database;
        if let Err(aborted) = transaction::run(|| usage::write_all(database)) {
            warn_of_usage(&aborted.0);
        }
    }
}

fn warn_of_usage(problem: &str) {
    pgrx::warning!("token_vault could not write when tokens were used: {problem}");
}
