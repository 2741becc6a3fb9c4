//! A disk that is full while keys are replaced: a clear error, nothing lost, and over when there is room again.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Cluster, Result, StopMode};

use crate::keys::key_rows;
use crate::keys_master_rotation::{Place, assert_all_there, configure, fill, rotate};
use crate::keys_rotation::cluster;
use crate::master_key::session;
use crate::provider::LIMIT;
use crate::session::{complaint, sqlstate};

/// A small file system that is there until this is dropped.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    /// None where mounting is not permitted.
    fn mount(cluster: &Cluster) -> Result<Option<Self>> {
        let place = cluster.directory().join("small");
        fs::create_dir(&place)?;
        let owner = fs::metadata(cluster.directory())?;
        let options = format!("size=256k,uid={},gid={}", owner.uid(), owner.gid());
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(&place)
            .status()?
            .success();
        Ok(mounted.then_some(Self(place)))
    }

    /// Leaves no block free.
    fn fill(&self) -> Result<()> {
        let full = fs::write(self.0.join("ballast"), vec![0; 1 << 20]);
        assert!(full.is_err(), "it is not small");
        Ok(())
    }

    fn free(&self) -> Result<()> {
        Ok(fs::remove_file(self.0.join("ballast"))?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The server may still have files open there.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_loses_nothing() -> Result<()> {
    let cluster = cluster()?;
    let Some(disk) = SmallDisk::mount(&cluster)? else {
        eprintln!("skipped: mounting a file system is not permitted");
        return Ok(());
    };
    fill(&cluster)?;
    let mut db = session(&cluster)?;
    // Many keys, so that to wrap all of them anew takes more room than there is.
    for number in 0..100 {
        db.execute(
            "SELECT vault.create_tenant_key($1)",
            &[&format!("t-{number}")],
        )?;
    }
    let folder = disk.0.join("tables");
    fs::create_dir(&folder)?;
    let owner = fs::metadata(cluster.directory())?;
    std::os::unix::fs::chown(&folder, Some(owner.uid()), Some(owner.gid()))?;
    db.batch_execute(&format!(
        "CREATE TABLESPACE small LOCATION '{}'",
        folder.display()
    ))?;
    db.batch_execute("ALTER TABLE vault.key SET TABLESPACE small")?;
    disk.fill()?;

    let refused = wait_for("the disk to be full", LIMIT, || {
        Ok(db.query("SELECT vault.rotate_key()", &[]).err())
    })?;
    assert_eq!(sqlstate::<()>(Err(refused)), "53100");
    let before = key_rows(&mut db)?;
    let old = Place::file(&cluster, "master.key");
    let new = Place::file(&cluster, "second.key");
    configure(&cluster, &new, Some(&old))?;
    assert_eq!(sqlstate(rotate(&mut session(&cluster)?)), "53100");
    assert_eq!(key_rows(&mut session(&cluster)?)?, before);
    assert_all_there(&mut session(&cluster)?)?;

    // Nor can a new key's file be written there.
    let on_disk = Place::file(&cluster, "small/master.key");
    configure(&cluster, &on_disk, Some(&old))?;
    let told = complaint(rotate(&mut session(&cluster)?));
    assert!(told.contains("No space left"), "{told}");
    assert_eq!(key_rows(&mut session(&cluster)?)?, before);

    disk.free()?;
    rotate(&mut session(&cluster)?)?;
    assert_all_there(&mut session(&cluster)?)?;
    session(&cluster)?.execute("SELECT vault.rotate_key()", &[])?;
    configure(&cluster, &on_disk, None)?;
    assert_all_there(&mut session(&cluster)?)?;
    cluster.assert_never_crashed();
    cluster.stop(StopMode::Fast)
}
