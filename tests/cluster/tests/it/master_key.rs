//! The master key file: every way in which it can be wrong is a clear error in the session that needs it, writes
//! nothing, and is over when the file is right again. The server itself never depends on it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use postgres::Client;
use token_vault_cluster::{Cluster, Options, Result, StopMode};

use crate::session::{complaint, get_token, sqlstate};

pub const STORE: &str =
    "SELECT vault.store_token('acme', 'bob', access_token => 'at-2', expires_in => 3600)";

/// A cluster with a vault that holds one token.
pub fn cluster_with_token() -> Result<Cluster> {
    let cluster = Cluster::start_new(&Options::new().without_fsync())?;
    let mut client = cluster.create_vault("app")?;
    register_provider(&mut client)?;
    client.batch_execute(
        "SELECT vault.store_token('acme', 'alice', access_token => 'at-1', expires_in => 3600)",
    )?;
    Ok(cluster)
}

pub fn register_provider(client: &mut Client) -> Result<()> {
    client.batch_execute(
        "SELECT vault.register_provider('acme', token_endpoint => 'https://acme.example/token')",
    )?;
    Ok(())
}

/// A session that has no key in memory yet.
pub fn session(cluster: &Cluster) -> Result<Client> {
    cluster.connect("app", "postgres")
}

/// Writes a file of the server's user with this mode.
pub fn write(cluster: &Cluster, path: &Path, contents: &str, mode: u32) -> Result<()> {
    fs::write(path, contents)?;
    own(cluster, path)?;
    Ok(fs::set_permissions(path, Permissions::from_mode(mode))?)
}

/// Gives a file to the server's user, who owns the cluster's directory.
fn own(cluster: &Cluster, path: &Path) -> Result<()> {
    let owner = fs::metadata(cluster.directory())?;
    Ok(chown(path, Some(owner.uid()), Some(owner.gid()))?)
}

/// Reading and storing fail with this SQLSTATE and these words; nothing is written.
pub fn assert_refused(cluster: &Cluster, code: &str, words: &str) -> Result<()> {
    let read = get_token(&mut session(cluster)?, "alice");
    let store = session(cluster)?.execute(STORE, &[]).map(|_| String::new());
    for refused in [read, store] {
        let error = refused
            .err()
            .ok_or_else(|| format!("{words}: it was accepted"))?;
        let told = complaint::<()>(Err(error));
        assert!(told.contains(words), "{words}: {told}");
    }
    assert_eq!(
        sqlstate(get_token(&mut session(cluster)?, "alice")),
        code,
        "{words}"
    );
    let rows: i64 = session(cluster)?
        .query_one("SELECT count(*) FROM vault.token", &[])?
        .get(0);
    assert_eq!(rows, 1, "{words}: a row was written");
    Ok(())
}

/// What the vault says about one item.
pub fn status(cluster: &Cluster, item: &str) -> Result<(String, Option<String>)> {
    let row = session(cluster)?.query_one(
        "SELECT state, advice FROM vault.status() WHERE item = $1",
        &[&item],
    )?;
    Ok((row.get(0), row.get(1)))
}

#[test]
fn a_file_that_is_no_key_is_refused_and_says_why() -> Result<()> {
    let cluster = cluster_with_token()?;
    let file = cluster.master_key_file();
    let key = fs::read_to_string(&file)?;
    let away = cluster.directory().join("away");
    fs::rename(&file, &away)?;
    assert_refused(&cluster, "TV002", "No such file")?;

    let wrong_contents = [
        ("", "is empty"),
        ("c2hvcnQ=\n", "has 5 bytes instead of 32"),
        (&key.repeat(2), "more than one line"),
        (
            "not a key at all, but as long as the base64!\n",
            "neither hexadecimal nor base64",
        ),
        (&"ab".repeat(4000), "longer than"),
    ];
    for (contents, words) in wrong_contents {
        write(&cluster, &file, contents, 0o600)?;
        assert_refused(&cluster, "TV002", words)?;
    }
    for mode in [0o640, 0o604, 0o620, 0o602] {
        write(&cluster, &file, &key, mode)?;
        assert_refused(&cluster, "TV002", &format!("mode {mode:04o}"))?;
    }
    fs::remove_file(&file)?;
    fs::create_dir(&file)?;
    own(&cluster, &file)?;
    assert_refused(&cluster, "TV002", "not a regular file")?;
    fs::remove_dir(&file)?;

    // Right again, and no session needs a restart. A link is as good as the file.
    std::os::unix::fs::symlink(&away, &file)?;
    assert_eq!(get_token(&mut session(&cluster)?, "alice")?, "at-1");
    session(&cluster)?.execute(STORE, &[])?;
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_fifo_in_its_place_does_not_hang_the_session() -> Result<()> {
    let cluster = cluster_with_token()?;
    let file = cluster.master_key_file();
    fs::remove_file(&file)?;
    assert!(
        Command::new("mkfifo")
            .args(["-m", "600"])
            .arg(&file)
            .status()?
            .success()
    );
    own(&cluster, &file)?;
    let mut session = session(&cluster)?;
    let (send, receive) = mpsc::channel();
    let reader = std::thread::spawn(move || send.send(sqlstate(get_token(&mut session, "alice"))));
    let told = receive.recv_timeout(Duration::from_secs(10));
    if told.is_err() {
        // Lets a session that hangs go, so that the cluster can be stopped.
        drop(fs::OpenOptions::new().read(true).write(true).open(&file)?);
    }
    reader.join().expect("the session's thread")?;
    assert_eq!(told, Ok("TV002".to_owned()));
    Ok(())
}

#[test]
fn another_key_is_recognized_by_its_fingerprint_before_anything_is_written() -> Result<()> {
    let cluster = cluster_with_token()?;
    let wanted = status(&cluster, "master key")?
        .0
        .replace("fingerprint ", "");
    let file = cluster.master_key_file();
    let key = fs::read(&file)?;
    write(&cluster, &file, &format!("{}\n", "5a".repeat(32)), 0o600)?;
    assert_refused(&cluster, "TV003", &wanted)?;
    let told = complaint(get_token(&mut session(&cluster)?, "alice"));
    let found = told
        .split("fingerprint is ")
        .nth(1)
        .and_then(|rest| rest.split(';').next())
        .ok_or("the error names no fingerprint")?;
    assert!(found.len() == wanted.len() && found != wanted, "{told}");
    assert!(!told.contains("5a5a5a"), "the key itself is in the error");
    let (state, advice) = status(&cluster, "master key")?;
    assert!(state.contains("not the one"), "{state}");
    assert!(advice.is_some());

    fs::write(&file, key)?;
    assert_eq!(get_token(&mut session(&cluster)?, "alice")?, "at-1");
    assert_eq!(status(&cluster, "master key")?.1, None);
    Ok(())
}

#[test]
fn g5_the_server_starts_and_runs_without_the_file() -> Result<()> {
    let mut cluster = cluster_with_token()?;
    let away = cluster.directory().join("away");
    fs::rename(cluster.master_key_file(), &away)?;
    cluster.restart(StopMode::Fast)?;
    assert_refused(&cluster, "TV002", "No such file")?;
    let listed: String = session(&cluster)?
        .query_one("SELECT status FROM vault.tokens", &[])?
        .get(0);
    assert_eq!(listed, "valid");
    fs::rename(&away, cluster.master_key_file())?;
    assert_eq!(get_token(&mut session(&cluster)?, "alice")?, "at-1");
    cluster.assert_never_crashed();
    Ok(())
}
