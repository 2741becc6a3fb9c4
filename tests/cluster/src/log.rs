//! The server's log, and what must never stand in it.

use std::path::PathBuf;

use crate::control::LIMIT;
use crate::wait::wait_for;
use crate::{Cluster, Result};

/// What a server writes when it begins anew because one of its processes crashed.
const REINITIALIZING: &str = "all server processes terminated; reinitializing";
/// What a server writes when one of its processes crashed; each also ends all other sessions.
const SIGNS_OF_A_CRASH: [&str; 4] = [
    "was terminated by signal",
    "terminating any other active server processes",
    REINITIALIZING,
    "PANIC:",
];

impl Cluster {
    /// The server's log file.
    pub fn log_file(&self) -> PathBuf {
        self.directory().join("log")
    }

    /// Everything the server has logged so far; empty before its first start.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn log(&self) -> Result<String> {
        match std::fs::read(self.log_file()) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// How often the server has ended all its processes because one of them crashed.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn crashes(&self) -> Result<usize> {
        Ok(self.log()?.matches(REINITIALIZING).count())
    }

    /// Waits until it has done so once more than `before`; until then it may still let sessions in.
    ///
    /// # Errors
    /// If that does not happen.
    pub fn wait_for_crash(&self, before: usize) -> Result<()> {
        wait_for("the server's crash", LIMIT, || {
            Ok((self.crashes()? > before).then_some(()))
        })
    }

    /// Panics if a server process has ever crashed, with the log lines that say so.
    pub fn assert_never_crashed(&self) {
        let log = self.log().expect("the log is readable");
        let lines: Vec<&str> = log
            .lines()
            .filter(|line| SIGNS_OF_A_CRASH.iter().any(|sign| line.contains(sign)))
            .collect();
        assert!(
            lines.is_empty(),
            "a server process crashed:\n{}",
            lines.join("\n")
        );
    }
}
