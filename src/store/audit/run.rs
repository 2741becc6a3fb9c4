//! Whether entries that were only in shared memory may have been lost.
//!
//! The table remembers which run of the server wrote last, and whether it ended in good order. Another run, and no good
//! order: there was a crash in between, and what was read just before it is not known.

use serde_json::json;

use super::{About, changed, detail};
use crate::pg::spi::BuiltinOid::{BOOLOID, INT8OID};
use crate::pg::spi::{self, Statement};

/// A process begins to write what is noted in this run's memory.
pub fn begin(epoch: i64) {
    static LAST: Statement = Statement::new(
        "SELECT epoch, is_closed, to_json(since)#>>'{}' FROM vault.audit_run",
        &[],
    );
    let last: Option<(i64, bool, String)> = spi::session(|session| {
        session.query_one(&LAST, &[], |row| {
            (row.required(1), row.required(2), row.required(3))
        })
    });
    if let Some((last, is_closed, since)) = last
        && last != epoch
        && !is_closed
    {
        // Which reads are missing, nobody knows any more; when they were, roughly.
        changed(
            "audit_gap",
            About::VAULT,
            detail([("possible_since", json!(since))]),
        );
    }
    remember(epoch, false);
}

/// Everything that was noted is written, and nothing more is noted.
pub fn close(epoch: i64) {
    remember(epoch, true);
}

/// Until now nothing is lost. Called from time to time, so that a gap has a beginning.
pub fn touch(epoch: i64) {
    remember(epoch, false);
}

fn remember(epoch: i64, is_closed: bool) {
    static REMEMBER: Statement = Statement::new(
        "INSERT INTO vault.audit_run (epoch, is_closed, since) VALUES ($1, $2, clock_timestamp())
         ON CONFLICT (singleton) DO UPDATE SET epoch = EXCLUDED.epoch, is_closed = EXCLUDED.is_closed, since = EXCLUDED.since",
        &[INT8OID, BOOLOID],
    );
    spi::session(|session| session.run(&REMEMBER, &[epoch.into(), is_closed.into()]));
}
