//! The process that brings a database's values under the active keys, and destroys the keys that are not used any
//! more. It ends when there is nothing left to do, and also when something goes wrong: it is started again later.

use std::time::Duration;

use crate::error::Result;
use crate::pg::{Oid, background, catalog, latch, lock, locked, transaction};
use crate::store::reencryption::{self, Progress, Step};
use crate::store::{retirement, rotation};
use crate::worker::board;

/// Rows in a batch.
const BATCH_SIZE: usize = 500;
/// The first pause where other sessions hold what is left; each one after it is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How often a custodian looks whether the transactions that a key waits for have ended, before it leaves that to
/// the next one.
const PATIENCE: u32 = 10;

/// What to do next.
enum Next {
    GoOn,
    Sleep(Duration),
    End,
}

struct Custodian {
    pause: Duration,
    patience: u32,
}

/// Runs until there is nothing to do, or the server stops it.
pub fn run(database: Oid) {
    background::connect(Some(database));
    background::prepare_session();
    background::limit_lock_waits();
    background::step_back();
    if board::is_held(database) {
        return;
    }
    let ready = transaction::run(|| {
        catalog::extension_exists()
            .then(lock::try_hold_custody)
            .flatten()
            .inspect(|_| reencryption::run_begins())
    });
    let Ok(Some(_custody)) = ready else {
        return;
    };
    let mut custodian = Custodian {
        pause: FIRST_PAUSE,
        patience: PATIENCE,
    };
    while !background::must_stop() {
        background::reload_configuration();
        let next = match transaction::run(|| custodian.turn()) {
            Ok(Ok(next)) => next,
            Ok(Err(error)) => return warn(&error.message()),
            Err(aborted) => return warn(&aborted.0),
        };
        transaction::report_statistics();
        match next {
            Next::GoOn => {}
            Next::Sleep(pause) => latch::wait(Some(pause), None),
            Next::End => break,
        }
    }
}

fn warn(problem: &str) {
    pgrx::warning!("token_vault could not go on with its keys, and tries again later: {problem}");
}

impl Custodian {
    /// One transaction's work.
    fn turn(&mut self) -> Result<Next> {
        if !catalog::extension_exists() {
            return Ok(Next::End);
        }
        rotate_what_is_due()?;
        Ok(match reencryption::step(BATCH_SIZE)? {
            Step::More(resealed) => {
                if resealed > 0 {
                    self.pause = FIRST_PAUSE;
                }
                report();
                Next::GoOn
            }
            Step::Blocked => {
                let pause = self.pause;
                self.pause = (pause * 2).min(LONGEST_PAUSE);
                Next::Sleep(pause)
            }
            Step::Idle => self.look_at_retired_keys()?,
            Step::Stopped => Next::End,
        })
    }

    fn look_at_retired_keys(&mut self) -> Result<Next> {
        transaction::report_activity("looking for values of retired keys");
        let outcome = retirement::look()?;
        Ok(if outcome.has_begun {
            Next::GoOn
        } else if outcome.waiting > 0 && self.patience > 0 {
            self.patience -= 1;
            Next::Sleep(FIRST_PAUSE)
        } else {
            Next::End
        })
    }
}

/// Replaces the keys that have reached their age, and has their values sealed again.
fn rotate_what_is_due() -> Result<()> {
    if locked::with_clean_stack(rotation::rotate_due)? > 0 {
        reencryption::begin();
    }
    Ok(())
}

fn report() {
    if let Some(job) = reencryption::known() {
        transaction::report_activity(&Progress(job).to_string());
    }
}
