//! A disk that can be filled up.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::PathBuf;
use std::process::Command;

use postgres::Client;
use token_vault_cluster::{Cluster, Result};

/// A small file system that is there until this is dropped, with a tablespace `small` on it.
pub struct SmallDisk {
    place: PathBuf,
    kilobytes: usize,
}

impl SmallDisk {
    /// In the folder `small` of the cluster's. None where mounting is not permitted; it says so.
    pub fn mount(cluster: &Cluster, db: &mut Client, kilobytes: usize) -> Result<Option<Self>> {
        let place = cluster.directory().join("small");
        fs::create_dir(&place)?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "tmpfs"])
            .arg(&place)
            .status()?
            .success();
        if !mounted {
            eprintln!("skipped: mounting a file system is not permitted");
            return Ok(None);
        }
        let disk = Self { place, kilobytes };
        disk.create_tablespace(cluster, db)?;
        Ok(Some(disk))
    }

    fn create_tablespace(&self, cluster: &Cluster, db: &mut Client) -> Result<()> {
        let folder = self.place.join("tables");
        fs::create_dir(&folder)?;
        let owner = fs::metadata(cluster.directory())?;
        for path in [&self.place, &folder] {
            chown(path, Some(owner.uid()), Some(owner.gid()))?;
        }
        let create = format!("CREATE TABLESPACE small LOCATION '{}'", folder.display());
        Ok(db.batch_execute(&create)?)
    }

    /// Leaves no block free.
    pub fn fill(&self) -> Result<()> {
        let full = fs::write(self.place.join("ballast"), vec![0; self.kilobytes << 10]);
        assert!(
            full.is_err(),
            "something is on it already, so that this can't fit"
        );
        Ok(())
    }

    pub fn free(&self) -> Result<()> {
        Ok(fs::remove_file(self.place.join("ballast"))?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The server may still have files open there.
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(&self.place)
            .status();
    }
}
