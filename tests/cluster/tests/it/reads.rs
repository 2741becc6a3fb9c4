//! Reading a token writes nothing in the reader's session; when and how often it was read is known all the same.

use postgres::Client;
use token_vault_cluster::Result;
use token_vault_cluster::wait::wait_for_sql;

use crate::provider::{LIMIT, Vault};
use crate::session::get_token;

/// Waits until the subject's token counts so many reads.
fn wait_for_reads(db: &mut Client, subject: &str, reads: i64) -> Result<()> {
    let query = format!(
        "SELECT reads = {reads} AND last_used_at > now() - interval '1 min' FROM vault.tokens WHERE subject = '{subject}'"
    );
    wait_for_sql(db, &query, LIMIT)
}

#[test]
fn reads_are_counted_and_the_last_one_is_dated() -> Result<()> {
    let mut vault = Vault::start()?;
    for subject in ["alice", "bob", "carol"] {
        vault.grant(subject)?;
    }
    let unused: bool = vault
        .db
        .query_one(
            "SELECT bool_and(reads = 0 AND last_used_at IS NULL) FROM vault.tokens",
            &[],
        )?
        .get(0);
    assert!(unused);

    for _ in 0..3 {
        get_token(&mut vault.db, "alice")?;
    }
    vault.db.execute(
        "SELECT vault.authorization_header('acme', 'alice'), s.* FROM vault.get_token_set('acme', 'alice') AS s",
        &[],
    )?;
    get_token(&mut vault.session()?, "bob")?;
    // Neither of these hands a token out.
    vault.db.execute(
        "SELECT vault.has_token('acme', 'carol'), vault.is_valid('acme', 'carol'), vault.token_status('acme', 'carol')",
        &[],
    )?;
    wait_for_reads(&mut vault.db, "alice", 5)?;
    wait_for_reads(&mut vault.db, "bob", 1)?;
    let first: std::time::SystemTime = vault
        .db
        .query_one(
            "SELECT last_used_at FROM vault.tokens WHERE subject = 'alice'",
            &[],
        )?
        .get(0);

    // A later batch adds to the first, and carol has still not been used.
    get_token(&mut vault.db, "alice")?;
    wait_for_reads(&mut vault.db, "alice", 6)?;
    let row = vault.db.query_one(
        "SELECT last_used_at, (SELECT reads FROM vault.tokens WHERE subject = 'carol')
         FROM vault.tokens WHERE subject = 'alice'",
        &[],
    )?;
    assert!(row.get::<_, std::time::SystemTime>(0) > first);
    assert_eq!(row.get::<_, i64>(1), 0);
    Ok(())
}

#[test]
fn the_reader_itself_writes_nothing() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    let mut reader = vault.session()?;
    // A transaction that may not write reads as well, and is given no transaction id.
    let mut transaction = reader.build_transaction().read_only(true).start()?;
    let token: String = transaction
        .query_one("SELECT vault.get_token('acme', 'alice')", &[])?
        .get(0);
    assert!(!token.is_empty());
    let wrote: bool = transaction
        .query_one("SELECT pg_current_xact_id_if_assigned() IS NOT NULL", &[])?
        .get(0);
    assert!(!wrote);
    transaction.commit()?;
    wait_for_reads(&mut vault.db, "alice", 1)?;
    Ok(())
}

#[test]
fn a_deleted_token_that_was_read_disturbs_nobody() -> Result<()> {
    let mut vault = Vault::start()?;
    for subject in ["alice", "bob"] {
        vault.grant(subject)?;
    }
    get_token(&mut vault.db, "alice")?;
    vault
        .db
        .execute("SELECT vault.delete_token('acme', 'alice')", &[])?;
    get_token(&mut vault.db, "bob")?;
    wait_for_reads(&mut vault.db, "bob", 1)?;
    let warned = vault
        .cluster
        .log()?
        .contains("could not write when tokens were used");
    assert!(!warned);
    Ok(())
}

#[test]
fn a_restart_in_order_loses_no_read() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    for _ in 0..7 {
        get_token(&mut vault.db, "alice")?;
    }
    vault.cluster.restart(token_vault_cluster::StopMode::Fast)?;
    vault.db = vault.session()?;
    wait_for_reads(&mut vault.db, "alice", 7)
}
