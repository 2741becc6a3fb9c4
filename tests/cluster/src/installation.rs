//! The PostgreSQL installation under test: where its programs are.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

/// Debian's place for the server that `make` uses by default.
const DEBIAN_PG_CONFIG: &str = "/usr/lib/postgresql/15/bin/pg_config";

/// The extension's library in an installation's folder of libraries.
pub(crate) const INSTALLED_LIBRARY: &str = "token_vault.so";

/// One PostgreSQL installation.
#[derive(Clone, Debug)]
pub(crate) struct Installation {
    pub(crate) bindir: PathBuf,
    pub(crate) pkglibdir: PathBuf,
    pub(crate) sharedir: PathBuf,
}

impl Installation {
    /// The installation of the environment's `PG_CONFIG`, else Debian's, else the first on `PATH`.
    pub(crate) fn find() -> Result<Self> {
        Self::of(&pg_config())
    }

    /// The installation of this `pg_config`.
    pub(crate) fn of(pg_config: &Path) -> Result<Self> {
        let folder = |option| folder(pg_config, option);
        Ok(Self {
            bindir: folder("--bindir")?,
            pkglibdir: folder("--pkglibdir")?,
            sharedir: folder("--sharedir")?,
        })
    }

    /// The path of one of the installation's programs, such as `pg_ctl`.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.bindir.join(name)
    }

    /// The path of the extension's library.
    pub(crate) fn library(&self) -> PathBuf {
        self.pkglibdir.join(INSTALLED_LIBRARY)
    }
}

fn pg_config() -> PathBuf {
    match std::env::var_os("PG_CONFIG") {
        Some(path) if !path.is_empty() => path.into(),
        _ if Path::new(DEBIAN_PG_CONFIG).exists() => DEBIAN_PG_CONFIG.into(),
        _ => "pg_config".into(),
    }
}

fn folder(pg_config: &Path, option: &str) -> Result<PathBuf> {
    let output = Command::new(pg_config)
        .arg(option)
        .output()
        .map_err(|error| format!("{}: {error}", pg_config.display()))?;
    Ok(String::from_utf8(output.stdout)?.trim().into())
}
