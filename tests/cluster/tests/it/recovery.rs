//! Point-in-time recovery from a base backup and archived WAL, by the server that replaces a lost one.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use token_vault_cluster::wait::{wait_for, wait_for_sql};
use token_vault_cluster::{Options, Result, StopMode};

use crate::copies::{grant_and_look, status, wait_for_token};
use crate::provider::{CLIENT, DATABASE, LIMIT, ROTATION_WITH_LEEWAY, Vault};
use crate::session::{get_token, refresh_token};

/// A command that archives a segment whole or not at all.
pub fn atomic_copy(archive: &Path) -> String {
    let place = archive.display();
    format!("cp %p {place}/%f.part && mv {place}/%f.part {place}/%f")
}

fn options() -> Options {
    Options::new().without_fsync()
}

#[test]
fn a_recovered_server_has_what_there_was_and_goes_on() -> Result<()> {
    let archive = tempfile::Builder::new().prefix("tv-archive-").tempdir()?;
    let archive = archive.path();
    std::fs::set_permissions(archive, std::fs::Permissions::from_mode(0o777))?;
    let archived = atomic_copy(archive);
    let archiving = options()
        .set("archive_mode", "on")
        .set("archive_command", &archived);
    let mut vault = Vault::start_with(&archiving)?;
    vault.register_at_provider(CLIENT, ROTATION_WITH_LEEWAY);
    let recovery = options()
        .set("archive_mode", "off")
        .set(
            "restore_command",
            &format!("cp {}/%f %p", archive.display()),
        )
        .set("recovery_target_name", "before_the_accident")
        .set("recovery_target_action", "promote");
    let mut copy = vault.cluster.recoverable_backup(&recovery)?;

    // After the base backup, and before the accident: all of this is in archived WAL only.
    let alice = vault.grant("alice")?;
    vault.db.batch_execute(
        "SELECT vault.rotate_key(); CREATE TABLE webhook (key vault.secret); INSERT INTO webhook VALUES ('whsec-1'::text)",
    )?;
    let bob = vault.grant("bob")?;
    vault
        .db
        .batch_execute("SELECT pg_create_restore_point('before_the_accident')")?;
    // The accident.
    vault.db.batch_execute(
        "SELECT vault.delete_token('acme', 'alice'); DROP TABLE webhook; SELECT vault.rotate_key()",
    )?;
    let segment: String = vault
        .db
        .query_one("SELECT pg_walfile_name(pg_switch_wal())", &[])?
        .get(0);
    wait_for("the archived segment", LIMIT, || {
        Ok(archive.join(&segment).exists().then_some(()))
    })?;
    assert_eq!(get_token(&mut vault.db, "bob")?, bob);
    vault.cluster.stop(StopMode::Immediate)?;

    copy.start()?;
    let mut db = copy.connect(DATABASE, "postgres")?;
    wait_for_sql(&mut db, "SELECT NOT pg_is_in_recovery()", LIMIT)?;
    assert_eq!(get_token(&mut db, "alice")?, alice);
    assert_eq!(get_token(&mut db, "bob")?, bob);
    let revealed = db.query_one("SELECT vault.reveal(key) FROM webhook", &[])?;
    assert_eq!(revealed.get::<_, &str>(0), "whsec-1");
    let wrong = db.query("SELECT FROM vault.verify() WHERE outcome <> 'ok'", &[])?;
    assert!(wrong.is_empty());

    // It is the vault's home now, by itself, and refreshes what the lost server would have.
    wait_for_sql(
        &mut db,
        "SELECT timeline = 2 FROM vault.installation",
        LIMIT,
    )?;
    assert_eq!(status(&mut db, "installation")?.1, None);
    grant_and_look(&mut db, &vault.server, "carol")?;
    wait_for_token(&mut db, "carol", "generation = 2 AND status = 'valid'")?;
    for subject in ["alice", "bob"] {
        refresh_token(&mut db, subject)?;
        let token = get_token(&mut db, subject)?;
        assert_eq!(vault.who_is(&token)?, subject);
    }
    copy.assert_never_crashed();
    Ok(())
}
