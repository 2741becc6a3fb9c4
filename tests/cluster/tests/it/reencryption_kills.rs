//! Re-encryption that is killed again and again, or runs out of space: nothing is lost, and it comes to its end.

use std::thread::JoinHandle;

use postgres::Client;
use token_vault_cluster::wait::{wait_for, wait_for_sql};
use token_vault_cluster::{Cluster, Options, Result, StopMode};

use crate::keys::{active_key, pid};
use crate::provider::{DATABASE, LIMIT};
use crate::reencryption_harness::{
    NO_CUSTODIAN, plaintexts, reencrypt, rotate, stale_values, state_of, store_tokens, vault,
    verified, wait_for_keys, wait_until_done,
};
use crate::session::sqlstate;
use crate::small_disk::SmallDisk;

const TOKENS: i32 = 20_000;
const VALUES: i32 = 5_000;
const KILLS: usize = 50;

/// Who is at work when the server is killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Worker {
    /// A session, in small batches.
    Session,
    Custodian,
}

#[derive(Clone, Copy, Debug)]
enum Kill {
    /// SIGKILL; the server ends all other sessions and recovers.
    Worker,
    Postmaster,
    ImmediateStop,
}

const HOW: [Kill; 3] = [Kill::Worker, Kill::Postmaster, Kill::ImmediateStop];

fn reconnect(cluster: &Cluster) -> Result<Client> {
    wait_for("the server after it was killed", LIMIT, || {
        Ok(cluster.connect(DATABASE, "postgres").ok())
    })
}

/// Every access token and every value of the column reads as it was stored.
fn assert_nothing_is_lost(db: &mut Client, when: &str) -> Result<()> {
    let row = db.query_one(
        "SELECT (SELECT count(*) FROM generate_series(1, $1) AS i WHERE vault.get_token('acme', 'user-' || i) = 'at-default' || i),
                (SELECT count(*) FROM hook WHERE vault.reveal(key) = 'whsec_' || id)",
        &[&TOKENS],
    )?;
    let opened: (i64, i64) = (row.get(0), row.get(1));
    assert_eq!(opened, (TOKENS.into(), VALUES.into()), "{when}");
    Ok(())
}

/// Has the values sealed again by a session of its own, until that is killed.
fn call(cluster: &Cluster) -> Result<(i32, JoinHandle<()>)> {
    let mut caller = cluster.connect(DATABASE, "postgres")?;
    let pid = pid(&mut caller)?;
    let thread = std::thread::spawn(move || {
        // It is killed, or it ends because all is done.
        let _ = caller.batch_execute("CALL vault.reencrypt(50)");
    });
    Ok((pid, thread))
}

/// Waits until there is a job in whose middle the server can be killed: this many values were done since now.
fn wait_for_the_middle(db: &mut Client, values: i64) -> Result<()> {
    let begin: i64 = db
        .query_one("SELECT done FROM vault.reencryption_job", &[])?
        .get(0);
    let query = format!(
        "SELECT state = 'done' OR total IS NOT NULL AND done >= {begin} + {values} FROM vault.reencryption_job"
    );
    wait_for_sql(db, &query, LIMIT)
}

fn is_running(db: &mut Client) -> Result<bool> {
    let query = "SELECT state = 'running' FROM vault.reencryption_job";
    Ok(db.query_one(query, &[])?.get(0))
}

/// Kills the server while `worker` is in the middle; whether it was.
fn kill_in_the_middle(
    cluster: &mut Cluster,
    worker: Worker,
    how: Kill,
    after: i64,
) -> Result<bool> {
    let mut db = reconnect(cluster)?;
    if !is_running(&mut db)? {
        rotate(&mut db, None)?;
    }
    let session = match worker {
        Worker::Session => Some(call(cluster)?),
        Worker::Custodian => None,
    };
    wait_for_the_middle(&mut db, after)?;
    let victim = match &session {
        Some((pid, _)) => Some(*pid),
        None => db
            .query_opt(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'token_vault custodian'",
                &[],
            )?
            .map(|row| row.get(0)),
    };
    let was_running = is_running(&mut db)?;
    match (how, victim) {
        (Kill::Worker, Some(pid)) if was_running => {
            cluster.crash(pid)?;
        }
        (Kill::Postmaster, _) => {
            cluster.kill9()?;
            cluster.start()?;
        }
        _ => cluster.restart(StopMode::Immediate)?,
    }
    if let Some((_, thread)) = session {
        thread.join().expect("the session's thread");
    }
    Ok(was_running)
}

#[test]
fn nothing_is_lost_however_often_it_is_killed() -> Result<()> {
    // At first without worker processes, so that sessions have the work to themselves.
    let (mut cluster, mut db) = vault(&Options::new().set("max_worker_processes", "0"))?;
    store_tokens(&mut db, "default", TOKENS)?;
    db.batch_execute(&format!(
        "CREATE TABLE hook AS SELECT i AS id, vault.seal('whsec_' || i) AS key FROM generate_series(1, {VALUES}) AS i"
    ))?;
    let before = plaintexts(&cluster, &mut db)?;
    rotate(&mut db, None)?;
    drop(db);
    let mut in_the_middle = 0;
    for number in 0..KILLS {
        let worker = if number < KILLS / 2 {
            Worker::Session
        } else {
            Worker::Custodian
        };
        if number == KILLS / 2 {
            cluster.configure("max_worker_processes = 8\n")?;
            cluster.restart(StopMode::Immediate)?;
        }
        let how = HOW[number % HOW.len()];
        let after = (number * 977 % 2500) as i64;
        in_the_middle += usize::from(kill_in_the_middle(&mut cluster, worker, how, after)?);
        let mut db = reconnect(&cluster)?;
        assert_nothing_is_lost(&mut db, &format!("kill {number}: {worker:?}, {how:?}"))?;
    }
    assert!(
        in_the_middle >= 40,
        "only {in_the_middle} of {KILLS} kills hit the middle"
    );

    let mut db = reconnect(&cluster)?;
    wait_until_done(&mut db)?;
    wait_for_keys(&mut db, "retired", 0)?;
    assert_eq!(stale_values(&mut db)?, 0);
    let active = active_key(&mut db)?;
    let others =
        "SELECT count(*) FROM hook WHERE encode(substr(vault.secret_send(key), 3, 8), 'hex') <> $1";
    assert_eq!(db.query_one(others, &[&active])?.get::<_, i64>(0), 0);
    assert!(
        plaintexts(&cluster, &mut db)? == before,
        "a plaintext has changed"
    );
    assert_nothing_is_lost(&mut db, "at the end")?;
    // The data key and the audit log's key are values, too.
    assert_eq!(
        verified(&mut db)?,
        format!("ok {}", 3 * TOKENS + VALUES + 2)
    );
    Ok(())
}

#[test]
fn a_full_disk_stops_it_and_it_goes_on_when_there_is_room_again() -> Result<()> {
    let (cluster, mut db) = vault(&Options::new().without_fsync())?;
    let Some(disk) = SmallDisk::mount(&cluster, &mut db, 16 << 10)? else {
        return Ok(());
    };
    store_tokens(&mut db, "default", 2000)?;
    let before = plaintexts(&cluster, &mut db)?;
    // Its buffers on the disk, so that nothing but new blocks needs room.
    db.batch_execute("ALTER TABLE vault.token SET TABLESPACE small")?;
    db.batch_execute("CHECKPOINT")?;
    disk.fill()?;
    rotate(&mut db, None)?;
    wait_for("the custodian's warning", LIMIT, || {
        let log = cluster.log()?;
        let is_said = log.lines().any(|line| {
            line.contains("WARNING:  token_vault could not go on with its keys")
                && line.contains("No space left on device")
        });
        Ok(is_said.then_some(()))
    })?;
    wait_for_sql(&mut db, NO_CUSTODIAN, LIMIT)?;
    let refused = db.batch_execute("CALL vault.reencrypt()");
    assert_eq!(sqlstate(refused), "53100");
    assert!(is_running(&mut db)?);
    assert!(stale_values(&mut db)? > 0);
    assert_eq!(plaintexts(&cluster, &mut db)?, before);

    disk.free()?;
    reencrypt(&mut db)?;
    assert_eq!(stale_values(&mut db)?, 0);
    assert_eq!(plaintexts(&cluster, &mut db)?, before);
    wait_for_keys(&mut db, "destroyed", 1)?;
    cluster.assert_never_crashed();
    cluster.stop(StopMode::Fast)
}

#[test]
fn a_full_disk_under_one_table_stops_no_other() -> Result<()> {
    let (cluster, mut db) = vault(&Options::new().without_fsync())?;
    let Some(disk) = SmallDisk::mount(&cluster, &mut db, 16 << 10)? else {
        return Ok(());
    };
    db.batch_execute(
        "CREATE TABLE hook (id integer, key vault.secret) TABLESPACE small;
         INSERT INTO hook SELECT i, ('whsec_' || i)::text FROM generate_series(1, 2000) AS i;
         CREATE TABLE other (key vault.secret); INSERT INTO other VALUES ('whsec_1'::text)",
    )?;
    db.batch_execute("CHECKPOINT")?;
    disk.fill()?;
    let old = active_key(&mut db)?;
    let new = rotate(&mut db, None)?;
    wait_until_done(&mut db)?;
    let row = db.query_one("SELECT remaining > 0, problem FROM vault.reencryption", &[])?;
    assert!(row.get::<_, bool>(0));
    assert_eq!(row.get::<_, &str>(1), "public.hook: SQLSTATE 53100");
    assert_eq!(state_of(&mut db, &old)?, "retired");
    let moved = "SELECT encode(substr(vault.secret_send(key), 3, 8), 'hex') FROM other";
    assert_eq!(db.query_one(moved, &[])?.get::<_, &str>(0), new);
    disk.free()?;
    reencrypt(&mut db)?;
    assert_eq!(state_of(&mut db, &old)?, "destroyed");
    let opened = "SELECT count(*) FROM hook WHERE vault.reveal(key) = 'whsec_' || id";
    assert_eq!(db.query_one(opened, &[])?.get::<_, i64>(0), 2000);
    cluster.assert_never_crashed();
    cluster.stop(StopMode::Fast)
}
