//! Who holds the token's row: a session that holds it itself is told at once, everybody else waits no longer than
//! they said, and a standby, where nothing can be written, says so.

use postgres::{Client, Transaction};
use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Options, Result};

use crate::provider::{CLIENT, DATABASE, LIMIT, Vault};
use crate::session::{get_token, sqlstate};

const READ: &str = "SELECT vault.get_token('acme', 'alice')";

/// A vault with one token that has expired. A session that waited for itself would be cancelled long before its
/// wait is over.
fn start() -> Result<Vault> {
    let options = Options::new()
        .without_fsync()
        .set("max_prepared_transactions", "5")
        .set("statement_timeout", "8s")
        .set("token_vault.refresh_wait", "60s");
    let mut vault = Vault::start_with(&options)?;
    vault.grant("alice")?;
    vault.expire("alice")?;
    Ok(vault)
}

fn lock(transaction: &mut Transaction, strength: &str) -> Result<()> {
    transaction.execute(
        &format!("SELECT FROM vault.token WHERE subject = 'alice' FOR {strength}"),
        &[],
    )?;
    Ok(())
}

fn store_again(transaction: &mut Transaction) -> Result<()> {
    transaction.execute(
        "SELECT vault.store_token('acme', 'alice', access_token => 'at-1', refresh_token => 'rt-1', expires_in => 0)",
        &[],
    )?;
    Ok(())
}

#[test]
fn a_row_locked_by_the_session_itself_is_an_error_at_once() -> Result<()> {
    let mut vault = start()?;
    for strength in ["UPDATE", "NO KEY UPDATE", "SHARE"] {
        let mut transaction = vault.db.transaction()?;
        lock(&mut transaction, strength)?;
        let asked = transaction.query_one(READ, &[]);
        assert_eq!(sqlstate(asked), "TV036", "{strength}");
        transaction.rollback()?;
    }
    assert_eq!(vault.refreshes().len(), 0);
    get_token(&mut vault.db, "alice")?;
    Ok(())
}

#[test]
fn a_row_locked_in_a_savepoint_is_an_error_until_that_is_rolled_back() -> Result<()> {
    let mut vault = start()?;
    let mut transaction = vault.db.transaction()?;
    for change in [false, true] {
        let mut savepoint = transaction.savepoint("s")?;
        match change {
            true => store_again(&mut savepoint)?,
            false => lock(&mut savepoint, "UPDATE")?,
        }
        let mut inner = savepoint.savepoint("t")?;
        assert_eq!(sqlstate(inner.query_one(READ, &[])), "TV036", "{change}");
        inner.rollback()?;
        savepoint.rollback()?;
    }
    transaction.query_one(READ, &[])?;
    transaction.commit()?;
    assert_eq!(vault.refreshes().len(), 1);
    assert_eq!(vault.token("alice")?.generation, 2);
    Ok(())
}

#[test]
fn a_lock_outlives_the_savepoint_that_changed_the_row_after_it() -> Result<()> {
    let mut vault = start()?;
    let mut transaction = vault.db.transaction()?;
    lock(&mut transaction, "UPDATE")?;
    let mut savepoint = transaction.savepoint("s")?;
    store_again(&mut savepoint)?;
    savepoint.rollback()?;
    assert_eq!(sqlstate(transaction.query_one(READ, &[])), "TV036");
    transaction.rollback()?;
    get_token(&mut vault.db, "alice")?;
    Ok(())
}

#[test]
fn a_row_locked_together_with_another_session_is_an_error_at_once() -> Result<()> {
    let mut vault = start()?;
    let mut other = vault.session()?;
    let mut others = other.transaction()?;
    lock(&mut others, "SHARE")?;
    let mut transaction = vault.db.transaction()?;
    lock(&mut transaction, "SHARE")?;
    assert_eq!(sqlstate(transaction.query_one(READ, &[])), "TV036");
    transaction.rollback()?;
    others.rollback()?;
    get_token(&mut vault.db, "alice")?;
    Ok(())
}

/// `refresh_token` and the list of `refresh_due` know of such rows, too.
#[test]
fn refresh_token_and_refresh_due_do_not_wait_for_their_own_session() -> Result<()> {
    let mut vault = start()?;
    vault.grant_that_is_due("bob")?;
    vault.wait_for_token("bob", "generation = 2")?;
    let mut transaction = vault.db.transaction()?;
    lock(&mut transaction, "UPDATE")?;
    let mut savepoint = transaction.savepoint("s")?;
    let asked = savepoint.execute("SELECT vault.refresh_token('acme', 'alice')", &[]);
    assert_eq!(sqlstate(asked), "TV036");
    savepoint.rollback()?;
    let outcomes: Vec<(String, String)> = transaction
        .query(
            "SELECT subject, outcome FROM vault.refresh_due(within => '1 year') ORDER BY subject",
            &[],
        )?
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    transaction.rollback()?;
    let expected = [("alice", "pending"), ("bob", "refreshed")];
    assert_eq!(
        outcomes,
        expected.map(|(subject, outcome)| (subject.to_owned(), outcome.to_owned()))
    );
    Ok(())
}

#[test]
fn a_row_held_by_a_prepared_transaction_is_waited_for_no_longer_than_said() -> Result<()> {
    let mut vault = start()?;
    vault.db.batch_execute(
        "BEGIN; SELECT FROM vault.token WHERE subject = 'alice' FOR UPDATE; PREPARE TRANSACTION 'holder'",
    )?;
    let mut impatient = vault.session()?;
    impatient.batch_execute("SET token_vault.refresh_wait = '500ms'")?;
    assert_eq!(sqlstate(get_token(&mut impatient, "alice")), "TV033");
    // Another token is not held up by it.
    vault.grant("bob")?;
    vault.expire("bob")?;
    let token = get_token(&mut vault.db, "bob")?;
    assert_eq!(vault.who_is(&token)?, "bob");

    vault.db.batch_execute("COMMIT PREPARED 'holder'")?;
    vault.wait_for_token("alice", "generation = 2")?;
    let token = get_token(&mut impatient, "alice")?;
    assert_eq!(vault.who_is(&token)?, "alice");
    assert_eq!(vault.refreshes().len(), 2, "no answer was asked for again");
    Ok(())
}

#[test]
fn a13_a_standby_serves_what_is_valid_and_refuses_the_rest_at_once() -> Result<()> {
    let mut vault = start()?;
    let valid = vault.grant("bob")?;
    let standby = vault.cluster.standby(&Options::new().without_fsync())?;
    let mut there: Client = standby.connect(DATABASE, "postgres")?;
    there.batch_execute("SET token_vault.refresh_wait = '60s'; SET statement_timeout = '8s'")?;
    wait_for("the replay", LIMIT, || {
        let bob = there.query_one("SELECT vault.has_token('acme', 'bob')", &[])?;
        Ok(bob.get::<_, bool>(0).then_some(()))
    })?;
    assert_eq!(get_token(&mut there, "bob")?, valid);
    assert_eq!(sqlstate(get_token(&mut there, "alice")), "TV034");
    for statement in [
        "SELECT vault.refresh_token('acme', 'bob')",
        "SELECT * FROM vault.refresh_due(within => '1 year')",
    ] {
        assert_eq!(
            sqlstate(there.query(statement, &[])),
            "TV034",
            "{statement}"
        );
    }
    assert_eq!(vault.refreshes().len(), 0);

    // What the primary refreshes is served there, once it has arrived.
    let fresh = get_token(&mut vault.db, "alice")?;
    wait_for("the replay", LIMIT, || {
        let there = get_token(&mut there, "alice").ok();
        Ok(there.filter(|there| *there == fresh).map(drop))
    })?;

    // After promotion it refreshes by itself, and needs no restart for it.
    vault.register_at_provider(CLIENT, crate::provider::ROTATION_WITH_LEEWAY);
    vault
        .cluster
        .stop(token_vault_cluster::StopMode::Immediate)?;
    standby.promote()?;
    let mut there = standby.connect(DATABASE, "postgres")?;
    there.execute(
        "UPDATE vault.token SET expires_at = clock_timestamp() - interval '1 second' WHERE subject = 'alice'",
        &[],
    )?;
    let newer = get_token(&mut there, "alice")?;
    assert_ne!(newer, fresh);
    assert_eq!(vault.who_is(&newer)?, "alice");
    standby.assert_never_crashed();
    Ok(())
}
