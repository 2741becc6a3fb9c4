//! Where no buffer takes an entry: it is full, or there is none. Nothing is dropped silently.

use postgres::Client;
use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Cluster, Options, Result};

use crate::audit_harness::{assert_whole, count, options, problems, read, start, wait_for_entries};
use crate::provider::{LIMIT, refresher};
use crate::session::sqlstate;

/// Its writer is stopped, so the buffer fills.
fn full() -> Result<(Cluster, Client, i32)> {
    let (cluster, mut db) = start(&options().set("token_vault.audit_buffer", "64kB"))?;
    assert_whole(&mut db)?;
    // It waits behind this lock while it has something to write.
    let pid = refresher(&mut db, "app")?;
    signal(pid, "STOP")?;
    Ok((cluster, db, pid))
}

fn signal(pid: i32, signal: &str) -> Result<()> {
    let status = std::process::Command::new("kill")
        .args([&format!("-{signal}"), &pid.to_string()])
        .status()?;
    assert!(status.success());
    Ok(())
}

/// Reads until the buffer must be full.
fn fill(db: &mut Client) -> Result<i64> {
    const READS: i64 = 800;
    for _ in 0..READS {
        read(db, "ann")?;
    }
    Ok(READS)
}

#[test]
fn a_reader_that_finds_the_buffer_full_writes_itself() -> Result<()> {
    let (cluster, mut db, pid) = full()?;
    let reads = fill(&mut db)?;
    let written = count(&mut db, "event = 'read'")?;
    assert!(written > 0, "the buffer was never full");
    // In a transaction that can't write, it is not read.
    db.batch_execute("BEGIN READ ONLY")?;
    assert_eq!(sqlstate(read(&mut db, "ann")), "TV054");
    db.batch_execute("ROLLBACK; BEGIN")?;
    // What it writes and takes back is in the server's log.
    read(&mut db, "ann")?;
    db.batch_execute("SAVEPOINT a; SAVEPOINT b")?;
    read(&mut db, "ann")?;
    db.batch_execute("RELEASE b; ROLLBACK TO a")?;
    assert_eq!(logged(&cluster, "read")?, 1);
    db.batch_execute("COMMIT")?;
    assert_eq!(logged(&cluster, "read")?, 1);
    // So is what was denied.
    let mut stranger = cluster.connect("app", "stranger")?;
    assert_eq!(sqlstate(read(&mut stranger, "ann")), "42501");
    assert_eq!(logged(&cluster, "denied")?, 1);
    signal(pid, "CONT")?;
    wait_for_entries(&mut db, "event = 'read'", reads + 1)?;
    assert_whole(&mut db)
}

#[test]
fn a_reader_that_finds_the_buffer_full_can_be_told_to_fail() -> Result<()> {
    let (_cluster, mut db, pid) = full()?;
    db.batch_execute("SET token_vault.audit_overflow = 'fail'")?;
    let mut reads = 0;
    let refused = loop {
        match read(&mut db, "ann") {
            Ok(_) => reads += 1,
            Err(error) => break error,
        }
        assert!(reads < 10_000, "the buffer is never full");
    };
    assert_eq!(sqlstate::<()>(Err(refused)), "TV053");
    assert_eq!(count(&mut db, "event = 'read'")?, 0);
    signal(pid, "CONT")?;
    wait_for_entries(&mut db, "event = 'read'", reads)?;
    wait_for("room", LIMIT, || Ok(read(&mut db, "ann").ok()))?;
    assert_whole(&mut db)
}

fn logged(cluster: &Cluster, event: &str) -> Result<usize> {
    let needle = format!("\"event\":\"{event}\"");
    let log = cluster.log()?;
    let lines = log
        .lines()
        .filter(|line| line.contains("LOG:  token_vault audit: {") && line.contains(&needle));
    Ok(lines.count())
}

#[test]
fn without_preloading_each_session_writes_for_itself() -> Result<()> {
    let options = Options::new()
        .not_preloaded()
        .without_fsync()
        .set("token_vault.audit", "all");
    let (cluster, mut db) = start(&options)?;
    read(&mut db, "ann")?;
    db.batch_execute("BEGIN")?;
    read(&mut db, "ann")?;
    db.batch_execute("ROLLBACK")?;
    assert_eq!(count(&mut db, "event = 'read'")?, 1);
    assert_eq!(logged(&cluster, "read")?, 1);
    let mut stranger = cluster.connect("app", "stranger")?;
    assert_eq!(sqlstate(read(&mut stranger, "ann")), "42501");
    assert_eq!(logged(&cluster, "denied")?, 1);
    db.batch_execute("BEGIN READ ONLY")?;
    assert_eq!(sqlstate(read(&mut db, "ann")), "TV054");
    db.batch_execute("ROLLBACK")?;
    // An administrator seals.
    let row = db.query_one("SELECT unsealed, entries FROM vault.audit_verify()", &[])?;
    let (unsealed, sealed): (i64, i64) = (row.get(0), row.get(1));
    assert!(unsealed > 0 && sealed == 0);
    let sealed: i64 = db.query_one("SELECT vault.audit_seal()", &[])?.get(0);
    assert_eq!(sealed, unsealed);
    assert_eq!(problems(&mut db)?, Vec::<String>::new());
    assert_eq!(count(&mut db, "position IS NULL")?, 0);
    let again: i64 = db.query_one("SELECT vault.audit_seal()", &[])?.get(0);
    assert_eq!(again, 0);
    Ok(())
}
