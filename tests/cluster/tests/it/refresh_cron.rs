//! `refresh_due` for callers like cron: pg_cron's jobs, and what they are told.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use token_vault_cluster::wait::wait_for_sql;
use token_vault_cluster::{Cluster, Options, Result, StopMode};
use token_vault_oauth_server::{Behaviour, Entry};

use crate::provider::{DATABASE, LIMIT, Vault};

/// Debian's pg_cron starts jobs at full minutes.
const NEXT_MINUTE: Duration = Duration::from_secs(150);

/// A vault beside which pg_cron is preloaded, and nothing else; none where pg_cron is not installed.
fn start_with_cron(background_workers: &str) -> Result<Option<Vault>> {
    let mut vault = Vault::start_with(&Options::new().not_preloaded().without_fsync())?;
    if !vault.cluster.has_library("pg_cron") {
        eprintln!("skipped: this server has no pg_cron");
        return Ok(None);
    }
    let cluster: &mut Cluster = &mut vault.cluster;
    let socket = cluster.directory().display().to_string();
    cluster.configure(&format!(
        "shared_preload_libraries = 'pg_cron'\ncron.database_name = '{DATABASE}'\ncron.host = '{socket}'\n\
         cron.use_background_workers = {background_workers}\n"
    ))?;
    cluster.restart(StopMode::Fast)?;
    vault.db = vault.session()?;
    vault.db.batch_execute("CREATE EXTENSION pg_cron")?;
    Ok(Some(vault))
}

/// Waits until a job has refreshed both tokens and ended well.
fn wait_for_success(vault: &mut Vault) -> Result<()> {
    for subject in ["alice", "bob"] {
        let refreshed = format!(
            "SELECT bool_or(generation = 2 AND status = 'valid') FROM vault.tokens WHERE subject = '{subject}'"
        );
        wait_for_sql(&mut vault.db, &refreshed, NEXT_MINUTE)?;
    }
    wait_for_sql(
        &mut vault.db,
        "SELECT coalesce(bool_and(status = 'succeeded'), false) FROM cron.job_run_details",
        LIMIT,
    )?;
    assert_eq!(vault.refreshes().len(), 2);
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_job_of_pg_cron_refreshes_what_is_due() -> Result<()> {
    let Some(mut vault) = start_with_cron("off")? else {
        return Ok(());
    };
    vault.grant_that_is_due("alice")?;
    vault.grant_that_is_due("bob")?;
    vault.grant("later")?;
    vault.db.execute(
        "SELECT cron.schedule('refresh', '* * * * *', 'SELECT * FROM vault.refresh_due()')",
        &[],
    )?;
    wait_for_success(&mut vault)?;
    assert_eq!(vault.token("later")?.generation, 1);
    Ok(())
}

/// The job of the README, run in a background worker by a role that may refresh and nothing else.
#[test]
fn a_job_of_an_unprivileged_role_refreshes_what_is_due() -> Result<()> {
    let Some(mut vault) = start_with_cron("on")? else {
        return Ok(());
    };
    vault.grant_that_is_due("alice")?;
    vault.grant_that_is_due("bob")?;
    vault.db.batch_execute(
        "CREATE ROLE refresher LOGIN;
         SELECT vault.grant_access('refresher', privileges => '{refresh}');
         GRANT USAGE ON SCHEMA cron TO refresher;
         SET ROLE refresher;
         SELECT cron.schedule('refresh tokens', '* * * * *', $$SELECT * FROM vault.refresh_due(within => '5 minutes')$$);
         RESET ROLE",
    )?;
    wait_for_success(&mut vault)?;
    let role: String = vault
        .db
        .query_one("SELECT DISTINCT username FROM cron.job_run_details", &[])?
        .get(0);
    assert_eq!(role, "refresher");
    Ok(())
}

#[test]
fn refresh_due_tells_every_outcome_in_one_call() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.add_client("broken")?;
    vault.add_client("slow")?;
    vault.grant("deleted")?;
    vault.grant_of("slow", "pending", json!({}))?;
    vault.grant_of("broken", "failed", json!({}))?;
    vault.grant("refreshed")?;
    vault.grant("revoked")?;
    assert!(vault.server.revoke_family(4), "that of 'revoked'");
    vault
        .server
        .misbehave_to("broken", Behaviour::Html { status: 503 }, None);
    vault
        .server
        .misbehave_to("slow", Behaviour::Delay { ms: 20_000 }, Some(1));

    let mut cron = vault.session()?;
    // The call waits six times as long.
    cron.batch_execute("SET token_vault.refresh_wait = '700ms'")?;
    // A token that somebody holds is not refreshed before it has been deleted.
    let mut holder = vault.session()?;
    let mut lock = holder.transaction()?;
    lock.execute(
        "SELECT FROM vault.token WHERE subject = 'deleted' FOR UPDATE",
        &[],
    )?;
    let rows = std::thread::scope(|scope| {
        let calling = scope.spawn(|| {
            cron.query(
                "SELECT subject, outcome, error FROM vault.refresh_due(within => '1 hour') ORDER BY outcome",
                &[],
            )
        });
        // The provider has been asked for all of them, and a transient failure may have been tried again.
        let all_asked = |journal: &[Entry]| {
            let families: BTreeSet<_> = journal
                .iter()
                .map(|entry| entry.refresh_token_id.clone())
                .collect();
            families.len() == 5
        };
        let done = vault
            .server
            .wait_for_journal(all_asked, LIMIT)
            .map_err(token_vault_cluster::Error::from)
            .and_then(|_| {
                lock.execute("SELECT vault.delete_token('acme', 'deleted')", &[])?;
                Ok(lock.commit()?)
            });
        let rows = calling.join().expect("the session's thread");
        done.map(|()| rows)
    })??;
    let outcomes: Vec<(String, String, Option<String>)> = rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    let expected = [
        ("deleted", "deleted", None),
        ("failed", "failed", Some("status 503")),
        ("pending", "pending", None),
        ("revoked", "reauthorization_required", Some("invalid_grant")),
        ("refreshed", "refreshed", None),
    ]
    .map(|(subject, outcome, error)| (subject.into(), outcome.into(), error.map(Into::into)));
    assert_eq!(outcomes, expected);
    Ok(())
}
