//! A right that ends, ends with the next statement of every session, whatever that session has prepared or is in the
//! middle of.

use postgres::Client;
use token_vault_cluster::{Cluster, Options, Result};

use crate::master_key::register_provider;
use crate::session::sqlstate;

const READ: &str = "SELECT vault.get_token('acme', 'ann')";

/// How a right is given and ended.
struct End {
    what: &'static str,
    give: &'static str,
    end: &'static str,
    /// For the next one; not before it was seen that the right has ended.
    tidy: &'static str,
}

const ENDS: &[End] = &[
    End {
        what: "revoked",
        give: "SELECT vault.grant_access('web', '{read}')",
        end: "SELECT vault.revoke_access('web', '{read}')",
        tidy: "",
    },
    End {
        what: "revoked, from a part of the vault",
        give: "SELECT vault.grant_access('web', '{read}', tenant => 'def*', subject => 'ann')",
        end: "SELECT vault.revoke_access('web', '{read}', tenant => 'def*', subject => 'ann')",
        tidy: "",
    },
    End {
        what: "no member any more",
        give: "SELECT vault.grant_access('readers', '{read}'); GRANT readers TO web",
        end: "REVOKE readers FROM web",
        tidy: "SELECT vault.revoke_access('readers')",
    },
    End {
        what: "no member any more of a member",
        give: "SELECT vault.grant_access('readers', '{read}'); GRANT readers TO middle; GRANT middle TO web",
        end: "REVOKE readers FROM middle",
        tidy: "SELECT vault.revoke_access('readers'); REVOKE middle FROM web",
    },
    End {
        what: "the group is gone",
        give: "CREATE ROLE passing; SELECT vault.grant_access('passing', '{read}'); GRANT passing TO web",
        end: "DROP OWNED BY passing; DROP ROLE passing",
        tidy: "SELECT vault.revoke_access('passing')",
    },
    End {
        what: "does not inherit any more",
        give: "SELECT vault.grant_access('readers', '{read}'); GRANT readers TO web",
        // Since 16, each membership says so for itself.
        end: "DO $$ BEGIN
                  IF current_setting('server_version_num')::int < 160000 THEN ALTER ROLE web NOINHERIT;
                  ELSE EXECUTE 'GRANT readers TO web WITH INHERIT FALSE';
                  END IF;
              END $$",
        tidy: "",
    },
    End {
        what: "no superuser any more",
        give: "ALTER ROLE web SUPERUSER INHERIT; REVOKE readers FROM web; SELECT vault.revoke_access('readers')",
        end: "ALTER ROLE web NOSUPERUSER",
        tidy: "",
    },
    End {
        what: "not the owner of the database any more",
        give: "SELECT vault.grant_access('pg_database_owner', '{read}'); ALTER DATABASE app OWNER TO web",
        end: "ALTER DATABASE app OWNER TO postgres",
        tidy: "SELECT vault.revoke_access('pg_database_owner')",
    },
    End {
        what: "renamed",
        give: "SELECT vault.grant_access('web', '{read}')",
        end: "ALTER ROLE web RENAME TO web_2",
        tidy: "",
    },
];

fn start() -> Result<(Cluster, Client)> {
    let cluster = Cluster::start_new(&Options::new().without_fsync())?;
    let mut db = cluster.create_vault("app")?;
    register_provider(&mut db)?;
    db.batch_execute(
        "SELECT vault.store_token('acme', 'ann', 'at-1');
         CREATE ROLE web LOGIN; CREATE ROLE readers; CREATE ROLE middle; CREATE ROLE other;
         GRANT USAGE ON SCHEMA vault TO web; GRANT EXECUTE ON FUNCTION vault.get_token TO web;
         CREATE FUNCTION read_it() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN vault.get_token('acme', 'ann'); END $$",
    )?;
    Ok((cluster, db))
}

/// PostgreSQL's own EXECUTE stays, so that what refuses is the vault.
fn let_in(db: &mut Client) -> Result<()> {
    db.batch_execute(
        "GRANT USAGE ON SCHEMA vault TO web; GRANT EXECUTE ON FUNCTION vault.get_token TO web",
    )?;
    Ok(())
}

#[test]
fn in_every_session_also_inside_a_transaction_and_for_prepared_statements() -> Result<()> {
    let (cluster, mut db) = start()?;
    // One session with nothing open, one at REPEATABLE READ, one with a cached plan in PL/pgSQL.
    let mut idle = cluster.connect("app", "web")?;
    let mut plain = cluster.connect("app", "web")?;
    let prepared = plain.prepare(READ)?;
    for End {
        what,
        give,
        end,
        tidy,
    } in ENDS
    {
        db.batch_execute(give)?;
        let_in(&mut db)?;
        let mut open = cluster.connect("app", "web")?;
        open.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ")?;
        let read = |db: &mut Client, sql: &str| -> std::result::Result<String, postgres::Error> {
            db.query_one(sql, &[])?.try_get(0)
        };
        for _ in 0..2 {
            assert_eq!(read(&mut idle, "SELECT read_it()")?, "at-1", "{what}");
            assert_eq!(read(&mut open, READ)?, "at-1", "{what}");
            let row = plain.query_one(&prepared, &[])?;
            assert_eq!(row.get::<_, &str>(0), "at-1", "{what}");
        }
        db.batch_execute(end)?;
        if !end.contains("RENAME") {
            let_in(&mut db)?;
        }
        assert_eq!(
            sqlstate(read(&mut idle, "SELECT read_it()")),
            "42501",
            "{what}"
        );
        assert_eq!(sqlstate(read(&mut open, READ)), "42501", "{what}");
        assert_eq!(sqlstate(plain.query_one(&prepared, &[])), "42501", "{what}");
        db.batch_execute(tidy)?;
    }
    cluster.assert_never_crashed();
    Ok(())
}

/// In a statement that began before, what it still calls is asked anew.
#[test]
fn in_the_middle_of_a_function() -> Result<()> {
    let (cluster, mut db) = start()?;
    db.batch_execute(
        "SELECT vault.grant_access('web', '{read}');
         CREATE FUNCTION read_until_refused() RETURNS bigint LANGUAGE plpgsql AS $$
         DECLARE n bigint := 0;
         BEGIN
             LOOP
                 PERFORM vault.get_token('acme', 'ann');
                 n := n + 1;
                 IF n = 1 THEN PERFORM pg_advisory_unlock(1), pg_advisory_lock(2); END IF;
             END LOOP;
         EXCEPTION WHEN insufficient_privilege THEN RETURN n;
         END $$;
         SELECT pg_advisory_lock(2)",
    )?;
    let mut web = cluster.connect("app", "web")?;
    web.batch_execute("SET statement_timeout = '60s'; SELECT pg_advisory_lock(1)")?;
    let reader = std::thread::spawn(move || web.query_one("SELECT read_until_refused()", &[]));
    // The reader has read once when it gives this up.
    db.batch_execute("SELECT pg_advisory_lock(1)")?;
    db.batch_execute("SELECT vault.revoke_access('web')")?;
    db.batch_execute("SELECT pg_advisory_unlock(2)")?;
    let reads: i64 = reader.join().expect("the reader's thread")?.get(0);
    assert_eq!(reads, 1);
    Ok(())
}

#[test]
fn a_definers_function_lends_its_owners_right_and_takes_none_from_the_caller() -> Result<()> {
    let (cluster, mut db) = start()?;
    db.batch_execute(
        "SELECT vault.grant_access('web', '{read}', tenant => 'default'), vault.grant_access('other', '{read}', tenant => 'blue'),
                vault.store_token('acme', 'ann', 'at-blue', tenant => 'blue');
         CREATE FUNCTION lent(tenant text) RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
             AS $$ SELECT vault.get_token('acme', 'ann', tenant => tenant) $$;
         ALTER FUNCTION lent OWNER TO other; GRANT EXECUTE ON FUNCTION lent TO web;
         ALTER ROLE web NOINHERIT; GRANT other TO web",
    )?;
    let mut web = cluster.connect("app", "web")?;
    let read = |db: &mut Client, sql: &str| -> std::result::Result<String, postgres::Error> {
        db.query_one(sql, &[])?.try_get(0)
    };
    let (blue, lent_blue) = (
        "SELECT vault.get_token('acme', 'ann', tenant => 'blue')",
        "SELECT lent('blue')",
    );
    assert_eq!(read(&mut web, READ)?, "at-1");
    assert_eq!(sqlstate(read(&mut web, blue)), "42501");
    assert_eq!(read(&mut web, lent_blue)?, "at-blue");
    assert_eq!(sqlstate(read(&mut web, "SELECT lent('default')")), "42501");
    web.batch_execute("SET ROLE other")?;
    assert_eq!(read(&mut web, blue)?, "at-blue");
    assert_eq!(sqlstate(read(&mut web, READ)), "42501");
    web.batch_execute("RESET ROLE")?;
    assert_eq!(read(&mut web, READ)?, "at-1");
    db.batch_execute("SELECT vault.revoke_access('other')")?;
    assert_eq!(sqlstate(read(&mut web, lent_blue)), "42501");
    assert_eq!(read(&mut web, READ)?, "at-1");
    Ok(())
}
