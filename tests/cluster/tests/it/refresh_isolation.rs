//! A refresh belongs to no transaction: it can be waited for in the oddest places of one, and no rollback takes it back.

use token_vault_cluster::Result;

use crate::provider::Vault;
use crate::session::{get_token, sqlstate};

const READ: &str = "SELECT vault.get_token('acme', 'alice')";

/// A vault with one token that has expired, and its old access token.
fn start() -> Result<(Vault, String)> {
    let mut vault = Vault::start()?;
    let old = vault.grant("alice")?;
    vault.expire("alice")?;
    vault.db.batch_execute("CREATE TABLE note (text text)")?;
    Ok((vault, old))
}

#[test]
fn g9_a_rollback_after_the_refresh_loses_nothing() -> Result<()> {
    let (mut vault, old) = start()?;
    let mut transaction = vault.db.transaction()?;
    transaction.batch_execute("INSERT INTO note VALUES ('before')")?;
    let mut savepoint = transaction.savepoint("s")?;
    savepoint.batch_execute("INSERT INTO note VALUES ('within')")?;
    let fresh: String = savepoint.query_one(READ, &[])?.get(0);
    savepoint.rollback()?;
    let again: String = transaction.query_one(READ, &[])?.get(0);
    transaction.rollback()?;
    assert_ne!(fresh, old);
    assert_eq!(again, fresh);
    assert_eq!(get_token(&mut vault.db, "alice")?, fresh);
    assert_eq!(get_token(&mut vault.session()?, "alice")?, fresh);
    assert_eq!(vault.who_is(&fresh)?, "alice");
    assert_eq!(vault.refreshes().len(), 1);
    Ok(())
}

#[test]
fn a_read_only_transaction_may_wait_for_a_refresh() -> Result<()> {
    let (mut vault, mut token) = start()?;
    for mode in [
        "READ ONLY",
        "ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE",
    ] {
        vault.expire("alice")?;
        let mut transaction = vault.db.transaction()?;
        transaction.batch_execute(&format!(
            "SET TRANSACTION {mode}; SELECT count(*) FROM note"
        ))?;
        let fresh: String = transaction.query_one(READ, &[])?.get(0);
        transaction.commit()?;
        assert_ne!(fresh, token, "{mode}");
        token = fresh;
    }
    assert_eq!(vault.refreshes().len(), 2);
    Ok(())
}

#[test]
fn a_function_may_catch_the_timeout_and_try_again() -> Result<()> {
    let (mut vault, old) = start()?;
    vault.db.batch_execute(
        "CREATE FUNCTION patient_get_token() RETURNS text LANGUAGE plpgsql AS $$
         BEGIN
             LOOP
                 BEGIN
                     INSERT INTO note VALUES ('try');
                     RETURN vault.get_token('acme', 'alice');
                 EXCEPTION WHEN SQLSTATE 'TV033' THEN
                     PERFORM pg_sleep(0.05);
                 END;
             END LOOP;
         END $$;
         SET token_vault.refresh_wait = '20ms'; SET statement_timeout = '60s'",
    )?;
    vault.server.misbehave(
        token_vault_oauth_server::Behaviour::Delay { ms: 500 },
        Some(1),
    );
    let fresh: String = vault
        .db
        .query_one("SELECT patient_get_token()", &[])?
        .get(0);
    assert_ne!(fresh, old);
    let notes: i64 = vault.db.query_one("SELECT count(*) FROM note", &[])?.get(0);
    assert_eq!(notes, 1, "those of the failed tries were taken back");
    assert_eq!(vault.refreshes().len(), 1);
    Ok(())
}

/// Every row of the cursor waits for a refresh of its own, the last ones while the transaction commits.
#[test]
fn a_cursor_waits_row_by_row_and_a_held_one_at_commit() -> Result<()> {
    const SUBJECTS: [&str; 4] = ["alice", "bob", "carol", "dave"];
    let (mut vault, _) = start()?;
    for subject in &SUBJECTS[1..] {
        vault.grant(subject)?;
        vault.expire(subject)?;
    }
    let mut transaction = vault.db.transaction()?;
    transaction.batch_execute(
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
         DECLARE tokens CURSOR WITH HOLD FOR
             SELECT subject, vault.get_token('acme', subject) FROM vault.tokens ORDER BY subject",
    )?;
    let mut rows = Vec::new();
    for _ in 0..2 {
        rows.extend(transaction.query("FETCH tokens", &[])?);
    }
    transaction.commit()?;
    let number_of_requests = vault.refreshes().len();
    rows.extend(vault.db.query("FETCH ALL tokens", &[])?);
    let subjects: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(subjects, SUBJECTS);
    for row in &rows {
        assert_eq!(vault.who_is(row.get(1))?, row.get::<_, &str>(0));
    }
    assert_eq!(number_of_requests, SUBJECTS.len());
    Ok(())
}

#[test]
fn a_trigger_may_wait_also_when_it_is_deferred_to_the_commit() -> Result<()> {
    let (mut vault, old) = start()?;
    vault.grant("bob")?;
    vault.expire("bob")?;
    vault.db.batch_execute(
        "CREATE TABLE call (subject text, digest text);
         CREATE TABLE audited (subject text, digest text);
         CREATE FUNCTION before_call() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN NEW.digest := md5(vault.get_token('acme', NEW.subject)); RETURN NEW; END $$;
         CREATE FUNCTION after_call() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN INSERT INTO audited VALUES ('bob', md5(vault.get_token('acme', 'bob'))); RETURN NULL; END $$;
         CREATE TRIGGER early BEFORE INSERT ON call FOR EACH ROW EXECUTE FUNCTION before_call();
         CREATE CONSTRAINT TRIGGER late AFTER INSERT ON call DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION after_call()",
    )?;
    let mut transaction = vault.db.transaction()?;
    transaction.batch_execute("INSERT INTO call VALUES ('alice')")?;
    assert_eq!(vault.server.token_requests(), 1, "bob's is deferred");
    transaction.commit()?;
    assert_ne!(get_token(&mut vault.db, "alice")?, old);
    let both_right: bool = vault
        .db
        .query_one(
            "SELECT count(*) = 2 AND bool_and(digest = md5(vault.get_token('acme', subject)))
             FROM (TABLE call UNION ALL TABLE audited) AS written",
            &[],
        )?
        .get(0);
    assert!(both_right);
    assert_eq!(vault.refreshes().len(), 2);
    Ok(())
}

/// Waiting is over when the transaction's time is.
#[test]
fn a11_a_transaction_that_is_aborted_can_be_ended_and_another_begun() -> Result<()> {
    let (mut vault, _) = start()?;
    vault.server.misbehave(
        token_vault_oauth_server::Behaviour::Delay { ms: 2000 },
        Some(1),
    );
    let mut transaction = vault.db.transaction()?;
    transaction.batch_execute("SET LOCAL statement_timeout = '200ms'")?;
    assert_eq!(sqlstate(transaction.query_one(READ, &[])), "57014");
    assert_eq!(sqlstate(transaction.query_one("SELECT 1", &[])), "25P02");
    transaction.rollback()?;
    let fresh = get_token(&mut vault.db, "alice")?;
    assert_eq!(vault.who_is(&fresh)?, "alice");
    assert_eq!(vault.refreshes().len(), 1);
    Ok(())
}
