//! Encrypted columns in users' tables come under the active key, whatever the tables are like, and read the same.
//!
//! Beside this file: `reencryption_owners` (what owners have tied to their tables), `reencryption_tables` (tables that
//! are in use, or refuse).

use std::collections::HashMap;

use postgres::Client;
use token_vault_cluster::{Options, Result};

use crate::keys::active_key;
use crate::reencryption_harness::{
    fast_vault, rotate, state_of, verified, wait_for_keys, wait_until_done, without_custodian,
};
use crate::session::sqlstate;

/// Who seals the values again; what owners have tied to their tables must not notice any difference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    Custodian,
    /// A superuser's, which calls for it.
    Session,
}

pub const WORKERS: [By; 2] = [By::Custodian, By::Session];

impl By {
    pub fn options(self) -> Options {
        match self {
            By::Custodian => Options::new().without_fsync(),
            By::Session => without_custodian(),
        }
    }

    /// Replaces the key, and returns the new one when the old one is destroyed.
    pub fn seal_again(self, db: &mut Client) -> Result<String> {
        let new = rotate(db, None)?;
        if self == By::Session {
            db.batch_execute("CALL vault.reencrypt()")?;
        }
        wait_for_keys(db, "destroyed", 1)?;
        Ok(new)
    }
}

/// The keys in the bytes of a column's values, each with the number of its values.
fn keys_of(db: &mut Client, table: &str, column: &str) -> Result<HashMap<String, i64>> {
    let query = format!(
        "SELECT encode(substr(vault.secret_send({column}), 3, 8), 'hex'), count(*) FROM {table}
         WHERE {column} IS NOT NULL GROUP BY 1"
    );
    let rows = db.query(&query, &[])?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// All values of a column, and how many there are, are under this key.
pub fn assert_under(
    db: &mut Client,
    key: &str,
    table: &str,
    column: &str,
    values: i64,
) -> Result<()> {
    let expected = HashMap::from([(key.to_owned(), values)]);
    assert_eq!(keys_of(db, table, column)?, expected, "{table}.{column}");
    Ok(())
}

/// A table of an ordinary role's, with `values` plaintexts `whsec_1` and so on; `definition` is run by the role.
pub fn owned_table(db: &mut Client, values: i32, definition: &str) -> Result<()> {
    db.batch_execute(
        "CREATE ROLE owner LOGIN; GRANT CREATE ON SCHEMA public TO owner; SELECT vault.grant_access('owner', ARRAY['read', 'write'])",
    )?;
    db.batch_execute(&format!(
        "SET ROLE owner;
         CREATE TABLE hook (id integer PRIMARY KEY, key vault.secret);
         INSERT INTO hook SELECT i, ('whsec_' || i)::text FROM generate_series(1, {values}) AS i;
         {definition};
         RESET ROLE"
    ))?;
    Ok(())
}

pub fn opened(db: &mut Client) -> Result<i64> {
    let query = "SELECT count(*) FROM hook WHERE vault.reveal(key) = 'whsec_' || id";
    Ok(db.query_one(query, &[])?.get(0))
}

pub fn text(db: &mut Client, query: &str) -> Result<String> {
    Ok(db.query_one(query, &[])?.get(0))
}

#[test]
fn tables_of_every_form_move_and_read_the_same() -> Result<()> {
    let (cluster, mut db) = fast_vault()?;
    db.batch_execute(
        r#"CREATE DOMAIN api_key AS vault.secret CHECK (VALUE IS NOT NULL);
           CREATE DOMAIN deep_key AS api_key;
           CREATE TABLE of_domain (id integer, key api_key, deeper deep_key);
           CREATE TABLE two (id integer, key vault.secret, other vault.secret);
           CREATE TABLE parted (id integer, key vault.secret) PARTITION BY RANGE (id);
           CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (50);
           CREATE TABLE parted_rest PARTITION OF parted DEFAULT;
           CREATE TABLE base (id integer, key vault.secret);
           CREATE TABLE derived (more vault.secret) INHERITS (base);
           CREATE SCHEMA "Sp ace"; CREATE SCHEMA "a"";drop";
           CREATE TABLE "Sp ace"."Ta ""ble" (id integer, "ke y" vault.secret, "Select" vault.secret);
           CREATE TABLE "a"";drop"."'; DROP TABLE two; --" (id integer, "$1" vault.secret);
           CREATE UNLOGGED TABLE unlogged (id integer, key vault.secret);
           CREATE TABLE dropped (gone text, id integer, key vault.secret); ALTER TABLE dropped DROP COLUMN gone;
           CREATE TABLE empty (key vault.secret);

           INSERT INTO of_domain SELECT i, ('d' || i)::text, ('e' || i)::text FROM generate_series(1, 100) AS i;
           INSERT INTO two SELECT i, CASE WHEN i % 2 = 0 THEN 'a' || i END, CASE WHEN i % 3 = 0 THEN 'b' || i END FROM generate_series(1, 100) AS i;
           INSERT INTO parted SELECT i, ('p' || i)::text FROM generate_series(1, 100) AS i;
           INSERT INTO base SELECT i, ('f' || i)::text FROM generate_series(1, 100) AS i;
           INSERT INTO derived SELECT i, ('f' || i)::text, ('g' || i)::text FROM generate_series(101, 200) AS i;
           INSERT INTO "Sp ace"."Ta ""ble" SELECT i, ('s' || i)::text, ('t' || i)::text FROM generate_series(1, 100) AS i;
           INSERT INTO "a"";drop"."'; DROP TABLE two; --" SELECT i, ('u' || i)::text FROM generate_series(1, 100) AS i;
           INSERT INTO unlogged SELECT i, ('l' || i)::text FROM generate_series(1, 100) AS i;
           INSERT INTO dropped SELECT i, ('h' || i)::text FROM generate_series(1, 100) AS i"#,
    )?;
    let old = active_key(&mut db)?;
    let new = rotate(&mut db, None)?;
    wait_for_keys(&mut db, "destroyed", 1)?;
    assert_eq!(state_of(&mut db, &old)?, "destroyed");
    for (table, column, values, plaintext) in [
        ("of_domain", "key", 100, "'d' || id"),
        ("of_domain", "deeper", 100, "'e' || id"),
        ("two", "key", 50, "'a' || id"),
        ("two", "other", 33, "'b' || id"),
        ("parted", "key", 100, "'p' || id"),
        ("base", "key", 200, "'f' || id"),
        ("derived", "more", 100, "'g' || id"),
        (r#""Sp ace"."Ta ""ble""#, r#""ke y""#, 100, "'s' || id"),
        (r#""Sp ace"."Ta ""ble""#, r#""Select""#, 100, "'t' || id"),
        (
            r#""a"";drop"."'; DROP TABLE two; --""#,
            r#""$1""#,
            100,
            "'u' || id",
        ),
        ("unlogged", "key", 100, "'l' || id"),
        ("dropped", "key", 100, "'h' || id"),
    ] {
        assert_under(&mut db, &new, table, column, values)?;
        let query =
            format!("SELECT count(*) FROM {table} WHERE vault.reveal({column}) = {plaintext}");
        assert_eq!(
            db.query_one(&query, &[])?.get::<_, i64>(0),
            values,
            "{table}.{column}"
        );
    }
    assert_eq!(verified(&mut db)?, "ok 1185");
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn large_values_move_too() -> Result<()> {
    let (cluster, mut db) = fast_vault()?;
    db.batch_execute(
        "CREATE TABLE hook (id integer, key vault.secret);
         INSERT INTO hook SELECT i, repeat(md5(i::text), 32768) FROM generate_series(1, 30) AS i;
         INSERT INTO hook VALUES (31, NULL), (32, ''::text)",
    )?;
    let new = rotate(&mut db, None)?;
    wait_for_keys(&mut db, "destroyed", 1)?;
    assert_under(&mut db, &new, "hook", "key", 31)?;
    let right = "SELECT count(*) FROM hook WHERE vault.reveal(key) = repeat(md5(id::text), 32768)";
    assert_eq!(db.query_one(right, &[])?.get::<_, i64>(0), 30);
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_value_opens_with_its_context_only_afterwards_too() -> Result<()> {
    let (_cluster, mut db) = fast_vault()?;
    db.batch_execute(
        "CREATE TABLE hook (id integer, key vault.secret);
         INSERT INTO hook SELECT i, vault.seal('whsec_' || i, 'hook ' || i) FROM generate_series(1, 100) AS i",
    )?;
    let new = rotate(&mut db, None)?;
    wait_for_keys(&mut db, "destroyed", 1)?;
    assert_under(&mut db, &new, "hook", "key", 100)?;
    let right = "SELECT count(*) FROM hook WHERE vault.reveal(key, 'hook ' || id) = 'whsec_' || id";
    assert_eq!(db.query_one(right, &[])?.get::<_, i64>(0), 100);
    for wrong in ["vault.reveal(key)", "vault.reveal(key, 'hook 2')"] {
        let query = format!("SELECT {wrong} FROM hook WHERE id = 1");
        assert_eq!(sqlstate(db.query(&query, &[])), "TV010", "{wrong}");
    }
    Ok(())
}

#[test]
fn values_of_a_tenant_s_key_stay_with_the_tenant() -> Result<()> {
    let (_cluster, mut db) = fast_vault()?;
    db.batch_execute("CREATE TABLE hook (id integer, key vault.secret)")?;
    let tenant: String = db
        .query_one("SELECT vault.create_tenant_key('globex')", &[])?
        .get(0);
    wait_until_done(&mut db)?;
    db.batch_execute(
        "INSERT INTO hook VALUES (1, 'whsec_1'::text);
         SET token_vault.tenant = 'globex';
         INSERT INTO hook VALUES (2, 'whsec_2'::text);
         RESET token_vault.tenant",
    )?;
    assert_eq!(keys_of(&mut db, "hook", "key")?.get(&tenant), Some(&1));
    let shared = rotate(&mut db, None)?;
    let new_of_tenant = rotate(&mut db, Some("globex"))?;
    wait_for_keys(&mut db, "destroyed", 2)?;
    let expected = HashMap::from([(shared, 1), (new_of_tenant, 1)]);
    assert_eq!(keys_of(&mut db, "hook", "key")?, expected);
    assert_eq!(opened(&mut db)?, 2);
    Ok(())
}

#[test]
fn indexes_generated_columns_and_foreign_keys_stay_right() -> Result<()> {
    let (cluster, mut db) = fast_vault()?;
    db.batch_execute(
        "CREATE TABLE account (id integer PRIMARY KEY);
         INSERT INTO account SELECT generate_series(1, 200);
         CREATE TABLE hook (id integer PRIMARY KEY REFERENCES account ON UPDATE CASCADE ON DELETE CASCADE, key vault.secret NOT NULL,
                            twice integer GENERATED ALWAYS AS (id * 2) STORED, name text);
         INSERT INTO hook (id, key, name) SELECT i, ('whsec_' || i)::text, 'name ' || i FROM generate_series(1, 200) AS i;
         CREATE TABLE call (hook integer REFERENCES hook ON DELETE CASCADE); INSERT INTO call SELECT generate_series(1, 200);
         CREATE UNIQUE INDEX ON hook (lower(name));
         CREATE INDEX ON hook (id) INCLUDE (key);
         CREATE INDEX partial ON hook (twice) WHERE id % 2 = 0",
    )?;
    let new = rotate(&mut db, None)?;
    wait_for_keys(&mut db, "destroyed", 1)?;
    assert_under(&mut db, &new, "hook", "key", 200)?;
    assert_eq!(opened(&mut db)?, 200);
    let right =
        "SELECT bool_and(twice = id * 2 AND name = 'name ' || id) AND count(*) = 200 FROM hook";
    assert!(db.query_one(right, &[])?.get::<_, bool>(0));
    db.batch_execute("SET enable_seqscan = off")?;
    for (query, rows) in [
        ("SELECT id FROM hook WHERE lower(name) = 'name 77'", 1),
        ("SELECT id FROM hook WHERE twice = 20 AND id % 2 = 0", 1),
        ("SELECT id FROM hook WHERE id BETWEEN 11 AND 20", 10),
    ] {
        assert_eq!(db.query(query, &[])?.len(), rows, "{query}");
    }
    db.batch_execute("DELETE FROM account WHERE id = 5")?;
    let left = "SELECT (SELECT count(*) FROM hook) + (SELECT count(*) FROM call)";
    assert_eq!(db.query_one(left, &[])?.get::<_, i64>(0), 398);
    cluster.assert_never_crashed();
    Ok(())
}
