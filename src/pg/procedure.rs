//! Procedures, which commit on their way; pgrx knows functions only.

use pgrx::pg_sys;

/// A procedure that is being called.
pub struct Call(());

/// What PostgreSQL asks a function of the library for before it calls it: the calling convention.
pub const CONVENTION: pg_sys::Pg_finfo_record = pg_sys::Pg_finfo_record { api_version: 1 };

/// Runs a procedure that has one parameter, an integer. Where nothing may be committed (in a transaction block,
/// in a function), its first commit fails with the server's own error.
pub fn run(call: pg_sys::FunctionCallInfo, work: impl FnOnce(Option<i32>, &Call)) -> pg_sys::Datum {
    // SAFETY: `call` is what the server passes to a function with one argument of type integer. The connection
    // lets this statement commit where the server has said so, and ends with it; after an error, the
    // transaction's abort ends it.
    unsafe {
        let argument = pgrx::pg_getarg::<i32>(call, 0);
        pg_sys::SPI_connect_ext(if may_commit(call) {
            pg_sys::SPI_OPT_NONATOMIC as core::ffi::c_int
        } else {
            0
        });
        work(argument, &Call(()));
        pg_sys::SPI_finish();
        pgrx::pg_return_void()
    }
}

/// # Safety
/// `call` is what the server passes to a function.
unsafe fn may_commit(call: pg_sys::FunctionCallInfo) -> bool {
    // SAFETY: the caller's promise; the node's tag tells its type.
    unsafe {
        let context = (*call).context;
        !context.is_null()
            && (*context).type_ == pg_sys::NodeTag::T_CallContext
            && !(*context.cast::<pg_sys::CallContext>()).atomic
    }
}

impl Call {
    /// Ends the transaction, and begins another one, read committed whatever the session's default is.
    pub fn commit(&self) {
        // SAFETY: the connection of `run` is the current one; the new transaction has no snapshot yet, and the
        // running statement's portal is given one.
        unsafe {
            pg_sys::SPI_commit();
            pg_sys::XactIsoLevel = pg_sys::XACT_READ_COMMITTED as core::ffi::c_int;
            pg_sys::EnsurePortalSnapshotExists();
        }
    }
}
