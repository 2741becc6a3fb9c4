//! The tenant of this session: the one it has entered with a proof, which no setting changes, or else the one that the
//! setting says.
//!
//! What was entered is kept here and not in the setting, because PostgreSQL gives settings back by itself: RESET,
//! DISCARD ALL and the end of a transaction ask nobody. The setting's hooks only keep the two from contradicting each
//! other.

use core::ffi::{CStr, c_char, c_void};
use std::cell::{Cell, RefCell};
use std::ffi::CString;

use pgrx::{pg_guard, pg_sys};

use super::{report, settings};

/// A tenant that was entered until the end of the transaction.
struct Local {
    subtransaction: pg_sys::SubTransactionId,
    tenant: String,
}

thread_local! {
    static ENTERED: RefCell<Option<String>> = const { RefCell::new(None) };
    static ENTERED_LOCALLY: RefCell<Vec<Local>> = const { RefCell::new(Vec::new()) };
    static IS_WATCHING: Cell<bool> = const { Cell::new(false) };
    /// What SHOW was given last; it has to live on.
    static SHOWN: RefCell<CString> = RefCell::default();
}

/// The tenant that this session is bound to, by a proof or by the setting.
pub fn bound() -> Option<String> {
    entered().or_else(settings::tenant)
}

/// The tenant that was entered with a proof.
pub fn entered() -> Option<String> {
    let local = ENTERED_LOCALLY.with_borrow(|stack| stack.last().map(|local| local.tenant.clone()));
    local.or_else(|| ENTERED.with_borrow(Clone::clone))
}

/// Enters a tenant, until this transaction ends, or (also if it is rolled back) until another one is entered. Whoever
/// asks for it has proved the right to.
pub fn enter(tenant: &str, is_local: bool) {
    if is_local {
        watch_transactions();
        let local = Local {
            // SAFETY: a transaction is open.
            subtransaction: unsafe { pg_sys::GetCurrentSubTransactionId() },
            tenant: tenant.to_owned(),
        };
        ENTERED_LOCALLY.with_borrow_mut(|stack| stack.push(local));
    } else {
        ENTERED_LOCALLY.with_borrow_mut(Vec::clear);
        ENTERED.set(Some(tenant.to_owned()));
    }
}

fn watch_transactions() {
    if !IS_WATCHING.replace(true) {
        // SAFETY: the callbacks stay registered for the life of the backend; they only touch the stack above.
        unsafe {
            pg_sys::RegisterXactCallback(Some(transaction_ends), core::ptr::null_mut());
            pg_sys::RegisterSubXactCallback(Some(subtransaction_ends), core::ptr::null_mut());
        }
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn transaction_ends(event: pg_sys::XactEvent::Type, _arg: *mut c_void) {
    use pg_sys::XactEvent::{XACT_EVENT_ABORT, XACT_EVENT_COMMIT, XACT_EVENT_PREPARE};
    if [XACT_EVENT_ABORT, XACT_EVENT_COMMIT, XACT_EVENT_PREPARE].contains(&event) {
        ENTERED_LOCALLY.with_borrow_mut(Vec::clear);
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn subtransaction_ends(
    event: pg_sys::SubXactEvent::Type,
    this: pg_sys::SubTransactionId,
    parent: pg_sys::SubTransactionId,
    _arg: *mut c_void,
) {
    use pg_sys::SubXactEvent::{SUBXACT_EVENT_ABORT_SUB, SUBXACT_EVENT_COMMIT_SUB};
    ENTERED_LOCALLY.with_borrow_mut(|stack| match event {
        SUBXACT_EVENT_ABORT_SUB => stack.retain(|local| local.subtransaction != this),
        SUBXACT_EVENT_COMMIT_SUB => stack
            .iter_mut()
            .filter(|local| local.subtransaction == this)
            .for_each(|local| local.subtransaction = parent),
        _ => {}
    });
}

/// The setting's check hook: whoever has entered a tenant does not set another one. (RESET does not ask, and changes
/// nothing either.)
#[pg_guard]
pub unsafe extern "C-unwind" fn check_setting(
    value: *mut *mut c_char,
    _extra: *mut *mut c_void,
    source: pg_sys::GucSource::Type,
) -> bool {
    // SET and set_config(); what comes from files and roles is not in force here anyway.
    let (pg_sys::GucSource::PGC_S_SESSION, Some(entered)) = (source, entered()) else {
        return true;
    };
    // SAFETY: the server passes a pointer to the new value, which is NULL or NUL-terminated.
    let is_same =
        unsafe { !(*value).is_null() && CStr::from_ptr(*value).to_bytes() == entered.as_bytes() };
    if !is_same {
        refuse(&format!("this session has entered tenant \"{entered}\""));
    }
    is_same
}

fn refuse(message: &str) {
    let message = CString::new(message).unwrap_or_default();
    // SAFETY: both texts are copied into the current memory context, which outlives the error's report.
    unsafe {
        pg_sys::GUC_check_errcode(report::encode("TV041"));
        pg_sys::GUC_check_errmsg_string = pg_sys::pstrdup(message.as_ptr());
        pg_sys::GUC_check_errhint_string = pg_sys::pstrdup(
            c"Another tenant is entered with vault.enter_tenant() and a proof.".as_ptr(),
        );
    }
}

/// The setting's show hook: the tenant that counts, also for policies that ask current_setting().
#[pg_guard]
pub unsafe extern "C-unwind" fn show_setting() -> *const c_char {
    let tenant = CString::new(bound().unwrap_or_default()).unwrap_or_default();
    SHOWN.with_borrow_mut(|shown| {
        *shown = tenant;
        shown.as_ptr()
    })
}
