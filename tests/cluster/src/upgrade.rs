//! `pg_upgrade`: from a cluster of one major version to one of a later version.

use std::path::Path;

use crate::server_user::run;
use crate::{Cluster, Options, Result};

/// How the files of the old cluster get into the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// Copied: the old cluster can be started again.
    Copy,
    /// Linked: the old cluster must never be started again.
    Link,
}

impl Cluster {
    /// A cluster with what this stopped one has, by the server that `options` say, and stopped, too. Its settings are those
    /// of `options`.
    ///
    /// # Errors
    /// With what `pg_upgrade` wrote.
    pub fn upgrade(&self, options: &Options, transfer: Transfer) -> Result<Cluster> {
        let mut new = Self::make_new(options)?;
        new.choose_port()?;
        let mut pg_upgrade = new.command("pg_upgrade");
        pg_upgrade
            .arg("--old-bindir")
            .arg(&self.installation.bindir)
            .arg("--new-bindir")
            .arg(&new.installation.bindir)
            .arg("--old-datadir")
            .arg(self.data_directory())
            .arg("--new-datadir")
            .arg(new.data_directory())
            .arg("--old-port")
            .arg(self.port.to_string())
            .arg("--new-port")
            .arg(new.port.to_string())
            .arg("--socketdir")
            .arg(new.directory())
            .arg("--username=postgres");
        if transfer == Transfer::Link {
            pg_upgrade.arg("--link");
        }
        let output = pg_upgrade.output()?;
        if output.status.success() {
            return Ok(new);
        }
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = errors_below(&new.data_directory().join("pg_upgrade_output.d"))?;
        Err(format!("pg_upgrade: {}\n{said}\n{errors}", output.status).into())
    }

    /// What the upgrade leaves to be done: statistics, which it does not bring along, or not all of them.
    ///
    /// # Errors
    /// With what `vacuumdb` wrote to standard error.
    pub fn analyze(&self) -> Result<()> {
        run(self.client("vacuumdb").args(["--all", "--analyze-only"])).map(|_| ())
    }
}

/// The lines about errors in the files of this folder and those below it.
fn errors_below(folder: &Path) -> Result<String> {
    let mut errors = String::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry?.path();
        if path.is_dir() {
            errors.push_str(&errors_below(&path)?);
        } else {
            let text = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
            let is_error = |line: &&str| line.contains("ERROR") || line.contains("error:");
            errors.extend(text.lines().filter(is_error).flat_map(|line| [line, "\n"]));
        }
    }
    Ok(errors)
}
