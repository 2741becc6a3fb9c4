//! A server whose processes fail where they are told to: the library with fault points (src/pg/fault.rs), and arming one.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::installation::Installation;
use crate::wait::wait_for;
use crate::{Cluster, Result};

/// Below the target folder; see scripts/fault-library.sh.
const LIBRARY: &str = "fault_points/token_vault.so";

/// What a test writes to arm a fault, and what becomes of it when it strikes; in the data directory.
const ARMED: &str = "token_vault.fault";
const STRUCK: &str = "token_vault.fault.struck";

/// How long a process may take to come to a fault point.
const LIMIT: Duration = Duration::from_secs(30);

/// The library that scripts/fault-library.sh has built; it goes with the SQL script that is installed.
pub(crate) fn library(original: &Installation) -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let library = program
        .ancestors()
        .map(|folder| folder.join(LIBRARY))
        .find(|library| library.exists())
        .ok_or("no library with fault points: run scripts/fault-library.sh")?;
    if modified(&library)? < modified(&original.library())? {
        return Err("the library with fault points is older than the installed one: run scripts/fault-library.sh".into());
    }
    Ok(library)
}

fn modified(path: &Path) -> Result<SystemTime> {
    let metadata = path
        .metadata()
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(metadata.modified()?)
}

impl Cluster {
    /// Arms a fault, `POINT:ACTION` or `POINT:ACTION:N`; an earlier one is forgotten. It strikes once.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn arm_fault(&self, fault: &str) -> Result<()> {
        self.disarm_fault()?;
        // Whole or not at all: processes read it at any time.
        let draft = self.directory().join(ARMED);
        std::fs::write(&draft, fault)?;
        self.user.own(&draft)?;
        Ok(std::fs::rename(draft, self.data_directory().join(ARMED))?)
    }

    /// Forgets a fault that may not have struck yet, and lets a paused process go on.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub fn disarm_fault(&self) -> Result<()> {
        for name in [ARMED, STRUCK] {
            match std::fs::remove_file(self.data_directory().join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error.into());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether the armed fault has struck.
    pub fn fault_has_struck(&self) -> bool {
        self.data_directory().join(STRUCK).exists()
    }

    /// When the fault has struck.
    ///
    /// # Errors
    /// If it has not.
    pub fn fault_struck_at(&self) -> Result<SystemTime> {
        use std::os::unix::fs::MetadataExt;
        // The time of the renaming, not that of the writing.
        let file = self.data_directory().join(STRUCK).metadata()?;
        let since_epoch = Duration::new(file.ctime().try_into()?, file.ctime_nsec().try_into()?);
        Ok(SystemTime::UNIX_EPOCH + since_epoch)
    }

    /// Waits until the armed fault has struck.
    ///
    /// # Errors
    /// If it does not.
    pub fn wait_for_fault(&self) -> Result<()> {
        wait_for("the fault", LIMIT, || {
            Ok(self.fault_has_struck().then_some(()))
        })
    }
}
