//! Setting the master key up: creating it, finding it, and the advice about where it lies.

use std::fs;
use std::os::unix::fs::MetadataExt;

use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Cluster, Result};

use crate::master_key::{
    STORE, assert_refused, cluster_with_token, register_provider, session, status, write,
};
use crate::provider::LIMIT;
use crate::session::{get_token, sqlstate};

/// Points the setting somewhere else, and returns when new sessions see it.
fn configure_file(cluster: &Cluster, path: &str) -> Result<()> {
    cluster.configure(&format!("token_vault.master_key_file = '{path}'\n"))?;
    cluster.reload()?;
    wait_for("the reload", LIMIT, || {
        let row = session(cluster)?.query_one("SHOW token_vault.master_key_file", &[])?;
        Ok((row.get::<_, &str>(0) == path).then_some(()))
    })
}

#[test]
fn without_setting_or_key_the_error_says_which_is_missing() -> Result<()> {
    let cluster = cluster_with_token()?;
    cluster.createdb("empty")?;
    let mut empty = cluster.connect("empty", "postgres")?;
    empty.batch_execute("CREATE EXTENSION token_vault")?;
    register_provider(&mut empty)?;
    assert_eq!(sqlstate(empty.execute(STORE, &[])), "TV004");

    configure_file(&cluster, "")?;
    assert_refused(&cluster, "TV001", "no master key is configured")?;
    let create = cluster
        .connect("empty", "postgres")?
        .execute("SELECT vault.create_master_key()", &[]);
    assert_eq!(sqlstate(create), "TV001");
    assert!(status(&cluster, "master key file")?.1.is_some());
    Ok(())
}

#[test]
fn create_master_key_takes_the_file_that_is_there_and_never_overwrites_it() -> Result<()> {
    let cluster = cluster_with_token()?;
    let file = cluster.master_key_file();
    let key = fs::read(&file)?;
    assert_eq!(fs::metadata(&file)?.mode() & 0o7777, 0o600);
    let create = "SELECT vault.create_master_key()";
    assert_eq!(sqlstate(session(&cluster)?.execute(create, &[])), "TV005");

    let wanted = status(&cluster, "master key")?
        .0
        .replace("fingerprint ", "");
    cluster.createdb("second")?;
    let mut second = cluster.connect("second", "postgres")?;
    second.batch_execute("CREATE EXTENSION token_vault")?;
    // Rolled back and asked for again: the same key.
    let mut transaction = second.transaction()?;
    transaction.execute(create, &[])?;
    transaction.rollback()?;
    assert_eq!(second.query_one(create, &[])?.get::<_, String>(0), wanted);
    assert_eq!(fs::read(&file)?, key);

    // One that cannot be used is not replaced either.
    let broken = cluster.directory().join("broken.key");
    write(&cluster, &broken, "not a key", 0o600)?;
    configure_file(&cluster, &broken.to_string_lossy())?;
    cluster.createdb("third")?;
    let mut third = cluster.connect("third", "postgres")?;
    third.batch_execute("CREATE EXTENSION token_vault")?;
    assert_eq!(sqlstate(third.execute(create, &[])), "TV002");
    assert_eq!(fs::read_to_string(&broken)?, "not a key");
    Ok(())
}

#[test]
fn g4_a_file_inside_the_data_directory_is_advised_against() -> Result<()> {
    let cluster = cluster_with_token()?;
    let (state, advice) = status(&cluster, "master key file")?;
    assert_eq!(
        (state, advice),
        (
            cluster.master_key_file().to_string_lossy().into_owned(),
            None
        )
    );

    let inside = cluster.data_directory().join("master.key");
    fs::rename(cluster.master_key_file(), &inside)?;
    // Also behind a link that stands outside.
    std::os::unix::fs::symlink(&inside, cluster.master_key_file())?;
    let advice = status(&cluster, "master key file")?.1.unwrap_or_default();
    assert!(advice.contains("base backups"), "{advice}");
    configure_file(&cluster, &inside.to_string_lossy())?;
    let advice = status(&cluster, "master key file")?.1.unwrap_or_default();
    assert!(advice.contains("base backups"), "{advice}");
    assert_eq!(get_token(&mut session(&cluster)?, "alice")?, "at-1");
    Ok(())
}
