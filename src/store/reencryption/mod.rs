//! Re-encryption: values that are sealed with an older key are opened and sealed again with the active one.
//!
//! | file | concern |
//! | --- | --- |
//! | `job` | the row that says how far it is |
//! | `progress` | the same in words |
//! | `tokens`, `client_secrets`, `columns` | one batch of each |
//!
//! Whoever holds the custody ([`crate::pg::lock`]) calls [`step`] in one transaction after another. A step moves the
//! row's cursor together with the values, so that a crash takes back both. Rows that somebody else has locked are
//! passed over, never waited for: what is left after a pass needs another one. Values are counted at the beginning
//! and between passes; what a pass could do nothing about is left as it is, and said.

mod client_secrets;
mod columns;
mod job;
mod progress;
mod tokens;

use crate::error::{Error, Result};
use crate::pg::transaction;
use crate::store::key_usage::{self, Stopped};
use crate::store::{column, retirement};

pub use job::{Job, Search, State, begin, known, pause, resume, run_begins, search, searched};
pub use progress::Progress;

use job::Place;

/// What an administrator should know or do, if anything.
pub fn advice() -> Option<String> {
    let job = known()?;
    let left = job.total.unwrap_or_default() - job.done;
    match job.state {
        State::Paused => Some("re-encryption is paused: let it go on with SELECT vault.resume_reencryption()".into()),
        State::Running => Some("values are being encrypted again: see vault.reencryption; without shared_preload_libraries, CALL vault.reencrypt() goes on with it".into()),
        State::Done if left > 0 => Some(format!(
            "{left} values could not be encrypted again, and keep a retired key alive ({})",
            job.problem.unwrap_or_default()
        )),
        State::Done if retirement::has_keys() => column::opaque().first().map(|name| {
            format!("retired keys are kept: {name} may hold values that can't be counted")
        }),
        State::Done => None,
    }
}

/// A batch takes no more plaintext than this into memory, but for one value.
const BATCH_BYTES: i64 = 8 << 20;

/// What a step has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// So many values were sealed again, and there is more to do.
    More(i64),
    /// What is left, or the job itself, is locked by other sessions.
    Blocked,
    /// There is no job, it is paused, or it is done.
    Idle,
    /// The server wants this process to end.
    Stopped,
}

/// A batch's outcome, in values.
#[derive(Default)]
struct Batch {
    resealed: i64,
    problems: i64,
    problem: Option<String>,
}

impl Batch {
    /// Takes note of a value that can't be opened, which is left as it is. Any other error, such as a missing
    /// master key, is no fault of the value's, and ends the batch.
    fn note(&mut self, place: impl std::fmt::Display, error: Error) -> Result<()> {
        match error {
            Error::Undecryptable { .. } | Error::KeyUnavailable { .. } => {
                self.problems += 1;
                self.problem = Some(format!("{place}: {}", error.message()));
                Ok(())
            }
            error => Err(error),
        }
    }
}

/// Does the job's next piece of work, about `batch_size` rows, in the running transaction.
pub fn step(batch_size: usize) -> Result<Step> {
    // Whoever replaces a key locks `vault.key` and then the job's row: that is not taken where it is not needed.
    if known().is_none_or(|job| job.state != State::Running) {
        return Ok(Step::Idle);
    }
    transaction::commit_lazily();
    let Some(job) = job::lock() else {
        return Ok(Step::Blocked);
    };
    if job.state != State::Running {
        return Ok(Step::Idle);
    }
    let (batch, next) = match job.place {
        Place::Counting => return Ok(count(&job)),
        Place::Tokens { after } => tokens::batch(after, batch_size)?,
        Place::ClientSecrets { after } => client_secrets::batch(after, batch_size)?,
        Place::Columns { table, from } => columns::batch(table, from, batch_size)?,
    };
    job::advance(&batch, next);
    Ok(Step::More(batch.resealed))
}

/// Between passes: is there something left that another one would do?
fn count(job: &Job) -> Step {
    let usage = match key_usage::scan() {
        Ok(usage) => usage,
        Err(Stopped) => return Step::Stopped,
    };
    if usage.stale <= job.problems {
        job::finish(usage.stale);
        return Step::Idle;
    }
    job::begin_pass(usage.stale, usage.unreadable.last());
    match job.pass > 0 && job.resealed == 0 {
        true => Step::Blocked,
        false => Step::More(0),
    }
}
