//! The standing refresher of a database lives as long as its vault: it comes with it, goes with it, and is never
//! far away.

use token_vault_cluster::Result;
use token_vault_cluster::wait::{wait_for, wait_for_sql};

use crate::provider::{CLIENT, DATABASE, LIMIT, Vault, refresher, register_provider, secret};
use crate::session::refresh_token;

/// Everything that [`Vault::start`] does in the database itself.
fn set_up(vault: &mut Vault) -> Result<()> {
    vault
        .db
        .batch_execute("CREATE EXTENSION token_vault; SELECT vault.create_master_key()")?;
    register_provider(&mut vault.db, &vault.server)?;
    vault.db.execute(
        "SELECT vault.register_client($1, provider => 'acme', client_id => $1, client_secret => $2)",
        &[&CLIENT, &secret(CLIENT)],
    )?;
    Ok(())
}

#[test]
fn it_goes_with_the_extension_and_comes_back_with_it() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant_that_is_due("alice")?;
    vault.wait_for_token("alice", "generation = 2")?;
    let before = vault.refresher()?;
    vault.db.batch_execute("DROP EXTENSION token_vault")?;
    set_up(&mut vault)?;
    vault.grant_that_is_due("bob")?;
    vault.wait_for_token("bob", "generation = 2")?;

    // And where it has noticed that its vault is gone.
    vault.db.batch_execute("DROP EXTENSION token_vault")?;
    let gone =
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'token_vault refresher'";
    vault.db.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'token_vault refresher'",
        &[],
    )?;
    wait_for_sql(&mut vault.db, gone, LIMIT)?;
    set_up(&mut vault)?;
    vault.grant_that_is_due("carol")?;
    vault.wait_for_token("carol", "generation = 2")?;
    assert_ne!(vault.refresher()?, before);
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn each_database_has_one_without_a_restart() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant_that_is_due("alice")?;
    vault.wait_for_token("alice", "generation = 2")?;

    let second = vault.cluster.create_vault("second")?;
    let first = std::mem::replace(&mut vault.db, second);
    register_provider(&mut vault.db, &vault.server)?;
    vault.add_client(CLIENT)?;
    vault.grant_that_is_due("alice")?;
    vault.wait_for_token("alice", "generation = 2")?;
    vault.db = first;
    let other = refresher(&mut vault.db, "second")?;
    assert_ne!(vault.refresher()?, other);
    assert_eq!(vault.refreshes().len(), 2);
    Ok(())
}

#[test]
fn there_is_never_a_second_one() -> Result<()> {
    let mut vault = Vault::start()?;
    let pid = vault.refresher()?;
    for number in 0..20 {
        vault.grant_that_is_due(&format!("user-{number}"))?;
        let pids: Vec<i32> = vault
            .db
            .query(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'token_vault refresher' AND datname = $1",
                &[&DATABASE],
            )?
            .iter()
            .map(|row| row.get(0))
            .collect();
        assert_eq!(pids, [pid]);
    }
    Ok(())
}

#[test]
fn a_dropped_database_takes_it_along() -> Result<()> {
    let mut vault = Vault::start()?;
    drop(vault.cluster.create_vault("second")?);
    refresher(&mut vault.db, "second")?;
    vault
        .db
        .batch_execute("DROP DATABASE second WITH (FORCE)")?;
    wait_for("its end", LIMIT, || {
        let count: i64 = vault
            .db
            .query_one(
                "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'token_vault refresher'",
                &[],
            )?
            .get(0);
        Ok((count == 1).then_some(()))
    })?;
    // The launcher still does its work for others.
    let before = vault.refresher()?;
    vault
        .db
        .execute("SELECT pg_terminate_backend($1)", &[&before])?;
    wait_for("another refresher", LIMIT, || {
        Ok((vault.refresher()? != before).then_some(()))
    })?;
    vault.cluster.assert_never_crashed();
    Ok(())
}

/// A server process is deaf to reloads while it starts; a narrowed setting must reach it all the same.
#[test]
fn a_reload_while_it_starts_is_not_missed() -> Result<()> {
    const SETTING: &str = "token_vault.allowed_networks";
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    for round in 0..40 {
        let networks = if round % 2 == 0 {
            ""
        } else {
            "127.0.0.0/8, ::1/128"
        };
        let pid = vault.refresher()?;
        vault
            .db
            .execute("SELECT pg_terminate_backend($1)", &[&pid])?;
        vault.alter_system(SETTING, networks)?;
        let refreshed = refresh_token(&mut vault.db, "alice");
        assert_eq!(
            refreshed.is_ok(),
            !networks.is_empty(),
            "round {round}: {refreshed:?}"
        );
    }
    Ok(())
}

#[test]
fn a_session_that_asks_while_it_ends_is_served_by_the_next_one() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    for round in 0..40 {
        let pid = vault.refresher()?;
        vault
            .db
            .execute("SELECT pg_terminate_backend($1)", &[&pid])?;
        refresh_token(&mut vault.db, "alice")
            .map_err(|error| format!("round {round}: {error:?}"))?;
    }
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn status_names_it() -> Result<()> {
    let mut vault = Vault::start()?;
    let pid = vault.refresher()?;
    wait_for_sql(
        &mut vault.db,
        &format!(
            "SELECT state = 'running, process {pid}' AND advice IS NULL FROM vault.status() WHERE item = 'refresher'"
        ),
        LIMIT,
    )
}
