//! The end of this process, also by an error that unwinds nothing (FATAL: terminated, or the server stops).

use std::cell::Cell;

use pgrx::{pg_guard, pg_sys};

thread_local! {
    static WORK: Cell<Option<fn()>> = const { Cell::new(None) };
}

/// Has `work` called when this process ends. There is room for one.
pub fn at_exit(work: fn()) {
    if WORK.replace(Some(work)).is_none() {
        // SAFETY: registered once; the callback uses nothing but the cell above.
        unsafe { pg_sys::before_shmem_exit(Some(ending), pg_sys::Datum::null()) };
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn ending(_code: core::ffi::c_int, _arg: pg_sys::Datum) {
    if let Some(work) = WORK.get() {
        work();
    }
}
