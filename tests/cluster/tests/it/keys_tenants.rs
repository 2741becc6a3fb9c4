//! A tenant with a data key of its own, and its end: what is destroyed is gone wherever a copy of a value lies.

use postgres::Client;
use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Cluster, Options, Result};

use crate::keys::set;
use crate::keys_rotation::{blocked, cluster};
use crate::master_key::{session, write};
use crate::provider::LIMIT;
use crate::session::sqlstate;

const SHRED: &str = "SELECT * FROM vault.shred_tenant('globex')";

/// A cluster in which tenant `globex` has a key of its own and a value of every kind; the key's id.
fn cluster_with_tenant() -> Result<(Cluster, String)> {
    let cluster = cluster()?;
    let mut db = session(&cluster)?;
    let key = db
        .query_one("SELECT vault.create_tenant_key('globex')", &[])?
        .get(0);
    db.batch_execute(
        "SELECT vault.register_client('app', provider => 'acme', client_id => 'app', client_secret => 'cs-1',
             tenant => 'globex');
         SELECT vault.register_client('app', provider => 'acme', client_id => 'app', client_secret => 'cs-1');
         SELECT vault.store_token('acme', 'gina', access_token => 'at-gina', refresh_token => 'rt-gina',
             expires_in => 3600, tenant => 'globex', client => 'app');
         CREATE TABLE webhook (id int PRIMARY KEY, key vault.secret);
         SET token_vault.tenant = 'globex';
         INSERT INTO webhook VALUES (1, 'whsec-globex'::text);
         RESET token_vault.tenant;
         INSERT INTO webhook VALUES (2, 'whsec-all'::text);
         CREATE TABLE saved AS SELECT * FROM vault.token WHERE tenant = 'globex'",
    )?;
    Ok((cluster, key))
}

fn read(db: &mut Client) -> std::result::Result<String, postgres::Error> {
    db.query_one(
        "SELECT vault.get_token('acme', 'gina', tenant => 'globex')",
        &[],
    )?
    .try_get(0)
}

fn reveal(db: &mut Client, id: i32) -> std::result::Result<String, postgres::Error> {
    db.query_one(
        "SELECT vault.reveal(key) FROM webhook WHERE id = $1",
        &[&id],
    )?
    .try_get(0)
}

/// Puts the saved row back as it was, as somebody with a copy of the table could.
fn put_back(db: &mut Client) -> Result<()> {
    db.batch_execute(
        "INSERT INTO vault.token OVERRIDING SYSTEM VALUE
         SELECT (jsonb_populate_record(s, '{\"client\": null}')).* FROM saved AS s",
    )?;
    Ok(())
}

/// Neither the token that was put back nor the column can be opened.
fn assert_unreadable(db: &mut Client) {
    assert_eq!(sqlstate(read(db)), "TV006");
    assert_eq!(sqlstate(reveal(db, 1)), "TV006");
}

/// What others have is there.
fn assert_others_unharmed(db: &mut Client) -> Result<()> {
    assert_eq!(crate::session::get_token(db, "alice")?, "at-1");
    assert_eq!(reveal(db, 2)?, "whsec-all");
    Ok(())
}

#[test]
fn its_key_seals_what_is_its_own_and_nothing_else() -> Result<()> {
    let (cluster, key) = cluster_with_tenant()?;
    let mut db = session(&cluster)?;
    let rows = db.query(
        "SELECT what, encode(substr(value, 3, 8), 'hex') = $1, mine FROM (
             SELECT 'token', access_token, tenant = 'globex' FROM vault.token
             UNION ALL SELECT 'refresh token', refresh_token, true FROM vault.token WHERE refresh_token IS NOT NULL
             UNION ALL SELECT 'client secret', s.client_secret, coalesce(c.tenant = 'globex', false)
                 FROM vault.client_secret AS s JOIN vault.client AS c ON c.id = s.client
             UNION ALL SELECT 'column', vault.secret_send(key), id = 1 FROM webhook
         ) AS v (what, value, mine)",
        &[&key],
    )?;
    assert_eq!(rows.len(), 7);
    for row in rows {
        let (what, has_its_key, is_its_own): (&str, bool, bool) =
            (row.get(0), row.get(1), row.get(2));
        assert_eq!(has_its_key, is_its_own, "{what}");
    }
    assert_eq!(read(&mut db)?, "at-gina");
    assert_eq!(reveal(&mut db, 1)?, "whsec-globex");
    Ok(())
}

#[test]
fn shredded_values_are_unreadable_in_every_session_also_as_copies() -> Result<()> {
    let (cluster, key) = cluster_with_tenant()?;
    let mut idle = session(&cluster)?;
    assert_eq!(read(&mut idle)?, "at-gina");
    assert_eq!(reveal(&mut idle, 1)?, "whsec-globex");
    let mut db = session(&cluster)?;
    let report = db.query(SHRED, &[])?;
    let line = |item: &str| -> String {
        let row = report.iter().find(|row| row.get::<_, &str>(0) == item);
        row.expect("the report has this line").get(1)
    };
    assert_eq!(line("data keys destroyed"), key);
    assert_eq!(line("tokens deleted"), "1");
    assert_eq!(line("clients deleted"), "1");
    let fingerprint: String = db
        .query_one(
            "SELECT master_key_fingerprint FROM vault.keys WHERE key = $1",
            &[&key],
        )?
        .get(0);
    assert!(line("older backups").contains(&fingerprint));
    let rest: i64 = db
        .query_one(
            "SELECT (SELECT count(*) FROM vault.token WHERE tenant = 'globex')
                  + (SELECT count(*) FROM vault.client WHERE tenant = 'globex')
                  + (SELECT count(*) FROM vault.key WHERE tenant = 'globex' AND wrapped_key IS NOT NULL)",
            &[],
        )?
        .get(0);
    assert_eq!(rest, 0);

    put_back(&mut db)?;
    for db in [&mut idle, &mut db, &mut session(&cluster)?] {
        assert_unreadable(db);
        assert_others_unharmed(db)?;
    }
    assert_eq!(sqlstate(db.query(SHRED, &[])), "TV007");
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn until_its_commit_readers_wait_and_after_a_rollback_all_is_there() -> Result<()> {
    let (cluster, _) = cluster_with_tenant()?;
    let mut watcher = session(&cluster)?;
    for (end, outcome) in [("ROLLBACK", Ok("whsec-globex")), ("COMMIT", Err("TV006"))] {
        let mut cached = session(&cluster)?;
        assert_eq!(reveal(&mut cached, 1)?, "whsec-globex");
        let mut shredder = session(&cluster)?;
        shredder.batch_execute("BEGIN")?;
        shredder.query(SHRED, &[])?;
        assert_eq!(sqlstate(reveal(&mut shredder, 1)), "TV006");
        shredder.batch_execute("ROLLBACK; BEGIN")?;
        shredder.query(SHRED, &[])?;

        let mut impatient = session(&cluster)?;
        impatient.batch_execute("SET lock_timeout = '100ms'")?;
        assert_eq!(sqlstate(reveal(&mut impatient, 1)), "55P03");
        assert_others_unharmed(&mut impatient)?;
        let waiting = blocked(&mut watcher, cached, |db| reveal(db, 1))?;
        shredder.batch_execute(end)?;
        let revealed = waiting.join().expect("the session's thread");
        match outcome {
            Ok(value) => {
                assert_eq!(revealed?, value);
                assert_eq!(read(&mut session(&cluster)?)?, "at-gina");
            }
            Err(code) => assert_eq!(sqlstate(revealed), code),
        }
    }
    Ok(())
}

#[test]
fn it_waits_for_what_has_just_been_sealed_and_takes_that_along() -> Result<()> {
    let (cluster, _) = cluster_with_tenant()?;
    let mut watcher = session(&cluster)?;
    let mut writer = session(&cluster)?;
    writer.batch_execute(
        "BEGIN; SELECT vault.store_token('acme', 'late', access_token => 'at-late', tenant => 'globex')",
    )?;
    let mut impatient = session(&cluster)?;
    impatient.batch_execute("SET lock_timeout = '100ms'")?;
    assert_eq!(sqlstate(impatient.query(SHRED, &[])), "55P03");
    let shred = blocked(&mut watcher, session(&cluster)?, |db| {
        db.query(SHRED, &[]).map(|rows| rows.len())
    })?;
    writer.batch_execute("COMMIT")?;
    assert!(shred.join().expect("the session's thread")? > 0);
    let rest: i64 = watcher
        .query_one(
            "SELECT count(*) FROM vault.token WHERE tenant = 'globex'",
            &[],
        )?
        .get(0);
    assert_eq!(rest, 0);
    Ok(())
}

#[test]
fn a_standby_that_had_the_key_in_memory_loses_it_with_the_replay() -> Result<()> {
    let (cluster, _) = cluster_with_tenant()?;
    let standby = cluster.standby(&Options::new().without_fsync())?;
    let mut there = session(&standby)?;
    assert_eq!(reveal(&mut there, 1)?, "whsec-globex");
    session(&cluster)?.query(SHRED, &[])?;
    wait_for("the replay", LIMIT, || {
        Ok(reveal(&mut there, 1).is_err().then_some(()))
    })?;
    assert_eq!(sqlstate(reveal(&mut there, 1)), "TV006");
    assert_others_unharmed(&mut there)?;
    standby.assert_never_crashed();
    Ok(())
}

#[test]
fn older_backups_open_until_the_master_key_is_replaced_and_destroyed() -> Result<()> {
    let (cluster, _) = cluster_with_tenant()?;
    let dump = cluster.pg_dump("app")?;
    session(&cluster)?.query(SHRED, &[])?;
    let restore = |name: &str| -> Result<Client> {
        cluster.createdb(name)?;
        cluster.pg_restore(name, &dump)?;
        cluster.connect(name, "postgres")
    };
    // As the report says: the old master key still opens what was saved before.
    assert_eq!(read(&mut restore("before")?)?, "at-gina");

    let new = cluster.directory().join("new.key");
    write(&cluster, &new, &"6b".repeat(32), 0o600)?;
    let old = cluster.master_key_file();
    set(
        &cluster,
        "token_vault.previous_master_key_file",
        &old.to_string_lossy(),
    )?;
    set(
        &cluster,
        "token_vault.master_key_file",
        &new.to_string_lossy(),
    )?;
    session(&cluster)?.execute("SELECT vault.rotate_master_key()", &[])?;
    set(&cluster, "token_vault.previous_master_key_file", "")?;
    std::fs::remove_file(old)?;
    let mut after = restore("after")?;
    assert_eq!(sqlstate(read(&mut after)), "TV003");
    assert_eq!(sqlstate(reveal(&mut after, 1)), "TV003");
    assert_others_unharmed(&mut session(&cluster)?)
}
