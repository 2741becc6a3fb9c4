//! Without preloading, and without as many worker processes as sessions want: they share what there is, and none
//! waits for ever.

use token_vault_cluster::wait::{wait_for, wait_for_sql};
use token_vault_cluster::{Options, Result};
use token_vault_oauth_server::{Behaviour, Outcome};

use crate::provider::{CLIENT, LIMIT, ROTATION_WITH_LEEWAY, Vault};
use crate::refresh_waiting::terminate_while_it_waits;
use crate::session::{at_once, get_token, sqlstate};

fn options() -> Options {
    Options::new().not_preloaded().without_fsync()
}

#[test]
fn a1_two_hundred_sessions_that_ask_at_once_cause_one_request() -> Result<()> {
    const SESSIONS: usize = 200;
    let mut vault = Vault::start_with(
        &options()
            .set("max_connections", "250")
            .set("token_vault.refresh_wait", "60s"),
    )?;
    vault.grant_that_is_due("alice")?;
    vault
        .server
        .misbehave(Behaviour::Delay { ms: 1500 }, Some(1));
    let tokens = at_once(&vault.cluster, SESSIONS, |db| get_token(db, "alice"))?
        .into_iter()
        .collect::<std::result::Result<Vec<_>, _>>()?;
    assert_eq!(tokens.len(), SESSIONS);
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(vault.who_is(&tokens[0])?, "alice");
    assert_eq!(vault.refreshes().len(), 1);
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_session_waits_for_a_worker_process_no_longer_than_it_said() -> Result<()> {
    // PostgreSQL's launcher of logical replication takes one of them.
    let mut vault = Vault::start_with(&options().set("max_worker_processes", "2"))?;
    vault.grant_that_is_due("slow")?;
    vault.grant_that_is_due("quick")?;
    vault
        .server
        .misbehave(Behaviour::Delay { ms: 4000 }, Some(1));
    let mut impatient = vault.session()?;
    impatient.batch_execute("SET token_vault.refresh_wait = '500ms'")?;
    let mut patient = vault.session()?;
    let (refused, served) = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| get_token(&mut patient, "slow"));
        let asked = vault.wait_for_refreshes(1);
        let refused = get_token(&mut impatient, "quick");
        let served = waiting.join().expect("the session's thread");
        asked.map(|_| (refused, served))
    })?;
    assert_eq!(sqlstate(refused), "TV033");
    assert_eq!(vault.who_is(&served?)?, "slow");
    // The session is as good as before, and the process is free now.
    impatient.batch_execute("SET token_vault.refresh_wait = '30s'")?;
    let token = get_token(&mut impatient, "quick")?;
    assert_eq!(vault.who_is(&token)?, "quick");
    assert_eq!(vault.refreshes().len(), 2);
    Ok(())
}

#[test]
fn a_server_without_worker_processes_says_that_nothing_was_refreshed() -> Result<()> {
    let mut vault = Vault::start_with(
        &options()
            .set("max_worker_processes", "0")
            .set("token_vault.refresh_wait", "300ms"),
    )?;
    vault.grant_that_is_due("alice")?;
    assert_eq!(sqlstate(get_token(&mut vault.db, "alice")), "TV033");
    let outcome: String = vault
        .db
        .query_one("SELECT outcome FROM vault.refresh_due()", &[])?
        .get(0);
    assert_eq!(outcome, "pending");
    assert_eq!(vault.refreshes().len(), 0);
    vault.db.batch_execute("SELECT 1")?;
    Ok(())
}

/// The session whose worker is terminated has another one started.
#[test]
fn a7_a_terminated_worker_costs_its_session_nothing() -> Result<()> {
    for (answer_after_ms, expected) in [
        (1500, &[Outcome::Rotated][..]),
        // After the time that a worker waits for answers when it is told to end.
        (8000, &[Outcome::Rotated, Outcome::Repeated]),
    ] {
        let mut vault = Vault::start_with(&options().set("token_vault.refresh_wait", "60s"))?;
        vault.register_at_provider(CLIENT, ROTATION_WITH_LEEWAY);
        vault.grant_that_is_due("alice")?;
        let behaviour = Behaviour::Delay {
            ms: answer_after_ms,
        };
        vault.server.misbehave(behaviour, Some(1));
        let mut session = vault.session()?;
        let token = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| get_token(&mut session, "alice"));
            let asked = vault.wait_for_refreshes(1).and_then(|_| {
                Ok(vault.db.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'token_vault refresher'",
                    &[],
                )?)
            });
            let token = waiting.join().expect("the session's thread");
            asked.map(|_| token)
        })?;
        let token = token.map_err(|error| format!("{answer_after_ms} ms: {error:?}"))?;
        assert_eq!(vault.who_is(&token)?, "alice");
        let outcomes = vault.outcomes();
        assert_eq!(outcomes, expected);
        vault.cluster.assert_never_crashed();
    }
    Ok(())
}

/// A library that is loaded by a session has no memory that it shares with others: whoever gives up must not
/// leave a worker behind that nobody can end.
#[test]
fn a11_the_worker_of_a_session_that_was_terminated_finishes_and_goes() -> Result<()> {
    let mut vault = Vault::start_with(&options())?;
    vault.grant_that_is_due("alice")?;
    vault
        .server
        .misbehave(Behaviour::Delay { ms: 2000 }, Some(1));
    terminate_while_it_waits(&mut vault)?;
    vault.wait_for_token("alice", "generation = 2")?;
    wait_for_sql(
        &mut vault.db,
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'token_vault refresher'",
        LIMIT,
    )?;
    let token = wait_for("a token", LIMIT, || {
        Ok(get_token(&mut vault.db, "alice").ok())
    })?;
    assert_eq!(vault.who_is(&token)?, "alice");
    assert_eq!(vault.refreshes().len(), 1);
    Ok(())
}
