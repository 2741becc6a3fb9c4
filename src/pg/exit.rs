//! The end of this process, also by an error that unwinds nothing (FATAL: terminated, or the server stops).

use std::cell::RefCell;

use pgrx::{pg_guard, pg_sys};

thread_local! {
    static WORK: RefCell<Vec<fn()>> = const { RefCell::new(Vec::new()) };
}

/// Has `work` called when this process ends, however often it was asked to. It must not fail.
pub fn at_exit(work: fn()) {
    WORK.with_borrow_mut(|list| {
        if list.is_empty() {
            // SAFETY: registered once; the callback uses nothing but the list above.
            unsafe { pg_sys::before_shmem_exit(Some(ending), pg_sys::Datum::null()) };
        }
        if !list.iter().any(|known| core::ptr::fn_addr_eq(*known, work)) {
            list.push(work);
        }
    });
}

#[pg_guard]
unsafe extern "C-unwind" fn ending(_code: core::ffi::c_int, _arg: pg_sys::Datum) {
    WORK.take().into_iter().for_each(|work| work());
}
