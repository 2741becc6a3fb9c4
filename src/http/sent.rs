//! Remembers whether the call that runs on this thread has handed a byte of its request to the network.
//!
//! The HTTP library takes connections from its own pool and gives the connector no place to tie one to a call. A call
//! runs on one thread from start to end, so a thread-local says it exactly.

use std::cell::Cell;

thread_local! {
    static SENT: Cell<bool> = const { Cell::new(false) };
}

/// A new call begins on this thread.
pub(crate) fn begin() {
    SENT.set(false);
}

/// The next byte of the request goes out; called before the write, because a failed write may have sent a part.
pub(crate) fn mark() {
    SENT.set(true);
}

/// Whether this thread's call may have been seen by the provider.
pub(crate) fn anything() -> bool {
    SENT.get()
}
