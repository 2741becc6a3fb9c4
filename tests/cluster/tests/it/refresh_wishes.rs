//! What sessions ask for is what they have seen: a generation of a token. Who was slower finds a newer one.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use token_vault_cluster::wait::wait_for_sql;
use token_vault_cluster::{Options, Result};
use token_vault_oauth_server::Outcome;

use crate::provider::{LIMIT, Vault};
use crate::session::{at_once, get_token, refresh_token};

type Refreshed = std::result::Result<(), postgres::Error>;

fn with_fault_points() -> Result<Vault> {
    let mut vault = Vault::start_with(&Options::new().without_fsync().with_fault_points())?;
    vault.grant("alice")?;
    Ok(vault)
}

/// Waits until so many sessions wait for a refresh.
fn wait_for_waiters(vault: &mut Vault, sessions: i64) -> Result<()> {
    let waiting = format!(
        "SELECT count(*) = {sessions} FROM pg_stat_activity
         WHERE query LIKE 'SELECT vault.refresh_token%' AND wait_event_type = 'Extension'"
    );
    wait_for_sql(&mut vault.db, &waiting, LIMIT)
}

fn signal(process: i32, signal: &str) -> Result<()> {
    let status = Command::new("kill")
        .args([signal, &process.to_string()])
        .status()?;
    assert!(status.success());
    Ok(())
}

/// Some ask for a generation that is gone when they are heard, others for the new one: each is served.
#[test]
fn sessions_that_refresh_one_token_all_the_time_are_all_served() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    let refreshes = AtomicUsize::new(0);
    let failures = at_once(&vault.cluster, 8, |db| {
        let mut failures = Vec::new();
        for _ in 0..40 {
            match refresh_token(db, "alice") {
                Ok(()) => drop(refreshes.fetch_add(1, Ordering::Relaxed)),
                Err(error) => failures.push(crate::session::complaint::<()>(Err(error))),
            }
        }
        failures
    })?;
    let failures: Vec<String> = failures.into_iter().flatten().collect();
    assert_eq!(failures, Vec::<String>::new());
    let token = get_token(&mut vault.db, "alice")?;
    assert_eq!(vault.who_is(&token)?, "alice");
    let requests = vault.refreshes();
    assert!(
        requests
            .iter()
            .all(|entry| entry.outcome == Outcome::Rotated)
    );
    assert!(requests.len() <= refreshes.into_inner());
    Ok(())
}

/// One that asks for the new generation just before the sessions are told of it.
#[test]
fn who_asks_for_the_new_generation_is_not_told_of_the_old_one() -> Result<()> {
    let mut vault = with_fault_points()?;
    let (mut first, mut second) = (vault.session()?, vault.session()?);
    vault.cluster.arm_fault("outcome_committed:pause")?;
    let (one, other) = std::thread::scope(|scope| -> Result<(Refreshed, Refreshed)> {
        let one = scope.spawn(|| refresh_token(&mut first, "alice"));
        vault.cluster.wait_for_fault()?;
        let other = scope.spawn(|| refresh_token(&mut second, "alice"));
        let waiting = wait_for_waiters(&mut vault, 2);
        vault.cluster.disarm_fault()?;
        waiting?;
        Ok((
            one.join().expect("the first session's thread"),
            other.join().expect("the second session's thread"),
        ))
    })?;
    one?;
    other?;
    assert_eq!(vault.token("alice")?.generation, 3);
    Ok(())
}

/// Both are heard at once: one that has seen the new generation, and one that has not.
#[test]
fn who_asks_for_a_generation_that_is_gone_keeps_nobody_else_from_the_new_one() -> Result<()> {
    let mut vault = with_fault_points()?;
    let refresher = vault.refresher()?;
    let (mut slow, mut quick) = (vault.session()?, vault.session()?);
    vault.cluster.arm_fault("refresh_wanted:pause")?;
    let (one, other) = std::thread::scope(|scope| -> Result<(Refreshed, Refreshed)> {
        let one = scope.spawn(|| refresh_token(&mut slow, "alice"));
        vault.cluster.wait_for_fault()?;
        refresh_token(&mut vault.db, "alice")?;
        signal(refresher, "-STOP")?;
        let other = scope.spawn(|| refresh_token(&mut quick, "alice"));
        vault.cluster.disarm_fault()?;
        let waiting = wait_for_waiters(&mut vault, 2);
        signal(refresher, "-CONT")?;
        waiting?;
        Ok((
            one.join().expect("the slow session's thread"),
            other.join().expect("the quick session's thread"),
        ))
    })?;
    one?;
    other?;
    assert_eq!(vault.token("alice")?.generation, 3);
    Ok(())
}

/// An error in one of the refresher's own transactions is no outcome: who waits waits for the next round.
#[test]
fn what_the_refresher_could_not_start_it_starts_in_the_next_round() -> Result<()> {
    for (place, complaint) in [
        ("tables_looked_at", "could not look at its tables"),
        ("claim_made", "could not claim tokens"),
    ] {
        let mut vault = with_fault_points()?;
        vault.cluster.arm_fault(&format!("{place}:error"))?;
        refresh_token(&mut vault.db, "alice")?;
        assert!(vault.cluster.fault_has_struck(), "{place}");
        assert_eq!(vault.refreshes().len(), 1, "{place}");
        let log = vault.cluster.log()?;
        assert!(log.contains(complaint), "{log}");
    }
    Ok(())
}
