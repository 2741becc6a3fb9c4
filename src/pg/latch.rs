//! Sleeping until something happens, and waking other processes.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use pgrx::pg_sys;

/// Sleeps until this process's latch is set, `socket` is readable or `timeout` has passed. Cancellation
/// and the end of the session are obeyed; when the postmaster dies, this process exits.
pub fn wait(timeout: Option<Duration>, socket: Option<BorrowedFd>) {
    let mut events = pg_sys::WL_LATCH_SET | pg_sys::WL_EXIT_ON_PM_DEATH;
    if timeout.is_some() {
        events |= pg_sys::WL_TIMEOUT;
    }
    if socket.is_some() {
        events |= pg_sys::WL_SOCKET_READABLE;
    }
    let milliseconds = timeout.map_or(-1, |timeout| {
        timeout.as_millis().min(i32::MAX as u128) as i64
    });
    // SAFETY: the latch is this process's own; the descriptor is borrowed for the call.
    unsafe {
        pg_sys::WaitLatchOrSocket(
            pg_sys::MyLatch,
            events as core::ffi::c_int,
            socket.map_or(pg_sys::PGINVALID_SOCKET, |socket| socket.as_raw_fd()),
            milliseconds,
            pg_sys::PG_WAIT_EXTENSION,
        );
        pg_sys::ResetLatch(pg_sys::MyLatch);
    }
    pgrx::check_for_interrupts!();
}

/// Sets this process's own latch: whoever waited for something else may have taken a wake-up that was for the
/// main loop.
pub fn remind_self() {
    // SAFETY: the latch is this process's own.
    unsafe { pg_sys::SetLatch(pg_sys::MyLatch) };
}

/// Wakes the server process `pid` if it sleeps; does nothing when there is none.
pub fn wake(pid: i32) {
    // SAFETY: the PGPROC array lives in shared memory for ever; a latch set for a process that has just
    // ended, or for its successor, is a wake-up for nothing, which every latch user allows for.
    unsafe {
        let process = pg_sys::BackendPidGetProc(pid);
        if !process.is_null() {
            pg_sys::SetLatch(&raw mut (*process).procLatch);
        }
    }
}

/// Whether `pid` is a process of this server that is connected.
pub fn is_alive(pid: i32) -> bool {
    // SAFETY: looks through the PGPROC array in shared memory.
    unsafe { !pg_sys::BackendPidGetProc(pid).is_null() }
}
