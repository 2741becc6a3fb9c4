//! What is logged if the running transaction, or the subtransaction that it happened in, is rolled back.

use core::ffi::c_void;
use std::cell::{Cell, RefCell};

use pgrx::{pg_guard, pg_sys};

use super::report;

struct Line {
    /// How deep the subtransaction is nested that the line belongs to by now.
    level: i32,
    text: String,
}

thread_local! {
    static LINES: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
    static IS_WATCHING: Cell<bool> = const { Cell::new(false) };
}

fn level() -> i32 {
    // SAFETY: reads a variable of the process.
    unsafe { pg_sys::GetCurrentTransactionNestLevel() }
}

/// Logs this text if what happens now is undone.
pub fn log_if_undone(text: String) {
    if !IS_WATCHING.replace(true) {
        // SAFETY: the callbacks stay registered for the life of the process; they touch the list above, and log.
        unsafe {
            pg_sys::RegisterXactCallback(Some(transaction_ends), core::ptr::null_mut());
            pg_sys::RegisterSubXactCallback(Some(subtransaction_ends), core::ptr::null_mut());
        }
    }
    let level = level();
    LINES.with_borrow_mut(|lines| lines.push(Line { level, text }));
}

fn log(lines: impl IntoIterator<Item = Line>) {
    lines.into_iter().for_each(|line| report::log(line.text));
}

#[pg_guard]
unsafe extern "C-unwind" fn transaction_ends(event: pg_sys::XactEvent::Type, _arg: *mut c_void) {
    use pg_sys::XactEvent::{XACT_EVENT_ABORT, XACT_EVENT_COMMIT, XACT_EVENT_PREPARE};
    match event {
        XACT_EVENT_ABORT => log(LINES.take()),
        // Of a prepared transaction, nobody remembers its lines: they are logged for safety.
        XACT_EVENT_PREPARE => log(LINES.take()),
        XACT_EVENT_COMMIT => drop(LINES.take()),
        _ => {}
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn subtransaction_ends(
    event: pg_sys::SubXactEvent::Type,
    _this: pg_sys::SubTransactionId,
    _parent: pg_sys::SubTransactionId,
    _arg: *mut c_void,
) {
    use pg_sys::SubXactEvent::{SUBXACT_EVENT_ABORT_SUB, SUBXACT_EVENT_COMMIT_SUB};
    let level = level();
    match event {
        SUBXACT_EVENT_ABORT_SUB => {
            let undone: Vec<Line> = LINES.with_borrow_mut(|lines| {
                lines.extract_if(.., |line| line.level >= level).collect()
            });
            log(undone);
        }
        SUBXACT_EVENT_COMMIT_SUB => LINES.with_borrow_mut(|lines| {
            let theirs = lines.iter_mut().filter(|line| line.level >= level);
            theirs.for_each(|line| line.level = level - 1);
        }),
        _ => {}
    }
}
