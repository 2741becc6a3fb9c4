//! However many sessions ask for one token, and in whatever words: the provider is asked once.

use token_vault_cluster::{Options, Result};
use token_vault_oauth_server::Behaviour;

use crate::provider::{CLIENT, Vault, register_provider};
use crate::session::{at_once, get_token, refresh_token};

/// The provider's next answer comes so late that all sessions are waiting by then.
fn answer_late(vault: &Vault, ms: u64) {
    vault.server.misbehave(Behaviour::Delay { ms }, Some(1));
}

#[test]
fn a1_a_thousand_sessions_that_ask_at_once_cause_one_request() -> Result<()> {
    const SESSIONS: usize = 1000;
    let options = Options::new()
        .without_fsync()
        .set("max_connections", "1100")
        .set("token_vault.refresh_wait", "60s");
    let mut vault = Vault::start_with(&options)?;
    let old = vault.grant("alice")?;
    vault.expire("alice")?;
    answer_late(&vault, 3000);
    let tokens = at_once(&vault.cluster, SESSIONS, |db| get_token(db, "alice"))?
        .into_iter()
        .collect::<std::result::Result<Vec<_>, _>>()?;
    assert_eq!(tokens.len(), SESSIONS);
    assert_ne!(tokens[0], old);
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(vault.who_is(&tokens[0])?, "alice");
    assert_eq!(vault.refreshes().len(), 1);
    assert_eq!(vault.token("alice")?.generation, 2);
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a1_refresh_token_in_many_sessions_at_once_is_one_request() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    answer_late(&vault, 1500);
    for result in at_once(&vault.cluster, 30, |db| refresh_token(db, "alice"))? {
        result?;
    }
    assert_eq!(vault.refreshes().len(), 1);
    assert_eq!(vault.token("alice")?.generation, 2);
    Ok(())
}

#[test]
fn a1_min_validity_in_many_sessions_at_once_is_one_request() -> Result<()> {
    let mut vault = Vault::start()?;
    let old = vault.grant("alice")?;
    // An hour's token in its last minute.
    vault.db.execute(
        "UPDATE vault.token SET issued_at = now() - interval '59 min', expires_at = now() + interval '1 min'",
        &[],
    )?;
    answer_late(&vault, 1500);
    let read = "SELECT vault.get_token('acme', 'alice', min_validity => interval '10 min')";
    let tokens = at_once(&vault.cluster, 30, |db| {
        Ok(db.query_one(read, &[])?.get::<_, String>(0))
    })?
    .into_iter()
    .collect::<std::result::Result<Vec<_>, postgres::Error>>()?;
    assert_ne!(tokens[0], old);
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(vault.refreshes().len(), 1);
    Ok(())
}

/// Sessions that want a refresh now, whatever the token's age, and sessions that want a valid one share it.
#[test]
fn a1_get_token_and_refresh_token_share_a_request() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    vault.expire("alice")?;
    answer_late(&vault, 1500);
    let number = std::sync::atomic::AtomicUsize::new(0);
    let results = at_once(&vault.cluster, 20, |db| {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        match number % 2 {
            0 => refresh_token(db, "alice"),
            _ => get_token(db, "alice").map(drop),
        }
    })?;
    for result in results {
        result?;
    }
    assert_eq!(vault.refreshes().len(), 1);
    Ok(())
}

/// The same subject in two databases is two grants, each with a refresher of its own.
#[test]
fn a5_two_databases_that_ask_at_once_get_a_request_each() -> Result<()> {
    const SESSIONS: usize = 10;
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    vault.expire("alice")?;
    let second = vault.cluster.create_vault("second")?;
    let first = std::mem::replace(&mut vault.db, second);
    register_provider(&mut vault.db, &vault.server)?;
    vault.add_client(CLIENT)?;
    vault.grant("alice")?;
    vault.expire("alice")?;
    vault.db = first;
    vault
        .server
        .misbehave(Behaviour::Delay { ms: 1500 }, Some(2));

    let elsewhere = vault.cluster.connection("second", "postgres");
    let (here, there) = std::thread::scope(|scope| {
        let there = scope.spawn(|| {
            crate::session::at_once_through(&elsewhere, SESSIONS, |db| get_token(db, "alice"))
                .map_err(|error| error.to_string())
        });
        let here = at_once(&vault.cluster, SESSIONS, |db| get_token(db, "alice"));
        (here, there.join().expect("the other database's sessions"))
    });
    let tokens = |results: Vec<std::result::Result<String, postgres::Error>>| {
        results
            .into_iter()
            .collect::<std::result::Result<std::collections::BTreeSet<_>, _>>()
    };
    let (here, there) = (tokens(here?)?, tokens(there?)?);
    assert_eq!((here.len(), there.len()), (1, 1));
    assert_ne!(here, there);
    let families: std::collections::BTreeSet<_> =
        vault.refreshes().iter().map(|entry| entry.family).collect();
    assert_eq!(families.len(), 2);
    assert_eq!(vault.refreshes().len(), 2);
    Ok(())
}
