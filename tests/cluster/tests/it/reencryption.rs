//! After a rotation every value comes under the active key, and the old key ends: with and without preloading, and on a
//! standby.

use std::sync::atomic::{AtomicBool, Ordering};

use postgres::Client;
use token_vault_cluster::{Cluster, Options, Result};

use crate::keys::active_key;
use crate::provider::DATABASE;
use crate::reencryption_harness::{
    events, fast_vault, number, plaintexts, rotate, stale_values, state_of, store_tokens, vault,
    verified, wait_for_keys, wait_until_done,
};
use crate::session::{get_token, sqlstate};

/// The tokens' rows without what re-encryption may change.
fn all_but_values(db: &mut Client) -> Result<String> {
    let query = "SELECT md5(string_agg((to_jsonb(t) - '{access_token,refresh_token,id_token}'::text[])::text, ' ' ORDER BY id))
                 FROM vault.token AS t";
    Ok(db.query_one(query, &[])?.get(0))
}

#[test]
fn everything_comes_under_the_active_keys_and_the_old_ones_end() -> Result<()> {
    let (cluster, mut db) = fast_vault()?;
    for tenant in ["globex", "initech"] {
        db.execute("SELECT vault.create_tenant_key($1)", &[&tenant])?;
    }
    for (tenant, tokens) in [("default", 1000), ("globex", 600), ("initech", 400)] {
        store_tokens(&mut db, tenant, tokens)?;
    }
    for (client, tenant) in [
        ("one", None),
        ("two", Some("globex")),
        ("three", Some("new")),
    ] {
        db.execute(
            "SELECT vault.register_client($1, 'acme', $1, 'cs-' || $1, tenant => $2), vault.add_client_secret($1, 'newer-' || $1, tenant => $2)",
            &[&client, &tenant],
        )?;
    }
    // What the tenants' keys have begun is over.
    wait_until_done(&mut db)?;
    let before = (plaintexts(&cluster, &mut db)?, all_but_values(&mut db)?);
    assert_eq!(before.0.len(), 6006);
    let mut listener = cluster.connect(DATABASE, "postgres")?;
    listener.batch_execute("LISTEN token_vault")?;

    let old = db.query("SELECT key FROM vault.keys ORDER BY key", &[])?;
    let mut old: Vec<String> = old.iter().map(|row| row.get(0)).collect();
    let mut new = Vec::new();
    for tenant in [None, Some("globex"), Some("initech")] {
        new.push(rotate(&mut db, tenant)?);
    }
    assert!(stale_values(&mut db)? > 0 || state_of(&mut db, &old[0])? != "active");
    wait_for_keys(&mut db, "destroyed", 3)?;
    assert_eq!(stale_values(&mut db)?, 0);
    assert_eq!(plaintexts(&cluster, &mut db)?, before.0);
    assert_eq!(all_but_values(&mut db)?, before.1);
    assert_eq!(verified(&mut db)?, "ok 6010");

    let rows = db.query(
        "SELECT key, tenant, destroyed_at >= retired_at AND unused_since <= destroyed_at, tokens + client_secrets
         FROM vault.keys WHERE state = 'destroyed' ORDER BY key",
        &[],
    )?;
    for (row, key) in rows.iter().zip(&old) {
        assert_eq!(row.get::<_, &str>(0), key);
        assert!(row.get::<_, bool>(2), "{key}");
        assert_eq!(row.get::<_, i64>(3), 0, "{key}");
    }
    let counts = number(
        &mut db,
        "SELECT sum(tokens + client_secrets)::bigint FROM vault.keys WHERE state = 'active'",
    )?;
    assert_eq!(counts, 6006);

    let events = events(&mut listener, |events| {
        events
            .iter()
            .filter(|event| event["event"] == "key_destroyed")
            .count()
            == 3
    })?;
    let of = |name: &str| -> Vec<String> {
        let named = events.iter().filter(|event| event["event"] == name);
        named
            .map(|event| event["key"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(of("key_rotated"), new);
    let mut destroyed = of("key_destroyed");
    destroyed.sort();
    old.sort();
    assert_eq!(destroyed, old);
    for row in &rows {
        let (key, tenant): (String, Option<String>) = (row.get(0), row.get(1));
        let mut told = events
            .iter()
            .filter(|event| event["event"] == "key_destroyed");
        assert!(
            told.any(|event| event["key"] == key.as_str()
                && event["tenant"].as_str() == tenant.as_deref()),
            "{key} of {tenant:?}"
        );
    }
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn without_preloading_a_custodian_starts_at_commit_and_not_before() -> Result<()> {
    let (cluster, mut db) = vault(&Options::new().without_fsync().not_preloaded())?;
    store_tokens(&mut db, "default", 100)?;
    let before = plaintexts(&cluster, &mut db)?;
    let old = active_key(&mut db)?;
    db.batch_execute("BEGIN; SELECT vault.rotate_key(); ROLLBACK")?;
    assert_eq!(active_key(&mut db)?, old);
    assert_eq!(
        number(&mut db, "SELECT count(*) FROM vault.reencryption_job")?,
        0
    );
    rotate(&mut db, None)?;
    wait_until_done(&mut db)?;
    wait_for_keys(&mut db, "destroyed", 1)?;
    assert_eq!(stale_values(&mut db)?, 0);
    assert_eq!(plaintexts(&cluster, &mut db)?, before);
    cluster.assert_never_crashed();
    Ok(())
}

/// Three rotations, each up to the old key's end on the standby, too.
fn rotate_and_follow(db: &mut Client, standby: &Cluster) -> Result<()> {
    let mut follower = standby.connect(DATABASE, "postgres")?;
    for round in 1..=3 {
        rotate(db, None)?;
        wait_for_keys(db, "destroyed", round)?;
        wait_for_keys(&mut follower, "destroyed", round)?;
        let stale = stale_values(&mut follower)?;
        if stale > 0 {
            return Err(format!("{stale} values on the standby are under a destroyed key").into());
        }
    }
    Ok(())
}

#[test]
fn a_standby_reads_all_the_time() -> Result<()> {
    let (cluster, mut db) = fast_vault()?;
    store_tokens(&mut db, "default", 200)?;
    let standby = cluster.standby(&Options::new().without_fsync())?;
    let mut early = standby.connect(DATABASE, "postgres")?;
    assert_eq!(get_token(&mut early, "user-1")?, "at-default1");
    let ends = AtomicBool::new(false);
    std::thread::scope(|scope| -> Result<()> {
        let reader = scope.spawn(|| -> Result<()> {
            let mut reads = 0;
            // Each token once at least, also where the rest is done sooner.
            while reads < 200 || !ends.load(Ordering::Relaxed) {
                let user = reads % 200 + 1;
                assert_eq!(
                    get_token(&mut early, &format!("user-{user}"))?,
                    format!("at-default{user}")
                );
                reads += 1;
            }
            Ok(())
        });
        let outcome = rotate_and_follow(&mut db, &standby);
        ends.store(true, Ordering::Relaxed);
        reader.join().expect("the reader's thread")?;
        outcome
    })?;
    let mut late = standby.connect(DATABASE, "postgres")?;
    assert_eq!(get_token(&mut late, "user-200")?, "at-default200");
    assert_eq!(
        sqlstate(late.batch_execute("SELECT vault.rotate_key()")),
        "25006"
    );
    cluster.assert_never_crashed();
    standby.assert_never_crashed();
    Ok(())
}
