//! Whoever asks for a token that has expired waits for its refresh: any transaction may, many may at once, and
//! none waits for ever.

use std::time::Duration;

use postgres::NoTls;
use token_vault_cluster::Result;
use token_vault_cluster::wait::wait_for_sql;
use token_vault_oauth_server::Behaviour;

use crate::provider::{LIMIT, Vault};
use crate::session::{at_once, get_token, sqlstate};

/// Much longer than any statement of these tests may take.
const SLOW: Duration = Duration::from_secs(3);

/// The provider's next answer comes late; the request is processed at once.
fn answer_late(vault: &Vault) {
    let ms = SLOW.as_millis() as u64;
    vault.server.misbehave(Behaviour::Delay { ms }, Some(1));
}

#[test]
fn get_token_of_an_expired_token_waits_in_any_transaction() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.db.batch_execute("CREATE TABLE note (text text)")?;
    let mut token = vault.grant("alice")?;
    let levels = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"];
    for (done, level) in levels.into_iter().enumerate() {
        vault.expire("alice")?;
        let mut transaction = vault.db.transaction()?;
        // Its snapshot is older than the refresh, and it has written something.
        transaction.batch_execute(&format!(
            "SET TRANSACTION ISOLATION LEVEL {level}; SELECT count(*) FROM pg_class; INSERT INTO note VALUES ('{level}')"
        ))?;
        let read = "SELECT vault.get_token('acme', 'alice')";
        let fresh: String = transaction.query_one(read, &[])?.get(0);
        assert_ne!(fresh, token, "{level}");
        let again: String = transaction.query_one(read, &[])?.get(0);
        assert_eq!(fresh, again, "{level}");
        transaction.commit()?;
        assert_eq!(vault.refreshes().len(), done + 1, "{level}");
        assert_eq!(vault.who_is(&fresh)?, "alice");
        token = fresh;
    }
    let notes: i64 = vault.db.query_one("SELECT count(*) FROM note", &[])?.get(0);
    assert_eq!(notes, 3);
    Ok(())
}

#[test]
fn a1_thirty_sessions_that_ask_at_once_cause_one_request() -> Result<()> {
    let mut vault = Vault::start()?;
    let old = vault.grant("alice")?;
    vault.expire("alice")?;
    // Late, so that all of them have to wait.
    vault
        .server
        .misbehave(Behaviour::Delay { ms: 500 }, Some(1));
    let tokens = at_once(&vault.cluster, 30, |db| get_token(db, "alice"))?
        .into_iter()
        .collect::<std::result::Result<Vec<_>, _>>()?;
    assert_eq!(vault.refreshes().len(), 1);
    assert_ne!(tokens[0], old);
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(vault.who_is(&tokens[0])?, "alice");
    assert_eq!(vault.token("alice")?.generation, 2);
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a11_a_waiter_that_gives_up_does_not_take_the_refresh_along() -> Result<()> {
    let mut vault = Vault::start()?;
    let cases = [
        ("timeout", "SET statement_timeout = '300ms'", "57014"),
        ("wait", "SET token_vault.refresh_wait = '300ms'", "TV033"),
        ("no-wait", "SET token_vault.refresh_wait = 0", "TV033"),
    ];
    for (subject, setting, expected) in cases {
        vault.grant(subject)?;
        vault.expire(subject)?;
        answer_late(&vault);
        let mut session = vault.session()?;
        session.batch_execute(setting)?;
        assert_eq!(
            sqlstate(get_token(&mut session, subject)),
            expected,
            "{setting}"
        );
        let generation = vault.token(subject)?.generation;
        assert_eq!(generation, 1, "{setting}: it waited for the answer");
        // The session is as good as before, and the answer comes for everybody else.
        session.batch_execute("SELECT 1")?;
        vault.wait_for_token(subject, "generation = 2")?;
    }
    assert_eq!(vault.refreshes().len(), cases.len());
    Ok(())
}

#[test]
fn a11_a_cancelled_waiter_leaves_the_others_waiting() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    vault.expire("alice")?;
    answer_late(&vault);
    let sessions = [vault.session()?, vault.session()?];
    let cancel = sessions[0].cancel_token();
    let [cancelled, patient] = std::thread::scope(|scope| {
        let waiting = sessions.map(|mut db| scope.spawn(move || get_token(&mut db, "alice")));
        let both_wait = "SELECT count(*) = 2 FROM pg_stat_activity
             WHERE query LIKE 'SELECT vault.get_token%' AND state = 'active' AND wait_event_type = 'Extension'";
        let begun = wait_for_sql(&mut vault.db, both_wait, LIMIT);
        let cancelled = cancel.cancel_query(NoTls);
        let results = waiting.map(|thread| thread.join().expect("the session's thread"));
        begun.and(cancelled.map_err(Into::into)).map(|()| results)
    })?;
    assert_eq!(sqlstate(cancelled), "57014");
    assert_eq!(patient?, get_token(&mut vault.db, "alice")?);
    assert_eq!(vault.refreshes().len(), 1);
    Ok(())
}

#[test]
fn a_transaction_that_has_changed_the_token_is_told_at_once() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    let answer = vault
        .server
        .issue(crate::provider::CLIENT, "alice", "profile");
    let mut session = vault.session()?;
    // If it waited for itself, it would be cancelled long before the wait is over.
    session.batch_execute("SET token_vault.refresh_wait = '60s'; SET statement_timeout = '8s'")?;
    let mut transaction = session.transaction()?;
    transaction.execute(
        "SELECT vault.store_token('acme', 'alice', access_token => 'at-1', refresh_token => $1, expires_in => 0)",
        &[&answer["refresh_token"].as_str()],
    )?;
    let asked = transaction.query_one("SELECT vault.get_token('acme', 'alice')", &[]);
    assert_eq!(sqlstate(asked), "TV036");
    transaction.rollback()?;
    assert_eq!(vault.refreshes().len(), 0);
    get_token(&mut session, "alice")?;
    Ok(())
}

/// Ends a session that waits for alice's refresh, once the provider has been asked.
pub fn terminate_while_it_waits(vault: &mut Vault) -> Result<()> {
    let mut session = vault.session()?;
    let pid: i32 = session.query_one("SELECT pg_backend_pid()", &[])?.get(0);
    let ended = std::thread::scope(|scope| {
        let waiting = scope.spawn(move || get_token(&mut session, "alice"));
        let asked = vault.wait_for_refreshes(1);
        let terminated = vault.db.execute("SELECT pg_terminate_backend($1)", &[&pid]);
        let ended = waiting.join().expect("the session's thread");
        asked.and(terminated.map_err(Into::into)).map(|_| ended)
    })?;
    assert!(ended.is_err());
    Ok(())
}

#[test]
fn a_session_that_ends_while_it_waits_leaves_nothing_behind() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    vault.expire("alice")?;
    answer_late(&vault);
    terminate_while_it_waits(&mut vault)?;
    vault.wait_for_token("alice", "generation = 2")?;
    let fresh = get_token(&mut vault.db, "alice")?;
    assert_eq!(vault.who_is(&fresh)?, "alice");
    vault.cluster.assert_never_crashed();
    Ok(())
}
