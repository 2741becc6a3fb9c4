//! A retired key is destroyed when nothing can need it any more, and not before.

use postgres::Client;
use token_vault_cluster::wait::wait_for_sql;
use token_vault_cluster::{Cluster, Options, Result, StopMode};

use crate::keys::{active_key, set};
use crate::provider::{DATABASE, LIMIT};
use crate::reencryption_harness::{
    fast_vault, number, reencrypt, rotate, state_of, store_tokens, vault, wait_for_keys,
    wait_until_done,
};

/// A vault with a column whose values are under an old key that nothing uses as far as a search can see.
struct Copied {
    cluster: Cluster,
    db: Client,
    old: String,
}

impl Copied {
    /// `copy` runs in a session of its own, which still has its transaction open when the key is replaced.
    fn start(options: &Options, copy: &str) -> Result<(Self, Client)> {
        let (cluster, mut db) = vault(options)?;
        db.batch_execute(
            "CREATE TABLE hook (id integer, key vault.secret); INSERT INTO hook VALUES (1, 'whsec_1'::text)",
        )?;
        let old = active_key(&mut db)?;
        let mut other = cluster.connect(DATABASE, "postgres")?;
        other.batch_execute(copy)?;
        rotate(&mut db, None)?;
        Ok((Self { cluster, db, old }, other))
    }

    /// The custodian has found the key unused, and has looked again, more than once.
    fn wait_until_it_waits(&mut self) -> Result<()> {
        let query = format!(
            "SELECT EXISTS (SELECT FROM pg_stat_activity AS a, vault.keys AS k
                 WHERE a.backend_type = 'token_vault custodian' AND k.key = '{}'
                   AND a.query_start > k.unused_since + interval '2.5 s')",
            self.old
        );
        wait_for_sql(&mut self.db, &query, LIMIT)?;
        assert_eq!(state_of(&mut self.db, &self.old)?, "retired");
        Ok(())
    }

    /// So many copies are there, and open; the old key has gone.
    fn assert_all_moved(&mut self, copies: i64) -> Result<()> {
        wait_for_keys(&mut self.db, "destroyed", 1)?;
        assert_eq!(state_of(&mut self.db, &self.old)?, "destroyed");
        let opened = number(
            &mut self.db,
            "SELECT count(*) FROM hook WHERE vault.reveal(key) = 'whsec_1'",
        )?;
        assert_eq!(opened, copies);
        self.cluster.assert_never_crashed();
        Ok(())
    }
}

#[test]
fn a_key_outlives_every_transaction_that_is_older() -> Result<()> {
    let options = Options::new().without_fsync();
    let (mut vault, mut other) = Copied::start(&options, "BEGIN; SELECT 1")?;
    vault.wait_until_it_waits()?;
    other.batch_execute("COMMIT")?;
    vault.assert_all_moved(1)
}

#[test]
fn a_value_that_is_copied_and_not_yet_committed_keeps_its_key() -> Result<()> {
    let options = Options::new().without_fsync();
    let copy = "BEGIN; INSERT INTO hook SELECT 2, key FROM hook";
    let (mut vault, mut other) = Copied::start(&options, copy)?;
    vault.wait_until_it_waits()?;
    other.batch_execute("COMMIT")?;
    vault.assert_all_moved(2)
}

#[test]
fn a_prepared_transaction_keeps_the_key_over_a_crash() -> Result<()> {
    let options = Options::new().set("max_prepared_transactions", "2");
    let copy = "BEGIN; INSERT INTO hook SELECT 2, key FROM hook; PREPARE TRANSACTION 'copy'";
    let (mut vault, _other) = Copied::start(&options, copy)?;
    vault.wait_until_it_waits()?;
    vault.cluster.restart(StopMode::Immediate)?;
    vault.db = vault.cluster.connect(DATABASE, "postgres")?;
    reencrypt(&mut vault.db)?;
    assert_eq!(state_of(&mut vault.db, &vault.old.clone())?, "retired");
    vault.db.batch_execute("COMMIT PREPARED 'copy'")?;
    reencrypt(&mut vault.db)?;
    vault.assert_all_moved(2)
}

#[test]
fn a_key_is_kept_as_long_as_the_setting_says() -> Result<()> {
    let (cluster, mut db) = vault(
        &Options::new()
            .without_fsync()
            .set("token_vault.key_retention", "1h"),
    )?;
    store_tokens(&mut db, "default", 10)?;
    let old = active_key(&mut db)?;
    rotate(&mut db, None)?;
    wait_until_done(&mut db)?;
    for _ in 0..2 {
        reencrypt(&mut db)?;
    }
    let unused = "SELECT unused_since IS NOT NULL FROM vault.keys WHERE state = 'retired'";
    assert!(db.query_one(unused, &[])?.get::<_, bool>(0));
    assert_eq!(state_of(&mut db, &old)?, "retired");
    set(&cluster, "token_vault.key_retention", "0")?;
    let mut db = cluster.connect(DATABASE, "postgres")?;
    reencrypt(&mut db)?;
    assert_eq!(state_of(&mut db, &old)?, "destroyed");
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_key_is_kept_where_values_cannot_be_counted_and_status_says_where() -> Result<()> {
    let (cluster, mut db) = fast_vault()?;
    db.batch_execute(
        "CREATE TABLE hook (key vault.secret); INSERT INTO hook VALUES ('whsec_1'::text);
         CREATE TABLE \"many hooks\" (keys vault.secret[]); INSERT INTO \"many hooks\" SELECT ARRAY[key] FROM hook;
         CREATE MATERIALIZED VIEW seen AS SELECT key FROM hook",
    )?;
    let old = active_key(&mut db)?;
    rotate(&mut db, None)?;
    wait_until_done(&mut db)?;
    for (name, drop) in [
        ("public.\"many hooks\".keys", "DROP TABLE \"many hooks\""),
        ("public.seen.key", "DROP MATERIALIZED VIEW seen"),
    ] {
        for _ in 0..2 {
            reencrypt(&mut db)?;
        }
        assert_eq!(state_of(&mut db, &old)?, "retired", "{name}");
        let advice: Option<String> = db
            .query_one(
                "SELECT advice FROM vault.status() WHERE item = 'data keys'",
                &[],
            )?
            .get(0);
        let advice = advice.unwrap_or_default();
        assert!(advice.contains(name), "{name}: {advice}");
        let opaque = db.query_one(
            "SELECT count(*) FROM vault.verify() WHERE outcome = 'not checked' AND relation = $1",
            &[&name],
        )?;
        assert_eq!(opaque.get::<_, i64>(0), 1, "{name}");
        db.batch_execute(drop)?;
    }
    reencrypt(&mut db)?;
    assert_eq!(state_of(&mut db, &old)?, "destroyed");
    cluster.assert_never_crashed();
    Ok(())
}
