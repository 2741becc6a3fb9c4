//! Who the server's processes run as: PostgreSQL refuses root, so root lends them to `postgres`.

use std::ffi::OsStr;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::Result;

/// The account that gives way to root's refusal; Debian's packages create it.
const ACCOUNT: &str = "postgres";

/// The operating-system user of the server and of the programs beside it.
#[derive(Clone, Debug)]
pub(crate) struct ServerUser {
    /// `None`: the caller.
    ids: Option<(u32, u32)>,
}

impl ServerUser {
    pub(crate) fn detect() -> Result<Self> {
        let caller_is_root = std::fs::metadata("/proc/self")?.uid() == 0;
        let ids = if caller_is_root {
            Some((id("-u")?, id("-g")?))
        } else {
            None
        };
        Ok(Self { ids })
    }

    /// A command of that user, in `directory`, which it can enter, and untouched by the caller's
    /// `PG…` variables, which may name another cluster.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>, directory: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command
            .current_dir(directory)
            .env("HOME", directory)
            .env("LC_ALL", "C.UTF-8");
        if let Some((uid, gid)) = self.ids {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Hands a file or directory of the caller over to that user.
    pub(crate) fn own(&self, path: &Path) -> Result<()> {
        if let Some((uid, gid)) = self.ids {
            chown(path, Some(uid), Some(gid))?;
        }
        Ok(())
    }
}

/// Runs the command; an error carries what it wrote to standard error.
pub(crate) fn run(command: &mut Command) -> Result<Output> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!("{program}: {}: {}", output.status, complaint.trim()).into())
}

fn id(option: &str) -> Result<u32> {
    let output = run(Command::new("id").args([option, ACCOUNT]))?;
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}
