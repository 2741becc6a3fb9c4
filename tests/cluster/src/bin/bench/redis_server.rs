//! A Redis server of our own in a temporary folder, on a Unix socket, in memory only.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use token_vault_cluster::Result;
use token_vault_cluster::wait::wait_for;

use crate::dataset;
use crate::wire::Redis;

const PROGRAM: &str = "redis-server";
const LIMIT: Duration = Duration::from_secs(30);

/// Ends the server when the standard input ends, and so with this process, however that ends, and removes its folder.
const SCRIPT: &str = r#"
folder=$1
shift
"$@" &
read -r _
kill $!
wait $!
rm -rf "$folder"
"#;

/// Dropping it ends it.
pub struct RedisServer {
    process: Child,
    folder: TempDir,
}

impl RedisServer {
    /// Starts it; `None` where Redis is not installed.
    pub fn start() -> Result<Option<Self>> {
        if !is_installed() {
            return Ok(None);
        }
        let folder = tempfile::Builder::new().prefix("tv-redis-").tempdir()?;
        let process = Command::new("sh")
            .args(["-c", SCRIPT, "redis"])
            .arg(folder.path())
            .arg(PROGRAM)
            // No port, nothing on disk.
            .args(["--port", "0", "--save", "", "--appendonly", "no"])
            .arg("--unixsocket")
            .arg(folder.path().join("redis.sock"))
            .arg("--dir")
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let server = RedisServer { process, folder };
        wait_for("redis", LIMIT, || Ok(server.connect().ok()))?;
        Ok(Some(server))
    }

    /// A connection that reads the tokens of [`dataset`].
    pub fn connect(&self) -> Result<Redis> {
        let key = |number| format!("bench:{}", dataset::subject(number));
        Redis::connect(&self.socket(), key, dataset::TOKEN_BYTES)
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // Its exit status is the signal's.
        let _ = self.process.wait();
    }
}

fn is_installed() -> bool {
    let version = Command::new(PROGRAM)
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    version.is_ok_and(|status| status.success())
}
