//! What happens to a token while its refresh is under way wins over the answer, and no answer is ever dropped.

use postgres::Client;
use token_vault_cluster::Result;
use token_vault_cluster::wait::wait_for;
use token_vault_oauth_server::Behaviour;

use crate::provider::{LIMIT, Vault};
use crate::session::{get_token, refresh_token, sqlstate};

/// Long enough for a few statements while the answer is under way.
const UNDER_WAY: Behaviour = Behaviour::Delay { ms: 1500 };

/// Asks for the subject's refresh in a session of its own, does `meanwhile` once the provider has processed the
/// request, and returns what the session got when the answer had come.
fn during_the_refresh<T: Send>(
    vault: &mut Vault,
    ask: impl FnOnce(&mut Client) -> T + Send,
    meanwhile: impl FnOnce(&mut Vault) -> Result<()>,
) -> Result<T> {
    vault.server.misbehave(UNDER_WAY, Some(1));
    let mut session = vault.session()?;
    std::thread::scope(|scope| {
        let asking = scope.spawn(move || ask(&mut session));
        let done = vault.wait_for_refreshes(1).and_then(|_| meanwhile(vault));
        let result = asking.join().expect("the session's thread");
        done.map(|()| result)
    })
}

/// Stores another grant of alice's while her token is refreshed: the session that waits is handed that one.
fn store_during_the_refresh(vault: &mut Vault) -> Result<String> {
    let mut stored = String::new();
    let got = during_the_refresh(
        vault,
        |db| get_token(db, "alice"),
        |vault| {
            stored = vault.grant("alice")?;
            Ok(())
        },
    )?;
    assert_eq!(got?, stored);
    Ok(stored)
}

#[test]
fn a10_a_token_stored_again_while_it_is_refreshed_wins() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    vault.expire("alice")?;
    let stored = store_during_the_refresh(&mut vault)?;
    assert_eq!(get_token(&mut vault.db, "alice")?, stored);
    let token = vault.token("alice")?;
    assert_eq!(
        (token.generation, &*token.status, token.last_error),
        (2, "valid", None)
    );

    // The next refresh belongs to the new grant, and nothing was lost of it.
    refresh_token(&mut vault.db, "alice")?;
    let families: Vec<_> = vault.refreshes().iter().map(|entry| entry.family).collect();
    assert_eq!(families, [Some(0), Some(1)]);
    let fresh = get_token(&mut vault.db, "alice")?;
    assert_eq!(vault.who_is(&fresh)?, "alice");
    Ok(())
}

#[test]
fn a2_a_refused_refresh_does_not_condemn_a_token_stored_meanwhile() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    vault.expire("alice")?;
    assert!(vault.server.revoke_family(0));
    store_during_the_refresh(&mut vault)?;
    let token = vault.token("alice")?;
    assert_eq!(
        (&*token.status, token.last_error, token.is_scheduled),
        ("valid", None, true)
    );
    Ok(())
}

#[test]
fn a17_a_token_deleted_while_it_is_refreshed_stays_deleted() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    vault.expire("alice")?;
    let got = during_the_refresh(
        &mut vault,
        |db| get_token(db, "alice"),
        |vault| {
            let deleted = vault
                .db
                .query_one("SELECT vault.delete_token('acme', 'alice')", &[])?;
            assert!(deleted.get::<_, bool>(0));
            Ok(())
        },
    )?;
    assert_eq!(sqlstate(got), "TV035");
    let rows: i64 = vault
        .db
        .query_one(
            "SELECT (SELECT count(*) FROM vault.token) + (SELECT count(*) FROM vault.refresh_schedule)",
            &[],
        )?
        .get(0);
    assert_eq!(rows, 0);
    Ok(())
}

#[test]
fn a_refresh_asked_for_twice_is_sent_once() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    let mut second = None;
    let first = during_the_refresh(
        &mut vault,
        |db| refresh_token(db, "alice"),
        |vault| {
            second = Some(refresh_token(&mut vault.db, "alice"));
            Ok(())
        },
    )?;
    first?;
    second.expect("asked")?;
    assert_eq!(vault.refreshes().len(), 1);
    assert_eq!(vault.token("alice")?.generation, 2);
    Ok(())
}

/// Waits until the refresher has an answer that it can't write.
fn wait_for_unwritten_answer(vault: &Vault) -> Result<()> {
    wait_for("the worker's warning", LIMIT, || {
        let log = vault.cluster.log()?;
        Ok(log
            .contains("could not write the outcome of attempt")
            .then_some(()))
    })
}

#[test]
fn a6_an_answer_that_cannot_be_written_is_kept_until_it_can() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    vault.expire("alice")?;
    let mut holder = vault.session()?;
    let mut lock = holder.transaction()?;
    lock.execute("SELECT 1 FROM vault.token FOR UPDATE", &[])?;
    vault
        .db
        .batch_execute("SET token_vault.refresh_wait = '200ms'")?;
    assert_eq!(sqlstate(get_token(&mut vault.db, "alice")), "TV033");
    wait_for_unwritten_answer(&vault)?;
    // Who asks meanwhile does not have the spent refresh token sent once more.
    assert_eq!(sqlstate(get_token(&mut vault.db, "alice")), "TV033");
    lock.rollback()?;
    vault.wait_for_token("alice", "generation = 2")?;
    let fresh = get_token(&mut vault.db, "alice")?;
    assert_eq!(vault.who_is(&fresh)?, "alice");
    assert_eq!(vault.refreshes().len(), 1);
    Ok(())
}

#[test]
fn a_locked_token_holds_up_no_other() -> Result<()> {
    let mut vault = Vault::start()?;
    for subject in ["locked", "free"] {
        vault.grant(subject)?;
        vault.expire(subject)?;
    }
    let mut holder = vault.session()?;
    let mut lock = holder.transaction()?;
    lock.execute(
        "SELECT 1 FROM vault.token WHERE subject = 'locked' FOR UPDATE",
        &[],
    )?;
    let mut impatient = vault.session()?;
    impatient.batch_execute("SET token_vault.refresh_wait = '200ms'")?;
    assert_eq!(sqlstate(get_token(&mut impatient, "locked")), "TV033");
    wait_for_unwritten_answer(&vault)?;
    vault
        .db
        .batch_execute("SET token_vault.refresh_wait = '30s'")?;
    get_token(&mut vault.db, "free")?;
    assert_eq!(vault.token("locked")?.generation, 1);
    lock.rollback()?;
    vault.wait_for_token("locked", "generation = 2")?;
    Ok(())
}
