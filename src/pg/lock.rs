//! A lock on a database, held for the life of a process.

use pgrx::pg_sys;

/// Field 4 of an advisory lock's tag: the SQL functions use 1 and 2, so no session can take this lock.
const NOT_REACHABLE_FROM_SQL: u16 = 3;

/// Tries to become the only holder in this database; returns at once. The lock is kept until the process ends.
pub fn try_hold() -> bool {
    acquire(true)
}

/// Waits (up to `lock_timeout`) until it is the only holder in this database.
pub fn hold() {
    acquire(false);
}

fn acquire(dont_wait: bool) -> bool {
    let tag = pg_sys::LOCKTAG {
        // SAFETY: a backend variable, set when the process connected.
        locktag_field1: unsafe { pg_sys::MyDatabaseId }.to_u32(),
        locktag_field2: 0,
        locktag_field3: 0,
        locktag_field4: NOT_REACHABLE_FROM_SQL,
        locktag_type: pg_sys::LockTagType::LOCKTAG_ADVISORY as u8,
        locktag_lockmethodid: pg_sys::USER_LOCKMETHOD as u8,
    };
    // SAFETY: a well-formed tag; a session lock outlives the transaction.
    let result =
        unsafe { pg_sys::LockAcquire(&tag, pg_sys::ExclusiveLock as i32, true, dont_wait) };
    result != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL
}
