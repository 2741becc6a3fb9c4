//! What is under way stays due on record, lest it rest for ever if its process dies. While the process lives, it is never
//! sent twice.

use serde_json::json;
use token_vault_cluster::wait::wait_for_sql;
use token_vault_cluster::{Options, Result, wait_for_end};
use token_vault_oauth_server::{Behaviour, Outcome};

use crate::provider::{LIMIT, Vault};

#[test]
fn what_is_under_way_is_not_sent_again_however_long_it_takes() -> Result<()> {
    let mut vault = Vault::start()?;
    vault
        .server
        .misbehave(Behaviour::Delay { ms: 4000 }, Some(1));
    vault.grant_that_is_due("alice")?;
    vault.wait_for_refreshes(1)?;
    // The refresher looks at the whole schedule, and refreshes what is due.
    let server = vault.server.issuer();
    vault.add_provider("other", &server, json!({}))?;
    vault.grant_that_is_due("bob")?;
    vault.wait_for_token("bob", "generation = 2")?;
    vault.wait_for_token("alice", "generation = 2")?;
    vault.wait_for_activity("query NOT LIKE 'refreshing%'")?;
    let outcomes = vault.outcomes();
    assert_eq!(outcomes, [Outcome::Rotated; 2]);
    assert_eq!(vault.token("alice")?.status, "valid");
    Ok(())
}

/// A refresher that ends gives back what it has claimed and not sent. Whoever has changed meanwhile when that is due
/// has the last word.
#[test]
fn what_is_given_back_is_due_when_somebody_has_said_so_meanwhile() -> Result<()> {
    let options = Options::new()
        .without_fsync()
        .set("token_vault.connections", "1");
    let mut vault = Vault::start_with(&options)?;
    vault.server.misbehave(Behaviour::Delay { ms: 1500 }, None);
    let refresher = vault.refresher()?;
    vault.grant_that_is_due("alice")?;
    vault.grant_that_is_due("bob")?;
    // One is sent, the other one waits for the connection.
    let both = "SELECT count(*) = 2 FROM vault.refresh_schedule WHERE attempt IS NOT NULL";
    wait_for_sql(&mut vault.db, both, LIMIT)?;
    vault.wait_for_refreshes(1)?;
    vault.db.batch_execute(
        "UPDATE vault.refresh_schedule SET due_at = clock_timestamp() + interval '1 day'",
    )?;
    vault
        .db
        .execute("SELECT pg_terminate_backend($1)", &[&refresher])?;
    wait_for_end(refresher)?;
    let kept = "SELECT count(*) = 1 FROM vault.refresh_schedule AS s JOIN vault.token AS t ON t.id = s.token
        WHERE t.generation = 1 AND s.attempt IS NULL AND s.due_at > clock_timestamp() + interval '20 hours'";
    wait_for_sql(&mut vault.db, kept, LIMIT)?;
    assert_eq!(vault.refreshes().len(), 1);
    Ok(())
}
