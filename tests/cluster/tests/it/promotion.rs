//! A streaming replica serves reads, and when it is promoted, refreshing goes on: nobody asks for it, and nothing waits for a
//! period to end. The postmaster starts the launcher when recovery has ended, that starts the refresher, which begins with what
//! is due. How long this took is printed.

use std::time::SystemTime;

use postgres::Client;
use token_vault_cluster::wait::{wait_for, wait_for_sql};
use token_vault_cluster::{Cluster, Options, Result, StopMode};

use crate::copies::status;
use crate::provider::{DATABASE, LIMIT, Vault};
use crate::session::{get_token, refresh_token, sqlstate};

/// Tokens that become due while there is nobody to refresh them.
const SUBJECTS: [&str; 5] = ["ann", "bob", "cid", "dan", "eve"];

/// A primary that refreshes nothing itself, with overdue tokens, one that is valid, and an encrypted column.
fn primary() -> Result<(Vault, String)> {
    let options = Options::new().without_fsync();
    let mut vault = Vault::start_with(&options.set("token_vault.refresh_enabled", "off"))?;
    let valid = vault.grant("alice")?;
    for subject in SUBJECTS {
        vault.grant_that_is_due(subject)?;
    }
    vault.db.batch_execute(
        "CREATE ROLE web LOGIN; SELECT vault.grant_access('web', '{read}');
         CREATE TABLE webhook (key vault.secret); INSERT INTO webhook VALUES ('whsec-1'::text); GRANT SELECT ON webhook TO web",
    )?;
    Ok((vault, valid))
}

/// A standby that has replayed everything, and refreshes once it may.
fn standby(vault: &mut Vault) -> Result<Cluster> {
    let options = Options::new().without_fsync();
    let standby = vault
        .cluster
        .standby(&options.set("token_vault.refresh_enabled", "on"))?;
    let position: String = vault
        .db
        .query_one("SELECT pg_current_wal_lsn()::text", &[])?
        .get(0);
    let replayed = format!("SELECT pg_last_wal_replay_lsn() >= '{position}'");
    wait_for_sql(
        &mut standby.connect(DATABASE, "postgres")?,
        &replayed,
        LIMIT,
    )?;
    Ok(standby)
}

/// The standby reads like the primary, as a role of the application, and says why it can't do more.
fn assert_reads(db: &mut Client, valid: &str) -> Result<()> {
    assert_eq!(get_token(db, "alice")?, valid);
    let revealed = db.query_one("SELECT vault.reveal(key) FROM webhook", &[])?;
    assert_eq!(revealed.get::<_, &str>(0), "whsec-1");
    let tokens = "SELECT count(*) FROM vault.tokens";
    assert_eq!(db.query_one(tokens, &[])?.get::<_, i64>(0), 6);
    assert_eq!(sqlstate(get_token(db, "ann")), "TV034");
    Ok(())
}

/// When the server began to let sessions write, by its own log.
fn recovery_ended(standby: &Cluster) -> Result<SystemTime> {
    wait_for("the end of recovery in the log", LIMIT, || {
        let ended = standby.log()?.contains("archive recovery complete");
        Ok(ended.then(SystemTime::now))
    })
}

#[test]
fn refreshing_goes_on_when_a_standby_is_promoted() -> Result<()> {
    let (mut vault, valid) = primary()?;
    let standby = standby(&mut vault)?;
    let mut web = standby.connect(DATABASE, "web")?;
    let mut admin = standby.connect(DATABASE, "postgres")?;
    assert_reads(&mut web, &valid)?;
    let (state, advice) = status(&mut admin, "refresher")?;
    assert_eq!(
        (state.as_str(), advice),
        ("none: this server is a standby", None)
    );
    assert_eq!(vault.server.token_requests(), 0);

    vault.cluster.stop(StopMode::Immediate)?;
    admin.batch_execute("SELECT pg_promote(wait => false)")?;
    let ended = recovery_ended(&standby)?;
    let refreshes = vault.wait_for_refreshes(SUBJECTS.len())?;
    for (nth, refresh) in [("first", refreshes.first()), ("last", refreshes.last())] {
        let at = refresh.ok_or("there are refreshes")?.at;
        let after = at.duration_since(ended).unwrap_or_default();
        println!(
            "{nth} refresh {} ms after the end of recovery",
            after.as_millis()
        );
    }
    assert_eq!(refreshes.len(), SUBJECTS.len(), "each once");

    // Sessions from before the promotion read what is new, and can have a token refreshed.
    for subject in SUBJECTS {
        let token = wait_for("the new token", LIMIT, || {
            Ok(get_token(&mut web, subject).ok())
        })?;
        assert_eq!(vault.who_is(&token)?, subject);
    }
    refresh_token(&mut admin, "alice")?;
    assert_ne!(get_token(&mut web, "alice")?, valid);
    standby.assert_never_crashed();
    Ok(())
}

/// A crash of the standby before its promotion changes nothing.
#[test]
fn a_standby_that_was_restarted_is_promoted_the_same() -> Result<()> {
    let (mut vault, valid) = primary()?;
    let mut standby = standby(&mut vault)?;
    standby.restart(StopMode::Immediate)?;
    assert_reads(&mut standby.connect(DATABASE, "web")?, &valid)?;
    vault.cluster.stop(StopMode::Fast)?;
    standby.promote()?;
    assert_eq!(
        vault.wait_for_refreshes(SUBJECTS.len())?.len(),
        SUBJECTS.len()
    );
    standby.assert_never_crashed();
    Ok(())
}
