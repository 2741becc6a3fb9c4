//! Tables with encrypted columns that are changed, locked or dropped while it is their turn, or that refuse: the others
//! go on, and no change is lost.

use token_vault_cluster::Result;
use token_vault_cluster::wait::wait_for_sql;

use crate::keys::active_key;
use crate::provider::{DATABASE, LIMIT};
use crate::reencryption_columns::{assert_under, text};
use crate::reencryption_harness::{
    fast_vault, reencrypt, rotate, state_of, vault, wait_for_keys, wait_until_done,
    without_custodian,
};

#[test]
fn a_row_that_somebody_changes_meanwhile_keeps_the_change() -> Result<()> {
    let (cluster, mut db) = fast_vault()?;
    db.batch_execute(
        "CREATE TABLE hook (id integer, key vault.secret);
         INSERT INTO hook SELECT i, ('whsec_' || i)::text FROM generate_series(1, 100) AS i",
    )?;
    let mut holder = cluster.connect(DATABASE, "postgres")?;
    holder.batch_execute(
        "BEGIN;
         UPDATE hook SET key = 'changed'::text WHERE id = 1;
         UPDATE hook SET id = -2 WHERE id = 2;
         DELETE FROM hook WHERE id = 3;
         SELECT FROM hook WHERE id = 4 FOR UPDATE;
         SELECT FROM hook WHERE id = 5 FOR KEY SHARE",
    )?;
    rotate(&mut db, None)?;
    // All but rows 1 to 4, which the other session has locked.
    wait_for_sql(&mut db, "SELECT done = 96 FROM vault.reencryption", LIMIT)?;
    holder.batch_execute("COMMIT")?;
    wait_for_keys(&mut db, "destroyed", 1)?;
    let new = active_key(&mut db)?;
    assert_under(&mut db, &new, "hook", "key", 99)?;
    let rows = db.query(
        "SELECT id, vault.reveal(key) FROM hook WHERE id < 6 ORDER BY id",
        &[],
    )?;
    let rows: Vec<(i32, &str)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(
        rows,
        [
            (-2, "whsec_2"),
            (1, "changed"),
            (4, "whsec_4"),
            (5, "whsec_5")
        ]
    );
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_table_that_is_locked_and_changed_meanwhile_stops_no_other() -> Result<()> {
    let (cluster, mut db) = fast_vault()?;
    db.batch_execute(
        "CREATE TABLE locked (id integer, key vault.secret); INSERT INTO locked SELECT i, ('k' || i)::text FROM generate_series(1, 10) AS i;
         CREATE TABLE free (id integer, key vault.secret); INSERT INTO free SELECT i, ('f' || i)::text FROM generate_series(1, 10) AS i",
    )?;
    let old = active_key(&mut db)?;
    let mut holder = cluster.connect(DATABASE, "postgres")?;
    holder.batch_execute("BEGIN; ALTER TABLE locked ADD COLUMN more vault.secret")?;
    // By the custodian, and by a session, which waits no longer for it.
    for _ in 0..2 {
        let new = rotate(&mut db, None)?;
        wait_for_sql(
            &mut db,
            &format!(
                "SELECT count(*) = 10 FROM free WHERE encode(substr(vault.secret_send(key), 3, 8), 'hex') = '{new}'"
            ),
            LIMIT,
        )?;
        reencrypt(&mut db)?;
        assert_eq!(state_of(&mut db, &old)?, "retired");
    }
    let found = db.query(
        "SELECT relation, outcome FROM vault.verify() WHERE outcome <> 'ok'",
        &[],
    )?;
    let found: Vec<(&str, &str)> = found.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(found, [("public.locked", "not checked")]);
    holder.batch_execute("COMMIT")?;
    reencrypt(&mut db)?;
    reencrypt(&mut db)?;
    let new = active_key(&mut db)?;
    assert_under(&mut db, &new, "locked", "key", 10)?;
    assert_eq!(state_of(&mut db, &old)?, "destroyed");
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_table_that_is_dropped_when_it_is_its_turn_stops_no_other() -> Result<()> {
    let (_cluster, mut db) = vault(&without_custodian())?;
    db.batch_execute(
        "CREATE TABLE dropped (key vault.secret); INSERT INTO dropped VALUES ('d'::text);
         CREATE TABLE last (key vault.secret); INSERT INTO last VALUES ('l'::text)",
    )?;
    let new = rotate(&mut db, None)?;
    // The next batch would begin there.
    db.batch_execute(
        "UPDATE vault.reencryption_job SET total = 2, pass = 1, stage = 'columns', relation = 'dropped'::regclass;
         DROP TABLE dropped",
    )?;
    reencrypt(&mut db)?;
    assert_under(&mut db, &new, "last", "key", 1)?;
    wait_for_keys(&mut db, "destroyed", 1)
}

#[test]
fn a_table_that_refuses_is_named_and_the_others_go_on() -> Result<()> {
    let (cluster, mut db) = fast_vault()?;
    db.batch_execute(
        "CREATE TABLE first (id integer, key vault.secret); INSERT INTO first SELECT i, 'f'::text FROM generate_series(1, 10) AS i;
         CREATE TABLE refuses (id integer, key vault.secret); INSERT INTO refuses SELECT i, ('r' || i)::text FROM generate_series(1, 10) AS i;
         ALTER TABLE refuses ADD CHECK (id < 0) NOT VALID;
         CREATE TABLE last (id integer, key vault.secret); INSERT INTO last SELECT i, 'l'::text FROM generate_series(1, 10) AS i",
    )?;
    let old = active_key(&mut db)?;
    let new = rotate(&mut db, None)?;
    wait_until_done(&mut db)?;
    for _ in 0..2 {
        reencrypt(&mut db)?;
    }
    assert_under(&mut db, &new, "first", "key", 10)?;
    assert_under(&mut db, &new, "last", "key", 10)?;
    assert_under(&mut db, &old, "refuses", "key", 10)?;
    let row = db.query_one(
        "SELECT remaining, problems, problem FROM vault.reencryption",
        &[],
    )?;
    let told: (i64, i64, &str) = (row.get(0), row.get(1), row.get(2));
    assert_eq!(told, (10, 10, "public.refuses: SQLSTATE 23514"));
    let advice = text(
        &mut db,
        "SELECT coalesce(advice, '') FROM vault.status() WHERE item = 'data keys'",
    )?;
    assert!(
        advice.contains("10 values") && advice.contains("public.refuses"),
        "{advice}"
    );
    assert_eq!(state_of(&mut db, &old)?, "retired");
    let readable = "SELECT count(*) FROM refuses WHERE vault.reveal(key) = 'r' || id";
    assert_eq!(db.query_one(readable, &[])?.get::<_, i64>(0), 10);

    db.batch_execute("ALTER TABLE refuses DROP CONSTRAINT refuses_id_check")?;
    reencrypt(&mut db)?;
    assert_under(&mut db, &new, "refuses", "key", 10)?;
    assert_eq!(state_of(&mut db, &old)?, "destroyed");
    cluster.assert_never_crashed();
    Ok(())
}
