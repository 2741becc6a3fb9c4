//! The end of retired keys: when nothing is sealed with one any more, it is destroyed.
//!
//! Two searches, with all transactions of the time of the first one ended in between: what a transaction has sealed
//! or copied before it, and has not committed yet, is found by the second one.

use std::time::{Duration, Instant};

use token_vault_core::envelope::KeyId;

use crate::error::Result;
use crate::pg::spi::BuiltinOid::INT8OID;
use crate::pg::spi::{self, Statement};
use crate::pg::{lock, settings, transaction};
use crate::store::key_usage::{self, Usage};
use crate::store::reencryption::{self, Search, State};
use crate::store::{column, event, rotation};

/// At least so long between two searches that were for nothing; and so many times as long as one takes.
const SEARCH_INTERVAL: Duration = Duration::from_secs(60);
const SEARCH_SHARE: u32 = 50;
/// Values that a job had to leave are tried again after this time: damage may have been mended.
const RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// What became of the retired keys.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Outcome {
    pub destroyed: usize,
    /// Keys that are destroyed as soon as the transactions that are open now have ended.
    pub waiting: usize,
    /// Values were found that must be sealed again: there is a new job.
    pub has_begun: bool,
}

struct Retired {
    key: KeyId,
    tenant: Option<String>,
    is_unused: bool,
    /// The time it is kept at least is over.
    is_old: bool,
    /// Every transaction of the time of the first search has ended.
    is_alone: bool,
}

/// Looks at all retired keys, in the running transaction, unless re-encryption is not done yet.
pub fn look() -> Result<Outcome> {
    let keys = retired();
    if keys.is_empty() {
        return Ok(Outcome::default());
    }
    let Some(job) = reencryption::known() else {
        reencryption::begin(); // a vault that was restored knows of no job
        return Ok(Outcome {
            has_begun: true,
            ..Outcome::default()
        });
    };
    let (State::Done, Some(search)) = (job.state, reencryption::search()) else {
        return Ok(Outcome::default());
    };
    let is_free = column::opaque().is_empty();
    let ready: Vec<KeyId> = keys
        .iter()
        .filter(|key| is_free && key.is_unused && key.is_old && key.is_alone)
        .map(|key| key.key)
        .filter(|key| lock::try_hold_key(key.0))
        .collect();
    if ready.is_empty() && !is_due(&search) {
        let waiting = keys
            .iter()
            .filter(|key| is_free && key.is_unused && key.is_old);
        return Ok(Outcome {
            waiting: waiting.count(),
            ..Outcome::default()
        });
    }
    let begin = Instant::now();
    let Ok(usage) = key_usage::scan() else {
        return Ok(Outcome::default());
    };
    let mut outcome = decide(&keys, &ready, &usage);
    outcome.waiting *= usize::from(is_free);
    reencryption::searched(begin.elapsed());
    if usage.stale > search.left || usage.stale > 0 && search.since_done > RETRY_AFTER {
        reencryption::begin();
        outcome.has_begun = true;
    }
    Ok(outcome)
}

fn is_due(search: &Search) -> bool {
    let interval = SEARCH_INTERVAL.max(search.took * SEARCH_SHARE);
    search.since.is_none_or(|since| since >= interval)
}

fn decide(keys: &[Retired], ready: &[KeyId], usage: &Usage) -> Outcome {
    let mut outcome = Outcome::default();
    for key in keys {
        let is_unused = usage.is_unused(key.key) && usage.unreadable.is_empty();
        match (is_unused, key.is_unused) {
            (true, true) if ready.contains(&key.key) => {
                destroy(key);
                outcome.destroyed += 1;
            }
            (true, true) => outcome.waiting += usize::from(key.is_old),
            (true, false) => {
                mark(key.key, true);
                outcome.waiting += usize::from(key.is_old);
            }
            (false, true) => mark(key.key, false),
            (false, false) => {}
        }
    }
    outcome
}

fn retired() -> Vec<Retired> {
    // Where a session tracks no activities, the age of its transaction is not known. A snapshot (of a standby's
    // query, for one) is older than the first search if its horizon is not beyond the transaction that wrote this row.
    static RETIRED: Statement = Statement::new(
        "SELECT k.id, k.unused_since IS NOT NULL,
                coalesce(k.retired_at, k.created_at) + $1 * interval '1 microsecond' <= clock_timestamp(),
                NOT EXISTS (SELECT FROM pg_prepared_xacts WHERE database = current_database())
                AND NOT EXISTS (
                    SELECT FROM pg_stat_activity AS a
                    WHERE a.pid <> pg_backend_pid() AND coalesce(a.datname, current_database()) = current_database()
                      AND (a.xact_start <= k.unused_since
                           OR a.backend_xmin IS NOT NULL AND age(a.backend_xmin) >= age(k.xmin)
                           OR a.state = 'disabled' AND EXISTS (
                               SELECT FROM pg_locks AS l
                               WHERE l.pid = a.pid AND l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock'))),
                k.tenant
         FROM vault.key AS k WHERE k.state = 'retired'",
        &[INT8OID],
    );
    let retention = settings::key_retention().as_micros() as i64;
    spi::session(|session| {
        session.query(&RETIRED, &[retention.into()], |row| Retired {
            key: KeyId(row.required(1)),
            is_unused: row.required(2),
            is_old: row.required(3),
            is_alone: row.required(4),
            tenant: row.get(5),
        })
    })
}

/// Whether there are retired keys.
pub fn has_keys() -> bool {
    !retired().is_empty()
}

fn mark(key: KeyId, is_unused: bool) {
    static MARK: Statement = Statement::new(
        "UPDATE vault.key SET unused_since = CASE WHEN $2 THEN clock_timestamp() END WHERE id = $1 AND state = 'retired'",
        &[INT8OID, spi::BuiltinOid::BOOLOID],
    );
    spi::session(|session| session.run(&MARK, &[key.0.into(), is_unused.into()]));
}

/// From the commit on, nothing can be read that was sealed with this key. All that was sealed again before was
/// perhaps committed without waiting for the disk: this commit does, for all of it.
fn destroy(retired: &Retired) {
    let key = retired.key;
    rotation::destroy(key);
    event::send(
        "key_destroyed",
        event::of_key(key, retired.tenant.as_deref()),
    );
    transaction::commit_durably();
    pgrx::log!("token_vault destroys data key {key}: no value is sealed with it any more");
}
