//! Crashes and shutdowns in the middle of a refresh: an attempt whose outcome is unknown is known as such, is
//! repeated, and the grant survives.

use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Options, Result, StopMode};
use token_vault_oauth_server::{Behaviour, Outcome};

use crate::provider::{CLIENT, DATABASE, LIMIT, ROTATION_WITH_LEEWAY, Vault};
use crate::session::get_token;

/// Longer than a crash and the restart after it take, so that this answer never arrives.
const NEVER: Behaviour = Behaviour::Delay { ms: 60_000 };

/// A vault whose provider has rotated alice's refresh token, while the answer is under way.
fn with_a_request_in_flight(answer: Behaviour) -> Result<Vault> {
    let mut vault = Vault::start_with(&Options::new())?;
    vault.register_at_provider(CLIENT, ROTATION_WITH_LEEWAY);
    vault.server.misbehave(answer, Some(1));
    vault.grant_that_is_due("alice")?;
    vault.wait_for_refreshes(1)?;
    Ok(vault)
}

/// After a crash: the server accepts connections again.
fn reconnect(vault: &mut Vault) -> Result<()> {
    vault.db = wait_for("the server after its crash", LIMIT, || {
        Ok(vault.cluster.connect(DATABASE, "postgres").ok())
    })?;
    Ok(())
}

/// The attempt is repeated with the same refresh token, and the grant lives.
fn assert_recovered(vault: &mut Vault) -> Result<()> {
    vault.wait_for_token("alice", "generation = 2 AND status = 'valid'")?;
    let requests = vault.refreshes();
    let outcomes: Vec<_> = requests.iter().map(|entry| entry.outcome).collect();
    assert_eq!(outcomes, [Outcome::Rotated, Outcome::Repeated]);
    assert_eq!(requests[0].refresh_token_id, requests[1].refresh_token_id);
    let token = get_token(&mut vault.db, "alice")?;
    assert_eq!(vault.who_is(&token)?, "alice");
    Ok(())
}

#[test]
fn a6_a_refresher_that_is_killed_leaves_an_attempt_that_is_repeated() -> Result<()> {
    let mut vault = with_a_request_in_flight(NEVER)?;
    let pid = vault.refresher()?;
    vault.cluster.crash(pid)?;
    reconnect(&mut vault)?;
    assert_recovered(&mut vault)
}

#[test]
fn a6_an_immediate_shutdown_leaves_an_attempt_that_is_repeated() -> Result<()> {
    let mut vault = with_a_request_in_flight(NEVER)?;
    vault.cluster.restart(StopMode::Immediate)?;
    reconnect(&mut vault)?;
    assert_recovered(&mut vault)?;
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a6_a_killed_postmaster_leaves_an_attempt_that_is_repeated() -> Result<()> {
    let mut vault = with_a_request_in_flight(NEVER)?;
    vault.cluster.kill9()?;
    vault.cluster.start()?;
    reconnect(&mut vault)?;
    assert_recovered(&mut vault)
}

#[test]
fn a_fast_shutdown_waits_for_the_answer() -> Result<()> {
    let mut vault = with_a_request_in_flight(Behaviour::Delay { ms: 1000 })?;
    vault.cluster.restart(StopMode::Fast)?;
    reconnect(&mut vault)?;
    assert_eq!(vault.token("alice")?.generation, 2);
    let token = get_token(&mut vault.db, "alice")?;
    assert_eq!(vault.who_is(&token)?, "alice");
    assert_eq!(vault.refreshes().len(), 1);
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_fast_shutdown_does_not_wait_for_ever() -> Result<()> {
    let mut vault = with_a_request_in_flight(NEVER)?;
    let begin = std::time::Instant::now();
    vault.cluster.stop(StopMode::Fast)?;
    assert!(begin.elapsed() < LIMIT, "{:?}", begin.elapsed());
    vault.cluster.start()?;
    reconnect(&mut vault)?;
    assert_recovered(&mut vault)?;
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_terminated_refresher_writes_the_answer_and_comes_back() -> Result<()> {
    let mut vault = with_a_request_in_flight(Behaviour::Delay { ms: 1000 })?;
    let before = vault.refresher()?;
    vault
        .db
        .execute("SELECT pg_terminate_backend($1)", &[&before])?;
    vault.wait_for_token("alice", "generation = 2")?;
    wait_for("another refresher", LIMIT, || {
        Ok((vault.refresher()? != before).then_some(()))
    })?;
    assert_eq!(vault.refreshes().len(), 1);
    vault.grant_that_is_due("bob")?;
    vault.wait_for_token("bob", "generation = 2")?;
    vault.cluster.assert_never_crashed();
    Ok(())
}
