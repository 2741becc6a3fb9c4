//! What a transaction writes into the audit log, until it is sealed.

use token_vault_cluster::Result;

use crate::audit_harness::{
    assert_whole, count, options, problems, start, wait_for_entries, wait_until_sealed,
};
use crate::session::sqlstate;

/// Stores a token for each of so many users.
fn store(number: usize) -> String {
    format!(
        "SELECT vault.store_token('acme', 'user-' || n, access_token => 'at-' || n) FROM generate_series(1, {number}) AS n"
    )
}

#[test]
fn many_changes_at_once_share_a_place() -> Result<()> {
    let (_cluster, mut db) = start(&options())?;
    wait_until_sealed(&mut db)?;
    db.batch_execute(&store(500))?;
    wait_until_sealed(&mut db)?;
    wait_for_entries(&mut db, "event = 'stored' AND subject LIKE 'user-%'", 500)?;
    let places: i64 = db
        .query_one(
            "SELECT count(DISTINCT position) FROM vault.audit_log WHERE subject LIKE 'user-%'",
            &[],
        )?
        .get(0);
    assert!(places < 10, "{places}");
    assert_whole(&mut db)
}

#[test]
fn what_is_rolled_back_was_not_and_what_is_not_sealed_is_seen() -> Result<()> {
    let (_cluster, mut db) = start(&options().not_preloaded())?;
    db.batch_execute(&format!("BEGIN; {}; ROLLBACK", store(3)))?;
    assert_eq!(count(&mut db, "subject LIKE 'user-%'")?, 0);
    db.batch_execute(&format!("BEGIN; {}; COMMIT", store(3)))?;
    // Nobody seals here before he is asked to.
    assert_eq!(
        count(
            &mut db,
            "subject LIKE 'user-%' AND position IS NULL AND mac IS NULL"
        )?,
        3
    );
    db.batch_execute("SELECT vault.audit_seal()")?;
    assert_eq!(
        count(&mut db, "subject LIKE 'user-%' AND position IS NOT NULL")?,
        3
    );
    assert_whole(&mut db)
}

/// Rows are added without a plan only where nobody would have to be told of it.
#[test]
fn an_index_or_a_trigger_on_the_table_counts() -> Result<()> {
    let (_cluster, mut db) = start(&options().not_preloaded())?;
    db.batch_execute(
        "CREATE TABLE told (entries bytea);
         CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN INSERT INTO public.told VALUES (NEW.entries); RETURN NEW; END $$;
         CREATE TRIGGER tell AFTER INSERT ON vault.audit_unsealed FOR EACH ROW EXECUTE FUNCTION tell();
         CREATE INDEX ON vault.audit_unsealed (entries)",
    )?;
    db.batch_execute(&store(3))?;
    let row = db.query_one(
        "SELECT (SELECT count(*) FROM told), (SELECT count(*) FROM vault.audit_unsealed WHERE entries = ANY (SELECT entries FROM told))",
        &[],
    )?;
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (3, 3));
    db.batch_execute("SELECT vault.audit_seal()")?;
    assert_whole(&mut db)
}

#[test]
fn an_entry_that_is_spoilt_before_it_is_sealed_leaves_that_behind() -> Result<()> {
    let (_cluster, mut db) = start(&options().not_preloaded())?;
    db.batch_execute(&store(3))?;
    db.batch_execute(
        "UPDATE vault.audit_unsealed SET entries = substr(entries, 1, octet_length(entries) - 1)
         WHERE ctid = (SELECT max(ctid) FROM vault.audit_unsealed)",
    )?;
    db.batch_execute("SELECT vault.audit_seal()")?;
    assert_eq!(count(&mut db, "event = 'audit_unreadable'")?, 1);
    assert_eq!(count(&mut db, "subject LIKE 'user-%'")?, 2);
    assert_eq!(problems(&mut db)?, Vec::<String>::new());
    assert_whole(&mut db)
}

#[test]
fn a_transaction_that_may_not_write_writes_no_entry() -> Result<()> {
    let (_cluster, mut db) = start(&options())?;
    db.batch_execute("BEGIN READ ONLY")?;
    assert_eq!(sqlstate(db.batch_execute(&store(1))), "25006");
    db.batch_execute("ROLLBACK")?;
    assert_eq!(count(&mut db, "subject LIKE 'user-%'")?, 0);
    Ok(())
}
