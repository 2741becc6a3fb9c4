//! The worker processes come back by themselves, get along with few places, and hold nobody up while they sleep.

use std::thread::JoinHandle;

use postgres::{Client, Transaction};
use token_vault_cluster::wait::{wait_for, wait_for_sql};
use token_vault_cluster::{Options, Result, StopMode};
use token_vault_oauth_server::Behaviour;

use crate::copies::{grant_and_look, wait_for_token};
use crate::provider::{CLIENT, DATABASE, LIMIT, Vault, refresher, register_provider, secret};
use crate::reencryption_harness::wait_until_done;
use crate::session::refresh_token;

/// The only process of this kind, other than `before`.
fn process(db: &mut Client, kind: &str, before: i32) -> Result<i32> {
    wait_for(kind, LIMIT, || {
        let pids = db.query(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'token_vault ' || $1 AND pid <> $2",
            &[&kind, &before],
        )?;
        Ok((pids.len() == 1).then(|| pids[0].get(0)))
    })
}

/// Ends the only process of this kind, and returns when there is another one.
fn terminate(db: &mut Client, kind: &str) -> Result<i32> {
    let before = process(db, kind, 0)?;
    db.execute("SELECT pg_terminate_backend($1)", &[&before])?;
    process(db, kind, before)
}

#[test]
fn terminated_processes_come_back_in_any_order() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.refresher()?;
    // The second launcher has not started the refresher that it finds.
    let orders = [
        ["refresher", "launcher", "refresher"],
        ["launcher", "launcher", "refresher"],
        ["launcher", "refresher", "refresher"],
    ];
    for (round, order) in orders.into_iter().enumerate() {
        for kind in order {
            terminate(&mut vault.db, kind)?;
        }
        let subject = format!("user-{round}");
        vault.grant_that_is_due(&subject)?;
        vault.wait_for_token(&subject, "generation = 2")?;
    }
    // Both at once: nobody is left who has seen the other.
    let query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type LIKE 'token_vault %'";
    let launcher = process(&mut vault.db, "launcher", 0)?;
    let pid = process(&mut vault.db, "refresher", 0)?;
    vault.db.execute(query, &[])?;
    process(&mut vault.db, "launcher", launcher)?;
    process(&mut vault.db, "refresher", pid)?;
    vault.cluster.assert_never_crashed();
    Ok(())
}

/// Has a custodian wait for a row, for as long as the transaction in `other` lasts.
fn occupy_a_custodian<'a>(vault: &mut Vault, other: &'a mut Client) -> Result<Transaction<'a>> {
    vault.db.batch_execute(
        "CREATE TABLE hook (key vault.secret); INSERT INTO hook VALUES ('whsec'::text)",
    )?;
    let mut locking = other.transaction()?;
    locking.batch_execute("SELECT * FROM hook FOR UPDATE")?;
    vault.db.batch_execute("SELECT vault.rotate_key()")?;
    Ok(locking)
}

#[test]
fn a_terminated_custodian_comes_back_with_the_next_refresher() -> Result<()> {
    let mut vault = Vault::start()?;
    let mut other = vault.session()?;
    let locking = occupy_a_custodian(&mut vault, &mut other)?;
    let before = process(&mut vault.db, "custodian", 0)?;
    vault
        .db
        .execute("SELECT pg_terminate_backend($1)", &[&before])?;
    let gone = format!("SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = {before}");
    wait_for_sql(&mut vault.db, &gone, LIMIT)?;
    terminate(&mut vault.db, "refresher")?;
    process(&mut vault.db, "custodian", before)?;
    locking.commit()?;
    wait_until_done(&mut vault.db)?;
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn after_a_restart_all_is_as_it_was() -> Result<()> {
    let mut vault = Vault::start()?;
    for (round, mode) in [StopMode::Fast, StopMode::Immediate, StopMode::Fast]
        .into_iter()
        .enumerate()
    {
        vault.cluster.restart(mode)?;
        vault.db = vault.session()?;
        vault.refresher()?;
        let subject = format!("user-{round}");
        vault.grant_that_is_due(&subject)?;
        vault.wait_for_token(&subject, "generation = 2")?;
    }
    Ok(())
}

#[test]
fn a_reload_ends_no_process() -> Result<()> {
    let mut vault = Vault::start()?;
    let pids = [
        process(&mut vault.db, "launcher", 0)?,
        process(&mut vault.db, "refresher", 0)?,
    ];
    vault.alter_system("token_vault.connections", "3")?;
    vault.grant_that_is_due("alice")?;
    vault.wait_for_token("alice", "generation = 2")?;
    let after = [
        process(&mut vault.db, "launcher", 0)?,
        process(&mut vault.db, "refresher", 0)?,
    ];
    assert_eq!(pids, after);
    Ok(())
}

/// One more vault in the cluster, which knows the provider.
fn add_vault(vault: &Vault, database: &str) -> Result<Client> {
    let mut db = vault.cluster.create_vault(database)?;
    register_provider(&mut db, &vault.server)?;
    db.execute(
        "SELECT vault.register_client($1, provider => 'acme', client_id => $1, client_secret => $2)",
        &[&CLIENT, &secret(CLIENT)],
    )?;
    Ok(db)
}

#[test]
fn eight_databases_refresh_their_own_tokens() -> Result<()> {
    const DATABASES: usize = 8;
    const TOKENS: usize = 5;
    let options = Options::new()
        .without_fsync()
        .set("max_worker_processes", "24");
    let mut vault = Vault::start_with(&options)?;
    let name = |number| format!("app-{number}");
    for number in 1..DATABASES {
        add_vault(&vault, &name(number))?;
    }
    for round in 1..=2 {
        for token in 0..TOKENS {
            let subject = |database| format!("user-{round}-{token}-of-{database}");
            vault.grant_that_is_due(&subject(0))?;
            for number in 1..DATABASES {
                let mut db = vault.cluster.connect(&name(number), "postgres")?;
                grant_and_look(&mut db, &vault.server, &subject(number))?;
            }
        }
        let all = format!(
            "SELECT count(*) = {} AND bool_and(generation = 2) FROM vault.tokens",
            round * TOKENS
        );
        wait_for_sql(&mut vault.db, &all, LIMIT)?;
        for number in 1..DATABASES {
            let mut db = vault.cluster.connect(&name(number), "postgres")?;
            wait_for_sql(&mut db, &all, LIMIT)?;
        }
        // Each token once.
        assert_eq!(vault.refreshes().len(), round * DATABASES * TOKENS);
        vault.cluster.restart(StopMode::Fast)?;
        vault.db = vault.session()?;
        for number in 1..DATABASES {
            refresher(&mut vault.db, &name(number))?;
        }
    }
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_refresher_without_a_place_waits_for_one() -> Result<()> {
    // One place for the launcher, two for refreshers.
    let options = Options::new()
        .without_fsync()
        .set("max_logical_replication_workers", "0")
        .set("max_worker_processes", "3")
        .set("max_parallel_workers", "0");
    let mut vault = Vault::start_with(&options)?;
    drop(add_vault(&vault, "second")?);
    refresher(&mut vault.db, "second")?;
    vault.refresher()?;
    let mut third = add_vault(&vault, "third")?;
    let warnings = |vault: &Vault| -> Result<usize> {
        Ok(vault
            .cluster
            .log()?
            .matches("raise max_worker_processes")
            .count())
    };
    wait_for("the launcher's warning", LIMIT, || {
        Ok((warnings(&vault)? > 0).then_some(()))
    })?;
    // It tries again, and says so once.
    third.batch_execute("SELECT pg_sleep(3)")?;
    assert_eq!(warnings(&vault)?, 1);
    vault.db.batch_execute("DROP DATABASE second")?;
    refresher(&mut vault.db, "third")?;
    grant_and_look(&mut third, &vault.server, "alice")?;
    wait_for_token(&mut third, "alice", "generation = 2")?;
    vault.cluster.assert_never_crashed();
    Ok(())
}

/// A session that waits for a refresh whose answer takes its time.
fn ask_for_a_slow_answer(
    vault: &mut Vault,
) -> Result<JoinHandle<std::result::Result<(), postgres::Error>>> {
    vault.grant("alice")?;
    let ms = 3000;
    vault.server.misbehave(Behaviour::Delay { ms }, Some(1));
    let mut waiting = vault.session()?;
    let refresh = std::thread::spawn(move || refresh_token(&mut waiting, "alice"));
    vault.wait_for_refreshes(1)?;
    Ok(refresh)
}

/// Statements that every process of the server must acknowledge.
fn drop_another_database(db: &mut Client) -> Result<()> {
    db.batch_execute("SET statement_timeout = '30s'")?;
    db.batch_execute("CREATE DATABASE other")?;
    Ok(db.batch_execute("DROP DATABASE other")?)
}

#[test]
fn nobody_waits_for_a_process_of_ours_that_sleeps() -> Result<()> {
    let mut vault = Vault::start()?;
    let mut other = vault.session()?;
    let _locking = occupy_a_custodian(&mut vault, &mut other)?;
    let asleep = "SELECT count(*) = 3 FROM pg_stat_activity WHERE backend_type LIKE 'token_vault %' AND wait_event = 'Extension'";
    wait_for_sql(&mut vault.db, asleep, LIMIT)?;
    drop_another_database(&mut vault.db)?;
    // Nor for one that waits for an answer, nor for the session that waits for it.
    let refresh = ask_for_a_slow_answer(&mut vault)?;
    drop_another_database(&mut vault.db)?;
    refresh.join().expect("the session's thread")?;
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn nor_for_an_errand() -> Result<()> {
    let options = Options::new().without_fsync().not_preloaded();
    let mut vault = Vault::start_with(&options)?;
    let refresh = ask_for_a_slow_answer(&mut vault)?;
    drop_another_database(&mut vault.db)?;
    let errand = format!(
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'token_vault refresher' AND datname = '{DATABASE}'"
    );
    assert!(vault.db.query_one(&errand, &[])?.get::<_, bool>(0));
    refresh.join().expect("the session's thread")?;
    vault.cluster.assert_never_crashed();
    Ok(())
}
