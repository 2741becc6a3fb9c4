//! Locks that no SQL statement can take: advisory locks with a class of their own.

use pgrx::pg_sys;

use super::spi::{self, Statement};

/// Field 4 of an advisory lock's tag: the SQL functions use 1 and 2.
const OF_DATABASE: u16 = 3;
const OF_KEY: u16 = 4;
const OF_CLUSTER: u16 = 5;

/// What one process at a time may do in a database, for as long as it lives or says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Refreshing tokens.
    Refresher = 0,
    /// Re-encrypting values and destroying keys.
    Custodian = 1,
}

/// Tries to become the only one on duty in this database; returns at once. Kept until the process
/// ends.
pub fn try_hold(duty: Duty) -> bool {
    acquire(of_duty(duty), pg_sys::ExclusiveLock, true, true)
}

/// Waits (up to `lock_timeout`) until it is the only one on duty.
pub fn hold(duty: Duty) {
    acquire(of_duty(duty), pg_sys::ExclusiveLock, true, false);
}

/// The custody of the keys: this process re-encrypts and destroys. Given back when it is dropped.
pub struct Custody(());

/// Tries to become the only custodian in this database; returns at once.
pub fn try_hold_custody() -> Option<Custody> {
    try_hold(Duty::Custodian).then(|| Custody(()))
}

impl Drop for Custody {
    fn drop(&mut self) {
        // SAFETY: the lock that `try_hold_custody` has taken; also in a transaction that has failed.
        unsafe {
            pg_sys::LockRelease(
                &of_duty(Duty::Custodian),
                pg_sys::ExclusiveLock as i32,
                true,
            )
        };
    }
}

/// The process that is on duty as custodian.
pub fn custodian() -> Option<i32> {
    static HOLDER: Statement = Statement::new(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 1 AND objid = 0 AND objsubid = 3
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        &[],
    );
    spi::session(|session| session.query_one(&HOLDER, &[], |row| row.required(1)))
}

/// Says that this transaction uses a key: until it ends, nobody can destroy the key. Waits for one who is about to.
pub fn share_key(key: i64) {
    acquire(of_key(key), pg_sys::ShareLock, false, false);
}

/// Makes sure, until this transaction ends, that no other one uses a key; waits for those that do.
pub fn hold_key(key: i64) {
    acquire(of_key(key), pg_sys::ExclusiveLock, false, false);
}

/// The same without waiting: false, if a transaction uses it.
pub fn try_hold_key(key: i64) -> bool {
    acquire(of_key(key), pg_sys::ExclusiveLock, false, true)
}

/// Lets one process of the server at a time go on, until its transaction ends or [`let_others_go_on`].
pub fn one_in_cluster() {
    acquire(of_cluster(), pg_sys::ExclusiveLock, false, false);
}

/// Ends [`one_in_cluster`].
pub fn let_others_go_on() {
    // SAFETY: a well-formed tag of a lock that this transaction holds.
    unsafe { pg_sys::LockRelease(&of_cluster(), pg_sys::ExclusiveLock as i32, false) };
}

fn of_duty(duty: Duty) -> pg_sys::LOCKTAG {
    tag(database(), duty as u32, 0, OF_DATABASE)
}

fn of_key(key: i64) -> pg_sys::LOCKTAG {
    tag(database(), (key >> 32) as u32, key as u32, OF_KEY)
}

fn of_cluster() -> pg_sys::LOCKTAG {
    tag(0, 0, 0, OF_CLUSTER)
}

fn database() -> u32 {
    super::server::database().to_u32()
}

fn tag(field1: u32, field2: u32, field3: u32, class: u16) -> pg_sys::LOCKTAG {
    pg_sys::LOCKTAG {
        locktag_field1: field1,
        locktag_field2: field2,
        locktag_field3: field3,
        locktag_field4: class,
        locktag_type: pg_sys::LockTagType::LOCKTAG_ADVISORY as u8,
        locktag_lockmethodid: pg_sys::USER_LOCKMETHOD as u8,
    }
}

fn acquire(tag: pg_sys::LOCKTAG, mode: u32, for_session: bool, dont_wait: bool) -> bool {
    // SAFETY: a well-formed tag; a session lock outlives the transaction.
    let result = unsafe { pg_sys::LockAcquire(&tag, mode as i32, for_session, dont_wait) };
    result != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL
}
