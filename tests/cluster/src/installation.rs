//! The PostgreSQL installation under test: where its programs are.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

/// Debian's place for the server that `make` uses by default.
const DEBIAN_PG_CONFIG: &str = "/usr/lib/postgresql/15/bin/pg_config";

/// One PostgreSQL installation.
#[derive(Clone, Debug)]
pub(crate) struct Installation {
    bindir: PathBuf,
}

impl Installation {
    /// The installation of the environment's `PG_CONFIG`, else Debian's, else the first on `PATH`.
    pub(crate) fn find() -> Result<Self> {
        Ok(Self {
            bindir: bindir(&pg_config())?.into(),
        })
    }

    /// The path of one of the installation's programs, such as `pg_ctl`.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.bindir.join(name)
    }
}

fn pg_config() -> PathBuf {
    match std::env::var_os("PG_CONFIG") {
        Some(path) if !path.is_empty() => path.into(),
        _ if Path::new(DEBIAN_PG_CONFIG).exists() => DEBIAN_PG_CONFIG.into(),
        _ => "pg_config".into(),
    }
}

fn bindir(pg_config: &Path) -> Result<String> {
    let output = Command::new(pg_config)
        .arg("--bindir")
        .output()
        .map_err(|error| format!("{}: {error}", pg_config.display()))?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
