//! `verify()` while it runs: its memory, how it is cancelled, and what it sees of values that are sealed again.

use std::fs;
use std::thread::spawn;

use token_vault_cluster::wait::{wait_for, wait_for_sql};
use token_vault_cluster::{Options, Result};

use crate::keys::pid;
use crate::provider::{DATABASE, LIMIT};
use crate::reencryption_harness::{
    rotate, store_tokens, vault, verified, wait_for_keys, without_custodian,
};
use crate::session::sqlstate;

/// Memory of a process that is its own, in kilobytes.
fn own_memory(pid: i32) -> Result<i64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with("RssAnon:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kilobytes.ok_or("no RssAnon")?.parse()?)
}

#[test]
fn many_values_take_no_more_memory_than_few() -> Result<()> {
    // 90,000 values, 90 MB.
    assert_flat(
        "SELECT vault.store_token('acme', 'user-' || i, access_token => repeat('a', 1000), refresh_token => repeat('r', 1000),
                                  id_token => repeat('i', 1000), expires_in => 86400) FROM generate_series(1, 30000) AS i",
        90_001,
    )
}

/// How long values are is decided by whoever stores them.
#[test]
fn long_values_take_no_more_memory_than_a_few_of_them() -> Result<()> {
    // 300 MB, in tokens and in a column whose rows lie in two blocks.
    assert_flat(
        "SELECT vault.store_token('acme', 'user-' || i, access_token => repeat('a', 1000000), refresh_token => repeat('r', 1000000),
                                  expires_in => 86400) FROM generate_series(1, 75) AS i;
         CREATE TABLE long (key vault.secret);
         INSERT INTO long SELECT repeat('k', 1000000) FROM generate_series(1, 150)",
        301,
    )
}

/// `verify()` of what `store` stores takes no more memory for more values.
fn assert_flat(store: &str, values: i64) -> Result<()> {
    const LIMIT_IN_KILOBYTES: i64 = 30 << 10;
    let (cluster, mut db) = vault(&without_custodian())?;
    db.batch_execute(store)?;
    let mut verifier = cluster.connect(DATABASE, "postgres")?;
    verifier.batch_execute("SELECT count(*) FROM (SELECT * FROM vault.verify() LIMIT 10) AS v")?;
    let pid = pid(&mut verifier)?;
    let before = own_memory(pid)?;
    // What the function returns goes to a temporary file, so that nothing but the values themselves could take memory.
    let thread = spawn(move || {
        let count =
            "SELECT count(*) FROM (SELECT outcome FROM vault.verify()) AS v WHERE outcome = 'ok'";
        let result = verifier.query_one(count, &[]);
        // The session goes on, so that its process can be looked at until the end.
        (verifier, result)
    });
    let mut most = before;
    while !thread.is_finished() {
        most = most.max(own_memory(pid)?);
        std::thread::yield_now();
    }
    let (_verifier, result) = thread.join().expect("the verifying thread");
    // The audit log's key is one more.
    assert_eq!(result?.get::<_, i64>(0), values + 1);
    assert!(
        most - before < LIMIT_IN_KILOBYTES,
        "from {before} kB to {most} kB"
    );
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn it_can_be_cancelled() -> Result<()> {
    let (cluster, mut db) = vault(&without_custodian())?;
    store_tokens(&mut db, "default", 5000)?;
    let mut verifier = cluster.connect(DATABASE, "postgres")?;
    let pid = pid(&mut verifier)?;
    let thread = spawn(move || {
        // A thousand times all of it: longer than it takes to be cancelled.
        let result = verifier.batch_execute(
            "SELECT count(*) FROM generate_series(1, 1000) AS i, LATERAL (SELECT i, v.* FROM vault.verify() AS v) AS v",
        );
        (verifier, result)
    });
    wait_for_sql(
        &mut db,
        &format!(
            "SELECT state = 'active' AND query LIKE '%vault.verify()%' FROM pg_stat_activity WHERE pid = {pid}"
        ),
        LIMIT,
    )?;
    db.execute("SELECT pg_cancel_backend($1)", &[&pid])?;
    wait_for("the end of the statement", LIMIT, || {
        Ok(thread.is_finished().then_some(()))
    })?;
    let (mut verifier, result) = thread.join().expect("the verifying thread");
    assert_eq!(sqlstate(result), "57014");
    assert_eq!(verified(&mut verifier)?, "ok 15002");
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn it_sees_one_state_while_values_are_sealed_again() -> Result<()> {
    let (cluster, mut db) = vault(&Options::new().without_fsync())?;
    store_tokens(&mut db, "default", 2000)?;
    let mut verifier = cluster.connect(DATABASE, "postgres")?;
    for rotations in 1..=3 {
        rotate(&mut db, None)?;
        // However far it is: each value once, and all of them readable.
        let states = verifier.query(
            "SELECT outcome, count(*) FROM vault.verify() WHERE relation = 'vault.token' GROUP BY outcome",
            &[],
        )?;
        let states: Vec<(&str, i64)> = states.iter().map(|row| (row.get(0), row.get(1))).collect();
        assert_eq!(states, [("ok", 6000)]);
        wait_for_keys(&mut db, "destroyed", rotations)?;
    }
    cluster.assert_never_crashed();
    Ok(())
}
