//! Whoever can write to the tables but has not the key can't change the log unnoticed.

use postgres::Client;
use token_vault_cluster::{Cluster, Result};

use crate::audit_harness::{
    assert_whole, options, problems, problems_of, read, start, wait_for_entries,
};

/// A whole chain of at least twenty entries.
fn chain() -> Result<(Cluster, Client)> {
    let (cluster, mut db) = start(&options())?;
    for _ in 0..20 {
        read(&mut db, "ann")?;
    }
    wait_for_entries(&mut db, "event = 'read'", 20)?;
    assert_whole(&mut db)?;
    Ok((cluster, db))
}

/// What is found after this was done to the tables; they are as before afterwards.
fn after(db: &mut Client, tampering: &str) -> Result<Vec<String>> {
    db.batch_execute("BEGIN")?;
    db.batch_execute(tampering)?;
    let found = problems(db)?;
    db.batch_execute("ROLLBACK")?;
    Ok(found)
}

#[test]
fn every_column_of_an_entry_is_sealed() -> Result<()> {
    let (_cluster, mut db) = chain()?;
    let changes = [
        "at = at + interval '1 microsecond'",
        "event = 'stored'",
        "login_role = 'web'",
        "role = NULL",
        "application_name = 'x'",
        "client_address = '10.0.0.1'",
        "tenant = 'blue'",
        "provider = 'other'",
        "subject = 'joe'",
        "label = 'x'",
        "reason = ''",
        "detail = '{}'",
        "mac = sha256('x')",
    ];
    for change in changes {
        let tampering = format!("UPDATE vault.audit_entry SET {change} WHERE position = 10");
        let found = after(&mut db, &tampering)?;
        assert!(
            found.contains(&"changed 10".to_owned()),
            "{change}: {found:?}"
        );
        assert!(found.len() <= 2, "{change}: {found:?}");
    }
    assert_whole(&mut db)
}

#[test]
fn entries_that_are_taken_away_swapped_or_planted_are_found() -> Result<()> {
    let (_cluster, mut db) = chain()?;
    let copy = "INSERT INTO vault.audit_entry (at, event, position, mac) SELECT at, event, ";
    let cases: [(&str, String, &[&str]); 8] = [
        ("one", "DELETE FROM vault.audit_entry WHERE position = 10".into(), &["missing 10"]),
        ("the first", "DELETE FROM vault.audit_entry WHERE position = 1".into(), &["missing 1"]),
        ("the last", "DELETE FROM vault.audit_entry WHERE position = (SELECT position FROM vault.audit_chain)".into(), &["missing"]),
        ("the gap closed", "DELETE FROM vault.audit_entry WHERE position = 10;
            UPDATE vault.audit_entry SET position = position - 1 WHERE position > 10".into(), &["changed 10", "missing"]),
        ("swapped", "UPDATE vault.audit_entry SET position = 21 - position WHERE position IN (10, 11)".into(), &["changed 10", "changed 11"]),
        ("a copy", format!("{copy} position, mac FROM vault.audit_entry WHERE position = 10"), &["inserted 10"]),
        ("before all", format!("{copy} 0, mac FROM vault.audit_entry WHERE position = 10"), &["inserted 0"]),
        ("behind all", format!("{copy} 1000000, mac FROM vault.audit_entry WHERE position = 10"), &["inserted"]),
    ];
    for (case, tampering, expected) in cases {
        let found = after(&mut db, &tampering)?;
        for problem in expected {
            assert!(
                found.iter().any(|found| found.starts_with(problem)),
                "{case}: {found:?}"
            );
        }
    }
    let all = after(&mut db, "TRUNCATE vault.audit_entry")?;
    assert_eq!(all, ["missing 1"]);
    assert_whole(&mut db)
}

#[test]
fn a_tail_that_goes_with_its_head_is_missed_by_whoever_has_kept_the_head() -> Result<()> {
    let (_cluster, mut db) = chain()?;
    let head = db.query_one("SELECT position, mac FROM vault.audit_head()", &[])?;
    let (position, mac): (i64, String) = (head.get(0), head.get(1));
    let kept =
        format!("vault.audit_verify(expected_position => {position}, expected_mac => '{mac}')");
    assert_eq!(problems_of(&mut db, &kept)?, Vec::<String>::new());
    // The head of five entries ago is a true one.
    db.batch_execute(
        "BEGIN;
         UPDATE vault.audit_chain AS c SET position = e.position, mac = e.mac
         FROM vault.audit_entry AS e WHERE e.position = c.position - 5;
         DELETE FROM vault.audit_entry WHERE position > (SELECT position FROM vault.audit_chain)",
    )?;
    assert_eq!(problems(&mut db)?, Vec::<String>::new());
    assert_eq!(
        problems_of(&mut db, &kept)?,
        [format!("tail missing {position}")]
    );
    db.batch_execute("ROLLBACK")?;
    // New entries behind a cut-off tail have its places, but not its codes.
    let other = format!("vault.audit_verify(expected_position => 5, expected_mac => '{mac}')");
    assert_eq!(problems_of(&mut db, &other)?, ["expected code not found 5"]);
    Ok(())
}

#[test]
fn a_part_can_be_verified() -> Result<()> {
    let (_cluster, mut db) = chain()?;
    db.batch_execute("UPDATE vault.audit_entry SET subject = 'joe' WHERE position = 10")?;
    let part = |from: i64, until: i64| format!("vault.audit_verify({from}, {until})");
    assert_eq!(problems_of(&mut db, &part(1, 9))?, Vec::<String>::new());
    assert_eq!(problems_of(&mut db, &part(5, 15))?, ["changed 10"]);
    assert_eq!(problems_of(&mut db, &part(11, 15))?, Vec::<String>::new());
    let row = db.query_one(
        "SELECT entries, first_position, last_position FROM vault.audit_verify(11, 15)",
        &[],
    )?;
    assert_eq!(
        (
            row.get::<_, i64>(0),
            row.get::<_, i64>(1),
            row.get::<_, i64>(2)
        ),
        (5, 11, 15)
    );
    Ok(())
}

#[test]
fn both_keys_can_be_rotated() -> Result<()> {
    let (cluster, mut db) = chain()?;
    db.batch_execute("SELECT vault.rotate_key()")?;
    db.batch_execute("CALL vault.reencrypt()")?;
    read(&mut db, "ann")?;
    assert_whole(&mut db)?;
    // Another master key: the old file is the previous one.
    let old = cluster.master_key_file();
    let new = old.with_file_name("next.key");
    db.batch_execute(&format!(
        "ALTER SYSTEM SET token_vault.previous_master_key_file = '{}'",
        old.display()
    ))?;
    db.batch_execute(&format!(
        "ALTER SYSTEM SET token_vault.master_key_file = '{}'",
        new.display()
    ))?;
    cluster.reload()?;
    let mut db =
        token_vault_cluster::wait::wait_for("the setting", crate::provider::LIMIT, || {
            let mut db = cluster.connect("app", "postgres")?;
            let file: String = db
                .query_one("SHOW token_vault.master_key_file", &[])?
                .get(0);
            Ok(file.ends_with("next.key").then_some(db))
        })?;
    db.batch_execute("SELECT vault.rotate_master_key()")?;
    std::fs::remove_file(&old)?;
    let mut db = cluster.connect("app", "postgres")?;
    read(&mut db, "ann")?;
    wait_for_entries(&mut db, "event = 'read'", 22)?;
    assert_whole(&mut db)
}

#[test]
fn many_reads_at_once_share_a_place_that_is_sealed_as_well() -> Result<()> {
    let (_cluster, mut db) = start(&options())?;
    let many = "SELECT count(vault.get_token('acme', 'ann')) FROM generate_series(1, 300)";
    db.batch_execute(many)?;
    wait_for_entries(&mut db, "event = 'read' AND subject = 'ann'", 300)?;
    assert_whole(&mut db)?;
    let rows = db.query(
        "SELECT position, octet_length(batch) FROM vault.audit_entry WHERE batch IS NOT NULL",
        &[],
    )?;
    assert!(!rows.is_empty(), "no crowd");
    let (position, length): (i64, i32) = (rows[0].get(0), rows[0].get(1));
    for byte in [0, length / 2, length - 1] {
        let tampering = format!(
            "UPDATE vault.audit_entry SET batch = set_byte(batch, {byte}, get_byte(batch, {byte}) # 1) WHERE position = {position}"
        );
        assert_eq!(
            after(&mut db, &tampering)?,
            [format!("changed {position}")],
            "{byte}"
        );
    }
    let gone = format!("UPDATE vault.audit_entry SET batch = NULL WHERE position = {position}");
    assert_eq!(after(&mut db, &gone)?, [format!("changed {position}")]);
    // Whoever may see them sees each of them.
    db.batch_execute("SET ROLE web")?;
    let seen: i64 = db
        .query_one(
            "SELECT count(*) FROM vault.audit_log WHERE event = 'read'",
            &[],
        )?
        .get(0);
    assert_eq!(seen, 300);
    Ok(())
}
