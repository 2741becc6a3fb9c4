//! Data keys that are replaced by themselves when they have reached an age.

use token_vault_cluster::wait::wait_for_sql;
use token_vault_cluster::{Options, Result};

use crate::keys::set;
use crate::provider::{DATABASE, LIMIT};
use crate::reencryption_harness::{
    events, plaintexts, reencrypt, stale_values, store_tokens, vault, wait_until_done,
};

const INTERVAL: &str = "token_vault.key_rotation_interval";

#[test]
fn keys_are_replaced_by_themselves_and_their_values_follow() -> Result<()> {
    let (cluster, mut db) = vault(&Options::new().without_fsync())?;
    for tenant in ["globex", "initech"] {
        db.execute("SELECT vault.create_tenant_key($1)", &[&tenant])?;
        store_tokens(&mut db, tenant, 50)?;
    }
    store_tokens(&mut db, "default", 100)?;
    wait_until_done(&mut db)?;
    let before = plaintexts(&cluster, &mut db)?;
    let old = db.query("SELECT key FROM vault.keys ORDER BY key", &[])?;
    let old: Vec<String> = old.iter().map(|row| row.get(0)).collect();
    let mut listener = cluster.connect(DATABASE, "postgres")?;
    listener.batch_execute("LISTEN token_vault")?;

    // A reload has the keys looked at, and then not again for a minute.
    wait_for_sql(
        &mut db,
        "SELECT bool_and(created_at < clock_timestamp() - interval '2 s') FROM vault.key",
        LIMIT,
    )?;
    set(&cluster, INTERVAL, "2s")?;
    let events = events(&mut listener, |events| {
        let destroyed = |key: &String| {
            events
                .iter()
                .any(|event| event["event"] == "key_destroyed" && event["key"] == key.as_str())
        };
        old.iter().all(destroyed)
    })?;
    // No more of it, so that what follows sees the last round's end.
    set(&cluster, INTERVAL, "0")?;
    let mut tenants: Vec<Option<&str>> = events
        .iter()
        .filter(|event| event["event"] == "key_rotated")
        .map(|event| event["tenant"].as_str())
        .collect();
    tenants.sort_unstable();
    tenants.dedup();
    assert_eq!(tenants, [None, Some("globex"), Some("initech")]);
    let log = cluster.log()?;
    for whose in [
        "for all tenants",
        "of tenant \"globex\"",
        "of tenant \"initech\"",
    ] {
        let words = format!(
            "token_vault: the data key {whose} has reached token_vault.key_rotation_interval and was replaced by "
        );
        assert!(log.contains(&words), "{words}");
    }

    reencrypt(&mut db)?;
    assert_eq!(stale_values(&mut db)?, 0);
    assert_eq!(plaintexts(&cluster, &mut db)?, before);
    let active: i64 = db
        .query_one("SELECT count(*) FROM vault.key WHERE state = 'active'", &[])?
        .get(0);
    assert_eq!(active, 3);
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_key_that_is_young_enough_stays() -> Result<()> {
    let (cluster, mut db) = vault(&Options::new().without_fsync())?;
    store_tokens(&mut db, "default", 10)?;
    db.batch_execute("SELECT vault.create_tenant_key('old')")?;
    wait_until_done(&mut db)?;
    db.batch_execute(
        "UPDATE vault.key SET created_at = created_at - interval '2 hours' WHERE tenant = 'old'",
    )?;
    set(&cluster, INTERVAL, "1h")?;
    wait_for_sql(
        &mut db,
        "SELECT count(*) = 1 FROM vault.key WHERE tenant = 'old' AND state <> 'active'",
        LIMIT,
    )?;
    reencrypt(&mut db)?;
    let row = db.query_one(
        "SELECT count(*) FILTER (WHERE tenant IS NULL AND state <> 'audit'), count(*) FILTER (WHERE tenant = 'old' AND state = 'active') FROM vault.key",
        &[],
    )?;
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (1, 1));
    cluster.assert_never_crashed();
    Ok(())
}
