//! What owners have tied to their tables while encrypted columns come under another key: nothing fires, runs with other
//! rights than the owner's, or holds up the others.

use token_vault_cluster::{Cluster, Result};

use crate::keys::active_key;
use crate::reencryption_columns::{WORKERS, assert_under, opened, owned_table, text};
use crate::reencryption_harness::{fast_vault, rotate, vault, verified, wait_until_done};

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
