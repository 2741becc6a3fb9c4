//! Encrypted columns in users' tables come under the active key, whatever the tables are like: nothing that their owners
//! have tied to them fires, runs with other rights than the owners', or holds up the others.

use std::collections::HashMap;

use postgres::Client;
use token_vault_cluster::wait::wait_for_sql;
use token_vault_cluster::{Cluster, Options, Result};

use crate::keys::active_key;
use crate::provider::{DATABASE, LIMIT};
use crate::reencryption::{
    reencrypt, rotate, state_of, vault, verified, wait_for_keys, wait_until_done, without_custodian,
};
use crate::session::sqlstate;

fn fast_vault() -> Result<(Cluster, Client)> {
    vault(&Options::new().without_fsync())
}

/// Who seals the values again; what owners have tied to their tables must not notice any difference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum By {
    Custodian,
    /// A superuser's, which calls for it.
    Session,
}

const WORKERS: [By; 2] = [By::Custodian, By::Session];

impl By {
    fn options(self) -> Options {
        match self {
            By::Custodian => Options::new().without_fsync(),
            By::Session => without_custodian(),
        }
    }

    /// Replaces the key, and returns the new one when the old one is destroyed.
    fn seal_again(self, db: &mut Client) -> Result<String> {
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
fn assert_under(db: &mut Client, key: &str, table: &str, column: &str, values: i64) -> Result<()> {
    let expected = HashMap::from([(key.to_owned(), values)]);
    assert_eq!(keys_of(db, table, column)?, expected, "{table}.{column}");
    Ok(())
}

/// A table of an ordinary role's, with `values` plaintexts `whsec_1` and so on; `definition` is run by the role.
fn owned_table(db: &mut Client, values: i32, definition: &str) -> Result<()> {
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

fn opened(db: &mut Client) -> Result<i64> {
    let query = "SELECT count(*) FROM hook WHERE vault.reveal(key) = 'whsec_' || id";
    Ok(db.query_one(query, &[])?.get(0))
}

fn text(db: &mut Client, query: &str) -> Result<String> {
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
    assert_eq!(verified(&mut db)?, "ok 1184");
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
fn no_trigger_fires_and_row_security_hides_nothing() -> Result<()> {
    for by in WORKERS {
        let (cluster, mut db) = vault(&by.options())?;
        owned_table(
            &mut db,
            100,
            "CREATE TABLE fired (by text);
             CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN INSERT INTO fired VALUES (TG_NAME); IF TG_LEVEL = 'STATEMENT' THEN RETURN NULL; END IF; RETURN NEW; END $$;
             CREATE TRIGGER before_row BEFORE UPDATE ON hook FOR EACH ROW EXECUTE FUNCTION fire();
             CREATE TRIGGER after_row AFTER UPDATE ON hook FOR EACH ROW EXECUTE FUNCTION fire();
             CREATE TRIGGER before_all BEFORE UPDATE ON hook FOR EACH STATEMENT EXECUTE FUNCTION fire();
             CREATE TRIGGER after_all AFTER UPDATE ON hook REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION fire();
             CREATE RULE also AS ON UPDATE TO hook DO ALSO INSERT INTO fired VALUES ('rule');
             CREATE POLICY nothing ON hook USING (false);
             ALTER TABLE hook ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        )?;
        db.batch_execute("SET ROLE owner")?;
        assert_eq!(opened(&mut db)?, 0, "row security is in force");
        db.batch_execute("RESET ROLE")?;
        let new = by.seal_again(&mut db)?;
        assert_under(&mut db, &new, "hook", "key", 100)?;
        assert_eq!(opened(&mut db)?, 100);
        let fired = "SELECT count(*) FROM fired";
        assert_eq!(db.query_one(fired, &[])?.get::<_, i64>(0), 0, "{by:?}");
        // They are not broken: an ordinary update fires each of them.
        db.batch_execute("UPDATE hook SET id = id WHERE id = 1")?;
        assert_eq!(db.query_one(fired, &[])?.get::<_, i64>(0), 5, "{by:?}");
        cluster.assert_never_crashed();
    }
    Ok(())
}

/// What an owner's code could try while somebody more powerful runs it; each notes what came of it in the server's log.
const SPY: &str = r#"
    CREATE FUNCTION spy(place text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
    DECLARE attempt text;
    BEGIN
        RAISE LOG 'spy: % as %, of %', place, current_user, session_user;
        FOREACH attempt IN ARRAY ARRAY[
            'ALTER ROLE owner SUPERUSER', 'CREATE ROLE intruder SUPERUSER', 'RESET ROLE', 'SET ROLE postgres',
            'SET SESSION AUTHORIZATION postgres', 'RESET SESSION AUTHORIZATION', 'SET SESSION AUTHORIZATION DEFAULT',
            'COPY (SELECT 1) TO ''/tmp/tv-intruder''', 'COPY (SELECT 1) TO PROGRAM ''true''',
            'SELECT * FROM vault.token', 'UPDATE vault.key SET state = ''active''', 'DELETE FROM vault.access_rule',
            'SELECT pg_read_file(''PG_VERSION'')', 'SELECT vault.rotate_key()', 'SET session_replication_role = origin',
            'CREATE TEMP TABLE left_behind ()', 'CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS ''SELECT 1'''
        ] LOOP
            BEGIN
                EXECUTE attempt;
                IF current_user <> 'owner' OR (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = 'owner') THEN
                    RAISE LOG 'spy: escaped with %', attempt;
                ELSIF attempt !~ '^RESET ROLE' THEN
                    RAISE LOG 'spy: allowed %', attempt;
                END IF;
            EXCEPTION WHEN OTHERS THEN NULL;
            END;
        END LOOP;
        RETURN true;
    END $$"#;

/// Lines of the server's log with this word, since it had so many bytes.
fn log_lines(cluster: &Cluster, since: usize, word: &str) -> Result<Vec<String>> {
    let log = cluster.log()?.split_off(since);
    let lines = log.lines().filter(|line| line.contains(word));
    Ok(lines.map(ToOwned::to_owned).collect())
}

#[test]
fn an_owner_s_code_runs_as_the_owner_and_cannot_escape() -> Result<()> {
    for by in WORKERS {
        // What the owner's functions raise would be hidden with the secrets.
        let options = by.options().set("token_vault.clean_logs", "off");
        let (cluster, mut db) = vault(&options)?;
        owned_table(&mut db, 3, SPY)?;
        db.batch_execute(
            "SET ROLE owner;
             ALTER TABLE hook ADD CHECK (spy('check'));
             CREATE INDEX ON hook ((spy('index') AND id > 0));
             CREATE INDEX ON hook (id) WHERE spy('partial index');
             ALTER TABLE hook ADD COLUMN computed boolean GENERATED ALWAYS AS (spy('generated') AND key IS NOT NULL) STORED;
             CREATE DOMAIN spied AS vault.secret CHECK (spy('domain'));
             CREATE TABLE of_domain (id integer, key spied); INSERT INTO of_domain VALUES (1, 'whsec_1'::text);
             CREATE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM public.spy('trigger'); RETURN NEW; END $$;
             CREATE TRIGGER even_on_replicas BEFORE UPDATE ON hook FOR EACH ROW EXECUTE FUNCTION spy();
             ALTER TABLE hook ENABLE ALWAYS TRIGGER even_on_replicas;
             CREATE POLICY spying ON hook USING (spy('policy'));
             ALTER TABLE hook ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
             RESET ROLE",
        )?;
        let since = cluster.log()?.len();
        by.seal_again(&mut db)?;
        let seen = log_lines(&cluster, since, "LOG:  spy: ")?;
        for place in ["check", "index", "generated", "domain", "trigger"] {
            let words = format!("spy: {place} as owner, of ");
            let is_seen = seen.iter().any(|line| line.contains(&words));
            assert!(is_seen, "{by:?}: {place} did not run: {seen:?}");
        }
        verified(&mut db)?;
        let escapes: Vec<String> = log_lines(&cluster, since, "LOG:  spy: ")?
            .into_iter()
            .filter(|line| !line.contains(" as owner, of "))
            .collect();
        assert!(escapes.is_empty(), "{by:?}: {escapes:?}");
        let query = "SELECT count(*) FROM pg_roles WHERE rolname = 'intruder' OR rolsuper AND rolname = 'owner'";
        assert_eq!(db.query_one(query, &[])?.get::<_, i64>(0), 0, "{by:?}");
        assert_eq!(opened(&mut db)?, 3);
        cluster.assert_never_crashed();
    }
    Ok(())
}

#[test]
fn code_that_counts_on_its_owner_s_search_path_fails_alone() -> Result<()> {
    let (cluster, mut db) = fast_vault()?;
    owned_table(
        &mut db,
        3,
        "CREATE TABLE allowed (id integer); INSERT INTO allowed SELECT generate_series(1, 3);
         CREATE FUNCTION check_it(i integer) RETURNS boolean LANGUAGE plpgsql AS
             'BEGIN RETURN EXISTS (SELECT FROM allowed WHERE id = i); END';
         ALTER TABLE hook ADD CHECK (check_it(id))",
    )?;
    db.batch_execute(
        "CREATE TABLE later (id integer, key vault.secret); INSERT INTO later VALUES (1, 'whsec_1'::text)",
    )?;
    let old = active_key(&mut db)?;
    let new = rotate(&mut db, None)?;
    wait_until_done(&mut db)?;
    assert_under(&mut db, &new, "later", "key", 1)?;
    assert_under(&mut db, &old, "hook", "key", 3)?;
    assert_eq!(
        text(&mut db, "SELECT problem FROM vault.reencryption")?,
        "public.hook: SQLSTATE 42P01"
    );
    assert_eq!(opened(&mut db)?, 3);
    cluster.assert_never_crashed();
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
