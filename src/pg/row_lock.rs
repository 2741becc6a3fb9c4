//! Who holds a row, told by its system columns.

use pgrx::pg_sys;

/// Whether the running transaction has written a row or holds a lock on it that keeps others from writing it.
pub fn is_ours(xmin: pg_sys::TransactionId, xmax: pg_sys::TransactionId) -> bool {
    // SAFETY: looks at the state of this process's transaction.
    let is_current = |id| unsafe { pg_sys::TransactionIdIsCurrentTransactionId(id) };
    is_current(xmin) || is_current(xmax) || is_shared(xmax, is_current)
}

/// Several transactions at once, or one and its subtransaction, hold a row through a number that stands for all of
/// them. `xmax` does not say which kind of number it is; one that stands for this transaction among others was made
/// just now for this row, or, with next to no likelihood, happens to equal another row's.
fn is_shared(
    xmax: pg_sys::TransactionId,
    is_current: impl Fn(pg_sys::TransactionId) -> bool,
) -> bool {
    let number: pg_sys::MultiXactId = xmax;
    let mut members = core::ptr::null_mut();
    // SAFETY: only numbers in use are looked up; the members are this call's own, and freed.
    unsafe {
        if !is_in_use(number) {
            return false;
        }
        let count = pg_sys::GetMultiXactIdMembers(number, &mut members, false, false);
        if members.is_null() {
            return false;
        }
        let holds = core::slice::from_raw_parts(members, usize::try_from(count).unwrap_or(0))
            .iter()
            // The weakest lock lets others write.
            .filter(|member| member.status != pg_sys::MultiXactStatus::MultiXactStatusForKeyShare)
            .any(|member| is_current(member.xid));
        pg_sys::pfree(members.cast());
        holds
    }
}

/// # Safety
/// The process is connected to shared memory.
unsafe fn is_in_use(number: pg_sys::MultiXactId) -> bool {
    let (mut oldest, mut next) = Default::default();
    // SAFETY: the caller's promise is passed on.
    unsafe {
        pg_sys::ReadMultiXactIdRange(&mut oldest, &mut next);
        pg_sys::MultiXactIdPrecedesOrEquals(oldest, number)
            && pg_sys::MultiXactIdPrecedes(number, next)
    }
}
