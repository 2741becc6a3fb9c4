//! Raising an error with an SQLSTATE of our own.
//!
//! pgrx carries errors as Rust panics up to the outermost frame and reports them there, which runs
//! every destructor on the way (keys are wiped). But its error codes are a closed enum: an SQLSTATE
//! of class TV would become XX000. PostgreSQL calls the error context callbacks while it finishes a
//! report (elog.c, `errfinish`), and there the code may still be set. So [`raise`] puts one static
//! callback on that stack; whoever catches the error resets the stack (`PG_TRY`), which drops it.

use std::cell::Cell;

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode, pg_sys};

/// An SQLSTATE: five digits or upper-case letters.
pub type SqlState = &'static str;

/// What a client sees of an error.
#[derive(Debug)]
pub struct Report {
    pub sqlstate: SqlState,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
}

/// The function that our reports name as theirs: by it they are known again in the log.
pub const REPORTER: &str = "token_vault";

unsafe extern "C-unwind" {
    // elog.c; pgrx keeps it out of its bindings.
    fn errcode(sqlerrcode: core::ffi::c_int) -> core::ffi::c_int;
}

thread_local! {
    static PENDING: Cell<core::ffi::c_int> = const { Cell::new(0) };
    static CALLBACK: Cell<pg_sys::ErrorContextCallback> = const {
        Cell::new(pg_sys::ErrorContextCallback {
            previous: core::ptr::null_mut(),
            callback: Some(set_pending_code),
            arg: core::ptr::null_mut(),
        })
    };
}

extern "C-unwind" fn set_pending_code(_arg: *mut core::ffi::c_void) {
    let code = PENDING.take();
    if code != 0 {
        // SAFETY: errcode only writes to the error under construction; errfinish, which calls us, has one.
        unsafe { errcode(code) };
    }
}

/// Ends the current statement with this error.
pub fn raise(report: Report) -> ! {
    PENDING.set(encode(report.sqlstate));
    CALLBACK.with(|callback| {
        let node = callback.as_ptr();
        // SAFETY: the node is static for this thread, the only one that runs PostgreSQL code. Linking it
        // twice would make a loop, so an older link (an error caught by Rust code) is looked for first.
        unsafe {
            let mut at = pg_sys::error_context_stack;
            while !at.is_null() && at != node {
                at = (*at).previous;
            }
            if at.is_null() {
                (*node).previous = pg_sys::error_context_stack;
                pg_sys::error_context_stack = node;
            }
        }
    });
    let mut error = ErrorReport::new(
        PgSqlErrorCode::ERRCODE_INTERNAL_ERROR,
        report.message,
        REPORTER,
    );
    if let Some(detail) = report.detail {
        error = error.set_detail(detail);
    }
    if let Some(hint) = report.hint {
        error = error.set_hint(hint);
    }
    error.report(PgLogLevel::ERROR);
    unreachable!("an ERROR does not return")
}

/// Forgets a code that was set for an error which Rust code has caught; the worker's catch calls it.
pub fn clear_pending() {
    PENDING.set(0);
}

/// A notice to the client, with a hint.
pub fn notice(message: String, hint: &str) {
    ErrorReport::new(
        PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION,
        message,
        REPORTER,
    )
    .set_hint(hint.to_owned())
    .report(PgLogLevel::NOTICE);
}

/// A warning to the client, with a hint.
pub fn warn(message: String, hint: &str) {
    ErrorReport::new(PgSqlErrorCode::ERRCODE_WARNING, message, REPORTER)
        .set_hint(hint.to_owned())
        .report(PgLogLevel::WARNING);
}

/// `MAKE_SQLSTATE` of elog.h: six bits a character, the first one lowest.
pub fn encode(sqlstate: SqlState) -> core::ffi::c_int {
    sqlstate.bytes().enumerate().fold(0, |code, (place, byte)| {
        code | (i32::from(byte.wrapping_sub(b'0')) & 0x3f) << (6 * place)
    })
}

/// The five characters of a code.
pub fn decode(code: core::ffi::c_int) -> String {
    decode_bytes(code).map(char::from).iter().collect()
}

/// The same as bytes.
pub fn decode_bytes(code: core::ffi::c_int) -> [u8; 5] {
    core::array::from_fn(|place| b'0' + ((code >> (6 * place)) & 0x3f) as u8)
}
