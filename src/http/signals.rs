//! Threads beside PostgreSQL's own must never run its signal handlers.

use std::io;

use nix::sys::signal::{SigSet, SigmaskHow};

/// Blocks every signal in the current thread until dropped. Threads started meanwhile inherit the mask from their first
/// instruction on; blocking inside the new thread would leave a gap.
pub(crate) struct AllBlocked {
    before: SigSet,
}

impl AllBlocked {
    pub(crate) fn new() -> io::Result<Self> {
        let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
        Ok(Self { before })
    }
}

impl Drop for AllBlocked {
    fn drop(&mut self) {
        // Restoring a mask that the kernel has just reported cannot fail.
        let restored = self.before.thread_set_mask();
        debug_assert!(restored.is_ok());
    }
}

#[cfg(test)]
mod tests {
    use nix::sys::signal::Signal;

    use super::*;

    fn blocked_here() -> bool {
        let mask = SigSet::thread_get_mask().expect("own mask");
        [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGUSR1]
            .iter()
            .all(|s| mask.contains(*s))
    }

    #[test]
    fn a_thread_started_under_the_guard_has_all_signals_blocked_and_the_parent_only_meanwhile() {
        assert!(!blocked_here());
        let guard = AllBlocked::new().expect("mask");
        assert!(blocked_here());
        let child = std::thread::spawn(blocked_here);
        drop(guard);
        assert!(!blocked_here());
        assert!(child.join().expect("child"));
    }
}
