//! Tokens survive what databases go through: restarts, crashes, dumps, backups.

use token_vault_cluster::canary::Search;
use token_vault_cluster::{Cluster, Options, Result, StopMode};

const ACCESS_TOKEN: &str = "at-durable-3c90e1b77fd2";
const REFRESH_TOKEN: &str = "rt-durable-91c6a02e84bd";

const READ: &str = "SELECT vault.get_token('acme', 'alice')";

/// A cluster with one token in database `app`.
fn cluster_with_token() -> Result<Cluster> {
    let cluster = Cluster::start_new(&Options::new())?;
    let mut client = cluster.create_vault("app")?;
    client.batch_execute(
        "SELECT vault.register_provider('acme', token_endpoint => 'https://acme.example/token')",
    )?;
    client.execute(
        "SELECT vault.store_token('acme', 'alice', access_token => $1, refresh_token => $2,
                                  expires_in => 86400)",
        &[&ACCESS_TOKEN, &REFRESH_TOKEN],
    )?;
    Ok(cluster)
}

#[test]
fn tokens_survive_restarts_and_crashes() -> Result<()> {
    let mut cluster = cluster_with_token()?;
    for mode in [StopMode::Fast, StopMode::Immediate] {
        cluster.restart(mode)?;
        assert_eq!(cluster.psql("app", READ)?, ACCESS_TOKEN, "after {mode:?}");
    }
    cluster.kill9()?;
    cluster.start()?;
    assert_eq!(cluster.psql("app", READ)?, ACCESS_TOKEN, "after SIGKILL");
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_dump_carries_ciphertext_and_opens_where_the_master_key_is() -> Result<()> {
    let cluster = cluster_with_token()?;
    let dump = cluster.pg_dump("app")?;
    Search::new([ACCESS_TOKEN, REFRESH_TOKEN])?
        .run(&dump)?
        .assert_clean();

    cluster.createdb("same_key")?;
    cluster.pg_restore("same_key", &dump)?;
    assert_eq!(cluster.psql("same_key", READ)?, ACCESS_TOKEN);

    let other = Cluster::start_new(&Options::new())?;
    other.create_vault("has_another_key")?;
    other.createdb("app")?;
    other.pg_restore("app", &dump)?;
    let error = other.psql("app", READ).unwrap_err().to_string();
    assert!(error.contains("master key"), "{error}");
    assert!(!error.contains(ACCESS_TOKEN));
    other.assert_never_crashed();
    Ok(())
}

#[test]
fn a_base_backup_reads_with_the_master_key_and_carries_no_plaintext() -> Result<()> {
    let cluster = cluster_with_token()?;
    let backup = cluster.base_backup(&Options::new())?;
    assert_eq!(backup.psql("app", READ)?, ACCESS_TOKEN);
    backup.stop(StopMode::Fast)?;
    cluster.stop(StopMode::Fast)?;
    let search = Search::new([ACCESS_TOKEN, REFRESH_TOKEN])?;
    search.run(cluster.directory())?.assert_clean();
    search.run(backup.directory())?.assert_clean();
    Ok(())
}
