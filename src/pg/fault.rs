//! Fault points: places at which tests make a process fail. In an ordinary build there are none: [`point`] is an empty
//! function, and no name of one gets into the library. The library of the package `tests/fault_points` has them.
//!
//! A test arms one of them with a file in the data directory, which says where, how and at the how manieth time. The
//! process that comes there renames the file before it acts, so that each arming strikes once, in one process, also
//! where this ends the server and a successor comes to the same point. With a file nothing depends on when a process
//! reads its configuration.

#[cfg(fault_points)]
pub use armed::{announce, point};

/// Does nothing: this is no build for tests of faults.
#[cfg(not(fault_points))]
#[inline(always)]
pub fn point(_name: &str) {}

/// Does nothing: this is no build for tests of faults.
#[cfg(not(fault_points))]
#[inline(always)]
pub fn announce() {}

/// What `vault.status()` and the log say of a build with fault points.
pub const WARNING: Option<&str> = if cfg!(fault_points) {
    Some(
        "this build of token_vault has fault points: it fails when it is told to, and is for tests only",
    )
} else {
    None
};

#[cfg(fault_points)]
mod armed {
    use std::cell::RefCell;
    use std::path::PathBuf;
    use std::time::Duration;

    use pgrx::{PgSqlErrorCode, pg_sys};
    use rustix::process::{Signal, getpid, kill_process};

    use crate::pg::{background, latch, server};

    /// What a test writes: `POINT:ACTION` or `POINT:ACTION:N`, to act at the N-th time that a process comes there.
    const FILE: &str = "token_vault.fault";
    /// What becomes of it when a process acts.
    const STRUCK: &str = "token_vault.fault.struck";

    /// How often a paused process looks whether it may go on.
    const PAUSE: Duration = Duration::from_millis(5);

    thread_local! {
        /// The file's text, and how often this process has been where it says.
        static SEEN: RefCell<(String, u32)> = const { RefCell::new((String::new(), 0)) };
    }

    /// Says in the log that this is no build to work with.
    pub fn announce() {
        pgrx::warning!("{}", super::WARNING.unwrap_or_default());
    }

    /// Fails here, if a test wants that.
    pub fn point(name: &str) {
        let file = server::data_directory().join(FILE);
        let Ok(text) = std::fs::read_to_string(&file) else {
            return;
        };
        let mut words = text.split(':');
        let (place, action) = (words.next(), words.next().unwrap_or_default());
        let times = words.next().map_or(1, |times| {
            times.parse().expect("the third word is a number")
        });
        if place == Some(name) && is_time(&text, times) && std::fs::rename(&file, struck()).is_ok()
        {
            act(name, action);
        }
    }

    fn struck() -> PathBuf {
        server::data_directory().join(STRUCK)
    }

    /// Counts; whether this is the `times`-th time since the fault was armed.
    fn is_time(text: &str, times: u32) -> bool {
        SEEN.with_borrow_mut(|(seen, count)| {
            if seen != text {
                (*seen, *count) = (text.to_owned(), 0);
            }
            *count += 1;
            let is_time = *count >= times;
            if is_time {
                seen.clear(); // the same text may come again
            }
            is_time
        })
    }

    fn act(name: &str, action: &str) {
        match action {
            "kill" => kill_process(getpid(), Signal::KILL).expect("a process may kill itself"),
            "error" => pgrx::error!("fault at {name}"),
            // As async.c raises it before a commit: a gigabyte of notifications and more would fill the real one.
            "queue_full" => {
                pgrx::ereport!(
                    ERROR,
                    PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                    "too many notifications in the NOTIFY queue"
                );
            }
            "panic" => panic!("fault at {name}"),
            // SAFETY: ends this process in the order of the server's exit callbacks.
            "exit" => unsafe { pg_sys::proc_exit(1) },
            "pause" => pause(),
            other => panic!("no action \"{other}\""),
        }
    }

    /// Waits until the test removes the file. Cancellation and the ends of session, worker and server are obeyed.
    fn pause() {
        while struck().exists() && !background::must_stop() {
            latch::wait(Some(PAUSE), None);
        }
        // The wait may have taken a wake-up that was for somebody else.
        latch::remind_self();
    }
}
