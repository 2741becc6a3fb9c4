//! Re-encryption by hand, and counting what is sealed with which key.

use std::time::Duration;

use pgrx::iter::TableIterator;
use pgrx::{name, pg_extern};
use token_vault_core::envelope::HEADER_LEN;

use crate::error::{Error, OrRaise, Result};
use crate::pg::head::{BytesHead, SecretHead};
use crate::pg::procedure::Call;
use crate::pg::{latch, lock, transaction};
use crate::sqlfn::arguments;
use crate::store::access::{self, Privilege, Resource};
use crate::store::reencryption::{self, Job, Progress, State, Step};
use crate::store::{envelope_head, key_usage, retirement};
use crate::worker::request;

const MAX_BATCH_SIZE: i32 = 10_000;
/// How often the procedure tries what other sessions have locked, once a second, before it leaves that.
const PATIENCE: u32 = 3;

/// Body of the procedure `vault.reencrypt`.
pub fn reencrypt(batch_size: Option<i32>, call: &Call) {
    let prepare = || -> Result<usize> {
        access::require(Privilege::Admin, &Resource::Vault)?;
        let batch_size = arguments::required("batch_size", batch_size)?;
        if !(1..=MAX_BATCH_SIZE).contains(&batch_size) {
            return Err(Error::InvalidArgument {
                name: "batch_size",
                problem: format!("it is not between 1 and {MAX_BATCH_SIZE}"),
            });
        }
        // Also where a custodian has not ended yet that had nothing to do either.
        refuse_if_paused()?;
        Ok(batch_size as usize)
    };
    let batch_size = prepare().or_raise();
    call.commit();
    let Some(_custody) = lock::try_hold_custody() else {
        Error::ReencryptionRunning {
            process: lock::custodian(),
        }
        .raise()
    };
    take_up().or_raise();
    call.commit();
    work(batch_size, call);
    destroy_unused_keys(call);
    transaction::restore_activity();
    if let Some(job) = reencryption::known() {
        pgrx::notice!("{}", summary(&job));
    }
}

fn refuse_if_paused() -> Result<()> {
    match reencryption::known().map(|job| job.state) {
        Some(State::Paused) => Err(Error::ReencryptionPaused),
        _ => Ok(()),
    }
}

/// Goes on with a job that is not done, or begins one.
fn take_up() -> Result<()> {
    refuse_if_paused()?;
    match reencryption::known().map(|job| job.state) {
        Some(State::Running) => reencryption::run_begins(),
        _ => reencryption::begin(),
    }
    Ok(())
}

fn work(batch_size: usize, call: &Call) {
    let mut patience = PATIENCE;
    loop {
        let step = reencryption::step(batch_size).or_raise();
        if let Some(job) = reencryption::known() {
            transaction::report_activity(&format!("CALL vault.reencrypt(): {}", Progress(job)));
        }
        call.commit();
        match step {
            Step::More(resealed) => {
                if resealed > 0 {
                    patience = PATIENCE;
                }
                pgrx::check_for_interrupts!();
            }
            Step::Blocked if patience > 0 => {
                patience -= 1;
                latch::wait(Some(Duration::from_secs(1)), None);
            }
            Step::Blocked | Step::Idle | Step::Stopped => return,
        }
    }
}

/// The first search marks a key, the second one destroys it, if no transaction is open that is older.
fn destroy_unused_keys(call: &Call) {
    for _ in 0..2 {
        transaction::report_activity("CALL vault.reencrypt(): looking for values of retired keys");
        let outcome = retirement::look().or_raise();
        call.commit();
        if outcome.waiting == 0 {
            return;
        }
    }
}

fn summary(job: &Job) -> String {
    let left = (job.total.unwrap_or_default() - job.done).max(0);
    let mut text = format!("{} values were sealed again", job.done);
    if left > 0 {
        text += &format!(", {left} are left");
    }
    match job.state {
        State::Paused => text += "; re-encryption is paused",
        State::Running => text += "; other sessions have locked what is left",
        State::Done => {}
    }
    if let Some(problem) = &job.problem {
        text += &format!(" ({problem})");
    }
    text
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn pause_reencryption() {
    access::require(Privilege::Admin, &Resource::Vault).or_raise();
    reencryption::pause();
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn resume_reencryption() {
    access::require(Privilege::Admin, &Resource::Vault).or_raise();
    reencryption::resume();
    request::custodian_wanted();
}

/// How many values are sealed with each key. Reads all of them.
#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity)]
fn key_usage() -> TableIterator<
    'static,
    (
        name!(key, i64),
        name!(tokens, i64),
        name!(client_secrets, i64),
        name!(secrets, i64),
    ),
> {
    access::require(Privilege::Admin, &Resource::Vault).or_raise();
    let usage = key_usage::scan().unwrap_or_default();
    TableIterator::new(
        usage
            .into_counts()
            .map(|(key, counts)| (key, counts.tokens, counts.client_secrets, counts.secrets)),
    )
}

/// The key that a value is sealed with; NULL: it is no envelope.
#[pg_extern(
    schema = "vault",
    immutable,
    strict,
    parallel_safe,
    name = "envelope_key"
)]
fn bytes_key(envelope: BytesHead<HEADER_LEN>) -> Option<i64> {
    envelope_head::key(&envelope.0).map(|key| key.0)
}

#[pg_extern(schema = "vault", immutable, strict, parallel_safe, name = "envelope_key", requires = ["secret_type"])]
fn secret_key(envelope: SecretHead<HEADER_LEN>) -> Option<i64> {
    envelope_head::key(&envelope.0).map(|key| key.0)
}

/// Whether a value of this tenant is sealed with the key that new ones are sealed with.
#[pg_extern(schema = "vault", stable, strict, parallel_restricted)]
fn is_current(tenant: &str, envelope: BytesHead<HEADER_LEN>) -> bool {
    envelope_head::is_current(tenant, envelope_head::key(&envelope.0)).or_raise()
}
