//! Without `shared_preload_libraries`: a session that needs a refresh starts a worker for it and waits.

use token_vault_cluster::{Options, Result};
use token_vault_oauth_server::{Behaviour, Outcome};

use crate::provider::{CLIENT, ROTATION_WITH_LEEWAY, Vault};
use crate::session::{at_once, complaint, get_token, refresh_token, sqlstate};

fn start() -> Result<Vault> {
    Vault::start_with(&Options::new().not_preloaded().without_fsync())
}

/// The refreshers that run now.
fn refreshers(vault: &mut Vault) -> Result<i64> {
    let count =
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'token_vault refresher'";
    Ok(vault.db.query_one(count, &[])?.get(0))
}

#[test]
fn get_token_and_refresh_token_start_a_worker_that_goes_again() -> Result<()> {
    let mut vault = start()?;
    let first = vault.grant_that_is_due("alice")?;
    let second = get_token(&mut vault.db, "alice")?;
    assert_ne!(first, second);
    assert_eq!(vault.who_is(&second)?, "alice");
    refresh_token(&mut vault.db, "alice")?;
    let third = get_token(&mut vault.db, "alice")?;
    assert_ne!(second, third);
    assert_eq!(vault.who_is(&third)?, "alice");
    let outcomes = vault.outcomes();
    assert_eq!(outcomes, [Outcome::Rotated, Outcome::Rotated]);
    assert_eq!(refreshers(&mut vault)?, 0);
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn refresh_due_refreshes_all_that_are_due_with_one_worker() -> Result<()> {
    let mut vault = start()?;
    vault.grant("later")?;
    for number in 0..40 {
        vault.grant_that_is_due(&format!("user-{number}"))?;
    }
    let refreshed =
        "SELECT count(*) FROM vault.refresh_due(max_tokens => 30) WHERE outcome = 'refreshed'";
    for expected in [30_i64, 10, 0] {
        let count: i64 = vault.db.query_one(refreshed, &[])?.get(0);
        assert_eq!(count, expected);
    }
    assert_eq!(vault.refreshes().len(), 40);
    assert_eq!(vault.token("later")?.generation, 1);
    assert_eq!(vault.token("user-39")?.status, "valid");
    Ok(())
}

#[test]
fn a1_sessions_that_ask_at_once_cause_one_request() -> Result<()> {
    let mut vault = start()?;
    vault.grant_that_is_due("alice")?;
    vault
        .server
        .misbehave(Behaviour::Delay { ms: 500 }, Some(1));
    // More than there are worker processes.
    let tokens = at_once(&vault.cluster, 12, |db| get_token(db, "alice"))?
        .into_iter()
        .collect::<std::result::Result<Vec<_>, _>>()?;
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(vault.who_is(&tokens[0])?, "alice");
    assert_eq!(vault.refreshes().len(), 1);
    Ok(())
}

#[test]
fn sessions_that_ask_for_different_tokens_all_get_theirs() -> Result<()> {
    let mut vault = start()?;
    for number in 0..12 {
        vault.grant_that_is_due(&format!("user-{number}"))?;
    }
    let number = std::sync::atomic::AtomicUsize::new(0);
    let tokens = at_once(&vault.cluster, 12, |db| {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let subject = format!("user-{number}");
        let token = get_token(db, &subject);
        (subject, token)
    })?;
    for (subject, token) in tokens {
        assert_eq!(vault.who_is(&token?)?, subject);
    }
    assert_eq!(vault.refreshes().len(), 12);
    Ok(())
}

#[test]
fn a7_a_lost_answer_is_recovered_within_the_same_call() -> Result<()> {
    let mut vault = start()?;
    vault.register_at_provider(CLIENT, ROTATION_WITH_LEEWAY);
    vault.grant_that_is_due("alice")?;
    vault.server.misbehave(Behaviour::DropBeforeAnswer, Some(1));
    let token = get_token(&mut vault.db, "alice")?;
    assert_eq!(vault.who_is(&token)?, "alice");
    let outcomes = vault.outcomes();
    assert_eq!(outcomes, [Outcome::Rotated, Outcome::Repeated]);
    Ok(())
}

#[test]
fn failures_reach_the_session_that_asked() -> Result<()> {
    let mut vault = start()?;
    vault.grant_that_is_due("alice")?;
    vault
        .server
        .misbehave(Behaviour::Html { status: 503 }, Some(1));
    assert!(complaint(get_token(&mut vault.db, "alice")).contains("status 503"));
    assert!(vault.server.revoke_family(0));
    assert_eq!(sqlstate(get_token(&mut vault.db, "alice")), "TV031");
    assert_eq!(vault.token("alice")?.status, "reauthorization_required");
    assert_eq!(vault.refreshes().len(), 2);
    Ok(())
}

#[test]
fn a11_the_worker_finishes_what_its_session_no_longer_waits_for() -> Result<()> {
    let mut vault = start()?;
    vault.grant_that_is_due("alice")?;
    vault
        .server
        .misbehave(Behaviour::Delay { ms: 2000 }, Some(1));
    vault.db.batch_execute("SET statement_timeout = '1s'")?;
    assert_eq!(sqlstate(get_token(&mut vault.db, "alice")), "57014");
    vault.db.batch_execute("RESET statement_timeout")?;
    vault.wait_for_token("alice", "generation = 2")?;
    assert_eq!(vault.refreshes().len(), 1);
    Ok(())
}
