//! Ciphertexts where they do not belong: moved by a superuser between rows, tenants, columns and purposes, put back after
//! they were replaced, and planted by a role that may write but not restore.

use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::io::Write;

use bytes::BytesMut;
use postgres::Client;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use token_vault_cluster::{Cluster, Options, Result};

use crate::master_key::register_provider;
use crate::provider::DATABASE;
use crate::session::sqlstate;

/// A place for a ciphertext.
struct Place {
    name: String,
    /// A query for the bytes that lie there.
    bytes: String,
    /// Puts `{}` there.
    put: String,
    /// Opens what lies there.
    open: String,
}

fn start() -> Result<(Cluster, Client)> {
    let options = Options::new()
        .without_fsync()
        .set("token_vault.refresh_enabled", "off");
    let cluster = Cluster::start_new(&options)?;
    let mut db = cluster.create_vault(DATABASE)?;
    register_provider(&mut db)?;
    // Tenant red has a key of its own, the two others share one.
    db.batch_execute(
        "SELECT vault.create_tenant_key('red');
         CREATE CAST (bytea AS vault.secret) WITHOUT FUNCTION;
         CREATE TABLE note (id text, key vault.secret);
         INSERT INTO note VALUES ('free', vault.seal('free')), ('bound', vault.seal('bound', 'bound')), ('bound elsewhere', vault.seal('bound', 'bound elsewhere'))",
    )?;
    for tenant in ["blue", "green", "red"] {
        db.batch_execute(&format!(
            "SELECT vault.register_client('app', 'acme', 'id', 'cs-{tenant}', tenant => '{tenant}')"
        ))?;
        for subject in ["ann", "bob"] {
            let secret = format!("{tenant}-{subject}");
            db.batch_execute(&format!(
                "SELECT vault.store_token('acme', '{subject}', 'at-{secret}', 'rt-{secret}', 3600, id_token => 'it-{secret}', tenant => '{tenant}')"
            ))?;
        }
    }
    Ok((cluster, db))
}

fn places() -> Vec<Place> {
    let mut places = Vec::new();
    for tenant in ["blue", "green", "red"] {
        for subject in ["ann", "bob"] {
            for field in ["access_token", "refresh_token", "id_token"] {
                let row = format!("tenant = '{tenant}' AND subject = '{subject}'");
                places.push(Place {
                    name: format!("{field} of {subject} in {tenant}"),
                    bytes: format!("SELECT {field} FROM vault.token WHERE {row}"),
                    put: format!("UPDATE vault.token SET {field} = {{}} WHERE {row}"),
                    open: format!("SELECT {field} FROM vault.export_token_set('acme', '{subject}', tenant => '{tenant}')"),
                });
            }
        }
        let row = format!("client = (SELECT id FROM vault.client WHERE tenant = '{tenant}')");
        places.push(Place {
            name: format!("client secret in {tenant}"),
            bytes: format!("SELECT client_secret FROM vault.client_secret WHERE {row}"),
            put: format!("UPDATE vault.client_secret SET client_secret = {{}} WHERE {row}"),
            open: format!("SELECT * FROM vault.export_client_secrets('app', tenant => '{tenant}')"),
        });
    }
    for (id, open) in [
        ("free", "vault.reveal(key)"),
        ("bound", "vault.reveal(key, id)"),
        ("bound elsewhere", "vault.reveal(key, id)"),
    ] {
        places.push(Place {
            name: format!("column, {id}"),
            bytes: format!("SELECT vault.secret_send(key) FROM note WHERE id = '{id}'"),
            put: format!("UPDATE note SET key = {{}}::vault.secret WHERE id = '{id}'"),
            open: format!("SELECT {open} FROM note WHERE id = '{id}'"),
        });
    }
    places
}

/// What opening a place ends with after `bytes` were put there, in a transaction that is rolled back.
fn outcome(
    db: &mut Client,
    place: &Place,
    bytes: &str,
) -> Result<std::result::Result<(), (String, String)>> {
    db.batch_execute("BEGIN")?;
    db.batch_execute(&place.put.replace("{}", bytes))?;
    let opened = db.batch_execute(&place.open);
    db.batch_execute("ROLLBACK")?;
    Ok(opened.map_err(|error| {
        let error = error.as_db_error().expect("the server's error");
        (error.code().code().to_owned(), error.message().to_owned())
    }))
}

#[test]
fn no_ciphertext_opens_anywhere_but_in_its_place() -> Result<()> {
    let (cluster, mut db) = start()?;
    let places = places();
    let mut values = Vec::new();
    for place in &places {
        let bytes: Vec<u8> = db.query_one(&place.bytes, &[])?.get(0);
        values.push(format!("'\\x{}'::bytea", hex::encode(bytes)));
    }
    for (to, place) in places.iter().enumerate() {
        let mut complaints = BTreeSet::new();
        for (from, value) in values.iter().enumerate() {
            let outcome = outcome(&mut db, place, value)?;
            let what = format!("{} put into {}", places[from].name, place.name);
            if from == to {
                assert_eq!(outcome, Ok(()), "{what}");
            } else {
                let (code, message) = outcome.expect_err(&what);
                assert_eq!(code, "TV010", "{what}: {message}");
                complaints.insert(message);
            }
        }
        // Nothing tells how it was wrong.
        assert_eq!(complaints.len(), 1, "{complaints:?}");
    }
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn no_wrapped_key_opens_as_another_and_no_value_as_a_key() -> Result<()> {
    let (cluster, mut db) = start()?;
    let get = "SELECT vault.get_token('acme', 'ann', tenant => 'red')";
    db.batch_execute(get)?;
    let original = "SELECT wrapped_key FROM vault.key WHERE tenant = 'red'";
    let original: Vec<u8> = db.query_one(original, &[])?.get(0);
    for source in [
        "(SELECT wrapped_key FROM vault.key WHERE tenant IS NULL AND state = 'active')",
        "(SELECT wrapped_key FROM vault.key WHERE state = 'audit')",
        "(SELECT access_token FROM vault.token WHERE tenant = 'red' AND subject = 'ann')",
        "(SELECT client_secret FROM vault.client_secret LIMIT 1)",
        "'\\x00'::bytea",
    ] {
        db.batch_execute(&format!(
            "UPDATE vault.key SET wrapped_key = {source} WHERE tenant = 'red'"
        ))?;
        // A session that has not opened the key yet.
        let state = sqlstate(cluster.connect(DATABASE, "postgres")?.batch_execute(get));
        assert!(
            ["TV006", "TV010"].contains(&state.as_str()),
            "{source}: {state}"
        );
    }
    // A key that is given to another tenant does not open either.
    db.execute(
        "UPDATE vault.key SET wrapped_key = $1 WHERE tenant = 'red'",
        &[&original],
    )?;
    db.batch_execute("UPDATE vault.key SET tenant = 'yellow' WHERE tenant = 'red'")?;
    let moved = cluster.connect(DATABASE, "postgres")?.batch_execute(get);
    assert!(moved.is_err());
    db.batch_execute("UPDATE vault.key SET tenant = 'red' WHERE tenant = 'yellow'")?;
    cluster.connect(DATABASE, "postgres")?.batch_execute(get)?;
    Ok(())
}

/// Out of reach of encryption alone, and the README says so.
#[test]
fn an_older_value_of_the_same_row_is_not_told_from_the_newest() -> Result<()> {
    let (_cluster, mut db) = start()?;
    db.batch_execute(
        "CREATE TABLE saved AS SELECT * FROM vault.token WHERE tenant = 'blue' AND subject = 'ann';
         SELECT vault.store_token('acme', 'ann', 'at-newer', expires_in => 3600, tenant => 'blue');
         UPDATE vault.token AS t SET access_token = s.access_token FROM saved AS s WHERE t.id = s.id",
    )?;
    let token: String = db
        .query_one(
            "SELECT vault.get_token('acme', 'ann', tenant => 'blue')",
            &[],
        )?
        .get(0);
    assert_eq!(token, "at-blue-ann");
    Ok(())
}

/// The bytes of an envelope as a parameter in binary form.
#[derive(Debug)]
struct Envelope(Vec<u8>);

impl ToSql for Envelope {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn StdError + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A file of `COPY … (FORMAT binary)` with one row of one column.
fn copy_file(bytes: &[u8]) -> Vec<u8> {
    let mut file = b"PGCOPY\n\xff\r\n\0".to_vec();
    file.extend([0; 8]); // flags, extension
    file.extend(1_i16.to_be_bytes());
    file.extend(
        i32::try_from(bytes.len())
            .expect("a small envelope")
            .to_be_bytes(),
    );
    file.extend(bytes);
    file.extend((-1_i16).to_be_bytes());
    file
}

fn copy(
    db: &mut Client,
    statement: &str,
    file: &[u8],
) -> std::result::Result<u64, postgres::Error> {
    let mut writer = db.copy_in(statement)?;
    // What is wrong with the row is told at the end.
    let _ = writer.write_all(file);
    writer.finish()
}

/// Ways of SQL to make a `vault.secret` of the text `{e}`.
#[rustfmt::skip] // a table
const WAYS: &[&str] = &[
    "INSERT INTO mine VALUES ('{e}')",
    "INSERT INTO mine VALUES ('{e}'::text)",
    "INSERT INTO mine VALUES ('{e}'::varchar(500))",
    "INSERT INTO mine VALUES ('{e}'::bpchar)",
    "INSERT INTO mine SELECT '{e}'::text::vault.secret",
    "INSERT INTO mine VALUES (CAST('{e}'::bpchar AS vault.secret))",
    "INSERT INTO mine VALUES (vault.secret_from_text('{e}'))",
    "INSERT INTO mine VALUES (vault.secret_in('{e}', 0, -1))",
    "INSERT INTO mine VALUES ('{e}'::pin)",
    "INSERT INTO mine VALUES ('{e}'::text::pin)",
    "INSERT INTO mine SELECT (('({e})')::holder).k",
    "INSERT INTO mine SELECT (ROW('{e}')::holder).k",
    "INSERT INTO mine SELECT unnest('{{e}}'::vault.secret[])",
    "INSERT INTO mine SELECT unnest('{{e}}'::text[]::vault.secret[])",
    "INSERT INTO mine SELECT unnest(string_to_array('{e}', ',')::vault.secret[])",
    "INSERT INTO mine SELECT unnest(ARRAY['{e}']::vault.secret[])",
    "INSERT INTO mine SELECT unnest(array_fill('{e}'::vault.secret, ARRAY[2]))",
    "INSERT INTO mine SELECT unnest('{{e}}'::pin[])",
    "INSERT INTO mine SELECT k FROM jsonb_populate_record(NULL::mine, jsonb_build_object('k', '{e}'))",
    "INSERT INTO mine SELECT k FROM json_populate_record(NULL::mine, json_build_object('k', '{e}'))",
    "INSERT INTO mine SELECT k FROM jsonb_populate_recordset(NULL::holder, jsonb_build_array(jsonb_build_object('k', '{e}')))",
    "INSERT INTO mine SELECT k FROM jsonb_to_record(jsonb_build_object('k', '{e}')) AS r (k vault.secret)",
    "INSERT INTO mine SELECT k FROM json_to_recordset(json_build_array(json_build_object('k', '{e}'))) AS r (k vault.secret)",
    "INSERT INTO mine SELECT unnest(k) FROM jsonb_to_record(jsonb_build_object('k', ARRAY['{e}'])) AS r (k vault.secret[])",
    "INSERT INTO mine SELECT k FROM xmltable('/k' PASSING '<k>{e}</k>' COLUMNS k vault.secret PATH '.')",
    "UPDATE mine SET k = '{e}'",
    "UPDATE mine SET k = COALESCE('{e}', k)",
    "UPDATE mine SET (k) = ROW('{e}')",
    "MERGE INTO mine USING (VALUES ('{e}')) AS v (e) ON false WHEN NOT MATCHED THEN INSERT VALUES (v.e)",
    "INSERT INTO keyed VALUES (1, 'first') ON CONFLICT (id) DO UPDATE SET k = '{e}'",
    "ALTER TABLE keyed ALTER k SET DEFAULT '{e}'",
    "CREATE TABLE made (k vault.secret DEFAULT '{e}')",
    "CREATE TABLE made AS SELECT '{e}'::vault.secret AS k",
    "CREATE TABLE made (k text); INSERT INTO made VALUES ('{e}'); ALTER TABLE made ALTER k TYPE vault.secret",
    "CREATE TABLE made (k text); INSERT INTO made VALUES ('{e}'); ALTER TABLE made ALTER k TYPE vault.secret USING k::vault.secret",
    "CREATE TABLE made (t text, k vault.secret GENERATED ALWAYS AS (t::vault.secret) STORED); INSERT INTO made VALUES ('{e}')",
    "CREATE VIEW made AS SELECT * FROM mine; INSERT INTO made VALUES ('{e}')",
    "PREPARE made (vault.secret) AS INSERT INTO mine VALUES ($1); EXECUTE made ('{e}')",
    "PREPARE made (text) AS INSERT INTO mine VALUES ($1); EXECUTE made ('{e}')",
    "DO $$ DECLARE k vault.secret := '{e}'; BEGIN INSERT INTO mine VALUES (k); END $$",
    "DO $$ DECLARE k vault.secret; t text := '{e}'; BEGIN k := t; INSERT INTO mine VALUES (k); END $$",
    "DO $$ DECLARE k vault.secret; BEGIN EXECUTE 'SELECT $1' INTO k USING '{e}'::text; INSERT INTO mine VALUES (k); END $$",
    "DO $$ DECLARE r mine; BEGIN r.k := '{e}'::text; INSERT INTO mine SELECT r.*; END $$",
    "DO $$ DECLARE r holder; t text := '({e})'; BEGIN r := t; INSERT INTO mine VALUES (r.k); END $$",
    "CREATE FUNCTION made(k vault.secret DEFAULT '{e}') RETURNS vault.secret LANGUAGE sql AS 'SELECT k'",
    "CREATE FUNCTION made() RETURNS vault.secret LANGUAGE plpgsql AS $$ BEGIN RETURN '{e}'::text; END $$; INSERT INTO mine SELECT made()",
    "SELECT vault.reveal('{e}')",
    "SELECT vault.reveal(('{e}'::text)::vault.secret)",
];

/// Where PostgreSQL itself refuses: no such cast, no privilege on the function, no generated column.
const REFUSED_ANYWAY: [&str; 3] = ["42804", "42501", "42P17"];

#[test]
fn no_way_of_input_takes_an_envelope_from_a_role_that_may_not_restore() -> Result<()> {
    let (cluster, mut db) = start()?;
    db.batch_execute(
        "CREATE ROLE app LOGIN; SELECT vault.grant_access('app', '{read,write}'); GRANT CREATE ON SCHEMA public TO app; GRANT USAGE ON TYPE vault.secret TO app",
    )?;
    let row = db.query_one(
        "SELECT key::text, vault.secret_send(key) FROM note WHERE id = 'free'",
        &[],
    )?;
    let (text, bytes): (String, Vec<u8>) = (row.get(0), row.get(1));
    let mut app = cluster.connect(DATABASE, "app")?;
    app.batch_execute(
        "CREATE TABLE mine (k vault.secret); INSERT INTO mine VALUES ('own'); CREATE TABLE keyed (id int PRIMARY KEY, k vault.secret); INSERT INTO keyed VALUES (1, 'own');
         CREATE TYPE holder AS (k vault.secret); CREATE DOMAIN pin AS vault.secret",
    )?;
    let mut wrong = Vec::new();
    for way in WAYS {
        app.batch_execute("BEGIN")?;
        let ended = app.batch_execute(&way.replace("{e}", &text));
        let state = ended.map_or_else(
            |error| error.code().map_or(String::new(), |c| c.code().to_owned()),
            |()| "accepted".to_owned(),
        );
        app.batch_execute("ROLLBACK; DEALLOCATE ALL")?;
        if state != "TV011" && !REFUSED_ANYWAY.contains(&state.as_str()) {
            wrong.push(format!("{state}: {way}"));
        }
    }
    assert_eq!(wrong, [""; 0]);

    for (statement, file) in [
        ("COPY mine FROM STDIN", format!("{text}\n").into_bytes()),
        (
            "COPY mine FROM STDIN (FORMAT csv)",
            format!("\"{text}\"\n").into_bytes(),
        ),
        ("COPY mine FROM STDIN (FORMAT binary)", copy_file(&bytes)),
        (
            "COPY mine FROM STDIN (FORMAT binary)",
            copy_file(text.as_bytes()),
        ),
    ] {
        assert_eq!(
            sqlstate(copy(&mut app, statement, &file)),
            "TV011",
            "{statement}"
        );
    }
    for parameter in [bytes, text.into_bytes()] {
        for statement in [
            "INSERT INTO mine VALUES ($1)",
            "SELECT vault.reveal($1::vault.secret)",
            "UPDATE mine SET k = $1",
        ] {
            assert_eq!(
                sqlstate(app.execute(statement, &[&Envelope(parameter.clone())])),
                "TV011",
                "{statement}"
            );
        }
    }
    let revealed: Vec<String> = app
        .query("SELECT vault.reveal(k) FROM mine", &[])?
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(revealed, ["own"]);
    // Nor may it make a way of its own.
    for statement in [
        "CREATE CAST (bytea AS vault.secret) WITHOUT FUNCTION",
        "CREATE CAST (bytea AS vault.secret) WITH INOUT",
        "ALTER TYPE vault.secret OWNER TO app",
    ] {
        assert!(app.batch_execute(statement).is_err(), "{statement}");
    }
    cluster.assert_never_crashed();
    Ok(())
}
