//! Transactions of a background worker, which has no client that would begin and end them.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;

use pgrx::pg_sys::panic::CaughtError;
use pgrx::{PgTryBuilder, PgXactCallbackEvent, pg_sys, register_xact_callback};

use super::report;

/// Why a transaction was rolled back: the error's message, which never carries a secret.
#[derive(Debug)]
pub struct Aborted(pub String);

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
        .catch_others(|error| Err(Aborted(message(&error))))
        .catch_rust_panic(|error| Err(Aborted(message(&error))))
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
            .catch_others(|error| Err(Aborted(message(&error))))
            .catch_rust_panic(|error| Err(Aborted(message(&error))))
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

fn message(error: &CaughtError) -> String {
    match error {
        CaughtError::PostgresError(report) | CaughtError::ErrorReport(report) => {
            report.message().to_owned()
        }
        CaughtError::RustPanic { ereport, .. } => format!("internal error: {}", ereport.message()),
    }
}

thread_local! {
    /// The least number given to `at_commit` in this transaction.
    static LEAST: Cell<Option<i64>> = const { Cell::new(None) };
}

/// Calls `work` once after this transaction has committed, with the least of the numbers it was asked with.
pub fn at_commit(number: i64, work: fn(i64)) {
    let earlier = LEAST.replace(Some(LEAST.get().map_or(number, |least| least.min(number))));
    if earlier.is_none() {
        register_xact_callback(PgXactCallbackEvent::Commit, move || {
            if let Some(least) = LEAST.take() {
                work(least);
            }
        });
        register_xact_callback(PgXactCallbackEvent::Abort, || LEAST.set(None));
    }
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
