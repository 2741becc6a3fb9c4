//! Ends a cluster whose owner died without a chance to: a test program that was killed or interrupted.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};

use crate::Result;
use crate::installation::Installation;
use crate::server_user::ServerUser;

/// Waits for the end of its standard input, which comes with the end of this process, however it comes.
const SCRIPT: &str = r#"
read -r _
"$1" stop --silent --mode=immediate --pgdata="$2/data" >/dev/null 2>&1
cd / && rm -rf "$2"
"#;

/// A small process that outlives this one by as long as it takes to clean up.
#[derive(Debug)]
pub(crate) struct Watchdog {
    process: Child,
}

impl Watchdog {
    /// Watches over the cluster in `directory`.
    pub(crate) fn start(
        installation: &Installation,
        user: &ServerUser,
        directory: &Path,
    ) -> Result<Self> {
        let process = user
            .command("sh", directory)
            .args(["-c", SCRIPT, "watchdog"])
            .arg(installation.program("pg_ctl"))
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of the terminal's foreground group: an interrupt there must not end it too.
            .process_group(0)
            .spawn()?;
        Ok(Self { process })
    }

    /// Sends it away: the cluster has been cleaned up, or shall stay.
    pub(crate) fn dismiss(&mut self) {
        // It can only have gone already, which is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
