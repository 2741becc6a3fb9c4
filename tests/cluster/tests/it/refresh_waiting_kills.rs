//! Sessions that wait get their token although the process that refreshes it is terminated meanwhile.

use postgres::Client;
use token_vault_cluster::wait::{wait_for, wait_for_sql};
use token_vault_cluster::{Options, Result};
use token_vault_oauth_server::{Behaviour, Outcome};

use crate::provider::{CLIENT, LIMIT, ROTATION_WITH_LEEWAY, Vault};
use crate::session::{at_once, get_token};

const SESSIONS: usize = 5;
const REFRESHER: &str = "token_vault refresher";
const LAUNCHER: &str = "token_vault launcher";

/// An answer that comes within the time that a refresher waits for it when it is told to end.
const SOON: u64 = 1500;
/// One that comes after it.
const TOO_LATE: u64 = 8000;

/// A vault whose sessions are patient, with one token that has expired. Its provider forgives a lost answer.
fn start() -> Result<Vault> {
    let options = Options::new()
        .without_fsync()
        .set("token_vault.refresh_wait", "60s");
    let mut vault = Vault::start_with(&options)?;
    vault.register_at_provider(CLIENT, ROTATION_WITH_LEEWAY);
    vault.grant("alice")?;
    vault.expire("alice")?;
    Ok(vault)
}

/// Has several sessions ask for the token, does `meanwhile` while all of them wait for the provider's answer, and
/// checks that all get the same valid token. Returns what the provider did.
fn while_sessions_wait(
    vault: &Vault,
    answer_after_ms: u64,
    meanwhile: impl FnOnce(&mut Client) -> Result<()>,
) -> Result<Vec<Outcome>> {
    let behaviour = Behaviour::Delay {
        ms: answer_after_ms,
    };
    vault.server.misbehave(behaviour, Some(1));
    let mut control = vault.session()?;
    let all_wait = format!(
        "SELECT count(*) = {SESSIONS} FROM pg_stat_activity
         WHERE query LIKE 'SELECT vault.get_token%' AND state = 'active' AND wait_event_type = 'Extension'"
    );
    let cluster = &vault.cluster;
    let results = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| at_once(cluster, SESSIONS, |db| get_token(db, "alice")));
        let done = vault
            .wait_for_refreshes(1)
            .and_then(|_| wait_for_sql(&mut control, &all_wait, LIMIT))
            .and_then(|()| meanwhile(&mut control));
        let results = waiting.join().expect("the sessions' thread");
        done.and(results)
    })?;
    let tokens = results
        .into_iter()
        .collect::<std::result::Result<Vec<_>, _>>()?;
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(vault.who_is(&tokens[0])?, "alice");
    vault.cluster.assert_never_crashed();
    let outcomes = vault.refreshes().into_iter().map(|entry| entry.outcome);
    Ok(outcomes.collect())
}

/// Ends a background process, and returns when it has gone.
fn terminate(db: &mut Client, backend_type: &str) -> Result<()> {
    let pid: i32 = wait_for(backend_type, LIMIT, || {
        let row = db.query_opt(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = $1",
            &[&backend_type],
        )?;
        Ok(row.map(|row| row.get(0)))
    })?;
    db.execute("SELECT pg_terminate_backend($1)", &[&pid])?;
    wait_for("its end", LIMIT, || {
        let gone = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)";
        Ok(db.query_one(gone, &[&pid])?.get::<_, bool>(0).then_some(()))
    })
}

#[test]
fn a6_a_terminated_refresher_hands_over_the_answer_that_was_under_way() -> Result<()> {
    let vault = start()?;
    let outcomes = while_sessions_wait(&vault, SOON, |db| terminate(db, REFRESHER))?;
    assert_eq!(outcomes, [Outcome::Rotated]);
    Ok(())
}

#[test]
fn a7_a_terminated_refresher_leaves_the_request_to_the_next_one() -> Result<()> {
    let vault = start()?;
    let outcomes = while_sessions_wait(&vault, TOO_LATE, |db| terminate(db, REFRESHER))?;
    assert_eq!(outcomes, [Outcome::Rotated, Outcome::Repeated]);
    Ok(())
}

#[test]
fn a_terminated_launcher_changes_nothing_for_those_who_wait() -> Result<()> {
    let vault = start()?;
    let outcomes = while_sessions_wait(&vault, SOON, |db| terminate(db, LAUNCHER))?;
    assert_eq!(outcomes, [Outcome::Rotated]);
    Ok(())
}

#[test]
fn a7_a_launcher_terminated_with_its_refresher_starts_another_one() -> Result<()> {
    let vault = start()?;
    let outcomes = while_sessions_wait(&vault, TOO_LATE, |db| {
        terminate(db, LAUNCHER)?;
        terminate(db, REFRESHER)?;
        // The new one, too, before it can have done anything.
        terminate(db, LAUNCHER)
    })?;
    assert_eq!(outcomes, [Outcome::Rotated, Outcome::Repeated]);
    Ok(())
}
