//! Months: made ahead, dropped when they are old; the rest can still be verified.

use token_vault_cluster::Result;
use token_vault_cluster::wait::wait_for_sql;

use crate::audit_harness::{
    assert_whole, count, options, problems, read, start, wait_for_entries, wait_until_sealed,
    write_unsealed,
};
use crate::provider::LIMIT;

#[test]
fn partitions_are_made_ahead() -> Result<()> {
    let (_cluster, mut db) = start(&options())?;
    wait_for_sql(
        &mut db,
        "SELECT to_regclass('vault.audit_entry_' || to_char((now() AT TIME ZONE 'UTC') + interval '1 month', 'YYYY_MM')) IS NOT NULL",
        LIMIT,
    )?;
    read(&mut db, "ann")?;
    wait_for_entries(&mut db, "event = 'read'", 1)?;
    assert_whole(&mut db)
}

#[test]
fn default_privileges_open_no_partition() -> Result<()> {
    let (_cluster, mut db) = start(&options())?;
    let next = "'vault.audit_entry_' || to_char((now() AT TIME ZONE 'UTC') + interval '1 month', 'YYYY_MM')";
    let exists = format!("SELECT to_regclass({next}) IS NOT NULL");
    wait_for_sql(&mut db, &exists, LIMIT)?;
    db.batch_execute(&format!(
        "DO $$ BEGIN EXECUTE 'DROP TABLE ' || {next}; END $$;
         CREATE ROLE reporting;
         ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC, reporting;
         ALTER DEFAULT PRIVILEGES GRANT ALL ON TYPES TO PUBLIC, reporting;
         SELECT vault.audit_seal()"
    ))?;
    wait_for_sql(&mut db, &exists, LIMIT)?;
    let open: i64 = db
        .query_one(
            "SELECT count(*) FROM pg_class AS c JOIN pg_type AS t ON t.oid = c.reltype,
                 LATERAL (SELECT grantee FROM aclexplode(c.relacl)
                          UNION ALL SELECT grantee FROM aclexplode(coalesce(t.typacl, acldefault('T', t.typowner)))) AS a
             WHERE c.relname ~ '^audit_entry_[0-9]' AND c.relkind = 'r' AND a.grantee <> c.relowner",
            &[],
        )?
        .get(0);
    assert_eq!(open, 0);
    Ok(())
}

#[test]
fn what_is_old_is_dropped_and_the_rest_is_whole() -> Result<()> {
    let (cluster, mut db) = start(&options())?;
    // Places of an old month, of one that is kept, and of the default partition lie among each other.
    db.batch_execute(
        "CREATE TABLE vault.audit_entry_2020_01 PARTITION OF vault.audit_entry
             FOR VALUES FROM ('2020-01-01 00:00:00+00') TO ('2020-02-01 00:00:00+00')",
    )?;
    for round in 0..3 {
        for at in ["2020-01-15", "2019-05-05", "now"] {
            write_unsealed(&mut db, at, &format!("round {round}"), 5)?;
            // Each time is sealed by itself: together they would be in the order of their times.
            db.batch_execute("SELECT vault.audit_seal()")?;
        }
    }
    db.batch_execute("SELECT vault.audit_seal()")?;
    wait_until_sealed(&mut db)?;
    assert_eq!(count(&mut db, "subject LIKE 'round %'")?, 45);
    let head = db.query_one("SELECT position, mac FROM vault.audit_head()", &[])?;
    let (position, mac): (i64, String) = (head.get(0), head.get(1));

    db.batch_execute("ALTER SYSTEM SET token_vault.audit_retention = '365d'")?;
    cluster.reload()?;
    wait_for_sql(
        &mut db,
        "SELECT to_regclass('vault.audit_entry_2020_01') IS NULL AND (SELECT count(*) = 15 FROM vault.audit_log WHERE subject LIKE 'round %')",
        LIMIT,
    )?;
    wait_for_entries(&mut db, "event = 'audit_dropped'", 2)?;
    assert_whole(&mut db)?;
    let kept =
        format!("vault.audit_verify(expected_position => {position}, expected_mac => '{mac}')");
    assert_eq!(
        crate::audit_harness::problems_of(&mut db, &kept)?,
        Vec::<String>::new()
    );

    // Nobody else can say that something was old.
    db.batch_execute(
        "BEGIN; DELETE FROM vault.audit_entry WHERE position = (SELECT position FROM vault.audit_chain);
         INSERT INTO vault.audit_cut (first_position, last_position, last_mac, seal)
             SELECT position, position, mac, sha256('x') FROM vault.audit_chain",
    )?;
    let found = problems(&mut db)?;
    assert!(
        found
            .iter()
            .any(|problem| problem.starts_with("forged cut")),
        "{found:?}"
    );
    assert!(
        found.iter().any(|problem| problem.starts_with("missing")),
        "{found:?}"
    );
    db.batch_execute("ROLLBACK; BEGIN; DELETE FROM vault.audit_cut WHERE first_position = (SELECT min(first_position) FROM vault.audit_cut)")?;
    assert!(problems(&mut db)?[0].starts_with("missing"));
    db.batch_execute("ROLLBACK")?;
    assert_whole(&mut db)
}
