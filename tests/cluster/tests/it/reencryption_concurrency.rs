//! Re-encryption beside sessions that store, read, delete and refresh: nothing is lost, nobody is disturbed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use postgres::Client;
use token_vault_cluster::{Cluster, Options, Result};
use token_vault_oauth_server::RefreshPolicy;

use crate::provider::{CLIENT, DATABASE, Vault};
use crate::reencryption_harness::{
    plaintexts, rotate, stale_values, store_tokens, vault, verified, wait_for_keys, wait_until_done,
};
use crate::session::get_token;

/// How many sessions store, read and delete at once, and on how many tokens each.
const WORKERS: usize = 4;
const TOKENS_OF_EACH: usize = 30;

/// Stores, reads and deletes tokens of its own until told to end; returns what it has stored last of each.
fn work(db: &mut Client, worker: usize, ends: &AtomicBool) -> Result<HashMap<String, String>> {
    let mut stored = HashMap::new();
    let mut step = worker;
    while !ends.load(Ordering::Relaxed) {
        step += 1;
        let subject = format!("worker-{worker}-{}", (step * 7) % TOKENS_OF_EACH);
        match step % 5 {
            0 => {
                let deleted: bool = db
                    .query_one("SELECT vault.delete_token('acme', $1)", &[&subject])?
                    .get(0);
                assert_eq!(deleted, stored.remove(&subject).is_some(), "{subject}");
            }
            1 | 2 => {
                let token = format!("at-{worker}-{step}");
                db.execute(
                    "SELECT vault.store_token('acme', $1, access_token => $2, id_token => 'it-' || $2, expires_in => 86400)",
                    &[&subject, &token],
                )?;
                stored.insert(subject, token);
            }
            _ => {
                let token: Option<String> = db
                    .query_one("SELECT vault.get_token('acme', $1)", &[&subject])?
                    .get(0);
                assert_eq!(token.as_ref(), stored.get(&subject), "{subject}");
            }
        }
    }
    Ok(stored)
}

#[test]
fn nothing_is_lost_and_nobody_is_disturbed_through_five_rotations() -> Result<()> {
    const ROTATIONS: i64 = 5;
    // Whoever waits in a circle is told at once, before a limit on waiting ends it by chance.
    let options = Options::new()
        .without_fsync()
        .set("deadlock_timeout", "10ms");
    let mut vault = Vault::start_with(&options)?;
    // No leeway: an answer that is lost or applied to the wrong generation ends the grant.
    vault.register_at_provider(
        CLIENT,
        RefreshPolicy::Rotate {
            reuse_detection: true,
            leeway: Duration::ZERO,
        },
    );
    let granted: Vec<String> = (0..20).map(|number| format!("granted-{number}")).collect();
    for subject in &granted {
        vault.grant(subject)?;
    }
    store_tokens(&mut vault.db, "default", 1000)?;
    let ends = AtomicBool::new(false);
    let mut stored = HashMap::new();
    std::thread::scope(|scope| -> Result<()> {
        let ends = &ends;
        let mut threads = Vec::new();
        for worker in 0..WORKERS {
            let mut db = vault.session()?;
            threads.push(scope.spawn(move || work(&mut db, worker, ends)));
        }
        let mut db = vault.session()?;
        let granted = &granted;
        let refreshing = scope.spawn(move || -> Result<usize> {
            let mut refreshes = 0;
            while !ends.load(Ordering::Relaxed) {
                let subject = &granted[refreshes % granted.len()];
                db.execute("SELECT vault.refresh_token('acme', $1)", &[subject])?;
                refreshes += 1;
            }
            Ok(refreshes)
        });
        let outcome = rotate_often(&mut vault.db, ROTATIONS);
        ends.store(true, Ordering::Relaxed);
        for thread in threads {
            stored.extend(thread.join().expect("a worker's thread")?);
        }
        let refreshes = refreshing.join().expect("the refreshing thread")?;
        assert!(refreshes > granted.len(), "{refreshes} refreshes");
        outcome
    })?;
    for (subject, token) in &stored {
        assert_eq!(&get_token(&mut vault.db, subject)?, token, "{subject}");
    }
    for subject in &granted {
        let token = get_token(&mut vault.db, subject)?;
        assert_eq!(&vault.who_is(&token)?, subject);
        let row = vault.token(subject)?;
        assert_eq!((&*row.status, row.last_error), ("valid", None), "{subject}");
    }
    wait_for_keys(&mut vault.db, "destroyed", ROTATIONS)?;
    assert_eq!(stale_values(&mut vault.db)?, 0);
    let verified = verified(&mut vault.db)?;
    assert!(
        verified.starts_with("ok ") && !verified.contains(','),
        "{verified}"
    );
    assert_no_complaint(&vault.cluster)?;
    vault.cluster.assert_never_crashed();
    Ok(())
}

/// No process of the server has met an error or given anything up.
fn assert_no_complaint(cluster: &Cluster) -> Result<()> {
    let log = cluster.log()?;
    let complaints: Vec<&str> = log
        .lines()
        .filter(|line| {
            ["ERROR:", "WARNING:", "FATAL:"]
                .iter()
                .any(|level| line.contains(level))
        })
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    Ok(())
}

/// One rotation after the other, each as soon as the one before it is done.
fn rotate_often(db: &mut Client, rotations: i64) -> Result<()> {
    for _ in 0..rotations {
        rotate(db, None)?;
        wait_until_done(db)?;
    }
    Ok(())
}

#[test]
fn sessions_that_store_in_another_order_never_deadlock_with_it() -> Result<()> {
    const ROTATIONS: i64 = 8;
    const TOKENS: i32 = 200;
    let (cluster, mut db) = vault(
        &Options::new()
            .without_fsync()
            .set("deadlock_timeout", "10ms"),
    )?;
    db.batch_execute("SELECT vault.register_client('one', 'acme', 'id', 'cs-one')")?;
    let tenants = ["one", "two", "three"];
    for tenant in tenants {
        store_tokens(&mut db, tenant, TOKENS)?;
    }
    let ends = AtomicBool::new(false);
    std::thread::scope(|scope| -> Result<()> {
        let ends = &ends;
        let mut threads = Vec::new();
        for tenant in tenants {
            let mut session = cluster.connect(DATABASE, "postgres")?;
            threads.push(scope.spawn(move || -> Result<i32> {
                let mut transactions = 0;
                while !ends.load(Ordering::Relaxed) {
                    let mut transaction = session.transaction()?;
                    // Never the same row in two transactions that follow each other: it would hardly ever be free.
                    let chosen = |user: &i32| user % 9 == transactions % 9;
                    for user in (1..=TOKENS).rev().filter(chosen) {
                        transaction.execute(
                            "SELECT vault.store_token('acme', 'user-' || $2::integer, access_token => 'at-' || $1 || $2::integer, expires_in => 86400, tenant => $1)",
                            &[&tenant, &user],
                        )?;
                    }
                    transaction.commit()?;
                    transactions += 1;
                }
                Ok(transactions)
            }));
        }
        let outcome = rotate_often(&mut db, ROTATIONS);
        ends.store(true, Ordering::Relaxed);
        for thread in threads {
            let transactions = thread.join().expect("the session's thread")?;
            assert!(transactions > 10, "{transactions} transactions");
        }
        outcome
    })?;
    assert_eq!(stale_values(&mut db)?, 0);
    let plain = plaintexts(&cluster, &mut db)?;
    assert_eq!(plain.len(), 3 * 3 * TOKENS as usize + 1);
    for tenant in tenants {
        assert_eq!(
            plain[&format!("{tenant}/user-{TOKENS}//AccessToken")],
            format!("at-{tenant}{TOKENS}")
        );
    }
    assert_no_complaint(&cluster)?;
    cluster.assert_never_crashed();
    Ok(())
}
