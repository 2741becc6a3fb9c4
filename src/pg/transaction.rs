//! Transactions of a background worker, which has no client that would begin and end them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;

use pgrx::pg_sys::panic::CaughtError;
use pgrx::{PgTryBuilder, PgXactCallbackEvent, pg_sys, register_xact_callback};

use super::report;

/// Why a transaction was rolled back: the error's message, which never carries a secret, and its SQLSTATE.
#[derive(Debug)]
pub struct Aborted(pub String, pub String);

/// Runs `work` in a transaction of its own and commits it; on an error it is rolled back, its memory
/// is freed, and the worker goes on.
pub fn run<R>(work: impl FnOnce() -> R) -> Result<R, Aborted> {
    // SAFETY: the worker is connected and no transaction is open; the catch arm ends the one begun here.
    unsafe {
        pg_sys::SetCurrentStatementStartTimestamp();
        PgTryBuilder::new(AssertUnwindSafe(|| {
            pg_sys::StartTransactionCommand();
            pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
            let result = work();
            pg_sys::PopActiveSnapshot();
            pg_sys::CommitTransactionCommand();
            Ok(result)
        }))
        .catch_others(|error| Err(aborted(&error)))
        .catch_rust_panic(|error| Err(aborted(&error)))
        .execute()
        .inspect_err(|_| {
            report::clear_pending();
            pg_sys::AbortCurrentTransaction();
        })
    }
}

/// Runs `work` in a subtransaction of the user's transaction: an error undoes what it did, and no more.
pub fn attempt<R>(work: impl FnOnce() -> R) -> Result<R, Aborted> {
    // SAFETY: as PL/pgSQL's exception blocks do it (pl_exec.c): the subtransaction is released or rolled back,
    // and the caller's memory context and resource owner are put back.
    unsafe {
        let context = pg_sys::CurrentMemoryContext;
        let owner = pg_sys::CurrentResourceOwner;
        pg_sys::BeginInternalSubTransaction(core::ptr::null());
        pg_sys::CurrentMemoryContext = context;
        let result = PgTryBuilder::new(AssertUnwindSafe(|| Ok(work())))
            .catch_others(|error| Err(aborted(&error)))
            .catch_rust_panic(|error| Err(aborted(&error)))
            .execute();
        match &result {
            Ok(_) => pg_sys::ReleaseCurrentSubTransaction(),
            Err(_) => {
                report::clear_pending();
                pg_sys::RollbackAndReleaseCurrentSubTransaction();
            }
        }
        pg_sys::CurrentMemoryContext = context;
        pg_sys::CurrentResourceOwner = owner;
        result
    }
}

fn aborted(error: &CaughtError) -> Aborted {
    match error {
        CaughtError::PostgresError(report) | CaughtError::ErrorReport(report) => Aborted(
            report.message().to_owned(),
            report::decode(report.sql_error_code() as i32),
        ),
        CaughtError::RustPanic { ereport, .. } => Aborted(
            format!("internal error: {}", ereport.message()),
            report::decode(ereport.sql_error_code() as i32),
        ),
    }
}

thread_local! {
    /// What `at_commit` was given in this transaction.
    static LEAST: RefCell<HashMap<i64, i64>> = RefCell::default();
}

/// Calls `work` once after this transaction has committed, with the least number given for each key.
pub fn at_commit(key: i64, number: i64, work: fn(HashMap<i64, i64>)) {
    let is_first = LEAST.with_borrow_mut(|least| {
        let is_first = least.is_empty();
        let known = least.entry(key).or_insert(number);
        *known = number.min(*known);
        is_first
    });
    if is_first {
        register_xact_callback(PgXactCallbackEvent::Commit, move || work(LEAST.take()));
        register_xact_callback(PgXactCallbackEvent::Abort, || drop(LEAST.take()));
    }
}

thread_local! {
    static ONCE: Cell<Option<fn()>> = const { Cell::new(None) };
}

/// Calls `work` once after this transaction has committed, however often it was asked to. There is one such work.
pub fn once_at_commit(work: fn()) {
    if ONCE.replace(Some(work)).is_none() {
        register_xact_callback(PgXactCallbackEvent::Commit, || {
            if let Some(work) = ONCE.take() {
                work();
            }
        });
        register_xact_callback(PgXactCallbackEvent::Abort, || ONCE.set(None));
    }
}

/// Calls `work` when this transaction ends, whichever way.
pub fn at_end(work: fn()) {
    register_xact_callback(PgXactCallbackEvent::Commit, work);
    register_xact_callback(PgXactCallbackEvent::Abort, work);
}

/// Calls `work` after this transaction has committed.
pub fn after_commit(work: fn()) {
    register_xact_callback(PgXactCallbackEvent::Commit, work);
}

/// Tells the statistics collector what the worker has written, so that autovacuum sees it.
pub fn report_statistics() {
    // SAFETY: no transaction is open.
    unsafe { pg_sys::pgstat_report_stat(true) };
}

/// What the worker is doing, for `pg_stat_activity`.
pub fn report_activity(text: &str) {
    let text = std::ffi::CString::new(text).unwrap_or_default();
    // SAFETY: the text is copied.
    unsafe { pg_sys::pgstat_report_activity(pg_sys::BackendState::STATE_RUNNING, text.as_ptr()) };
}

/// Shows the session's own statement in `pg_stat_activity` again.
pub fn restore_activity() {
    // SAFETY: the text of the running statement, or NULL.
    unsafe {
        pg_sys::pgstat_report_activity(
            pg_sys::BackendState::STATE_RUNNING,
            pg_sys::debug_query_string,
        );
    }
}

/// This transaction may be lost in a crash with all that came after it, and its commit waits for no disk.
pub fn commit_lazily() {
    // SAFETY: both texts are NUL-terminated and copied; the setting ends with the transaction.
    unsafe {
        pg_sys::set_config_option(
            c"synchronous_commit".as_ptr(),
            c"off".as_ptr(),
            pg_sys::GucContext::PGC_USERSET,
            pg_sys::GucSource::PGC_S_SESSION,
            pg_sys::GucAction::GUC_ACTION_LOCAL,
            true,
            0,
            false,
        );
    }
}

/// This transaction is durable when it has committed, and so is everything that was committed before it.
pub fn commit_durably() {
    // SAFETY: sets a flag of the running transaction.
    unsafe { pg_sys::ForceSyncCommit() };
}
