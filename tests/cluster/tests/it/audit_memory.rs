//! Entries of reads are in shared memory first: they survive a rollback, the writer's end, and an orderly stop; and what a
//! crash may have taken is said.

use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Result, StopMode};

use crate::audit_harness::{assert_whole, count, options, read, start, wait_for_entries};
use crate::provider::{LIMIT, refresher};
use crate::session::{at_once, sqlstate};

#[test]
fn a_read_that_is_rolled_back_was_a_read() -> Result<()> {
    let (cluster, mut db) = start(&options())?;
    let mut web = cluster.connect("app", "web")?;
    web.batch_execute("BEGIN")?;
    read(&mut web, "ann")?;
    web.batch_execute("SAVEPOINT s")?;
    read(&mut web, "ann")?;
    web.batch_execute("ROLLBACK TO s; ROLLBACK; BEGIN READ ONLY")?;
    read(&mut web, "ann")?;
    web.batch_execute("ROLLBACK")?;
    let failing = "SELECT vault.get_token('acme', 'ann'), 1 / (random() * 0)::int";
    assert_eq!(sqlstate(web.execute(failing, &[])), "22012");
    wait_for_entries(&mut db, "event = 'read' AND role = 'web'", 4)?;
    assert_whole(&mut db)
}

#[test]
fn the_reader_itself_writes_nothing() -> Result<()> {
    let (_cluster, mut db) = start(&options())?;
    let row = db.query_one(
        "SELECT vault.get_token('acme', 'ann') IS NOT NULL, pg_current_xact_id_if_assigned() IS NULL",
        &[],
    )?;
    assert!(row.get::<_, bool>(0) && row.get::<_, bool>(1));
    Ok(())
}

#[test]
fn two_hundred_sessions_at_once_leave_an_entry_for_each_read() -> Result<()> {
    const SESSIONS: usize = 200;
    const READS: usize = 100;
    // A small buffer: it is full again and again.
    let options = options()
        .set("max_connections", "230")
        .set("token_vault.audit_buffer", "64kB");
    let (cluster, mut db) = start(&options)?;
    at_once(&cluster, SESSIONS, |session| {
        for _ in 0..READS {
            read(session, "ann").expect("a read");
        }
    })?;
    wait_for_entries(&mut db, "event = 'read'", (SESSIONS * READS) as i64)?;
    assert_whole(&mut db)?;
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn what_a_writer_that_ends_has_not_written_the_next_one_writes() -> Result<()> {
    let (cluster, mut db) = start(&options())?;
    let mut reads = 0;
    for _ in 0..3 {
        let pid = refresher(&mut db, "app")?;
        for _ in 0..20 {
            read(&mut db, "ann")?;
            reads += 1;
        }
        db.execute("SELECT pg_terminate_backend($1)", &[&pid])?;
        for _ in 0..20 {
            read(&mut db, "ann")?;
            reads += 1;
        }
        wait_for("another refresher", LIMIT, || {
            Ok((refresher(&mut db, "app")? != pid).then_some(()))
        })?;
    }
    wait_for_entries(&mut db, "event = 'read'", reads)?;
    assert_whole(&mut db)?;
    assert_eq!(count(&mut db, "event = 'audit_gap'")?, 0);
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn an_orderly_stop_loses_nothing_and_leaves_no_gap() -> Result<()> {
    let (mut cluster, mut db) = start(&options())?;
    for _ in 0..50 {
        read(&mut db, "ann")?;
    }
    cluster.restart(StopMode::Fast)?;
    let mut db = cluster.connect("app", "postgres")?;
    wait_for_entries(&mut db, "event = 'read'", 50)?;
    refresher(&mut db, "app")?;
    read(&mut db, "ann")?;
    wait_for_entries(&mut db, "event = 'read'", 51)?;
    assert_whole(&mut db)?;
    assert_eq!(count(&mut db, "event = 'audit_gap'")?, 0);
    Ok(())
}

#[test]
fn after_a_crash_the_log_says_that_something_may_be_missing() -> Result<()> {
    let (mut cluster, mut db) = start(&options().set("fsync", "on"))?;
    read(&mut db, "ann")?;
    wait_for_entries(&mut db, "event = 'read'", 1)?;
    // The whole server, then one process of it.
    cluster.kill9()?;
    cluster.start()?;
    let mut db = cluster.connect("app", "postgres")?;
    wait_for_entries(&mut db, "event = 'audit_gap'", 1)?;
    let pid = refresher(&mut db, "app")?;
    read(&mut db, "ann")?;
    wait_for_entries(&mut db, "event = 'read'", 2)?;
    cluster.crash(pid)?;
    let mut db = wait_for("the server", LIMIT, || {
        Ok(cluster.connect("app", "postgres").ok())
    })?;
    wait_for_entries(&mut db, "event = 'audit_gap'", 2)?;
    assert_eq!(
        count(
            &mut db,
            "event = 'audit_gap' AND (detail->>'possible_since')::timestamptz < at"
        )?,
        2
    );
    assert_whole(&mut db)
}

#[test]
fn a_switched_off_refresher_still_writes() -> Result<()> {
    let (_cluster, mut db) = start(&options().set("token_vault.refresh_enabled", "off"))?;
    read(&mut db, "ann")?;
    wait_for_entries(&mut db, "event = 'read'", 1)?;
    assert_whole(&mut db)
}

#[test]
fn entries_of_a_database_or_vault_that_is_gone_are_forgotten() -> Result<()> {
    let (cluster, mut db) = start(&options().set("token_vault.audit_buffer", "64kB"))?;
    read(&mut db, "ann")?;
    db.batch_execute("DROP EXTENSION token_vault CASCADE; CREATE EXTENSION token_vault")?;
    db.batch_execute("SELECT vault.create_master_key()")?;
    wait_for_entries(&mut db, "event = 'master_key_created'", 1)?;
    // The entry of the old vault does not turn up in the new one.
    assert_whole(&mut db)?;
    assert_eq!(count(&mut db, "event = 'read'")?, 0);
    drop(db);
    let mut other = cluster.connect("postgres", "postgres")?;
    other.batch_execute("DROP DATABASE app")?;
    cluster.assert_never_crashed();
    Ok(())
}
