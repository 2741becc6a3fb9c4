//! A disk that is full while keys are replaced: a clear error, nothing lost, and over when there is room again.

use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Result, StopMode};

use crate::keys::key_rows;
use crate::keys_master_rotation::{Place, assert_all_there, configure, fill, rotate};
use crate::keys_rotation::cluster;
use crate::master_key::session;
use crate::provider::LIMIT;
use crate::session::{complaint, sqlstate};
use crate::small_disk::SmallDisk;

#[test]
fn a_full_disk_loses_nothing() -> Result<()> {
    let cluster = cluster()?;
    let mut db = session(&cluster)?;
    let Some(disk) = SmallDisk::mount(&cluster, &mut db, 256)? else {
        return Ok(());
    };
    fill(&cluster)?;
    // Many keys, so that to wrap all of them anew takes more room than there is.
    for number in 0..100 {
        db.execute(
            "SELECT vault.create_tenant_key($1)",
            &[&format!("t-{number}")],
        )?;
    }
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
