//! The master key is replaced: from every kind of source to every other one, interrupted, and with the wrong old one.

use std::fs;
use std::os::unix::fs::MetadataExt;

use postgres::Client;
use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Cluster, Result, StopMode};

use crate::keys::{key_rows, pid, set};
use crate::keys_rotation::{cluster, store};
use crate::master_key::{session, write};
use crate::provider::LIMIT;
use crate::session::sqlstate;

const CURRENT: [&str; 2] = [
    "token_vault.master_key_file",
    "token_vault.master_key_command",
];
const PREVIOUS: [&str; 2] = [
    "token_vault.previous_master_key_file",
    "token_vault.previous_master_key_command",
];

/// Where a master key is: the settings for a file and for a command, one of them empty.
#[derive(Clone)]
pub struct Place {
    file: String,
    command: String,
}

impl Place {
    pub fn file(cluster: &Cluster, name: &str) -> Self {
        Self {
            file: path(cluster, name),
            command: String::new(),
        }
    }

    /// A command that prints a key made for it.
    fn command(cluster: &Cluster, name: &str, byte: &str) -> Result<Self> {
        let file = cluster.directory().join(name);
        write(cluster, &file, &byte.repeat(32), 0o600)?;
        Ok(Self {
            file: String::new(),
            command: format!("cat {}", file.display()),
        })
    }
}

fn path(cluster: &Cluster, name: &str) -> String {
    cluster
        .directory()
        .join(name)
        .to_string_lossy()
        .into_owned()
}

pub fn configure(cluster: &Cluster, current: &Place, previous: Option<&Place>) -> Result<()> {
    for (settings, place) in [(CURRENT, Some(current)), (PREVIOUS, previous)] {
        set(cluster, settings[0], place.map_or("", |place| &place.file))?;
        set(
            cluster,
            settings[1],
            place.map_or("", |place| &place.command),
        )?;
    }
    Ok(())
}

pub fn rotate(db: &mut Client) -> std::result::Result<String, postgres::Error> {
    db.query_one("SELECT vault.rotate_master_key()", &[])?
        .try_get(0)
}

/// The fingerprints of the master keys that wrap data keys.
fn fingerprints(db: &mut Client) -> Result<Vec<String>> {
    let query = "SELECT DISTINCT master_key_fingerprint FROM vault.keys WHERE state <> 'destroyed'";
    Ok(db.query(query, &[])?.iter().map(|row| row.get(0)).collect())
}

/// A key for all in three generations and a tenant's in two, each with a token.
pub fn fill(cluster: &Cluster) -> Result<()> {
    let mut db = session(cluster)?;
    for subject in ["bob", "carol"] {
        db.execute("SELECT vault.rotate_key()", &[])?;
        store(&mut db, subject, "at-1")?;
    }
    db.batch_execute(
        "SELECT vault.create_tenant_key('globex');
         SELECT vault.store_token('acme', 'dave', access_token => 'at-1', tenant => 'globex');
         SELECT vault.rotate_key('globex');
         SELECT vault.store_token('acme', 'erin', access_token => 'at-1', tenant => 'globex')",
    )?;
    Ok(())
}

/// Everything that [`fill`] has stored can be read.
pub fn assert_all_there(db: &mut Client) -> Result<()> {
    let rows = db.query(
        "SELECT subject, vault.get_token('acme', subject, tenant => tenant) FROM vault.tokens",
        &[],
    )?;
    assert_eq!(rows.len(), 5);
    for row in rows {
        assert_eq!(row.get::<_, &str>(1), "at-1", "{}", row.get::<_, &str>(0));
    }
    Ok(())
}

#[test]
fn from_any_source_to_any_other() -> Result<()> {
    let mut cluster = cluster()?;
    fill(&cluster)?;
    let mut before = Place::file(&cluster, "master.key");
    let places = [
        Place::file(&cluster, "second.key"),
        Place::command(&cluster, "kms-1", "3c")?,
        Place::command(&cluster, "kms-2", "4d")?,
        Place::file(&cluster, "third.key"),
    ];
    let mut old_session = session(&cluster)?;
    assert_all_there(&mut old_session)?;
    let mut seen = fingerprints(&mut old_session)?;
    for place in places {
        configure(&cluster, &place, Some(&before))?;
        // Until then the old key is good for everything.
        assert_all_there(&mut session(&cluster)?)?;
        store(&mut session(&cluster)?, "alice", "at-1")?;
        let mut db = session(&cluster)?;
        let fingerprint = rotate(&mut db)?;
        assert!(!seen.contains(&fingerprint));
        seen.push(fingerprint.clone());
        // All of them: retired ones and those of tenants, too.
        assert_eq!(fingerprints(&mut db)?, [fingerprint]);
        assert_eq!(sqlstate(rotate(&mut db)), "TV009");
        if !place.file.is_empty() {
            assert_eq!(fs::metadata(&place.file)?.mode() & 0o7777, 0o600);
        }
        assert_all_there(&mut old_session)?;
        store(&mut old_session, "alice", "at-1")?;
        assert_all_there(&mut session(&cluster)?)?;
        before = place;
    }
    configure(&cluster, &before, None)?;
    cluster.restart(StopMode::Fast)?;
    assert_all_there(&mut session(&cluster)?)?;
    session(&cluster)?.execute("SELECT vault.rotate_key()", &[])?;
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn without_the_right_old_key_nothing_changes() -> Result<()> {
    let cluster = cluster()?;
    fill(&cluster)?;
    let before = key_rows(&mut session(&cluster)?)?;
    let old = Place::file(&cluster, "master.key");
    let new = Place::command(&cluster, "kms-1", "3c")?;
    let failing = Place {
        file: String::new(),
        command: "exit 7".to_owned(),
    };
    let cases = [
        None,
        Some(Place::command(&cluster, "kms-2", "4d")?),
        Some(Place::file(&cluster, "missing.key")),
        Some(failing),
    ];
    for previous in cases {
        configure(&cluster, &new, previous.as_ref())?;
        assert_eq!(sqlstate(rotate(&mut session(&cluster)?)), "TV003");
        assert_eq!(key_rows(&mut session(&cluster)?)?, before);
    }
    // A new key's file is not written either.
    let unwritten = Place::file(&cluster, "unwritten.key");
    configure(&cluster, &unwritten, None)?;
    assert_eq!(sqlstate(rotate(&mut session(&cluster)?)), "TV002");
    assert!(!cluster.directory().join("unwritten.key").exists());
    configure(&cluster, &new, Some(&old))?;
    rotate(&mut session(&cluster)?)?;
    assert_all_there(&mut session(&cluster)?)
}

#[test]
fn killed_in_the_middle_the_old_key_still_works() -> Result<()> {
    let cluster = cluster()?;
    fill(&cluster)?;
    let old = Place::file(&cluster, "master.key");
    let new = Place::file(&cluster, "second.key");
    configure(&cluster, &new, Some(&old))?;
    let mut db = session(&cluster)?;
    let before = key_rows(&mut db)?;
    let pid = pid(&mut db)?;
    db.batch_execute("BEGIN")?;
    rotate(&mut db)?;
    cluster.crash(pid)?;
    let mut after = wait_for("the server after its crash", LIMIT, || {
        Ok(session(&cluster).ok())
    })?;
    assert_eq!(key_rows(&mut after)?, before);
    assert_all_there(&mut after)?;
    // The new key's file is there already, and is taken.
    let file = fs::read(&new.file)?;
    rotate(&mut after)?;
    assert_eq!(fs::read(&new.file)?, file);
    configure(&cluster, &new, None)?;
    assert_all_there(&mut session(&cluster)?)
}
