//! One state of the database for several queries.

use pgrx::pg_sys;

/// Runs `work` with the newest committed state as the active snapshot, whatever the isolation level. When an error
/// leaves `work`, the transaction's abort takes the snapshot away.
pub fn with_latest<R>(work: impl FnOnce() -> R) -> R {
    // SAFETY: pushed and popped in pairs, unless the transaction ends here.
    unsafe {
        pg_sys::PushActiveSnapshot(pg_sys::GetLatestSnapshot());
        let result = work();
        pg_sys::PopActiveSnapshot();
        result
    }
}
