//! What the supported versions of PostgreSQL do differently, under one name each. All other code is the same for all of
//! them.

use pgrx::pg_sys;

/// Whether a role owns a database. (16 asks so about objects of every kind.)
pub fn owns_database(role: pg_sys::Oid, database: pg_sys::Oid) -> bool {
    // SAFETY: a catalog look-up.
    #[cfg(feature = "pg15")]
    unsafe {
        pg_sys::pg_database_ownercheck(database, role)
    }
    // SAFETY: a catalog look-up.
    #[cfg(not(feature = "pg15"))]
    unsafe {
        pg_sys::object_ownercheck(pg_sys::DatabaseRelationId, database, role)
    }
}

/// The number of a process that is known by its PID only. (17 renamed backend IDs.)
#[cfg(any(feature = "pg15", feature = "pg16"))]
pub const NO_NUMBER: i32 = pg_sys::InvalidBackendId;
/// The number of a process that is known by its PID only.
#[cfg(not(any(feature = "pg15", feature = "pg16")))]
pub const NO_NUMBER: i32 = pg_sys::INVALID_PROC_NUMBER;

/// Begins to scan an index. (18 counts its searches on request.)
///
/// # Safety
/// `table`, `index` and `snapshot` are open and belong together.
pub unsafe fn begin_index_scan(
    table: pg_sys::Relation,
    index: pg_sys::Relation,
    snapshot: pg_sys::Snapshot,
    keys: i32,
) -> pg_sys::IndexScanDesc {
    // SAFETY: the caller's promise is passed on.
    unsafe {
        #[cfg(feature = "pg18")]
        return pg_sys::index_beginscan(table, index, snapshot, core::ptr::null_mut(), keys, 0);
        #[cfg(not(feature = "pg18"))]
        return pg_sys::index_beginscan(table, index, snapshot, keys, 0);
    }
}

/// Handles a signal from now on. (18 has another name for it in the server, and does not tell what handled it before.)
///
/// # Safety
/// `handler` does what a signal handler may do.
pub unsafe fn handle_signal(signal: u32, handler: pg_sys::pqsigfunc) {
    // SAFETY: the caller's promise is passed on.
    unsafe {
        #[cfg(feature = "pg18")]
        pg_sys::pqsignal_be(signal as core::ffi::c_int, handler);
        #[cfg(not(feature = "pg18"))]
        pg_sys::pqsignal(signal as core::ffi::c_int, handler);
    }
}

/// Shows a text as what this process does. State and numbers of its entry stay what they are. (18 has one for the plan.)
///
/// # Safety
/// `entry` is this process's own, which nobody else writes; `text` ends with a NUL, and is copied.
pub unsafe fn show_activity(entry: &pg_sys::PgBackendStatus, text: *const core::ffi::c_char) {
    let query = entry.st_query_id;
    #[cfg(feature = "pg18")]
    let plan = entry.st_plan_id;
    // SAFETY: the caller's promise.
    unsafe {
        pg_sys::pgstat_report_activity(entry.st_state, text);
        if query != 0 {
            pg_sys::pgstat_report_query_id(query, true);
        }
        #[cfg(feature = "pg18")]
        if plan != 0 {
            pg_sys::pgstat_report_plan_id(plan, true);
        }
    }
}

/// Ends this process, which has nothing left to do. (18's headers say in another way that this does not return.)
#[allow(unreachable_code)]
pub fn end_process(code: i32) -> ! {
    // SAFETY: runs the server's exit callbacks.
    unsafe { pg_sys::proc_exit(code) };
    unreachable!("the process has ended")
}
