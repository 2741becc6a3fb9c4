//! A data key is replaced while others work: at once for everybody, one at a time, and nothing is lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use postgres::Client;
use token_vault_cluster::wait::wait_for_sql;
use token_vault_cluster::{Cluster, Result};

use crate::keys::{active_key, key_of_token, pid, set};
use crate::master_key::{cluster_with_token, session};
use crate::provider::LIMIT;
use crate::session::{get_token, sqlstate};

/// A cluster with one token, which keeps its retired keys.
pub fn cluster() -> Result<Cluster> {
    let cluster = cluster_with_token()?;
    set(&cluster, "token_vault.key_retention", "1d")?;
    Ok(cluster)
}

fn rotate(db: &mut Client) -> std::result::Result<String, postgres::Error> {
    db.query_one("SELECT vault.rotate_key()", &[])?.try_get(0)
}

pub fn store(
    db: &mut Client,
    subject: &str,
    token: &str,
) -> std::result::Result<u64, postgres::Error> {
    db.execute(
        "SELECT vault.store_token('acme', $1, access_token => $2, expires_in => 3600)",
        &[&subject, &token],
    )
}

/// Runs a statement in another thread, and returns when its session waits for a lock.
pub fn blocked<T: Send + 'static>(
    watcher: &mut Client,
    mut db: Client,
    work: impl FnOnce(&mut Client) -> T + Send + 'static,
) -> Result<JoinHandle<T>> {
    let pid = pid(&mut db)?;
    let thread = std::thread::spawn(move || work(&mut db));
    wait_for_sql(
        watcher,
        &format!(
            "SELECT wait_event_type IS NOT DISTINCT FROM 'Lock' FROM pg_stat_activity WHERE pid = {pid}"
        ),
        LIMIT,
    )?;
    Ok(thread)
}

fn active_keys(db: &mut Client) -> Result<i64> {
    let query = "SELECT count(*) FROM vault.keys WHERE state = 'active'";
    Ok(db.query_one(query, &[])?.get(0))
}

#[test]
fn a_new_key_is_used_at_once_by_every_open_session() -> Result<()> {
    let cluster = cluster()?;
    let (mut one, mut other) = (session(&cluster)?, session(&cluster)?);
    assert_eq!(get_token(&mut other, "alice")?, "at-1");
    let old = key_of_token(&mut one, "alice")?;
    let new = rotate(&mut one)?;
    assert_ne!(old, new);
    store(&mut other, "bob", "at-bob")?;
    assert_eq!(key_of_token(&mut one, "bob")?, new);
    assert_eq!(get_token(&mut other, "alice")?, "at-1");

    // Inside a transaction, too. Each stores a row of its own: re-encryption may change those that are there.
    for level in ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"] {
        other.batch_execute(&format!("BEGIN ISOLATION LEVEL {level}"))?;
        assert_eq!(get_token(&mut other, "bob")?, "at-bob");
        let newest = rotate(&mut one)?;
        store(&mut other, level, "at-carol")?;
        assert_eq!(get_token(&mut other, level)?, "at-carol");
        other.batch_execute("COMMIT")?;
        assert_eq!(key_of_token(&mut one, level)?, newest, "{level}");
        assert_eq!(get_token(&mut one, level)?, "at-carol");
    }
    assert_eq!(active_keys(&mut one)?, 1);
    Ok(())
}

#[test]
fn a_rotation_that_is_rolled_back_has_not_happened() -> Result<()> {
    let cluster = cluster()?;
    let (mut one, mut other) = (session(&cluster)?, session(&cluster)?);
    let old = active_key(&mut one)?;
    let mut transaction = one.transaction()?;
    let dropped: String = transaction
        .query_one("SELECT vault.rotate_key()", &[])?
        .get(0);
    transaction.execute(
        "SELECT vault.store_token('acme', 'bob', access_token => 'at-bob')",
        &[],
    )?;
    // Others do not wait for it, and do not know of it.
    store(&mut other, "carol", "at-carol")?;
    transaction.rollback()?;
    store(&mut one, "dave", "at-dave")?;
    store(&mut other, "erin", "at-erin")?;
    for subject in ["carol", "dave", "erin"] {
        assert_eq!(key_of_token(&mut one, subject)?, old, "{subject}");
    }
    assert_ne!(dropped, old);
    assert_eq!(active_key(&mut other)?, old);
    Ok(())
}

#[test]
fn of_two_sessions_that_rotate_at_once_one_is_told() -> Result<()> {
    let cluster = cluster()?;
    let mut watcher = session(&cluster)?;
    for (end, expected) in [("COMMIT", Some("TV012")), ("ROLLBACK", None)] {
        let mut first = session(&cluster)?;
        first.batch_execute("BEGIN")?;
        let of_first = rotate(&mut first)?;
        let second = blocked(&mut watcher, session(&cluster)?, rotate)?;
        first.batch_execute(end)?;
        let of_second = second.join().expect("the session's thread");
        let active = match (expected, of_second) {
            (Some(code), refused) => {
                assert_eq!(sqlstate(refused), code);
                of_first
            }
            (None, rotated) => rotated?,
        };
        assert_eq!(active_key(&mut watcher)?, active);
        assert_eq!(active_keys(&mut watcher)?, 1);
    }
    Ok(())
}

/// Stores and reads a token of its own until it is told to end, but once at least; returns how often.
fn work(db: &mut Client, subject: &str, end: &AtomicBool) -> Result<usize> {
    let mut count = 0;
    while count == 0 || !end.load(Ordering::Relaxed) {
        let token = format!("at-{subject}-{count}");
        store(db, subject, &token)?;
        assert_eq!(get_token(db, subject)?, token);
        assert_eq!(get_token(db, "alice")?, "at-1");
        count += 1;
    }
    Ok(count)
}

#[test]
fn sessions_that_store_and_read_notice_nothing_of_rotations() -> Result<()> {
    let cluster = cluster()?;
    let mut db = session(&cluster)?;
    let sessions: Vec<Client> = (0..4).map(|_| session(&cluster)).collect::<Result<_>>()?;
    let end = &AtomicBool::new(false);
    let counts = std::thread::scope(|scope| -> Result<Vec<usize>> {
        let workers: Vec<_> = (sessions.into_iter().enumerate())
            .map(|(number, mut db)| {
                scope.spawn(move || work(&mut db, &format!("worker-{number}"), end))
            })
            .collect();
        let rotated = (0..20).try_for_each(|_| rotate(&mut db).map(drop));
        end.store(true, Ordering::Relaxed);
        let counts = (workers.into_iter())
            .map(|worker| worker.join().expect("the worker's thread"))
            .collect();
        rotated?;
        counts
    })?;
    let mut reader = session(&cluster)?;
    for (number, count) in counts.iter().enumerate() {
        let subject = format!("worker-{number}");
        let last = format!("at-{subject}-{}", count - 1);
        assert_eq!(get_token(&mut reader, &subject)?, last);
    }
    assert_eq!(active_keys(&mut db)?, 1);
    cluster.assert_never_crashed();
    Ok(())
}
