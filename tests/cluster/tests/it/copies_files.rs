//! A14: copies of a cluster's files. A base backup that is started beside its original waits; a promoted standby goes
//! on by itself, unless the administrator has every new timeline wait.

use postgres::Client;
use token_vault_cluster::wait::{wait_for, wait_for_sql};
use token_vault_cluster::{Cluster, Options, Result, StopMode};

use crate::copies::{adopt, assert_waits, grant_and_look, status, wait_for_token};
use crate::provider::{DATABASE, LIMIT, Vault};
use crate::recovery::atomic_copy;
use crate::session::get_token;

const BESIDE: &str = "another base backup";
const TIMELINE: &str = "token_vault.wait_on_new_timeline is on";

fn options() -> Options {
    Options::new().without_fsync()
}

fn waiting() -> Options {
    options().set("token_vault.wait_on_new_timeline", "on")
}

fn session(cluster: &Cluster) -> Result<Client> {
    cluster.connect(DATABASE, "postgres")
}

/// The timeline of the vault's home, and whether it began with a base backup.
fn home(db: &mut Client) -> Result<(i64, bool)> {
    let row = db.query_one(
        "SELECT timeline, backup_label <> '' FROM vault.installation",
        &[],
    )?;
    Ok((row.get(0), row.get(1)))
}

/// The server's log says why nothing is refreshed, once.
fn assert_logged_once(cluster: &Cluster, why: &str) -> Result<()> {
    let log = cluster.log()?;
    let lines: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("WARNING") && line.contains(why))
        .collect();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(
        lines[0].contains("vault.adopt_installation()"),
        "{}",
        lines[0]
    );
    Ok(())
}

#[test]
fn a14_a_base_backup_started_beside_its_original_waits() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    let mut copy = vault.cluster.base_backup(&options())?;
    let mut db = session(&copy)?;
    assert_waits(&mut db, &vault.server, BESIDE)?;
    assert_logged_once(&copy, BESIDE)?;
    // A restart makes it no original.
    copy.restart(StopMode::Fast)?;
    let mut db = session(&copy)?;
    assert_waits(&mut db, &vault.server, BESIDE)?;
    // The original is where it was.
    assert_eq!(home(&mut vault.db)?, (1, false));
    assert_eq!(status(&mut vault.db, "installation")?.1, None);

    adopt(&mut db)?;
    assert_eq!(home(&mut db)?, (1, true));
    copy.restart(StopMode::Fast)?;
    let mut db = session(&copy)?;
    assert_eq!(status(&mut db, "installation")?.1, None);
    grant_and_look(&mut db, &vault.server, "bob")?;
    wait_for_token(&mut db, "bob", "generation = 2")?;
    // And a copy of the copy is one again.
    let third = copy.base_backup(&options())?;
    let mut db = session(&third)?;
    assert!(status(&mut db, "installation")?.0.contains(BESIDE));
    for cluster in [&vault.cluster, &copy, &third] {
        cluster.assert_never_crashed();
    }
    Ok(())
}

#[test]
fn a_promoted_standby_goes_on_by_itself() -> Result<()> {
    let mut vault = Vault::start()?;
    let token = vault.grant("alice")?;
    let standby = vault.cluster.standby(&options())?;
    let mut db = session(&standby)?;
    assert_eq!(get_token(&mut db, "alice")?, token);
    assert_eq!(status(&mut db, "installation")?.1, None);
    vault.cluster.stop(StopMode::Fast)?;

    standby.promote()?;
    // The first thing its refresher does is to make this timeline the home's.
    wait_for_sql(
        &mut db,
        "SELECT timeline = 2 AND backup_label <> '' FROM vault.installation",
        LIMIT,
    )?;
    grant_and_look(&mut db, &vault.server, "bob")?;
    wait_for_token(&mut db, "bob", "generation = 2")?;
    assert_eq!(vault.refreshes().len(), 1);

    let copy = standby.base_backup(&options())?;
    let mut db = session(&copy)?;
    assert_waits(&mut db, &vault.server, BESIDE)?;
    standby.assert_never_crashed();
    copy.assert_never_crashed();
    Ok(())
}

#[test]
fn a_promoted_standby_waits_where_every_new_timeline_does() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    let mut standby = vault.cluster.standby(&waiting())?;
    wait_for("the replay", LIMIT, || {
        Ok(get_token(&mut session(&standby)?, "alice").ok())
    })?;
    standby.promote()?;
    let mut db = session(&standby)?;
    assert_waits(&mut db, &vault.server, TIMELINE)?;
    assert_logged_once(&standby, TIMELINE)?;
    assert_eq!(home(&mut db)?, (1, false));
    standby.restart(StopMode::Fast)?;
    let mut db = session(&standby)?;
    assert_waits(&mut db, &vault.server, TIMELINE)?;
    adopt(&mut db)?;
    assert_eq!(home(&mut db)?, (2, true));
    // The primary has gone on meanwhile.
    vault.grant_that_is_due("bob")?;
    vault.wait_for_token("bob", "generation = 2")?;
    standby.assert_never_crashed();
    Ok(())
}

#[test]
fn switching_the_wait_off_lets_a_promoted_server_go_on() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    let standby = vault.cluster.standby(&waiting())?;
    vault.cluster.stop(StopMode::Fast)?;
    standby.promote()?;
    let mut db = session(&standby)?;
    assert_waits(&mut db, &vault.server, TIMELINE)?;
    standby.configure("token_vault.wait_on_new_timeline = off\n")?;
    standby.reload()?;
    wait_for_token(&mut db, "alice", "generation = 2")?;
    assert_eq!(home(&mut db)?, (2, true));
    Ok(())
}

/// Point-in-time recovery: a base backup, and the archive up to a restore point that somebody has made.
#[test]
fn a14_a_backup_recovered_to_a_point_in_time_waits_where_every_new_timeline_does() -> Result<()> {
    let archive = tempfile::Builder::new().prefix("tv-archive-").tempdir()?;
    let archive = archive.path();
    std::fs::set_permissions(archive, std::os::unix::fs::PermissionsExt::from_mode(0o777))?;
    let archived = atomic_copy(archive);
    let mut vault = Vault::start_with(
        &options()
            .set("archive_mode", "on")
            .set("archive_command", &archived),
    )?;
    let recovery = waiting()
        .set("archive_mode", "off")
        .set(
            "restore_command",
            &format!("cp {}/%f %p", archive.display()),
        )
        .set("recovery_target_name", "before_the_accident")
        .set("recovery_target_action", "promote");
    let mut copy = vault.cluster.recoverable_backup(&recovery)?;
    vault.grant("alice")?;
    vault
        .db
        .batch_execute("SELECT pg_create_restore_point('before_the_accident')")?;
    vault.grant("after-the-accident")?;
    let segment: String = vault
        .db
        .query_one("SELECT pg_walfile_name(pg_switch_wal())", &[])?
        .get(0);
    wait_for("the archived segment", LIMIT, || {
        Ok(archive.join(&segment).exists().then_some(()))
    })?;

    copy.start()?;
    let mut db = session(&copy)?;
    wait_for_sql(&mut db, "SELECT NOT pg_is_in_recovery()", LIMIT)?;
    let subjects: i64 = db
        .query_one("SELECT count(*) FROM vault.tokens", &[])?
        .get(0);
    assert_eq!(subjects, 1);
    assert_waits(&mut db, &vault.server, TIMELINE)?;
    adopt(&mut db)?;
    copy.assert_never_crashed();
    Ok(())
}
