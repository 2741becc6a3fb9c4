//! The extension works with and without `shared_preload_libraries`.

use token_vault_cluster::{Cluster, Options, Result};

/// Stores a token in one session and reads it in another one.
fn stores_and_reads(options: &Options) -> Result<()> {
    let cluster = Cluster::start_new(options)?;
    let mut client = cluster.create_vault("app")?;
    client.batch_execute(
        "SELECT vault.register_provider('acme', token_endpoint => 'https://acme.example/token');
         SELECT vault.store_token('acme', 'alice', access_token => 'at-preload-1', expires_in => 3600)",
    )?;
    let read = "SELECT vault.get_token('acme', 'alice')";
    assert_eq!(
        client.query_one(read, &[])?.get::<_, String>(0),
        "at-preload-1"
    );
    assert_eq!(cluster.psql("app", read)?, "at-preload-1");
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn works_preloaded() -> Result<()> {
    stores_and_reads(&Options::new().without_fsync())
}

#[test]
fn works_not_preloaded() -> Result<()> {
    stores_and_reads(&Options::new().not_preloaded().without_fsync())
}

#[test]
fn two_databases_of_one_cluster_have_vaults_of_their_own() -> Result<()> {
    let cluster = Cluster::start_new(&Options::new().without_fsync())?;
    for name in ["one", "two"] {
        let mut client = cluster.create_vault(name)?;
        client.batch_execute(&format!(
            "SELECT vault.register_provider('acme', token_endpoint => 'https://acme.example/token');
             SELECT vault.store_token('acme', 'alice', access_token => 'at-of-{name}', expires_in => 3600)"
        ))?;
    }
    for name in ["one", "two"] {
        let token = cluster.psql(name, "SELECT vault.get_token('acme', 'alice')")?;
        assert_eq!(token, format!("at-of-{name}"));
    }
    cluster.assert_never_crashed();
    Ok(())
}
