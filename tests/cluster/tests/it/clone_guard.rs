//! A14: a copy of the database must not refresh the original's grants, because with rotation that ends them.

use postgres::Client;
use token_vault_cluster::wait::{wait_for, wait_for_sql};
use token_vault_cluster::{Cluster, Options, Result};

use crate::copies::{adopt, assert_waits, status};
use crate::provider::{CLIENT, DATABASE, LIMIT, Vault, refresher};
use crate::session::{get_token, refresh_token, sqlstate};

/// How many transactions have ended in this database.
fn transactions(db: &mut Client) -> Result<i64> {
    let query = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()";
    Ok(db.query_one(query, &[])?.get(0))
}

#[test]
fn a14_a_restored_dump_sends_nothing_until_it_is_adopted() -> Result<()> {
    let mut vault = Vault::start()?;
    let token = vault.grant("alice")?;
    vault.grant("bob")?;
    let dump = vault.cluster.pg_dump(crate::provider::DATABASE)?;
    vault.cluster.createdb("copy")?;
    vault.cluster.pg_restore("copy", &dump)?;

    let mut copy = vault.cluster.connect("copy", "postgres")?;
    let (state, advice) = status(&mut copy, "installation")?;
    assert!(
        state.contains("another database of this cluster"),
        "{state}"
    );
    assert!(
        advice
            .unwrap_or_default()
            .contains("vault.adopt_installation()")
    );
    copy.execute(
        "UPDATE vault.token SET expires_at = now() - interval '1 min' WHERE subject = 'bob'",
        &[],
    )?;
    copy.execute(
        "UPDATE vault.refresh_schedule SET due_at = now() - interval '1 min'",
        &[],
    )?;
    status(&mut copy, "refresher")?;
    refresher(&mut copy, "copy")?;
    wait_for("the worker's warning", LIMIT, || {
        let log = vault.cluster.log()?;
        Ok(log.contains("nothing is refreshed").then_some(()))
    })?;
    // What is valid is served, and everything that would refresh says why it does not.
    assert_eq!(get_token(&mut copy, "alice")?, token);
    assert_eq!(sqlstate(get_token(&mut copy, "bob")), "TV034");
    assert_eq!(sqlstate(refresh_token(&mut copy, "alice")), "TV034");
    assert_eq!(
        sqlstate(copy.query("SELECT * FROM vault.refresh_due()", &[])),
        "TV034"
    );
    assert_eq!(vault.server.token_requests(), 0);
    // The original is not disturbed.
    assert_eq!(status(&mut vault.db, "installation")?.1, None);

    // Overdue tokens are no reason for it to keep looking.
    let before = transactions(&mut copy)?;
    copy.batch_execute("SELECT pg_sleep(2)")?;
    let made = transactions(&mut copy)? - before;
    assert!(made < 60, "{made} transactions in two seconds of waiting");

    copy.execute("SELECT vault.adopt_installation()", &[])?;
    assert_eq!(status(&mut copy, "installation")?.1, None);
    vault.wait_for_refreshes(2)?;
    let fresh = wait_for("bob's new token", LIMIT, || {
        Ok(get_token(&mut copy, "bob").ok())
    })?;
    assert_eq!(vault.who_is(&fresh)?, "bob");
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a14_a_template_copy_sends_nothing_until_it_is_adopted() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    let mut admin = vault.cluster.connect("postgres", "postgres")?;
    // The refresher of the original is connected to it; a session would not be let in.
    vault.refresher()?;
    vault.db = admin;
    vault
        .db
        .batch_execute("CREATE DATABASE copy TEMPLATE app")?;
    let mut copy = vault.cluster.connect("copy", "postgres")?;
    assert_waits(&mut copy, &vault.server, "another database of this cluster")?;
    adopt(&mut copy)?;
    admin = vault.session()?;
    assert_eq!(status(&mut admin, "installation")?.1, None);
    vault.cluster.assert_never_crashed();
    Ok(())
}

/// Another cluster with the extension and the original's master key, into which the original's tables are replicated.
fn replica(vault: &mut Vault) -> Result<Cluster> {
    const TABLES: &str = "vault.installation, vault.key, vault.client, vault.client_secret, vault.token, vault.refresh_schedule";
    let options = Options::new().without_fsync().set(
        "token_vault.master_key_file",
        &vault.cluster.master_key_file().to_string_lossy(),
    );
    let replica = Cluster::start_new(&options)?;
    replica.trust(vault.server.ca_pem())?;
    replica.createdb(DATABASE)?;
    let mut db = replica.connect(DATABASE, "postgres")?;
    db.batch_execute("CREATE EXTENSION token_vault")?;
    crate::provider::register_provider(&mut db, &vault.server)?;
    vault
        .db
        .batch_execute(&format!("CREATE PUBLICATION vault FOR TABLE {TABLES}"))?;
    let source = format!(
        "host={} port={} dbname={DATABASE} user=postgres",
        vault.cluster.directory().display(),
        vault.cluster.port()
    );
    db.batch_execute(&format!(
        "CREATE SUBSCRIPTION vault CONNECTION '{source}' PUBLICATION vault"
    ))?;
    let is_copied = "SELECT count(*) > 0 AND bool_and(srsubstate = 'r') FROM pg_subscription_rel";
    wait_for_sql(&mut db, is_copied, LIMIT)?;
    // Sequences are not replicated.
    db.batch_execute("SELECT setval('vault.token_id_seq', 1000)")?;
    Ok(replica)
}

#[test]
fn a14_a_logical_replica_sends_nothing_until_it_is_adopted() -> Result<()> {
    let options = Options::new().without_fsync().set("wal_level", "logical");
    let mut vault = Vault::start_with(&options)?;
    vault.grant("alice")?;
    let replica = replica(&mut vault)?;
    let mut db = replica.connect(DATABASE, "postgres")?;
    assert_waits(&mut db, &vault.server, "another cluster")?;
    // Nor where the row with the home is written again by the original.
    vault.db.execute("SELECT vault.adopt_installation()", &[])?;
    assert_waits(&mut db, &vault.server, "another cluster")?;
    db.batch_execute("ALTER SUBSCRIPTION vault DISABLE")?;
    adopt(&mut db)?;
    vault.grant_of(CLIENT, "bob", serde_json::json!({ "expires_in": 0 }))?;
    vault.wait_for_token("bob", "generation = 2")?;
    replica.assert_never_crashed();
    vault.cluster.assert_never_crashed();
    Ok(())
}
