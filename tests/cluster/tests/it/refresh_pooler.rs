//! Many clients behind a transaction-pooling pgbouncer: those that wait hold all its connections, and the refresh
//! needs none of them.

use postgres::{Client, NoTls, SimpleQueryMessage};
use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Options, Result};
use token_vault_oauth_server::Behaviour;

use crate::provider::{DATABASE, LIMIT, Vault};
use crate::session::{at_once_through, sqlstate};

const CLIENTS: usize = 1000;
const CONNECTIONS: u32 = 50;

/// `vault.get_token` without a prepared statement: the next one of this client may reach another connection.
fn get_token(db: &mut Client, subject: &str) -> std::result::Result<String, postgres::Error> {
    let messages = db.simple_query(&format!("SELECT vault.get_token('acme', '{subject}')"))?;
    let token = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(token.expect("there is such a token"))
}

#[test]
fn g12_a_thousand_clients_on_fifty_connections_cause_one_request() -> Result<()> {
    let mut vault = Vault::start()?;
    let old = vault.grant("alice")?;
    vault.expire("alice")?;
    let pooler = vault.cluster.pooler(DATABASE, CONNECTIONS)?;
    // Late, so that every connection of the pool is waiting before the answer comes.
    vault
        .server
        .misbehave(Behaviour::Delay { ms: 3000 }, Some(1));
    let tokens = at_once_through(pooler.connection(), CLIENTS, |db| get_token(db, "alice"))?
        .into_iter()
        .collect::<std::result::Result<Vec<_>, _>>()?;
    assert_eq!(tokens.len(), CLIENTS);
    assert_ne!(tokens[0], old);
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(vault.who_is(&tokens[0])?, "alice");
    assert_eq!(vault.refreshes().len(), 1);
    let sessions: i64 = vault
        .db
        .query_one(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'",
            &[&DATABASE],
        )?
        .get(0);
    assert!(
        sessions <= i64::from(CONNECTIONS) + 1,
        "{sessions} real sessions"
    );
    vault.cluster.assert_never_crashed();
    Ok(())
}

/// A client that gives up frees its connection, whose next client finds nothing of it left.
#[test]
fn a11_a_connection_goes_on_to_the_next_client_after_a_wait_that_failed() -> Result<()> {
    let mut vault = Vault::start_with(
        &Options::new()
            .without_fsync()
            .set("token_vault.refresh_wait", "300ms"),
    )?;
    for subject in ["slow", "quick"] {
        vault.grant(subject)?;
        vault.expire(subject)?;
    }
    let pooler = vault.cluster.pooler(DATABASE, 1)?;
    vault
        .server
        .misbehave(Behaviour::Delay { ms: 2000 }, Some(1));
    let mut first = pooler.connection().connect(NoTls)?;
    let mut second = pooler.connection().connect(NoTls)?;
    assert_eq!(sqlstate(get_token(&mut first, "slow")), "TV033");
    // The outcome of the first client's request comes while the second one waits for its own.
    let quick = wait_for(
        "a token",
        LIMIT,
        || Ok(get_token(&mut second, "quick").ok()),
    )?;
    assert_eq!(vault.who_is(&quick)?, "quick");
    vault.wait_for_token("slow", "generation = 2")?;
    let slow = get_token(&mut second, "slow")?;
    assert_eq!(vault.who_is(&slow)?, "slow");
    assert_eq!(vault.refreshes().len(), 2);
    Ok(())
}
