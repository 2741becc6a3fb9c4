//! A14: a copy of the database must not refresh the original's grants, because with rotation that ends them.

use postgres::Client;
use token_vault_cluster::Result;
use token_vault_cluster::wait::wait_for;

use crate::provider::{LIMIT, Vault, refresher};
use crate::session::{get_token, refresh_token, sqlstate};

/// The state and advice of one line of `vault.status()`.
fn status(db: &mut Client, item: &str) -> Result<(String, Option<String>)> {
    let row = db.query_one(
        "SELECT state, advice FROM vault.status() WHERE item = $1",
        &[&item],
    )?;
    Ok((row.get(0), row.get(1)))
}

/// How many transactions have ended in this database.
fn transactions(db: &mut Client) -> Result<i64> {
    let query = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()";
    Ok(db.query_one(query, &[])?.get(0))
}

#[test]
fn a14_a_restored_dump_sends_nothing_until_it_is_adopted() -> Result<()> {
    let mut vault = Vault::start()?;
    let token = vault.grant("alice")?;
    vault.grant("bob")?;
    let dump = vault.cluster.pg_dump(crate::provider::DATABASE)?;
    vault.cluster.createdb("copy")?;
    vault.cluster.pg_restore("copy", &dump)?;

    let mut copy = vault.cluster.connect("copy", "postgres")?;
    let (state, advice) = status(&mut copy, "installation")?;
    assert!(state.contains("copy"), "{state}");
    assert!(
        advice
            .unwrap_or_default()
            .contains("vault.adopt_installation()")
    );
    copy.execute(
        "UPDATE vault.token SET expires_at = now() - interval '1 min' WHERE subject = 'bob'",
        &[],
    )?;
    copy.execute(
        "UPDATE vault.refresh_schedule SET due_at = now() - interval '1 min'",
        &[],
    )?;
    status(&mut copy, "refresher")?;
    refresher(&mut copy, "copy")?;
    wait_for("the worker's warning", LIMIT, || {
        let log = vault.cluster.log()?;
        Ok(log
            .contains("token_vault refreshes nothing here")
            .then_some(()))
    })?;
    // What is valid is served, and everything that would refresh says why it does not.
    assert_eq!(get_token(&mut copy, "alice")?, token);
    assert_eq!(sqlstate(get_token(&mut copy, "bob")), "TV034");
    assert_eq!(sqlstate(refresh_token(&mut copy, "alice")), "TV034");
    assert_eq!(
        sqlstate(copy.query("SELECT * FROM vault.refresh_due()", &[])),
        "TV034"
    );
    assert_eq!(vault.server.token_requests(), 0);
    // The original is not disturbed.
    assert_eq!(status(&mut vault.db, "installation")?.1, None);

    // Overdue tokens are no reason for it to keep looking.
    let before = transactions(&mut copy)?;
    copy.batch_execute("SELECT pg_sleep(2)")?;
    let made = transactions(&mut copy)? - before;
    assert!(made < 60, "{made} transactions in two seconds of waiting");

    copy.execute("SELECT vault.adopt_installation()", &[])?;
    assert_eq!(status(&mut copy, "installation")?.1, None);
    vault.wait_for_refreshes(2)?;
    let fresh = wait_for("bob's new token", LIMIT, || {
        Ok(get_token(&mut copy, "bob").ok())
    })?;
    assert_eq!(vault.who_is(&fresh)?, "bob");
    vault.cluster.assert_never_crashed();
    Ok(())
}
